"""Waves of cells, in chunks: a chunk depends on the waves before its own alone, so that any can be made again."""

from dataclasses import dataclass

import numpy as np

from anomfit.inference.cells.profiled import lattice, strides
from anomfit.scanning.plan import Plan, Task

SEEDS = 8  # known optima that cells may start from
COARSE_SWEEPS, SWEEPS = 3, 4
# Of a plane with tables, at each spacing and after the polish. A sweep after one that has lowered no cell does nothing.
CHEAP_SWEEPS, EXACT_SWEEPS = 8, 2

FIT, FIRST, SWEEP, HESSIANS, BETWEEN, LAST, TABLE = "fit", "first", "sweep", "hessians", "between", "last", "table"
POLISH, CORRECT = "polish", "correct"  # with the exact likelihood what the table's has found, and its sweeps


@dataclass(frozen=True)
class Wave:
    """What is done with which cells: of the lattice of `stride`, the `turn`-th time in a row."""

    kind: str
    cells: np.ndarray
    stride: int = 1
    turn: int = 0


def waves(nx: int, ny: int, profiled: bool, tables: bool = False) -> list[Wave]:
    """All waves of a plane of nx times ny cells. The first one's rows are no cells but the known optima.

    With `tables` all waves up to the polish are cheap, so that cells look at their neighbours at every spacing.
    """
    every = np.arange(nx * ny)
    found = [Wave(FIT, np.arange(SEEDS))]
    if profiled:
        coarsest, *finer = strides(nx, ny)
        turns = CHEAP_SWEEPS if tables else 0
        coarse = lattice(nx, ny, coarsest)
        found += [Wave(FIRST, coarse, coarsest), *_sweeps(coarse, coarsest, turns or COARSE_SWEEPS)]
        found += [Wave(HESSIANS, coarse, coarsest)]
        for stride in finer:
            own = lattice(nx, ny, stride)
            new = np.setdiff1d(own, lattice(nx, ny, 2 * stride))
            found += [Wave(BETWEEN, new, stride)] if new.size else []
            found += _sweeps(own, stride, turns) if stride > 1 else []
        found += _sweeps(every, 1, turns or SWEEPS)
        if tables:
            found += [Wave(POLISH, every), *(Wave(CORRECT, every, 1, turn) for turn in range(EXACT_SWEEPS))]
        found += [Wave(LAST, every)]
    return [*found, Wave(TABLE, every)]


def _sweeps(cells: np.ndarray, stride: int, turns: int) -> list[Wave]:
    return [Wave(SWEEP, cells, stride, turn) for turn in range(turns)]


@dataclass(frozen=True)
class WavePlan(Plan):
    """Rows of all waves one after the other, in chunks of at most `size` that never reach over the end of a wave."""

    pieces: tuple[tuple[int, int], ...] = ()

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return len(self.pieces)

    def task(self, chunk: int) -> Task:
        """The rows of a chunk."""
        return Task(chunk, *self.pieces[chunk])


def plan_of(found: list[Wave], size: int) -> WavePlan:
    """The plan of these waves; the known optima are one chunk."""
    pieces, first = [], 0
    for wave in found:
        last = first + len(wave.cells)
        step = last - first if wave.kind == FIT else size
        pieces += [(low, min(low + step, last)) for low in range(first, last, step)]
        first = last
    return WavePlan(first, size, tuple(pieces))

"""The rows of a plane: cells wave by wave, then the table of what is said at every cell's point."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from anomfit.constraints.base import Constraint
from anomfit.inference import coordinates
from anomfit.inference.cells.around import AroundPlane, SideBySide
from anomfit.inference.cells.corrected import CorrectedCells
from anomfit.inference.cells.profiled import CONVERGED, OUTSIDE, UNDEFINED, Cells, ProfiledCells, Search
from anomfit.inference.compare.exclusions import ratios_at
from anomfit.inference.compiled import forward
from anomfit.inference.scan import TWICE_NLL, measurement_names
from anomfit.inference.undefined import undefined_values
from anomfit.planes.axes import Axis
from anomfit.planes.waves import (
    BETWEEN,
    CORRECT,
    FIRST,
    FIT,
    HESSIANS,
    LAST,
    POLISH,
    SEEDS,
    SWEEP,
    TABLE,
    Wave,
    WavePlan,
)
from anomfit.problem import Problem

Columns = dict[str, np.ndarray]
CELL, STATUS_COLUMN, KNOWN = "cell", "status", "known"
RATIOS, EXCLUDED = "ratio", "excluded"
POOL = 25.0  # optima further above the best fit are no start
BY_TABLE = Search(seeds=4, scattered=256, followed=6, worse=10.0, reaches=(1, 2, 4), offers=4)


@dataclass(frozen=True)
class Start:
    """Known optima: values of parameters and pulls by name with their -2 ln L, the best fit first."""

    points: tuple[Mapping[str, float], ...]
    twice_nll: tuple[float, ...]


@dataclass
class PlaneRows:
    """Makes the rows of a plane; `read` gives the columns of a chunk that has been made before this run.

    `search` finds the start. `constraints` are asked at every cell of the table. `report(stage, done, total)`.
    `cheap`: the problem with its pairs from a table, with which cells are profiled before they are polished; every
    number of the last wave is that of the `problem` itself.
    """

    problem: Problem
    axes: tuple[Axis, Axis]
    profiled: bool
    waves: Sequence[Wave]
    plan: WavePlan
    identity: Mapping[str, str]
    search: Callable[[], Start]
    constraints: Sequence[Constraint] = ()
    report: Callable[[str, int, int], None] = lambda stage, done, total: None
    cheap: Problem | None = None
    read: Callable[[int], Columns] | None = None
    made: dict[int, Columns] = field(default_factory=dict)
    _start: Start | None = None
    _state: Cells | None = None
    _merged: int = 0  # waves that the state has

    def __post_init__(self):
        names = self.problem.names
        held = (names.index(self.axes[0].name), names.index(self.axes[1].name))
        self.around = AroundPlane(self.problem, held)
        self.around_cheap = None if self.cheap is None else SideBySide(self.cheap, held, self.around)
        self._ends = np.cumsum([len(wave.cells) for wave in self.waves])
        self._places = np.cumsum([0, *(len(wave.cells) for wave in self.waves)])

    def columns(self, first: int, last: int) -> Columns:
        """The columns of the rows first, ..., last - 1, which are of one wave."""
        at = bisect_right(self._ends, first)
        wave, offset = self.waves[at], int(self._places[at])
        chunk = bisect_right([low for low, _ in self.plan.pieces], first) - 1
        if wave.kind == FIT:
            self._start = self.search()
            found = self._of_start(self._start)
        else:
            cells = wave.cells[first - offset : last - offset]
            self._merge(at)
            found = self._of_cells(wave, cells)
        self.made[chunk] = found
        return found

    def words(self, columns: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Nothing beside the rows themselves."""
        return {}

    def start(self) -> Start:
        """The known optima, once the first chunk is there."""
        if self._start is None:
            columns = self._chunk(0)
            rows = np.flatnonzero(columns[KNOWN])
            points = tuple({name: float(columns[name][k]) for name in self.problem.names} for k in rows)
            self._start = Start(points, tuple(float(columns[TWICE_NLL][k]) for k in rows))
        return self._start

    def table(self) -> Columns:
        """The last wave's columns, cell by cell."""
        last = len(self.waves) - 1
        chunks = [self._chunk(k) for k in self._chunks_of(last)]
        return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}

    # -- waves ------------------------------------------------------------------------------------------------------

    def _of_start(self, start: Start) -> Columns:
        """Eight rows, the optima and as many copies of the first as are missing."""
        rows = np.array([k if k < len(start.points) else 0 for k in range(SEEDS)])
        columns: Columns = {KNOWN: np.arange(SEEDS) < len(start.points)}
        columns |= {name: np.array([start.points[k][name] for k in rows]) for name in self.problem.names}
        return columns | {TWICE_NLL: np.array([start.twice_nll[k] for k in rows])}

    def _of_cells(self, wave: Wave, cells: np.ndarray) -> Columns:
        if wave.kind == TABLE:
            return self._of_table(cells)
        state = self._state
        assert state is not None

        def report(done: int) -> None:
            self.report(f"{_STAGES[wave.kind]} (1 in {wave.stride})", done, len(cells))

        if wave.kind == POLISH:
            found = self._corrected().polished(cells, state.take(cells), report)
        elif wave.kind == CORRECT:
            found = self._corrected().swept(cells, state, wave.turn == 0, report)
        elif wave.kind == LAST:
            found = self._exact().finished(cells, state.take(cells))
        else:
            profile = self._exact() if self.around_cheap is None else self._cheap()
            if wave.kind == FIRST:
                found = profile.first(cells, report)
            elif wave.kind == SWEEP:
                found = profile.swept(cells, state, wave.stride, wave.turn == 0, report)
            elif wave.kind == HESSIANS:
                found = profile.with_hessians(cells, state.take(cells))
            else:
                found = profile.between(cells, state, wave.stride, report)
        columns: Columns = {CELL: cells}
        for f in fields(Cells):
            array = getattr(found, f.name)
            columns[f.name] = array.reshape(len(cells), -1) if array.ndim > 1 else array
        return columns

    def _exact(self) -> ProfiledCells:
        return ProfiledCells(self.around, self.axes[0].scaled, self.axes[1].scaled, self._seeds())

    def _cheap(self) -> ProfiledCells:
        assert self.around_cheap is not None
        return ProfiledCells(self.around_cheap, self.axes[0].scaled, self.axes[1].scaled, self._seeds(), BY_TABLE)

    def _corrected(self) -> CorrectedCells:
        return CorrectedCells(self._exact(), self._cheap())

    def _seeds(self) -> np.ndarray:
        best = self.start()
        near = [p for p, v in zip(best.points, best.twice_nll, strict=True) if v <= best.twice_nll[0] + POOL]
        return np.array([coordinates.to_scaled(self.problem, point) for point in near])

    def _merge(self, upto: int) -> None:
        """Have in the state what all waves before this one have found."""
        if not self.profiled:
            return
        if self._state is None:
            self._state = Cells.empty(self.axes[0].cells * self.axes[1].cells, self.around.size)
        for k in range(max(self._merged, 1), upto):
            for chunk in self._chunks_of(k):
                columns = self._chunk(chunk)
                shapes = {f.name: getattr(self._state, f.name).shape[1:] for f in fields(Cells)}
                n = len(columns[CELL])
                self._state.put(columns[CELL], Cells(**{key: columns[key].reshape(n, *s) for key, s in shapes.items()}))
                self.made.pop(chunk, None)
        self._merged = max(self._merged, upto)

    def _chunks_of(self, wave: int) -> list[int]:
        first, last = int(self._places[wave]), int(self._places[wave + 1])
        return [k for k, (low, _) in enumerate(self.plan.pieces) if first <= low < last]

    def _chunk(self, chunk: int) -> Columns:
        if chunk in self.made:
            return self.made[chunk]
        assert self.read is not None
        return self.read(chunk)

    # -- the table --------------------------------------------------------------------------------------------------

    def _of_table(self, cells: np.ndarray) -> Columns:
        """What the likelihood, its parts and the constraints say at each cell's point."""
        problem, nx = self.problem, self.axes[0].cells
        places = np.stack([self.axes[0].scaled[cells % nx], self.axes[1].scaled[cells // nx]], axis=1)
        status, distance, gradients = np.full(len(cells), CONVERGED), np.zeros(len(cells)), np.zeros(len(cells), int)
        if self.profiled:
            assert self._state is not None
            found = self._state.take(cells)
            s, status = self.around.scaled(found.x, places), found.status.astype(int)
            distance, gradients = found.distance, found.gradients
        else:
            s = np.repeat(coordinates.to_scaled(problem, self.start().points[0])[None], len(cells), axis=0)
            s[:, list(self.around.held)] = places
            status[self.around.outside(s)[0]] = OUTSIDE
        named = self.around.named(s)
        named |= {axis.name: axis.values[k] for axis, k in zip(self.axes, (cells % nx, cells // nx), strict=True)}
        said = forward(problem, named)
        broken, is_out = undefined_values(said), status == OUTSIDE
        twice_nll = np.where(is_out, np.inf, np.where(broken, np.nan, said.twice_nll))
        status[~is_out & ~np.isfinite(twice_nll)] = UNDEFINED
        columns: Columns = {CELL: cells, STATUS_COLUMN: status.astype(np.int8), TWICE_NLL: twice_nll}
        columns |= {"distance": distance, "gradients": gradients.astype(np.int32)}
        columns |= {name: np.asarray(named[name], dtype=float) for name in problem.names}
        columns |= {f"physical.{name}": np.asarray(x) for name, x in _physical_of(problem, named).items()}
        for name, ln, chi in zip(measurement_names(problem), said.log_likelihood, said.chi_squared, strict=True):
            columns |= {f"{TWICE_NLL}.{name}": -2.0 * np.asarray(ln), f"chi_squared.{name}": np.asarray(chi)}
        if self.constraints:
            ratios, excluded = ratios_at(problem, self.constraints, named)
            columns |= {RATIOS: ratios, EXCLUDED: excluded.astype(np.int8)}
        self.report("table", len(cells), len(cells))
        return columns


_STAGES = {
    **{FIRST: "profile", SWEEP: "neighbours", HESSIANS: "curvatures", BETWEEN: "profile", LAST: "failed cells"},
    **{POLISH: "exact", CORRECT: "exact neighbours"},
}


def _physical_of(problem: Problem, named: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    """The model's scalar physical quantities that are no free parameter."""
    free = {p.name: jnp.asarray(named[p.name], dtype=float) for p in problem.free}
    point = jax.vmap(problem.physical_point)(free)
    return {name: np.asarray(x) for name, x in point.items() if np.ndim(x) == 1 and name not in free}


def read_columns(path: Path) -> Columns:
    """The columns of a chunk's file; a column of lists is an array of two axes."""
    table, found = pq.ParquetFile(path).read(), {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        values = column.combine_chunks()
        if pa.types.is_fixed_size_list(column.type):
            found[name] = values.flatten().to_numpy(zero_copy_only=False).reshape(len(values), column.type.list_size)
        else:
            found[name] = values.to_numpy(zero_copy_only=False)
    return found

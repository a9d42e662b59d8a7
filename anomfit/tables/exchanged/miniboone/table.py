"""A table of kernels and the look-up: splines of 16-bit numbers over the masses.

The numbers of a place of the grid are a row: those that stay small against the largest of their row, half of all,
have 8 bits and a scale of their own, the others 16 bits and another. 64 rows make a value. Value and the three slopes
come from one pass over the rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from anomfit.tables.exchanged.grid import Coordinates, Grid
from anomfit.tables.exchanged.miniboone.compression import SETS
from anomfit.tables.splines import to_coefficients

LARGEST, LARGEST_FINE = 32767, 127
FINE = 1.0 / 128.0  # of the largest number of a row: numbers below it have 8 bits, if they are so nearly everywhere
NEARLY = 0.99


@dataclass(frozen=True)
class Table:
    """Coefficients: rows and fine, times a scale of each, are those of numbers over the blocks' sizes, sizes those of
    the logarithms of these.

    Numbers of a set of blocks (`compression.SETS`) hold births in all places. wide: static, how many of each set are in
    `rows`; the others are in `fine`. turns: by place of birth and block, from the numbers of its set to principal
    spectra by term, at couplings' coefficients of 1; spectra: by place of birth.
    """

    rows: Int[Array, "places wide"]
    fine: Int[Array, "places fine"]
    scales: Float[Array, "places 2"]
    sizes: Float[Array, "places births_blocks"]
    turns: tuple[Float[Array, "numbers terms principal"], ...]
    spectra: tuple[Float[Array, "principal beams bins flights"], ...]
    wide: tuple[int, ...]
    grid: Grid

    @property
    def blocks(self) -> int:
        """Of one place of birth."""
        return len(self.turns) // len(self.spectra)

    @property
    def megabytes(self) -> float:
        """Memory."""
        return sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(self)) / 1e6


jax.tree_util.register_dataclass(
    Table,
    data_fields=["rows", "fine", "scales", "sizes", "turns", "spectra"],
    meta_fields=["wide", "grid"],
)


class Values(NamedTuple):
    """At the nodes of a patch: numbers of the sets, one after the other, and logarithms of the blocks' sizes, by place
    of birth and block.
    """

    features: Float[np.ndarray, "parents pairs energies features"]
    sizes: Float[np.ndarray, "parents pairs energies births_blocks"]


def make_table(
    patches: Sequence[Values], grid: Grid, turned: Sequence[Sequence[np.ndarray]], spectra: Sequence[np.ndarray]
) -> Table:
    """From values at the nodes of the light and the heavy patch; features are overwritten. turned: of
    `compression.onto_spectra`; spectra: by place of birth.
    """
    for which, patch in enumerate(patches):
        for first in range(0, patch.features.shape[-1], 64):  # few at once, for the memory of the splines
            part = slice(first, first + 64)
            patch.features[..., part] = _coefficients(patch.features[..., part], grid.nodes(which))
    numbers = [patch.features.reshape(-1, patch.features.shape[-1]) for patch in patches]
    largest = np.concatenate([np.max(np.abs(rows), axis=1) for rows in numbers])
    is_fine = np.array([_is_fine([rows[:, i] for rows in numbers], largest) for i in range(numbers[0].shape[1])])
    rows, scales = _whole([one[:, ~is_fine] for one in numbers], LARGEST, np.int16)
    fine, fine_scales = _whole([one[:, is_fine] for one in numbers], LARGEST_FINE, np.int8)
    sizes = np.concatenate(
        [
            _coefficients(patch.sizes, grid.nodes(which)).reshape(-1, patch.sizes.shape[-1])
            for which, patch in enumerate(patches)
        ]
    )
    ends = np.cumsum([len(turned[0][blocks[0]]) for blocks in SETS])
    of_set = np.split(is_fine, ends[:-1])
    of_block = {block: chosen for blocks, chosen in zip(SETS, of_set, strict=True) for block in blocks}
    turns = [
        jnp.asarray(np.concatenate([turn[~of_block[i]], turn[of_block[i]]]), dtype=jnp.float32)
        for own in turned
        for i, turn in enumerate(own)
    ]
    wide = tuple(int(np.sum(~one)) for one in of_set)
    kept = tuple(jnp.asarray(one, dtype=jnp.float32) for one in spectra)
    floats = (jnp.asarray(np.stack([scales, fine_scales], axis=1), dtype=jnp.float32), jnp.asarray(sizes, jnp.float32))
    return Table(jnp.asarray(rows), jnp.asarray(fine), *floats, tuple(turns), kept, wide, grid)


def _is_fine(columns: list[np.ndarray], largest: np.ndarray) -> bool:
    share = np.abs(np.concatenate(columns)) / np.maximum(largest, 1e-30)
    return bool(np.quantile(share, NEARLY) <= FINE)


def _whole(parts: list[np.ndarray], largest: int, kind) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers, and the scale of each row."""
    rows = np.concatenate(parts)
    scales = np.maximum(np.max(np.abs(rows), axis=1, initial=0.0), 1e-30) / largest
    whole = np.empty(rows.shape, dtype=kind)
    for first in range(0, len(rows), 4096):
        part = slice(first, first + 4096)
        whole[part] = np.rint(rows[part] / scales[part, None])
    return whole, scales


def _coefficients(values: np.ndarray, nodes: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    for axis in (1, 2, 0):
        values = to_coefficients(values, nodes[axis], axis)
    return values


class Numbers(NamedTuple):
    """At one place: by block the numbers of its set, over the sizes of blocks, and the logarithms of these, by place of
    birth and block.
    """

    over_size: tuple[Float[Array, "numbers"], ...]
    size: Float[Array, "births_blocks"]


def look_up(table: Table, at: Coordinates, is_massless: bool) -> Numbers:
    """The kernels at a place of the grid; is_massless: static, whether the third coordinate is known to be 1."""
    wide, fine, sizes = _looked_up(is_massless, table, at)
    others = [len(table.turns[blocks[0]]) - number for blocks, number in zip(SETS, table.wide, strict=True)]
    parts = (jnp.split(x, np.cumsum(numbers)[:-1]) for x, numbers in ((wide, table.wide), (fine, others)))
    of_set = [jnp.concatenate(part) for part in zip(*parts, strict=True)]
    of_block = {block: numbers for blocks, numbers in zip(SETS, of_set, strict=True) for block in blocks}
    return Numbers(tuple(of_block[i] for i in range(table.blocks)), sizes)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _looked_up(is_massless: bool, table: Table, at: Coordinates):
    return tuple(found[0] for found in _sums(is_massless, table, at, False))


@_looked_up.defjvp
def _with_slopes(is_massless: bool, primals, tangents):
    table, at = primals
    moved = tangents[1]
    found = _sums(is_massless, table, at, True)
    steps = (moved.parent, moved.pair, moved.energy)
    changes = tuple(
        sum(step.astype(slope.dtype) * slope for step, slope in zip(steps, part[1:], strict=True)) for part in found
    )
    return tuple(part[0] for part in found), changes


def _sums(is_massless: bool, table: Table, at: Coordinates, is_sloped: bool):
    """(value, ...) of both kinds of numbers and of sizes, with the slopes along the three coordinates if asked for."""
    grid = table.grid
    corners = grid.corners(at)
    first = tuple(corner.first for corner in corners)
    weight = [corner.weight for corner in corners]
    slope = [jnp.zeros(4)] * 3
    if is_sloped:
        slope = [
            jax.jvp(
                lambda x, i=i, name=name: grid.corners(at._replace(**{name: x}))[i].weight, (x,), (jnp.ones_like(x),)
            )[1]
            for i, (name, x) in enumerate(zip(("parent", "pair", "energy"), at[1:], strict=True))
        ]
    energies, start, strides = tuple(range(4)), first[2], grid.strides(at)
    along = weight[2]
    if is_massless:  # nothing moves along this coordinate
        energies, start = (0,), strides.second - 1
        along, slope[2] = jnp.ones(1), jnp.zeros(1)
    number, exact = 4 if is_sloped else 1, weight[0].dtype

    def step(k, sums):
        i, j = k // 4, k % 4
        base = strides.start + (first[0] + i) * strides.first + (first[1] + j) * strides.second + start
        outer = weight[0][i] * weight[1][j]
        moved = (slope[0][i] * weight[1][j], weight[0][i] * slope[1][j]) if is_sloped else ()
        places = [base + e for e in energies]
        scales = jnp.stack([table.scales[place] for place in places], axis=1)
        found = []
        for total, array, scale in zip(sums, (table.rows, table.fine), scales, strict=False):
            near = tuple(jax.lax.dynamic_index_in_dim(array, p, keepdims=False).astype(jnp.float32) for p in places)
            found.append(_added(total, near, along * scale, slope[2] * scale, outer, moved))
        sized = tuple(table.sizes[place].astype(exact) for place in places)
        return (*found, _added(sums[2], sized, along, slope[2], outer, moved))

    kinds = ((table.rows, jnp.float32), (table.fine, jnp.float32), (table.sizes, exact))
    empty = tuple(tuple(jnp.zeros(array.shape[1], dtype=kind) for _ in range(number)) for array, kind in kinds)
    return jax.lax.fori_loop(0, 16, step, empty)


def _added(sums, rows, along, slope, outer, moved):
    """Sums with four rows more."""
    here = _combined(rows, along)
    added = [outer.astype(here.dtype) * here]
    if moved:
        added += [factor.astype(here.dtype) * here for factor in moved]
        added.append(outer.astype(here.dtype) * _combined(rows, slope))
    return tuple(total + one for total, one in zip(sums, added, strict=True))


def _combined(rows, weights):
    weights = weights.astype(rows[0].dtype)
    total = weights[0] * rows[0]
    for i, row in enumerate(rows[1:], start=1):
        total = total + weights[i] * row
    return total


def arrays_of(table: Table) -> dict[str, np.ndarray]:
    """For a file."""
    arrays = {name: getattr(table, name) for name in ("rows", "fine", "scales", "sizes")}
    arrays["wide"] = jnp.asarray(table.wide)
    arrays |= {f"turns-{i:02d}": one for i, one in enumerate(table.turns)}
    arrays |= {f"spectra-{i:02d}": one for i, one in enumerate(table.spectra)}
    return {name: np.asarray(array) for name, array in arrays.items()}


def from_arrays(arrays: Mapping[str, Array], grid: Grid) -> Table:
    """What `arrays_of` gave."""
    turns, spectra = (
        tuple(arrays[name] for name in sorted(arrays) if name.startswith(f"{stem}-")) for stem in ("turns", "spectra")
    )
    wide = tuple(np.asarray(arrays["wide"]).tolist())
    rows, fine, scales, sizes = (arrays[name] for name in ("rows", "fine", "scales", "sizes"))
    return Table(rows, fine, scales, sizes, turns, spectra, wide, grid)

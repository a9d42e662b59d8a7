"""A table of kernels and the look-up: splines of 16-bit numbers over the masses.

The numbers of a place of the grid are a row with one scale; 64 rows make a value. Value and the three slopes come from
one pass over the rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from anomfit.tables.compression import Compression
from anomfit.tables.grids import Coordinates, Grid
from anomfit.tables.splines import to_coefficients

LARGEST = 32767


@dataclass(frozen=True)
class Table:
    """Coefficients: rows x scales are those of the blocks' numbers, sizes those of the logarithms of their sizes.

    turns: by place of birth and block, from its numbers to principal spectra by term, at couplings' coefficients of 1;
    spectra: by place of birth.
    """

    rows: Int[Array, "places features"]
    scales: Float[Array, "places"]
    sizes: Float[Array, "places blocks"]
    turns: tuple[Float[Array, "numbers terms principal"], ...]
    spectra: tuple[Float[Array, "principal beams bins flights"], ...]
    grid: Grid

    @property
    def megabytes(self) -> float:
        """Memory."""
        return sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(self)) / 1e6


jax.tree_util.register_dataclass(
    Table, data_fields=["rows", "scales", "sizes", "turns", "spectra"], meta_fields=["grid"]
)


def make_table(
    features: Float[np.ndarray, "parents pairs energies features"],
    sizes: Float[np.ndarray, "parents pairs energies blocks"],
    grid: Grid,
    made: Compression,
    turned: Sequence[np.ndarray],
) -> Table:
    """From values at the nodes of the grid; `features` is overwritten. turned: of `compression.shared`."""
    for first in range(0, features.shape[-1], 64):  # few at once, for the memory of the splines
        part = slice(first, first + 64)
        features[..., part] = _coefficients(features[..., part], grid)
    rows = features.reshape(-1, features.shape[-1])
    scales = np.maximum(np.max(np.abs(rows), axis=1), 1e-30) / LARGEST
    rows = np.stack([np.rint(row / scale).astype(np.int16) for row, scale in zip(rows, scales, strict=True)])
    sizes = _coefficients(sizes, grid).reshape(len(rows), -1)
    turns = []
    for i, turn in enumerate(turned):
        strength = made.strength[made.block == i % made.blocks]
        onto = turn.T.reshape(turn.shape[1], len(strength), -1) / strength[:, None]
        turns.append(jnp.asarray(onto, dtype=jnp.float32))
    spectra = tuple(jnp.asarray(one, dtype=jnp.float32) for one in made.spectra)
    floats = (jnp.asarray(scales, dtype=jnp.float32), jnp.asarray(sizes))
    return Table(jnp.asarray(rows), *floats, tuple(turns), spectra, grid)


def _coefficients(values: np.ndarray, grid: Grid) -> np.ndarray:
    found = to_coefficients(to_coefficients(values, 1), 2)
    patches = np.split(found, [grid.parent[0]], axis=0)  # both have a node where they meet
    return np.concatenate([to_coefficients(patch, 0) for patch in patches])


class Blocks(NamedTuple):
    """At one place, by place of birth and block: numbers over the block's size, and that size's logarithm."""

    numbers: tuple[Float[Array, "numbers"], ...]
    size: Float[Array, "blocks"]


def look_up(table: Table, at: Coordinates, is_massless: bool) -> Blocks:
    """The kernels at a place of the grid; is_massless: static, whether the third coordinate is known to be 1."""
    features, sizes = _looked_up(is_massless, table, at)
    ends = np.cumsum([len(turn) for turn in table.turns])
    return Blocks(tuple(jnp.split(features, ends[:-1])), sizes)


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
    """(value, ...) of features and of sizes, with the slopes along the three coordinates if asked for."""
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
    energies = (grid.energy - 1,) if is_massless else tuple(range(4))
    start = jnp.zeros((), dtype=int) if is_massless else first[2]
    if is_massless:
        along, slope[2] = jnp.ones(1), jnp.zeros(1)  # nothing moves along this coordinate
    else:
        along = weight[2]
    number = 4 if is_sloped else 1

    def step(k, sums):
        i, j = k // 4, k % 4
        base = ((first[0] + i) * grid.pair + first[1] + j) * grid.energy + start
        outer = weight[0][i] * weight[1][j]
        moved = (slope[0][i] * weight[1][j], weight[0][i] * slope[1][j]) if is_sloped else ()
        places = [base + e for e in energies]
        scales = jnp.stack([table.scales[place] for place in places])
        wide = tuple(jax.lax.dynamic_index_in_dim(table.rows, p, keepdims=False).astype(jnp.float32) for p in places)
        sized = tuple(table.sizes[place] for place in places)
        return (
            _added(sums[0], wide, along * scales, slope[2] * scales, outer, moved),
            _added(sums[1], sized, along, slope[2], outer, moved),
        )

    empty = tuple(
        tuple(jnp.zeros(array.shape[1], dtype=kind) for _ in range(number))
        for array, kind in ((table.rows, jnp.float32), (table.sizes, table.sizes.dtype))
    )
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

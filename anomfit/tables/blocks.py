"""A table of kernels in blocks and the look-up: cubic splines over three coordinates.

What is kept at a place of the grid is, by block, the logarithm of the kernel's size, and the kernel over its size in a
few numbers, which multiply principal spectra.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.tables.splines import Corner, Strides, to_coefficients

LEFT_OUT = 2e-5  # of a block's size, that numbers may leave out anywhere
MOST = 80  # numbers of a block


class BlockGrid(Protocol):
    """Where the nodes of a table lie, static."""

    def laid_out(self) -> Sequence[Sequence[np.ndarray]]:
        """Nodes, from 0 to 1, of three axes whose product it is, or of several such products, in the order of rows."""
        ...

    def corners(self, at: Any) -> tuple[Corner, Corner, Corner]:
        """What matters at a place, whose last three fields are coordinates."""
        ...

    def strides(self, at: Any) -> Strides:
        """Of the product that the place is in."""
        ...


@dataclass(frozen=True)
class BlockTable:
    """Coefficients of the splines, and by block the principal spectra. grid: static."""

    rows: Float[Array, "places numbers"]
    sizes: Float[Array, "places blocks"]
    spectra: tuple[Float[Array, "numbers ..."], ...]
    grid: Any

    @property
    def megabytes(self) -> float:
        """Memory."""
        return sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(self)) / 1e6


jax.tree_util.register_dataclass(BlockTable, data_fields=["rows", "sizes", "spectra"], meta_fields=["grid"])


def make_table(
    kernels: Sequence[Float[np.ndarray, "places ..."]],
    grid: BlockGrid,
    floors: Sequence[float],
    left_out: float = LEFT_OUT,
) -> BlockTable:
    """From each block's kernels at all places; floors: sizes below them count as nothing."""
    numbers, sizes, spectra = [], [], []
    for rows, floor in zip(kernels, floors, strict=True):
        flat = rows.reshape(len(rows), -1)
        size = np.sqrt(np.sum(flat.astype(float) ** 2, axis=1)) + floor
        found, principal = _principal(flat / size[:, None].astype(flat.dtype), left_out)
        numbers.append(found)
        sizes.append(np.log(size))
        spectra.append(principal.reshape(-1, *rows.shape[1:]).astype(np.float32))
    return BlockTable(
        jnp.asarray(_coefficients(np.concatenate(numbers, axis=1), grid), dtype=jnp.float32),
        jnp.asarray(_coefficients(np.stack(sizes, axis=1), grid), dtype=jnp.float32),
        tuple(jnp.asarray(one) for one in spectra),
        grid,
    )


def _principal(flat: Float[np.ndarray, "places numbers"], left_out: float) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and orthogonal directions, as many as leave no more than `left_out` out at any place."""
    _, turned = np.linalg.eigh(flat.T.astype(float) @ flat)
    turned = turned[:, ::-1][:, :MOST]
    found = flat @ turned
    left = np.sum(flat.astype(float) ** 2, axis=1)[:, None] - np.cumsum(found**2, axis=1)
    worst = np.sqrt(np.maximum(np.max(left, axis=0), 0.0))
    enough = int(np.argmax(worst <= left_out)) + 1 if np.any(worst <= left_out) else turned.shape[1]
    return found[:, :enough], turned[:, :enough].T


def _coefficients(values: np.ndarray, grid: BlockGrid) -> np.ndarray:
    found, first = [], 0
    for axes in grid.laid_out():
        shape = [len(nodes) for nodes in axes]
        places = int(np.prod(shape))
        shaped = values[first : first + places].reshape(*shape, -1)
        for i, nodes in enumerate(axes):
            shaped = to_coefficients(shaped, nodes, i)
        found.append(shaped.reshape(places, -1))
        first += places
    return np.concatenate(found)


class Numbers(NamedTuple):
    """At one place: by block the numbers, over the block's size, and the sizes."""

    over_size: tuple[Float[Array, "numbers"], ...]
    size: Float[Array, "blocks"]


def look_up(table: BlockTable, at: Any) -> Numbers:
    """The kernels at a place that the table holds, `at`: what the grid's `corners` take."""
    numbers, sizes = _looked_up(table, at)
    ends = np.cumsum([one.shape[0] for one in table.spectra]).tolist()
    return Numbers(tuple(jnp.split(numbers, ends[:-1])), jnp.exp(sizes))


@jax.custom_jvp
def _looked_up(table: BlockTable, at: Any):
    return tuple(part[0] for part in _sums(table, at, False))


@_looked_up.defjvp
def _with_slopes(primals, tangents):
    table, at = primals
    moved = jnp.stack(tangents[1][-3:])
    found = _sums(table, at, True)
    return tuple(part[0] for part in found), tuple(
        jnp.tensordot(moved.astype(part.dtype), part[1:], axes=1) for part in found
    )


def _sums(table: BlockTable, at: Any, is_sloped: bool):
    """(value, slopes in the three coordinates if asked for), on a first axis, of numbers and of sizes."""
    grid = table.grid
    first, weight = zip(*grid.corners(at), strict=True)
    combined = [_outer(weight)]
    if is_sloped:
        for i, name in enumerate(type(at)._fields[-3:]):
            x = getattr(at, name)
            slope = jax.jvp(
                lambda x, i=i, name=name: grid.corners(at._replace(**{name: x}))[i].weight, (x,), (jnp.ones_like(x),)
            )[1]
            combined.append(_outer([slope if j == i else one for j, one in enumerate(weight)]))
    by, strides = jnp.stack(combined), grid.strides(at)
    i, j, k = np.indices((4, 4, 4)).reshape(3, -1)
    places = strides.start + (first[0] + i) * strides.first + (first[1] + j) * strides.second + first[2] + k
    rows, sizes = table.rows[places], table.sizes[places]
    return by.astype(rows.dtype) @ rows, by @ sizes.astype(by.dtype)


def _outer(each: Sequence[Float[Array, "4"]]) -> Float[Array, "64"]:
    return (each[0][:, None, None] * each[1][:, None] * each[2]).reshape(-1)


def arrays_of(table: BlockTable) -> dict[str, np.ndarray]:
    """For a file."""
    named = {"rows": table.rows, "sizes": table.sizes}
    named |= {f"spectra-{i:02d}": one for i, one in enumerate(table.spectra)}
    return {name: np.asarray(array) for name, array in named.items()}


def from_arrays(arrays: Mapping[str, Array], grid: Any) -> BlockTable:
    """What `arrays_of` gave."""
    spectra = tuple(arrays[name] for name in sorted(arrays) if name.startswith("spectra-"))
    return BlockTable(arrays["rows"], arrays["sizes"], spectra, grid)

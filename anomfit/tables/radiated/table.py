"""A table of radiated scalars and the look-up: cubic splines over three masses.

What is kept at a place of the grid: by block (a component, wherever it was born), the logarithm of the kernel's size,
and the kernel over its size in a few numbers, which multiply principal spectra.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.tables.radiated.grid import Grid, Masses
from anomfit.tables.splines import to_coefficients

LEFT_OUT = 2e-5  # of a block's size, that numbers may leave out anywhere
MOST = 80  # numbers of a block


@dataclass(frozen=True)
class RadiatedTable:
    """Coefficients of the splines, and by block the principal spectra. parts: static, numbers of each block."""

    rows: Float[Array, "places numbers"]
    sizes: Float[Array, "places blocks"]
    spectra: tuple[Float[Array, "numbers flights beams bins"], ...]
    grid: Grid

    @property
    def megabytes(self) -> float:
        """Memory."""
        return sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(self)) / 1e6


jax.tree_util.register_dataclass(RadiatedTable, data_fields=["rows", "sizes", "spectra"], meta_fields=["grid"])


def make_table(
    kernels: Float[np.ndarray, "places blocks flights beams bins"],
    grid: Grid,
    floor: float,
) -> RadiatedTable:
    """From kernels at all places; floor: sizes below it count as nothing."""
    numbers, sizes, spectra = [], [], []
    for block in range(kernels.shape[1]):
        rows = kernels[:, block]
        size = np.sqrt(np.sum(rows.astype(float) ** 2, axis=(1, 2, 3))) + floor
        flat = (rows / size[:, None, None, None]).reshape(len(rows), -1)
        found, principal = _principal(flat)
        numbers.append(found)
        sizes.append(np.log(size))
        spectra.append(principal.reshape(-1, *rows.shape[1:]).astype(np.float32))
    rows = _coefficients(np.concatenate(numbers, axis=1), grid)
    return RadiatedTable(
        jnp.asarray(rows, dtype=jnp.float32),
        jnp.asarray(_coefficients(np.stack(sizes, axis=1), grid), dtype=jnp.float32),
        tuple(jnp.asarray(one) for one in spectra),
        grid,
    )


def _principal(flat: Float[np.ndarray, "places numbers"]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and orthogonal directions, as many as leave no more than `LEFT_OUT` out at any place."""
    _, turned = np.linalg.eigh(flat.T.astype(float) @ flat)
    turned = turned[:, ::-1][:, :MOST]
    found = flat @ turned
    left = np.sum(flat.astype(float) ** 2, axis=1)[:, None] - np.cumsum(found**2, axis=1)
    worst = np.sqrt(np.maximum(np.max(left, axis=0), 0.0))
    enough = int(np.argmax(worst <= LEFT_OUT)) + 1 if np.any(worst <= LEFT_OUT) else MOST
    return found[:, :enough], turned[:, :enough].T


def _coefficients(values: np.ndarray, grid: Grid) -> np.ndarray:
    shaped = values.reshape(*grid.shape, -1)
    for i, axis in enumerate(grid.axes):
        shaped = to_coefficients(shaped, axis.nodes, i)
    return shaped.reshape(len(values), -1)


def look_up(table: RadiatedTable, masses: Masses) -> Float[Array, "blocks flights beams bins"]:
    """The kernels at masses that the table holds."""
    numbers, sizes = _looked_up(table, masses)
    ends = np.cumsum([one.shape[0] for one in table.spectra]).tolist()
    parts = jnp.split(numbers, ends[:-1])
    found = [jnp.tensordot(part, one, axes=1) for part, one in zip(parts, table.spectra, strict=True)]
    return jnp.exp(sizes)[:, None, None, None] * jnp.stack(found).astype(sizes.dtype)


@jax.custom_jvp
def _looked_up(table: RadiatedTable, masses: Masses):
    return tuple(part[0] for part in _sums(table, masses, False))


@_looked_up.defjvp
def _with_slopes(primals, tangents):
    table, masses = primals
    moved = jnp.stack(tangents[1])
    found = _sums(table, masses, True)
    return tuple(part[0] for part in found), tuple(
        jnp.tensordot(moved.astype(part.dtype), part[1:], axes=1) for part in found
    )


def _sums(table: RadiatedTable, masses: Masses, is_sloped: bool):
    """(value, slopes in the three masses if asked for), on a first axis, of numbers and of sizes."""
    near = table.grid.near(masses)
    first, weight = zip(*near, strict=True)
    combined = [_outer(weight)]
    if is_sloped:
        for i, (axis, mass) in enumerate(zip(table.grid.axes, masses, strict=True)):
            slope = jax.jvp(lambda x, axis=axis: axis.near(x)[1], (mass,), (jnp.ones_like(mass),))[1]
            combined.append(_outer([slope if j == i else one for j, one in enumerate(weight)]))
    by = jnp.stack(combined)
    _, second, third = table.grid.shape
    i, j, k = np.indices((4, 4, 4)).reshape(3, -1)
    places = ((first[0] + i) * second + first[1] + j) * third + first[2] + k
    rows, sizes = table.rows[places], table.sizes[places]
    return by.astype(rows.dtype) @ rows, by @ sizes.astype(by.dtype)


def _outer(each: Sequence[Float[Array, "4"]]) -> Float[Array, "64"]:
    return (each[0][:, None, None] * each[1][:, None] * each[2]).reshape(-1)


def arrays_of(table: RadiatedTable) -> dict[str, np.ndarray]:
    """For a file."""
    named = {"rows": table.rows, "sizes": table.sizes}
    named |= {f"spectra-{i}": one for i, one in enumerate(table.spectra)}
    return {name: np.asarray(array) for name, array in named.items()}


def from_arrays(arrays: Mapping[str, Array], grid: Grid) -> RadiatedTable:
    """What `arrays_of` gave."""
    spectra = tuple(arrays[name] for name in sorted(arrays) if name.startswith("spectra-"))
    return RadiatedTable(arrays["rows"], arrays["sizes"], spectra, grid)

"""Responses of a calorimeter to the energy of a shower, tabulated in its square root, where the resolution is constant.

P(bin | E) on a uniform grid, cubic between the points; a flat box of energies is averaged with the table's integral.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

LOWEST = 1e-3  # GeV, below which a point of the grid stands for this energy: nothing is seen there


@dataclass(frozen=True)
class EnergyTable:
    """response[i] at sqrt(E) = i * step, GeV; the last axis holds the bins."""

    response: Float[Array, "points bins"]
    step: Float[Array, ""]

    @property
    def energies(self) -> Float[Array, "points"]:
        """Energies of the grid, GeV, not below LOWEST."""
        return jnp.maximum((self.step * np.arange(self.response.shape[0])) ** 2, LOWEST)


jax.tree_util.register_dataclass(EnergyTable, data_fields=["response", "step"], meta_fields=[])


def tabulate(response: Callable[[np.ndarray], np.ndarray], highest: float, points: int) -> EnergyTable:
    """The table of response(energies) -> (energies, bins) up to `highest` GeV."""
    step = np.sqrt(highest) / (points - 1)
    grid = np.maximum((step * np.arange(points)) ** 2, LOWEST)
    return EnergyTable(jnp.asarray(response(grid)), jnp.asarray(step))


def at(table: EnergyTable, energy: Float[Array, "..."]) -> Float[Array, "... bins"]:
    """The response at these energies (GeV), inside the table."""
    slopes = jnp.asarray(differences(table.response.shape[0])) @ table.response
    return _cubic(table.response, slopes, _place(table, energy))


def box_average(table: EnergyTable, low: Float[Array, "..."], high: Float[Array, "..."]) -> Float[Array, "... bins"]:
    """Average of the response over energies between `low` and `high` (GeV), low < high, inside the table."""
    points = table.response.shape[0]
    density = (2.0 * table.step**2 * np.arange(points))[:, None] * table.response  # dE = 2 sqrt(E) d sqrt(E)
    integral = jnp.asarray(_cumulative(points)) @ density
    ends = jnp.stack([low, high])
    below, above = _cubic(integral, density, _place(table, ends))
    return (above - below) / (high - low)[..., None]


def _place(table: EnergyTable, energy):
    return jnp.sqrt(energy) / table.step


def _cubic(values, slopes, place):
    """Cubic Hermite interpolation with unit spacing: continuous with its derivative."""
    index = jnp.clip(jnp.floor(place).astype(int), 0, values.shape[0] - 2)
    t = (place - index)[..., None]
    left, right = values[index], values[index + 1]
    return (
        left
        + t**2 * (3.0 - 2.0 * t) * (right - left)
        + t * (1.0 - t) * ((1.0 - t) * slopes[index] - t * slopes[index + 1])
    )


def onto_grid(place: Float[Array, "items"], weight: Float[Array, "items"], points: int):
    """(values, slopes), (points,) each: what to multiply a function and its slopes at 0, 1, ... with.

    The sum is that of weight times the function at `place`, cubic between the points: `at`, summed, without a row of
    bins for each item. Places lie between 0 and points - 1.
    """
    index = jnp.clip(jnp.floor(place).astype(int), 0, points - 2)
    t = place - index
    near = t**2 * (3.0 - 2.0 * t)
    nothing = jnp.zeros(points)
    values = nothing.at[index].add(weight * (1.0 - near)).at[index + 1].add(weight * near)
    slopes = nothing.at[index].add(weight * t * (1.0 - t) ** 2).at[index + 1].add(-weight * t**2 * (1.0 - t))
    return values, slopes


@lru_cache
def _cumulative(n: int) -> np.ndarray:
    """Matrix of the running integral on a uniform grid of unit spacing, fourth order."""
    cells = np.zeros((n, n))
    for i in range(1, n - 2):
        cells[i + 1, i - 1 : i + 3] = np.array([-1.0, 13.0, 13.0, -1.0]) / 24.0
    cells[1, :3] = np.array([5.0, 8.0, -1.0]) / 12.0
    cells[n - 1, n - 3 :] = np.array([-1.0, 8.0, 5.0]) / 12.0
    return np.cumsum(cells, axis=0)


@lru_cache
def differences(n: int) -> np.ndarray:
    """Matrix of the derivative on a uniform grid of unit spacing: fourth order inside, first at the ends."""
    matrix = np.zeros((n, n))
    for i in range(2, n - 2):
        matrix[i, i - 2 : i + 3] = np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / 12.0
    for i in (0, 1):
        matrix[i, i : i + 2] = [-1.0, 1.0]
        matrix[n - 1 - i, n - 2 - i : n - i] = [-1.0, 1.0]
    return matrix

"""Where the nodes of a table lie: the mass of what is made, the pair's mass, and the energy of the decay. GeV.

The third coordinate is that of the pair in the rest frame of what is made, w = ln(E*/h)/ln(E*_0/h), with E*_0 for a
daughter without mass: 0 at the threshold of the decay, 1 for the massless daughter. Rates are smooth in it at the
threshold, being even in the pair's momentum. Nodes of the pair's mass are scaled to the range in which a decay is open.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from anomfit.errors import reject
from anomfit.tables.splines import FEWEST, weights

CUT = 0.03  # GeV: from this pair mass on selections cut, and nodes become denser


class Masses(NamedTuple):
    """What a kernel depends on: of what is made, of the pair, and the pair's energy in the rest frame of the former."""

    parent: Float[Array, ""]
    pair: Float[Array, ""]
    energy: Float[Array, ""]


@dataclass(frozen=True)
class Grid:
    """Numbers of nodes and ranges, static.

    parent: nodes of the mass of what is made in two patches, below and above `lightest_room + heaviest_pair`, where the
    upper end of the pair's mass changes from that mass less `room` to `pair_range[1]`.
    """

    parent: tuple[int, int] = (24, 22)
    pair: int = 36
    energy: int = 22
    parent_range: tuple[float, float] = (0.01, 2.0)
    pair_range: tuple[float, float] = (0.0015, 0.2)
    room: float = 0.001

    def __post_init__(self):
        for name, number in zip(("parent", "parent", "pair", "energy"), (*self.parent, self.pair, self.energy)):
            if number < FEWEST:
                raise reject(f"grid.{name}", number, f"give at least {FEWEST} nodes")

    @property
    def edges(self) -> tuple[float, float, float]:
        """Ends of the two patches of parent masses."""
        return self.parent_range[0], self.pair_range[1] + self.room, self.parent_range[1]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Nodes along the axes of a table; both patches have a node where they meet."""
        return sum(self.parent), self.pair, self.energy

    def parents(self) -> np.ndarray:
        """Masses at the nodes of the first axis."""
        low, middle, high = self.edges
        return np.concatenate([np.geomspace(low, middle, self.parent[0]), np.geomspace(middle, high, self.parent[1])])

    def pairs(self, parent: float) -> np.ndarray:
        """Pair masses at the nodes of the second axis, for one mass of the parent."""
        low, high = _stretched(self.pair_range[0]), _stretched(float(self._highest_pair(parent)))
        return _squeezed(np.linspace(low, high, self.pair))

    def daughters(self, parent: float, pair: np.ndarray) -> np.ndarray:
        """Masses of the daughter at the nodes of the third axis, (pairs, energies); the last is 0."""
        ratio = np.log((parent**2 + pair**2) / (2.0 * parent * pair))[:, None] * np.linspace(0.0, 1.0, self.energy)
        squared = parent**2 + (pair**2)[:, None] - 2.0 * parent * pair[:, None] * np.exp(ratio)
        found = np.sqrt(np.maximum(squared, 0.0))
        found[:, 0], found[:, -1] = parent - pair, 0.0
        return found

    def holds(self, masses: Masses) -> Bool[Array, ""]:
        """Whether a place is inside; the energy is not looked at."""
        low, high = self.parent_range
        inside = (masses.parent >= low) & (masses.parent <= high) & (masses.pair >= self.pair_range[0])
        return inside & (masses.pair <= self._highest_pair(masses.parent) * (1.0 + 1e-12))

    def coordinates(self, masses: Masses) -> "Coordinates":
        """Where a place is along each axis, from 0 to 1, and in which patch."""
        low, middle, high = self.edges
        is_light = masses.parent < middle
        light = jnp.log(masses.parent / low) / np.log(middle / low)
        heavy = jnp.log(masses.parent / middle) / np.log(high / middle)
        start, end = _stretched(self.pair_range[0]), _stretched(self._highest_pair(masses.parent))
        pair = (_stretched(masses.pair) - start) / (end - start)
        return Coordinates(is_light, jnp.where(is_light, light, heavy), pair, self.openness(masses))

    def corners(self, at: "Coordinates") -> "tuple[Corner, Corner, Corner]":
        """The coefficients that matter along each axis, with their weights."""
        first, light = weights(at.parent, self.parent[0])
        second, heavy = weights(at.parent, self.parent[1])
        parent = Corner(jnp.where(at.is_light, first, second + self.parent[0]), jnp.where(at.is_light, light, heavy))
        return parent, Corner(*weights(at.pair, self.pair)), Corner(*weights(at.energy, self.energy))

    def openness(self, masses: Masses) -> Float[Array, ""]:
        """w: 0 at threshold and where a decay is closed, 1 for a daughter without mass."""
        most = jnp.log((masses.parent**2 + masses.pair**2) / (2.0 * masses.parent * masses.pair))
        return jnp.log(jnp.maximum(masses.energy, masses.pair) / masses.pair) / most

    def _highest_pair(self, parent):
        return jnp.minimum(parent - self.room, self.pair_range[1])


class Coordinates(NamedTuple):
    """Along the three axes, from 0 to 1, that of parents in the lighter or the heavier patch."""

    is_light: Bool[Array, ""]
    parent: Float[Array, ""]
    pair: Float[Array, ""]
    energy: Float[Array, ""]


class Corner(NamedTuple):
    """The first of four coefficients along an axis, and their weights."""

    first: Int[Array, ""]
    weight: Float[Array, "4"]


def _stretched(pair):
    return jnp.log(pair) + 2.0 * jnp.log1p(pair / CUT)


def _squeezed(place: np.ndarray) -> np.ndarray:
    """The inverse of `_stretched`, by Newton's method."""
    found = np.log(np.exp(place) / (1.0 + np.exp(place) / CUT))
    for _ in range(100):
        pair = np.exp(found)
        found = found - (found + 2.0 * np.log1p(pair / CUT) - place) / (1.0 + 2.0 * pair / (pair + CUT))
    return np.exp(found)

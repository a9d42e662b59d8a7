"""Where the nodes of a table lie: the mass of what is made, the pair's mass, and the energy of the decay. GeV.

The third coordinate is that of the pair in the rest frame of what is made, w = ln(E*/h)/ln(E*_0/h), with E*_0 for a
daughter without mass: 0 at the threshold of the decay, 1 for the massless daughter. Rates are smooth in it at the
threshold, being even in the pair's momentum. Nodes of the pair's mass are scaled to the range in which a decay is open.

Light and heavy parents have a patch each, with nodes of its own, close where a cubic spline through even nodes is
farthest from the exact rule. Along lines through 54 points of the prior of `two-higgs-doublet-miniboone` that is where
the cut on the pair's mass is crossed; for light parents also at the threshold of the decay and for the heaviest pairs;
for heavy ones at daughters without mass.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from anomfit.errors import reject
from anomfit.tables.splines import FEWEST, Corner, Strides, weights

CUT = 0.03  # GeV: from this pair mass on selections cut, and nodes become denser

# how close nodes lie in each tenth of an axis, in any unit: of the parent's mass, the pair's mass, the energy
LIGHT = (
    (0.55, 0.5, 0.5, 0.55, 0.95, 1.3, 1.45, 1.4, 1.35, 1.6),
    (0.7, 0.6, 0.6, 0.6, 0.75, 1.2, 1.5, 1.3, 1.1, 1.5),
    (2.2, 1.6, 1.0, 0.75, 0.65, 0.65, 0.65, 0.65, 0.7, 1.1),
)
HEAVY = (
    (0.9, 0.9, 0.9, 0.9, 1.1, 1.2, 1.2, 1.2, 1.1, 0.8),
    (0.55, 0.5, 0.5, 0.6, 1.0, 1.6, 1.6, 1.2, 0.9, 0.85),
    (0.9, 0.8, 0.7, 0.8, 1.1, 1.1, 1.0, 1.0, 1.1, 1.6),
)


class Masses(NamedTuple):
    """What a kernel depends on: of what is made, of the pair, and the pair's energy in the rest frame of the former."""

    parent: Float[Array, ""]
    pair: Float[Array, ""]
    energy: Float[Array, ""]


@dataclass(frozen=True)
class Patch:
    """Numbers of nodes along the three axes, static."""

    parent: int
    pair: int
    energy: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Nodes along the axes."""
        return self.parent, self.pair, self.energy

    @property
    def places(self) -> int:
        """Nodes in all."""
        return self.parent * self.pair * self.energy


@dataclass(frozen=True)
class Grid:
    """Nodes and ranges, static.

    light, heavy: patches below and above `room + pair_range[1]`, where the upper end of the pair's mass changes from
    the parent's mass less `room` to `pair_range[1]`. Both have a node where they meet.
    """

    light: Patch = Patch(28, 40, 21)
    heavy: Patch = Patch(27, 38, 29)
    parent_range: tuple[float, float] = (0.01, 2.0)
    pair_range: tuple[float, float] = (0.0015, 0.2)
    room: float = 0.001

    def __post_init__(self):
        for name, patch in (("light", self.light), ("heavy", self.heavy)):
            for axis, number in zip(("parent", "pair", "energy"), patch.shape, strict=True):
                if number < FEWEST:
                    raise reject(f"grid.{name}.{axis}", number, f"give at least {FEWEST} nodes")

    @property
    def edges(self) -> tuple[float, float, float]:
        """Ends of the two patches of parent masses."""
        return self.parent_range[0], self.pair_range[1] + self.room, self.parent_range[1]

    @property
    def patches(self) -> tuple[Patch, Patch]:
        """Light and heavy."""
        return self.light, self.heavy

    @property
    def places(self) -> int:
        """Nodes in all."""
        return self.light.places + self.heavy.places

    def nodes(self, which: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Along the axes of the light (0) or the heavy (1) patch, from 0 to 1."""
        parent, pair, energy = (
            _spread(number, density)
            for number, density in zip(self.patches[which].shape, (LIGHT, HEAVY)[which], strict=True)
        )
        return parent, pair, energy

    def parents(self, which: int) -> np.ndarray:
        """Masses at the nodes of a patch's first axis."""
        low, high = self.edges[which : which + 2]
        found = low * (high / low) ** self.nodes(which)[0]
        found[0], found[-1] = low, high
        return found

    def pairs(self, which: int, parent: float) -> np.ndarray:
        """Pair masses at the nodes of a patch's second axis, for one mass of the parent."""
        low, high = _stretched(self.pair_range[0]), _stretched(float(self._highest_pair(parent)))
        return _squeezed(np.asarray(low + (high - low) * self.nodes(which)[1]))

    def daughters(self, which: int, parent: float, pair: np.ndarray) -> np.ndarray:
        """Masses of the daughter at the nodes of a patch's third axis, (pairs, energies); the last is 0."""
        ratio = np.log((parent**2 + pair**2) / (2.0 * parent * pair))[:, None] * self.nodes(which)[2]
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

    def laid_out(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Nodes of the axes of both patches."""
        return [self.nodes(0), self.nodes(1)]

    def corners(self, at: "Coordinates") -> tuple[Corner, Corner, Corner]:
        """The coefficients that matter along each axis, with their weights."""
        light, heavy = (
            [weights(place, nodes) for place, nodes in zip(at[1:], self.nodes(which), strict=True)] for which in (0, 1)
        )
        parent, pair, energy = (
            Corner(*(jnp.where(at.is_light, x, y) for x, y in zip(one, other, strict=True)))
            for one, other in zip(light, heavy, strict=True)
        )
        return parent, pair, energy

    def strides(self, at: "Coordinates") -> Strides:
        """Where the rows of the patch at a place lie: light parents first, the last axis changing fastest."""

        def of(light: int, heavy: int) -> Int[Array, ""]:
            return jnp.where(at.is_light, light, heavy)

        parents = of(*(patch.pair * patch.energy for patch in self.patches))
        return Strides(of(0, self.light.places), parents, of(self.light.energy, self.heavy.energy))

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


def _spread(number: int, density: tuple[float, ...]) -> np.ndarray:
    """Nodes from 0 to 1 with these densities at the middles of equal parts, and linear ones between them."""
    fine = np.linspace(0.0, 1.0, 2001)
    here = np.interp(fine, (np.arange(len(density)) + 0.5) / len(density), density)
    below = np.concatenate([[0.0], np.cumsum(0.5 * (here[1:] + here[:-1]))])
    found = np.interp(np.linspace(0.0, below[-1], number), below, fine)
    found[0], found[-1] = 0.0, 1.0
    return found


def _stretched(pair):
    return jnp.log(pair) + 2.0 * jnp.log1p(pair / CUT)


def _squeezed(place: np.ndarray) -> np.ndarray:
    """The inverse of `_stretched`, by Newton's method."""
    found = np.log(np.exp(place) / (1.0 + np.exp(place) / CUT))
    for _ in range(100):
        pair = np.exp(found)
        found = found - (found + 2.0 * np.log1p(pair / CUT) - place) / (1.0 + 2.0 * pair / (pair + CUT))
    return np.exp(found)

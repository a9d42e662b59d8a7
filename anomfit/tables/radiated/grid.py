"""Where the nodes of a table of radiated scalars lie: masses of heavy neutrino, scalar and vector, in GeV.

Nothing opens or closes within a beam's reach but what falls off smoothly before, so that a product of three axes, even
in smooth coordinates, is enough. Scalars are resolved more finely from where selections cut on the pair's mass.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float

from anomfit.errors import reject
from anomfit.tables.splines import FEWEST, Corner, Strides, weights


class Masses(NamedTuple):
    """What a kernel depends on, in the order of the axes."""

    m_N: Float[Array, ""]
    m_scalar: Float[Array, ""]
    m_vector: Float[Array, ""]


@dataclass(frozen=True)
class Axis:
    """One mass, static: how many nodes, the range, and between which masses nodes lie closer (GeV), by what factor."""

    number: int
    low: float
    high: float
    dense: tuple[float, float] = (1.0, 1.0)
    factor: float = 1.0

    def __post_init__(self):
        if self.number < FEWEST:
            raise reject("axis.number", self.number, f"give at least {FEWEST} nodes")

    def stretched(self, mass: ArrayLike) -> Float[Array, "..."]:
        """A smooth coordinate: the logarithm, growing faster in the dense range."""
        start, end = np.log(self.dense)
        log = jnp.log(jnp.asarray(mass))
        return log + (self.factor - 1.0) * (_ramp(log - start) - _ramp(log - end))

    def place(self, mass: ArrayLike) -> Float[Array, "..."]:
        """From 0 to 1."""
        low, high = self.stretched(self.low), self.stretched(self.high)
        return (self.stretched(mass) - low) / (high - low)

    def masses(self) -> Float[np.ndarray, "nodes"]:
        """At the nodes."""
        fine = np.geomspace(self.low, self.high, 20001)
        found = np.interp(self.nodes, np.asarray(self.place(fine)), fine)
        found[0], found[-1] = self.low, self.high
        return found

    @property
    def nodes(self) -> Float[np.ndarray, "nodes"]:
        """From 0 to 1."""
        return np.linspace(0.0, 1.0, self.number)

    def near(self, mass: Float[Array, ""]) -> Corner:
        """What matters at a mass."""
        return weights(self.place(mass), self.nodes)

    def holds(self, mass: Float[Array, "..."]) -> Bool[Array, "..."]:
        """Whether a mass is in the range."""
        return (mass >= self.low * (1.0 - 1e-12)) & (mass <= self.high * (1.0 + 1e-12))


def _ramp(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """0 far below 0 and x far above, smooth over half a unit of the logarithm."""
    width = 0.25
    return width * jnp.logaddexp(0.0, x / width)


@dataclass(frozen=True)
class Grid:
    """Three axes, static. The last mass changes fastest."""

    m_N: Axis
    m_scalar: Axis
    m_vector: Axis

    @property
    def axes(self) -> tuple[Axis, Axis, Axis]:
        """In the order of `Masses`."""
        return self.m_N, self.m_scalar, self.m_vector

    @property
    def shape(self) -> tuple[int, int, int]:
        """Nodes along the axes."""
        return self.m_N.number, self.m_scalar.number, self.m_vector.number

    def holds(self, masses: Masses) -> Bool[Array, ""]:
        """Whether masses are inside."""
        each = [axis.holds(mass) for axis, mass in zip(self.axes, masses, strict=True)]
        return each[0] & each[1] & each[2]

    def laid_out(self) -> list[tuple[np.ndarray, ...]]:
        """Nodes of the axes."""
        return [tuple(axis.nodes for axis in self.axes)]

    def corners(self, at: Masses) -> tuple[Corner, Corner, Corner]:
        """By axis, what matters at masses."""
        m_N, m_scalar, m_vector = (axis.near(mass) for axis, mass in zip(self.axes, at, strict=True))
        return m_N, m_scalar, m_vector

    def strides(self, at: Masses) -> Strides:
        """The same everywhere."""
        _, second, third = self.shape
        return Strides(0, second * third, third)

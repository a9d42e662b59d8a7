"""Where two vertices are, one behind the other: both in a detector, one of them, or none; and how far they are apart.

N flies from its birth to the first vertex, its daughter on to the second, both along one line: the daughter of a fast N
follows it, and in a sphere that N's births surround by more than its flight the direction does not matter. Lengths in
m, flights are the means of exponentials. Shares are those of all births: in a fiducial sphere a prompt N has the share
(inner/outer)^3, by which `containment` is divided.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.detectors.containment import after_two_flights
from anomfit.detectors.resolution import normal_cdf
from anomfit.physics.quadrature import unit_legendre
from anomfit.rates.double_vertices import DoubleVertices

CHORDS, CHORD_WEIGHTS = unit_legendre(12)
FAR = 40.0  # flights after which nothing is left
SHORTEST = 1e-9  # m


class Place(Protocol):
    """Where vertices count."""

    @property
    def longest(self) -> float:
        """The longest distance inside, m."""
        ...

    def first(self, flight: Float[Array, "..."]) -> Float[Array, "..."]:
        """Share of the births that have the first vertex inside."""
        ...

    def later(self, flight: Float[Array, "..."], second: Float[Array, "..."]) -> Float[Array, "..."]:
        """Share of the births that have the second vertex inside."""
        ...

    def kept(self, distance: Float[Array, "..."], flight: Float[Array, "..."]) -> Float[Array, "..."]:
        """Share of the births that have both vertices inside, for two that are `distance` apart."""
        ...


@dataclass(frozen=True)
class Sphere:
    """Vertices count within the radius `inner`, births within `outer`, a concentric sphere around it; static."""

    inner: float
    outer: float

    @property
    def longest(self) -> float:
        """The diameter."""
        return 2.0 * self.inner

    def first(self, flight: Float[Array, "..."]) -> Float[Array, "..."]:
        """As for two vertices at the same place."""
        return self.kept(jnp.zeros_like(jnp.asarray(flight)), flight)

    def later(self, flight: Float[Array, "..."], second: Float[Array, "..."]) -> Float[Array, "..."]:
        """`first` after both flights."""
        return after_two_flights(self.first, *jnp.broadcast_arrays(flight, second))

    def kept(self, distance: Float[Array, "..."], flight: Float[Array, "..."]) -> Float[Array, "..."]:
        """Chords of half-length a: the first vertex has 2 a - distance of each, and births up to the outer sphere.

        1 - (3/4) d/R + (1/16) (d/R)^3 for a short first flight, the overlap of two spheres, of births inside.
        """
        low = jnp.minimum(0.5 * jnp.asarray(distance), self.inner)[..., None]
        half = low + (self.inner - low) * CHORDS
        free = jnp.maximum(2.0 * half - jnp.asarray(distance)[..., None], 0.0)
        before = jnp.sqrt(self.outer**2 - self.inner**2 + half**2) - half
        born = arrived(jnp.asarray(flight)[..., None], before, free)
        each = CHORD_WEIGHTS * (self.inner - low) * 2.0 * half * free * born
        return 3.0 / (4.0 * self.outer**3) * jnp.sum(each, axis=-1)


@dataclass(frozen=True)
class Slab:
    """Births and vertices in a detector of this length along the flights, much wider than these spread; static."""

    length: float

    @property
    def longest(self) -> float:
        """The length."""
        return self.length

    def first(self, flight: Float[Array, "..."]) -> Float[Array, "..."]:
        """As for two vertices at the same place."""
        return self.kept(jnp.zeros_like(jnp.asarray(flight)), flight)

    def later(self, flight: Float[Array, "..."], second: Float[Array, "..."]) -> Float[Array, "..."]:
        """`first` after both flights."""
        return after_two_flights(self.first, *jnp.broadcast_arrays(flight, second))

    def kept(self, distance: Float[Array, "..."], flight: Float[Array, "..."]) -> Float[Array, "..."]:
        """The first vertex has the length but for the distance."""
        free = jnp.maximum(self.length - jnp.asarray(distance), 0.0)
        return free / self.length * arrived(jnp.asarray(flight), 0.0, free)


def arrived(flight, before, free):
    """Mean over a piece of a line of this length of the chance to be hit by births from `before` it to where one is.

    1 - exp(-before/L) (1 - exp(-free/L)) L/free.
    """
    length = jnp.maximum(flight, SHORTEST)
    x = free / length
    small = x < 1e-3
    safe = jnp.where(small, 1.0, x)
    lost = jnp.where(small, 0.5 * x - x**2 / 6.0, 1.0 + jnp.expm1(-safe) / safe)  # 1 - (1 - exp(-x))/x
    return -jnp.expm1(-before / length) + jnp.exp(-before / length) * lost


def both(
    place: Place,
    flight: Float[Array, "..."],
    second: Float[Array, "..."],
    low: float | Float[Array, ""] = 0.0,
    high: float | Float[Array, ""] = np.inf,
    nodes: int = 24,
) -> Float[Array, "..."]:
    """Share of the births with both vertices inside and between `low` and `high` (m, numbers) apart."""
    length = jnp.maximum(jnp.asarray(second), SHORTEST)
    span = jnp.minimum(jnp.maximum(jnp.minimum(high, place.longest) - low, 0.0), FAR * length)
    u, w = unit_legendre(nodes)
    stretch = jnp.log1p(span / length)[..., None]
    beyond = jnp.expm1(stretch * jnp.asarray(u))  # in flights
    density = w * stretch * (1.0 + beyond) * jnp.exp(-beyond)
    distance = low + length[..., None] * beyond
    kept = place.kept(distance, jnp.asarray(flight)[..., None])
    return jnp.exp(-low / length) * jnp.sum(density * kept, axis=-1)


class Classes(NamedTuple):
    """Shares of the births by which vertices are inside, of those with two vertices, and the first of all births."""

    first: Float[Array, "..."]
    only_first: Float[Array, "..."]
    only_second: Float[Array, "..."]
    both: Float[Array, "..."]


def classes(place: Place, flight: Float[Array, "..."], second: Float[Array, "..."]) -> Classes:
    """Which of two vertices are inside."""
    inside, again = place.first(flight), place.later(flight, second)
    together = both(place, flight, second)
    return Classes(inside, inside - together, again - together, together)


# -- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """What is asked of both pairs, static: smallest energies (GeV, 0 for none); resolution of an energy, of itself."""

    first: float = 0.0
    second: float = 0.0
    resolution: float = 0.115


def passing(energy: Float[Array, "..."], least: float, seen: Seen) -> Float[Array, "..."] | float:
    """Chance that a pair of this energy is measured above `least` (GeV)."""
    return 1.0 if least == 0.0 else normal_cdf((energy - least) / (seen.resolution * energy))


def seen_again(events: DoubleVertices, seen: Seen) -> Float[Array, "parents first"]:
    """Chance that the daughter makes a second pair above its smallest energy, wherever that is; 0 if unknown."""
    if events.twice is None:
        return jnp.zeros_like(events.second_flight)
    energy = events.twice.emitted.energy
    each = events.twice.share * passing(energy, seen.second, seen)
    return jnp.sum(jnp.broadcast_to(each, energy.shape), axis=(-2, -1))


def by_distance(
    events: DoubleVertices, place: Place, edges: tuple[float, ...], seen: Seen
) -> Float[Array, "component beam bins"]:
    """Events with both pairs in the place, by the distance of the vertices, m."""
    weight = seen_again(events, seen) * passing(events.first.energy, seen.first, seen)
    ends = jnp.asarray(edges)

    def between(low, high):
        return both(place, events.first_flight, events.second_flight, low, high)

    return jnp.einsum("pfcb,pf,npf->cbn", events.rate, weight, jax.vmap(between)(ends[:-1], ends[1:]))


def by_energy(
    events: DoubleVertices, place: Place, edges: tuple[float, ...], seen: Seen
) -> Float[Array, "component beam bins"]:
    """Events with both pairs in the place, by the sum of their measured energies, GeV; errors are independent."""
    _, _, components, beams = events.rate.shape
    if events.twice is None:
        return jnp.zeros((components, beams, len(edges) - 1))
    weight = both(place, events.first_flight, events.second_flight) * passing(events.first.energy, seen.first, seen)
    one, two = events.first.energy[..., None, None], events.twice.emitted.energy
    share = events.twice.share * passing(two, seen.second, seen)
    sigma = seen.resolution * jnp.sqrt(one**2 + two**2)

    def below(edge):
        return jnp.sum(share * normal_cdf((edge - one - two) / sigma), axis=(-2, -1))

    between = jnp.diff(jax.lax.map(below, jnp.asarray(edges)), axis=0)  # an edge at a time: memory
    return jnp.einsum("pfcb,pf,npf->cbn", events.rate, weight, between)


class Bookkeeping(NamedTuple):
    """Events with a first pair anywhere, by the vertices inside; a second vertex is one with a pair."""

    only_first: Float[Array, "component beam"]
    only_second: Float[Array, "component beam"]
    both: Float[Array, "component beam"]
    made: Float[Array, "component beam"]


def bookkeeping(events: DoubleVertices, place: Place) -> Bookkeeping:
    """Where the vertices are, whatever the pairs' energies; the rest of what is made has none inside."""
    found, again = classes(place, events.first_flight, events.second_flight), events.again

    def summed(share):
        return jnp.einsum("pfcb,pf->cb", events.rate, jnp.broadcast_to(share, events.second_flight.shape))

    return Bookkeeping(
        summed((1.0 - again) * found.first + again * found.only_first),
        summed(again * found.only_second),
        summed(again * found.both),
        summed(jnp.ones(())),
    )

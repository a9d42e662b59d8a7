"""Probability that a particle born in a sphere decays inside a smaller, concentric one, relative to a prompt decay.

And what two flights, one behind the other, make of such a probability.
"""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.physics.quadrature import unit_legendre

T = TypeVar("T")

_NODES, _WEIGHTS = unit_legendre(24)
ALIKE = 1e-3  # of their sum: flights closer than this count as equal, to a part in 1e6


def containment(decay_length: Float[Array, "..."], inner: float, outer: float) -> Float[Array, "..."]:
    """Chance to decay inside radius `inner` for production uniform in radius `outer`, over (inner/outer)^3; lengths in
    m.

    The fraction of production points that a displacement l leaves inside is the overlap of the two spheres at distance
    l, over the outer volume; it is averaged over exp(-l/L)/L. 1 for L -> 0, about (3/4) R / L... for L much larger than
    the spheres.
    """
    reach = inner + outer
    length = jnp.asarray(decay_length)[..., None]
    flat = outer - inner  # up to here the inner sphere stays inside the outer one: the overlap is all of it
    span = reach - flat
    # exp(-l/L)/L dl over (flat, reach) by quantiles of the exponential, so that short lengths are resolved
    safe = jnp.maximum(length, 1e-9)
    kept = -jnp.expm1(-span / safe)
    displacement = flat - safe * jnp.log1p(-kept * _NODES)
    overlap = _overlap(displacement, inner, outer)
    tail = jnp.exp(-flat / safe[..., 0]) * kept[..., 0] * jnp.sum(_WEIGHTS * overlap, axis=-1)
    return -jnp.expm1(-flat / safe[..., 0]) + tail


def _overlap(distance, inner, outer):
    """Overlap volume of two spheres at a distance between outer - inner and outer + inner, over the inner volume."""
    lens = (outer + inner - distance) ** 2
    lens = lens * (distance**2 + 2.0 * distance * (outer + inner) - 3.0 * (outer - inner) ** 2)
    return lens / (12.0 * distance) * 3.0 / (4.0 * inner**3)


def after_two_flights(
    share: Callable[[Float[Array, "..."]], T], first: Float[Array, "..."], second: Float[Array, "..."]
) -> T:
    """What `share`, a function of one mean flight (m), becomes for a decay after two flights along one line.

    share: linear in the distribution of the distance flown, as any share of decays somewhere is; its arrays (a pytree)
    have the axes of the flight last. The distance has the density (exp(-x/a) - exp(-x/b))/(a - b), so that the answer
    is the divided difference of L share(L) between the mean flights a and b; those broadcast with each other.
    """

    def scaled(flight):
        return jax.tree.map(lambda part: flight * part, share(flight))

    values, slopes = zip(
        *(jax.jvp(scaled, (flight,), (jnp.ones_like(flight),)) for flight in (first, second)), strict=True
    )
    gap = first - second
    alike = jnp.abs(gap) <= ALIKE * (first + second)
    apart = jnp.where(alike, 1.0, gap)

    def difference(here, there, slope_here, slope_there):
        return jnp.where(alike, 0.5 * (slope_here + slope_there), (here - there) / apart)

    return jax.tree.map(difference, *values, *slopes)

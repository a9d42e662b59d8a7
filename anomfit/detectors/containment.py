"""Probability that a particle born in a sphere decays inside a smaller, concentric one, relative to a prompt decay."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.physics.quadrature import unit_legendre

_NODES, _WEIGHTS = unit_legendre(24)


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

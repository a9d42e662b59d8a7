"""Where the pairs of a neutrino beam go: the share of them close to the beam."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.capabilities import PairEvents
from anomfit.physics.kinematics import safe_sqrt


def forward_share(events: PairEvents, efficiency: Float[Array, "parents decays"], edge) -> Float[Array, ""]:
    """Share of the pairs (first beam, all components) with a cosine to the beam above `edge`, weighted; 0 without any.

    `efficiency` weights each pair by its energy. The azimuth of the pair about its parent is uniform: of
    cos = c_N c + s_N s cos(phi) the share arccos(x)/pi lies above, x = (edge - c_N c)/(s_N s).
    """
    rate = jnp.sum(events.rate[..., 0], axis=-1)  # energies, directions
    weight = events.share * efficiency
    cos_decay = events.cos_decay
    sine = safe_sqrt(1.0 - cos_decay**2)

    def from_direction(found):
        made, cos_N = found  # at all energies
        c_N = cos_N[:, None, None]
        across = safe_sqrt(1.0 - c_N**2) * sine + 1e-12
        inside = _share_above((edge - c_N * cos_decay) / across)
        return jnp.einsum("e,ep,pd,epd->", made, events.onto, weight, inside)

    forward = jnp.sum(jax.lax.map(from_direction, (rate.T, events.cos_parent.T)))
    everything = jnp.einsum("e,ep,pd->", jnp.sum(rate, axis=1), events.onto, weight)
    some = everything > 0.0
    return jnp.where(some, forward / jnp.where(some, everything, 1.0), 0.0)


def _share_above(x):
    """Share of azimuths with cos(phi) > x; slope 0 where it is 0 or 1."""
    between = jnp.abs(x) < 1.0
    return jnp.where(between, jnp.arccos(jnp.where(between, x, 0.0)) / jnp.pi, jnp.where(x > 0.0, 0.0, 1.0))

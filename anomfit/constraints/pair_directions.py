"""Where the pairs of a neutrino beam go: how many of them stay close to the beam."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.physics.kinematics import safe_sqrt
from anomfit.rates.pair_events import PairEvents


def fraction(part: Float[Array, ""], whole: Float[Array, ""]) -> Float[Array, ""]:
    """part/whole, 0 where there is nothing."""
    some = whole > 0.0
    return jnp.where(some, part / jnp.where(some, whole, 1.0), 0.0)


def forward_and_all(
    events: PairEvents, efficiency: Float[Array, "parents decays"], edge
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Pairs (first beam, all components) with a cosine to the beam above `edge`, and all of them, weighted.

    `efficiency` weights each pair by its energy. Of cos = c_N c + s_N s cos(phi), azimuth phi about the parent, the
    azimuths with cos(phi) > x lie above, x = (edge - c_N c)/(s_N s): a share arccos(x)/pi of them where phi is uniform,
    and sqrt(1 - x^2)/pi times what goes with cos(phi) more where the parent's spin steers it.
    """
    rate = jnp.sum(events.rate[..., 0], axis=-1)  # energies, directions
    spin = events.spin
    steered = (jnp.zeros_like(events.rate),) * 2 if spin is None else (spin.along, spin.across)
    along, across = (jnp.sum(part[..., 0], axis=-1) for part in steered)
    cos_star, sin_star = (jnp.zeros_like(events.share),) * 2 if spin is None else (spin.cos_star, spin.sin_star)
    weight = events.share * efficiency
    cos_decay = events.cos_decay
    sine = safe_sqrt(1.0 - cos_decay**2)

    def from_direction(found):
        made, cos_N, a, b = found  # at all energies
        c_N = cos_N[:, None, None]
        x = (edge - c_N * cos_decay) / (safe_sqrt(1.0 - c_N**2) * sine + 1e-12)
        straight = (made[:, None, None] + a[:, None, None] * cos_star) * _share_above(x)
        turned = b[:, None, None] * sin_star * safe_sqrt(1.0 - x**2) / jnp.pi
        return jnp.einsum("ep,pd,epd->", events.onto, weight, straight + turned)

    forward = jnp.sum(jax.lax.map(from_direction, (rate.T, events.cos_parent.T, along.T, across.T)))
    by_energy = jnp.stack([jnp.sum(rate, axis=1), jnp.sum(along, axis=1)])
    decays = jnp.stack([weight, weight * cos_star])
    everything = jnp.einsum("ke,ep,kpd->", by_energy, events.onto, decays)
    return forward, everything


def _share_above(x):
    """Share of azimuths with cos(phi) > x; slope 0 where it is 0 or 1."""
    between = jnp.abs(x) < 1.0
    return jnp.where(between, jnp.arccos(jnp.where(between, x, 0.0)) / jnp.pi, jnp.where(x > 0.0, 0.0, 1.0))

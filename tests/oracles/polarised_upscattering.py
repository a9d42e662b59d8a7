"""nu + target -> N + target by scalar exchange, N -> nu S with unequal couplings: how many S fly forward.

N is fully polarised against the beam neutrino's direction in its own rest frame (see `polarised_decay`), so that S
follows or shuns that direction by its asymmetry alpha. `rates.pair_events` gives the same with the pair's response on
top, by expansion in Legendre polynomials; here the azimuth is exact and there is no detector.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.beams.flux import Beam
from anomfit.physics.exchange import ScalarExchange
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.polarised_decay import longitudinal_polarisation, transverse_polarisation
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.two_body import two_body_energy, two_body_momentum
from anomfit.rates.pair_events import production_rate

ENERGIES, ANGLES, DECAYS = 160, 64, 64
SMALLEST_ANGLE = 1e-3  # of 1 - cos theta, where the nodes in it turn from linear to logarithmic


def forward_share(
    beam: Beam,
    exchange: ScalarExchange,
    m_S: ArrayLike,
    asymmetry: ArrayLike,
    edge: float,
    efficiency: Callable[[Float[Array, "..."]], Float[Array, "..."]],
) -> Float[Array, ""]:
    """Share of the S of the beam's first exposure with a cosine to the beam above `edge`, weighted by `efficiency`.

    `efficiency` is a function of S's energy (GeV); neutrinos, not antineutrinos; masses in GeV, N heavier than S.
    """
    u, w = unit_legendre(ENERGIES)
    m_N = exchange.m_N
    span = beam.highest_energy - m_N
    e_N = jnp.asarray(m_N + span * u**2)
    v, w_angle = unit_legendre(ANGLES)
    stretch = jnp.log1p(2.0 / SMALLEST_ANGLE)
    one_minus = SMALLEST_ANGLE * jnp.expm1(stretch * v)
    cos_N = 1.0 - one_minus
    p_N = safe_sqrt((e_N - m_N) * (e_N + m_N))
    grid = jnp.broadcast_to(cos_N, (ENERGIES, ANGLES))
    rate = production_rate(beam, e_N[:, None], p_N[:, None], grid, exchange)[..., 0].sum(axis=-1)
    weight = rate * (w * 2.0 * u * span)[:, None] * w_angle * stretch * (one_minus + SMALLEST_ANGLE)
    above, every = decay_shares(e_N[:, None], grid, m_N, m_S, asymmetry, edge, efficiency)
    return jnp.sum(weight * above) / jnp.sum(weight * every)


def decay_shares(e_N, cos_N, m_N, m_S, asymmetry, edge, efficiency):
    """Of the decays of N at this energy and cosine to the beam: the efficiency's mean above `edge`, and everywhere.

    At a polar angle of S to N's flight, cos = c_N c + s_N s cos(phi) is above the edge for |phi| < phi_0; the density
    there is [1 + alpha (P_L c* + P_T s* cos phi)]/(4 pi), phi counted from the beam's side.
    """
    x, w = unit_legendre(DECAYS)
    c_star = 2.0 * x - 1.0
    s_star = jnp.sqrt(1.0 - c_star**2)
    e_N, cos_N = jnp.asarray(e_N)[..., None], jnp.asarray(cos_N)[..., None]
    beta = safe_sqrt((e_N - m_N) * (e_N + m_N)) / e_N
    e_star, p_star = two_body_energy(m_N, m_S, 0.0), two_body_momentum(m_N, m_S, 0.0)
    energy = jnp.asarray(e_N / m_N * (e_star + beta * p_star * c_star))
    along, across = e_N / m_N * (p_star * c_star + beta * e_star), p_star * s_star
    cosine = along / jnp.sqrt(along**2 + across**2)
    s_N, sine = safe_sqrt(1.0 - cos_N**2), across / jnp.sqrt(along**2 + across**2)
    spin_along, spin_across = longitudinal_polarisation(cos_N, beta), transverse_polarisation(cos_N, beta)
    reach = (edge - cos_N * cosine) / jnp.maximum(s_N * sine, 1e-12)
    phi = jnp.arccos(jnp.clip(reach, -1.0, 1.0))
    uneven = asymmetry * spin_along * c_star
    inside = (phi * (1.0 + uneven) + asymmetry * spin_across * s_star * jnp.sin(phi)) / jnp.pi
    seen = w * efficiency(energy)
    return jnp.sum(seen * inside, axis=-1), jnp.sum(seen * (1.0 + uneven), axis=-1)

"""Lab kinematics of nu + target at rest -> N + target, and of a two-body decay in flight. GeV throughout.

The lab energy and angle of N fix the neutrino's energy uniquely, so that one set of (E_N, cos theta) nodes serves every
target and every beam; the reverse (angle from the neutrino's energy) has two branches for a heavy N.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.physics.two_body import kallen


def safe_sqrt(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Square root with value 0 and slope 0 at and below 0."""
    positive = x > 0.0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), 0.0)


def threshold_energy(m_N, m_target):
    """Neutrino energy at which nu + target -> N + target opens: m_N + m_N^2 / (2 m_target); the target stays as it
    is.
    """
    return m_N + m_N**2 / (2.0 * m_target)


def momentum_transfer_limits(e_nu, m_N, m_target):
    """(Q^2_min, Q^2_max) in GeV^2 of nu + target -> N + target; both equal (midpoint) when closed.

    Q^2 = 2 k (E' -+ k') - m_N^2 in the centre-of-mass frame; PDG 2024 review "Kinematics", eq 49.35.
    """
    s = m_target**2 + 2.0 * m_target * e_nu
    root_s = jnp.sqrt(s)
    k = (s - m_target**2) / (2.0 * root_s)
    energy = (s + m_N**2 - m_target**2) / (2.0 * root_s)
    momentum = safe_sqrt(kallen(s, m_N**2, m_target**2)) / (2.0 * root_s)
    return 2.0 * k * (energy - momentum) - m_N**2, 2.0 * k * (energy + momentum) - m_N**2


def neutrino_energy(e_N, p_N, cos_theta, m_N, m_target):
    """(E_nu, recoil) with recoil = m_target - E_N + p_N cos theta > 0, from four-momentum conservation with the target
    at rest.

    E_nu = (2 M E_N - m_N^2) / (2 recoil). Where recoil <= 0 no neutrino is energetic enough: E_nu = 0 is returned.
    """
    recoil = m_target - e_N + p_N * cos_theta
    numerator = 2.0 * m_target * e_N - m_N**2
    is_open = (recoil > 0.0) & (numerator > 0.0)
    safe = jnp.where(is_open, recoil, 1.0)
    return jnp.where(is_open, numerator / (2.0 * safe), 0.0), safe


def boosted_daughter(e_parent, p_parent, m_parent, e_star, p_star, cos_star):
    """Lab energy, and momentum along and across the parent's flight, of a daughter emitted at cos_star to it."""
    energy = (e_parent * e_star + p_parent * p_star * cos_star) / m_parent
    along = (p_parent * e_star + e_parent * p_star * cos_star) / m_parent
    across = p_star * jnp.sqrt(1.0 - cos_star**2)
    return energy, along, across


def quasi_elastic_energy(e_lepton, cos_theta, m_lepton, m_struck, m_left):
    """E_nu^QE of a lepton of total energy `e_lepton`, without binding energy; MiniBooNE, arXiv:2006.16883, eq 1 with
    E_B = 0.

    (2 M_n E - (M_n^2 + m^2 - M_p^2)) / (2 (M_n - E + p cos theta)); struck nucleon M_n, left nucleon M_p, in GeV.
    """
    p = safe_sqrt(e_lepton**2 - m_lepton**2)
    numerator = 2.0 * m_struck * e_lepton - (m_struck**2 + m_lepton**2 - m_left**2)
    return numerator / (2.0 * (m_struck - e_lepton + p * cos_theta))

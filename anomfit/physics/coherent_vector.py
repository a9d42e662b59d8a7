"""nu + spin-0 nucleus -> N + nucleus by a light vector with the charge of the nucleus: a dark photon. GeV."""

import jax.numpy as jnp
from jaxtyping import ArrayLike

from anomfit.physics.constants import GEV2_TO_CM2
from anomfit.physics.kinematics import momentum_transfer_limits
from anomfit.physics.nuclear_form_factors import helm
from anomfit.physics.quadrature import unit_legendre


def squared_amplitude(q_squared, e_nu, m_N, m_target, m_V):
    """Sum |M|^2/G^2 of left-handed nu: [(s - u)^2 - (4M^2 + Q^2)(m^2 + Q^2)]/(Q^2 + m_V^2)^2; G holds all couplings.

    u = 2M^2 + m^2 - s + Q^2; the nucleus's current is (p + p') times its charge and form factor; the part of the
    propagator along the momentum drops out, because that current is conserved.
    """
    s = m_target**2 + 2.0 * m_target * e_nu
    difference = 2.0 * s - 2.0 * m_target**2 - m_N**2 - q_squared
    return (difference**2 - (4.0 * m_target**2 + q_squared) * (m_N**2 + q_squared)) / (q_squared + m_V**2) ** 2


def cross_section(e_nu: ArrayLike, m_N: ArrayLike, m_V: ArrayLike, m_target: float, mass_number: int, nodes: int = 64):
    """Integral over Q^2 in cm^2 for G = 1, with Helm's form factor: |M|^2/(64 pi M^2 E^2); scalars.

    Multiply by (g_D |U_mu4| e eps Z)^2.
    """
    low, high = momentum_transfer_limits(e_nu, m_N, m_target)
    u, w = unit_legendre(nodes)
    top = jnp.minimum(high, 1.0)  # GeV^2: no form factor beyond
    stretch = jnp.log((top + m_V**2) / (low + m_V**2))
    q_squared = (low + m_V**2) * jnp.exp(stretch * u) - m_V**2
    values = squared_amplitude(q_squared, e_nu, m_N, m_target, m_V) * helm(q_squared, mass_number) ** 2
    integral = jnp.sum(w * stretch * (q_squared + m_V**2) * values)
    return GEV2_TO_CM2 * integral / (64.0 * jnp.pi * m_target**2 * e_nu**2)

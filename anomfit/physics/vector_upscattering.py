"""nu + target -> N + target by a light vector that couples to electric charge, a dark photon: nuclei and nucleons. GeV.

The neutrino's current is left handed, |M|^2 is averaged over the target's spin; the part of the propagator along the
momentum drops out, because the target's current is conserved. G holds all couplings: (g_D |U_mu4| e eps)^2.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.constants import GEV2_TO_CM2
from anomfit.physics.kinematics import momentum_transfer_limits
from anomfit.physics.nuclear_form_factors import helm
from anomfit.physics.quadrature import unit_legendre

MAGNETIC_MOMENTS = {"proton": 2.7928473446, "neutron": -1.9130427}  # nuclear magnetons, CODATA 2022
DIPOLE_MASS_SQUARED = 0.71  # GeV^2, the nucleons' standard electromagnetic dipole, from memory
HIGHEST_TRANSFER = {"nucleus": 1.0, "nucleon": 20.0}  # GeV^2: no form factor beyond


def squared_amplitude(q_squared, e_nu, m_N, m_target, m_V):
    """Spin-0 target of charge 1: sum |M|^2/G = [(s - u)^2 - (4M^2 + Q^2)(m^2 + Q^2)]/(Q^2 + m_V^2)^2.

    u = 2M^2 + m^2 - s + Q^2; the target's current is (p + p').
    """
    return _electric(q_squared, e_nu, m_N, m_target) / (q_squared + m_V**2) ** 2


def squared_amplitude_nucleon(q_squared, e_nu, m_N, m_target, m_V, electric, magnetic):
    """Spin-1/2 target with Sachs' form factors G_E, G_M: sum |M|^2/G, averaged over its spin.

    With tau = Q^2/4M^2: (G_E^2 + tau G_M^2)/(1 + tau) times the spin-0 numerator, plus G_M^2 (m^2 + Q^2)(2 Q^2 - m^2).
    Rosenbluth's structure with a massive N; derived here, tested against explicit Dirac matrices.
    """
    tau = q_squared / (4.0 * m_target**2)
    charge = (electric**2 + tau * magnetic**2) / (1.0 + tau)
    current = magnetic**2 * (m_N**2 + q_squared) * (2.0 * q_squared - m_N**2)
    return (charge * _electric(q_squared, e_nu, m_N, m_target) + current) / (q_squared + m_V**2) ** 2


def sachs_form_factors(nucleon: str, q_squared: ArrayLike) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """(G_E, G_M) of the "proton" or "neutron": dipoles with 0.71 GeV^2, the neutron's G_E taken as 0."""
    dipole = (1.0 + jnp.asarray(q_squared) / DIPOLE_MASS_SQUARED) ** -2
    return (dipole if nucleon == "proton" else jnp.zeros_like(dipole)), MAGNETIC_MOMENTS[nucleon] * dipole


def cross_section(e_nu: ArrayLike, m_N: ArrayLike, m_V: ArrayLike, m_target: float, mass_number: int):
    """Coherent, in cm^2 for G Z^2 = 1, with Helm's form factor; scalars."""

    def amplitude(q_squared):
        return squared_amplitude(q_squared, e_nu, m_N, m_target, m_V) * helm(q_squared, mass_number) ** 2

    return _integral(amplitude, e_nu, m_N, m_V, m_target, HIGHEST_TRANSFER["nucleus"])


def cross_section_nucleon(e_nu: ArrayLike, m_N: ArrayLike, m_V: ArrayLike, m_target: float, nucleon: str):
    """On a free nucleon at rest, in cm^2 for G = 1; scalars. Binding and Pauli blocking are left out."""

    def amplitude(q_squared):
        factors = sachs_form_factors(nucleon, q_squared)
        return squared_amplitude_nucleon(q_squared, e_nu, m_N, m_target, m_V, *factors)

    return _integral(amplitude, e_nu, m_N, m_V, m_target, HIGHEST_TRANSFER["nucleon"])


def _electric(q_squared, e_nu, m_N, m_target):
    s = m_target**2 + 2.0 * m_target * e_nu
    difference = 2.0 * s - 2.0 * m_target**2 - m_N**2 - q_squared
    return difference**2 - (4.0 * m_target**2 + q_squared) * (m_N**2 + q_squared)


def _integral(amplitude: Callable, e_nu, m_N, m_V, m_target: float, highest: float, nodes: int = 64):
    """Integral over Q^2 of |M|^2/(64 pi M^2 E^2) in cm^2; 0 below the threshold."""
    low, high = momentum_transfer_limits(e_nu, m_N, m_target)
    u, w = unit_legendre(nodes)
    top = jnp.minimum(high, highest)
    stretch = jnp.log((top + m_V**2) / (low + m_V**2))
    q_squared = (low + m_V**2) * jnp.exp(stretch * u) - m_V**2
    integral = jnp.sum(w * stretch * (q_squared + m_V**2) * amplitude(q_squared))
    return GEV2_TO_CM2 * integral / (64.0 * jnp.pi * m_target**2 * e_nu**2)

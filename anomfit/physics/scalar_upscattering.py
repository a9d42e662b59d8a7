"""nu + target -> N + target by the exchange of any number of interfering neutral scalars.

L = sum_phi ( y_phi nubar P_R N + h.c. ) + F_phi phi (target scalar density), real couplings. The beam's neutrino is left
handed (no average over its spin), the nucleon's spin is averaged. The same for Dirac and Majorana N and for antineutrinos.
Abdallah, Gandhi, Roy, arXiv:2010.06159, section IV; amplitudes rederived and tested against explicit Dirac matrices.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.beams.flux import Beam, Target
from anomfit.physics import kinematics
from anomfit.physics.constants import GEV2_TO_CM2
from anomfit.physics.nuclear_form_factors import exponential, helm
from anomfit.physics.nucleon_scalar import dipole


class ScalarMediators(NamedTuple):
    """Scalars of mass m (GeV) that couple nu-N with y and the nucleons with F_p, F_n (dimensionless)."""

    mass: Float[Array, "scalars"]
    y: Float[Array, "scalars"]
    F_p: Float[Array, "scalars"]
    F_n: Float[Array, "scalars"]


class FormFactors(NamedTuple):
    """Which form factors are used (static words) and the nucleon's scalar mass M_S in GeV.

    nucleon: "dipole" or "constant" (as published in 2010.06159); nucleus: "helm" or "exponential" (as published).
    """

    nucleon: str
    nucleus: str
    M_S: Float[Array, ""]


def squared_amplitude(q_squared, m_N, m_target, spin_half: bool, coupling):
    """|M|^2, dimensionless: (m_N^2 + Q^2)(4M^2 + Q^2) c^2 for spin 1/2, (m_N^2 + Q^2) 4M^2 c^2 for spin 0.

    `coupling` is c = sum_phi y_phi F_phi / (Q^2 + m_phi^2) in GeV^-2, the sum inside the square.
    """
    target_factor = 4.0 * m_target**2 + (q_squared if spin_half else 0.0)
    return (m_N**2 + q_squared) * target_factor * coupling**2


def exchange_coupling(q_squared, mediators: ScalarMediators, target: Target, form_factors: FormFactors):
    """c = sum_phi y_phi F_phi(target) / (Q^2 + m_phi^2) times the form factor, GeV^-2."""
    charge = target.protons * mediators.F_p + target.neutrons * mediators.F_n
    terms = mediators.y * charge / (q_squared[..., None] + mediators.mass**2)
    return jnp.sum(terms, axis=-1) * _form_factor(q_squared, target, form_factors)


def d_sigma_d_q_squared(e_nu, q_squared, m_N, mediators: ScalarMediators, target: Target, form_factors: FormFactors):
    """d sigma / d Q^2 per target in cm^2/GeV^2: |M|^2 / (64 pi M^2 E_nu^2), for Q^2 inside its limits."""
    coupling = exchange_coupling(q_squared, mediators, target, form_factors)
    amplitude = squared_amplitude(q_squared, m_N, target.mass, not target.is_nucleus, coupling)
    return GEV2_TO_CM2 * amplitude / (64.0 * jnp.pi * target.mass**2 * e_nu**2)


def production_rate(
    beam: Beam, e_N, p_N, cos_theta, m_N, mediators: ScalarMediators, form_factors: FormFactors
) -> Float[Array, "... component beams"]:
    """Interactions per GeV of E_N and unit of cos theta_N in the beams' exposures; components (coherent, incoherent).

    Uses dE_nu dQ^2 = 2 M E_nu p_N / (M - E_N + p_N cos theta) dE_N dcos theta.
    """
    total = {True: 0.0, False: 0.0}
    for target in beam.composition:
        e_nu, recoil = kinematics.neutrino_energy(e_N, p_N, cos_theta, m_N, target.mass)
        is_open = (e_nu > 0.0) & (e_nu < beam.highest_energy)
        energy = jnp.where(is_open, e_nu, 1.0)
        q_squared = jnp.where(is_open, 2.0 * target.mass * (energy - e_N), 1.0)
        cross_section = d_sigma_d_q_squared(energy, q_squared, m_N, mediators, target, form_factors)
        density = cross_section * target.count * 2.0 * target.mass * energy * p_N / recoil
        density = jnp.where(is_open, density, 0.0)
        flux = beam.flux_at(jnp.where(is_open, e_nu, 0.0))
        total[target.is_nucleus] = total[target.is_nucleus] + density[..., None] * flux
    return jnp.stack([total[True], total[False]], axis=-2) * beam.exposure


def _form_factor(q_squared, target: Target, form_factors: FormFactors):
    if target.is_nucleus:
        if form_factors.nucleus == "helm":
            return helm(q_squared, target.protons + target.neutrons)
        return exponential(q_squared, 25.0)
    if form_factors.nucleon == "dipole":
        return dipole(q_squared, form_factors.M_S)
    return jnp.ones_like(q_squared)

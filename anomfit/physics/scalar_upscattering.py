"""nu + target -> N + target by the exchange of any number of interfering neutral scalars.

L = sum_phi ( y_phi nubar P_R N + h.c. ) + F_phi phi (target scalar density), real couplings. The beam's neutrino is
left handed (no average over its spin), the nucleon's spin is averaged. The same for Dirac and Majorana N and for
antineutrinos.
Abdallah, Gandhi, Roy, arXiv:2010.06159, section IV; amplitudes rederived and tested against explicit Dirac matrices.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.beams.flux import Beam, Target
from anomfit.physics import kinematics
from anomfit.physics.bound_nucleons import allowed, momentum_squared
from anomfit.physics.constants import GEV2_TO_CM2
from anomfit.physics.nuclear_form_factors import B_CARBON_12, exponential, helm, measured
from anomfit.physics.nuclei import nucleus
from anomfit.physics.nucleon_scalar import dipole


class ScalarMediators(NamedTuple):
    """Scalars of mass m (GeV) that couple nu-N with y and the nucleons with F_p, F_n (dimensionless)."""

    mass: Float[Array, "scalars"]
    y: Float[Array, "scalars"]
    F_p: Float[Array, "scalars"]
    F_n: Float[Array, "scalars"]


class FormFactors(NamedTuple):
    """Which form factors are used (static words) and the nucleon's scalar mass M_S in GeV.

    nucleon: "dipole" or "constant" (as published in 2010.06159); nucleus: "measured", "helm" or "exponential" (as
    published, with carbon's slope for every nucleus), as in `nuclear_form_factors`; bound: one of
    `bound_nucleons.BOUND`, "none" as published.
    """

    nucleon: str
    nucleus: str
    M_S: ArrayLike
    bound: str = "none"
    slope: ArrayLike = B_CARBON_12  # GeV^-2, of "exponential"


class Targets(NamedTuple):
    """The scatterers of a molecule, one an entry (NumPy: static); masses in GeV."""

    mass: np.ndarray
    number: np.ndarray
    protons: np.ndarray
    neutrons: np.ndarray
    is_nucleus: np.ndarray
    name: tuple[str, ...]
    bound: tuple[tuple[tuple[str, float], ...], ...]  # as `Target.bound`


def squared_amplitude(q_squared, m_N, m_target, spin_half: bool, coupling):
    """|M|^2, dimensionless: (m_N^2 + Q^2)(4M^2 + Q^2) c^2 for spin 1/2, (m_N^2 + Q^2) 4M^2 c^2 for spin 0.

    `coupling` is c = sum_phi y_phi F_phi / (Q^2 + m_phi^2) in GeV^-2, the sum inside the square.
    """
    target_factor = 4.0 * m_target**2 + (q_squared if spin_half else 0.0)
    return (m_N**2 + q_squared) * target_factor * coupling**2


def exchange_coupling(q_squared, mediators: ScalarMediators, targets: Targets):
    """c = sum_phi y_phi F_phi(target) / (Q^2 + m_phi^2) of point-like targets, GeV^-2; last axis of Q^2: targets."""
    charge = targets.protons[:, None] * mediators.F_p + targets.neutrons[:, None] * mediators.F_n
    return jnp.sum(mediators.y * charge / (q_squared[..., None] + mediators.mass**2), axis=-1)


def d_sigma_d_q_squared(e_nu, q_squared, m_N, mediators: ScalarMediators, targets: Targets, form_factors: FormFactors):
    """d sigma / d Q^2 per target in cm^2/GeV^2: |M|^2 / (64 pi M^2 E_nu^2), for Q^2 inside its limits.

    The last axis of e_nu and q_squared is that of the targets. Where some of the nucleons of a target are bound, it is
    the mean over those nucleons and the free ones.
    """
    coupling = exchange_coupling(q_squared, mediators, targets)
    amplitude = jnp.where(
        targets.is_nucleus,
        squared_amplitude(q_squared, m_N, targets.mass, False, coupling),
        squared_amplitude(q_squared, m_N, targets.mass, True, coupling),
    )
    amplitude = amplitude * _structure(q_squared, targets, form_factors)
    return GEV2_TO_CM2 * amplitude / (64.0 * jnp.pi * targets.mass**2 * e_nu**2)


def production_rate(
    beam: Beam, e_N, p_N, cos_theta, m_N, mediators: ScalarMediators, form_factors: FormFactors
) -> Float[Array, "... component beams"]:
    """Interactions per GeV of E_N and unit of cos theta_N in the exposures of the beams; components of `Beam.counts`.

    Uses dE_nu dQ^2 = 2 M E_nu p_N / (M - E_N + p_N cos theta) dE_N dcos theta.
    """
    targets = stack_targets(beam.scatterers)
    e_N, p_N, cos_theta = e_N[..., None], p_N[..., None], cos_theta[..., None]
    e_nu, recoil = kinematics.neutrino_energy(e_N, p_N, cos_theta, m_N, targets.mass)
    is_open = (e_nu > 0.0) & (e_nu < beam.highest_energy)
    energy = jnp.where(is_open, e_nu, 1.0)
    q_squared = jnp.where(is_open, 2.0 * targets.mass * (energy - e_N), 1.0)
    cross_section = d_sigma_d_q_squared(energy, q_squared, m_N, mediators, targets, form_factors)
    density = cross_section * 2.0 * targets.mass * energy * p_N / recoil
    flux = beam.flux_at(jnp.where(is_open, e_nu, 0.0))
    by_target = jnp.where(is_open, density, 0.0)[..., None] * flux
    return jnp.einsum("...tb,ct->...cb", by_target, beam.counts()) * beam.exposure


def stack_targets(composition: tuple[Target, ...]) -> Targets:
    """The targets of a molecule as arrays."""
    return Targets(
        mass=np.array([target.mass for target in composition]),
        number=np.array([target.count for target in composition]),
        protons=np.array([target.protons for target in composition], dtype=float),
        neutrons=np.array([target.neutrons for target in composition], dtype=float),
        is_nucleus=np.array([target.is_nucleus for target in composition]),
        name=tuple(target.name for target in composition),
        bound=tuple(target.bound for target in composition),
    )


def _structure(q_squared, targets: Targets, form_factors: FormFactors):
    """Squared form factor of each target, the last axis of Q^2, times what binding leaves of its nucleons.

    Target by target: a nucleus's form factor costs more than the rest of the amplitude.
    """
    each = [
        _of_nucleus(q_squared[..., i], name, form_factors) ** 2
        if targets.is_nucleus[i]
        else _of_nucleon(q_squared[..., i], form_factors) ** 2 * _allowed_fraction(i, q_squared, targets, form_factors)
        for i, name in enumerate(targets.name)
    ]
    return jnp.stack(each, axis=-1)


def _of_nucleus(q_squared, name: str, form_factors: FormFactors):
    if form_factors.nucleus == "exponential":
        return exponential(q_squared, form_factors.slope)
    own = nucleus(name)
    is_measured = form_factors.nucleus == "measured"
    return measured(q_squared, own.charge_radius) if is_measured else helm(q_squared, own.mass_number)


def _of_nucleon(q_squared, form_factors: FormFactors):
    return dipole(q_squared, form_factors.M_S) if form_factors.nucleon == "dipole" else jnp.ones_like(q_squared)


def _allowed_fraction(i: int, q_squared, targets: Targets, form_factors: FormFactors):
    """Mean over the nucleons of target i, bound and free, of what binding leaves."""
    if form_factors.bound == "none" or not targets.bound[i]:
        return 1.0
    transfer = momentum_squared(q_squared[..., i], targets.mass[i])
    shares = [(name, count / targets.number[i]) for name, count in targets.bound[i]]
    free = 1.0 - sum(share for _, share in shares)
    return sum((share * _allowed(transfer, name, form_factors) for name, share in shares), start=free)


def _allowed(transfer, name: str, form_factors: FormFactors):
    momentum = nucleus(name).fermi_momentum
    return allowed(form_factors.bound, transfer, momentum, lambda x: _of_nucleus(x, name, form_factors))

"""Light neutral scalars as searches see them: masses, couplings, partial widths; and the widths not found elsewhere.

Masses and widths in GeV, couplings dimensionless. A closed channel has width 0 and gradient 0.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.constants import HBAR, HBAR_C_M
from anomfit.physics.meson_constants import M_CHARGED_PION, M_NEUTRAL_PION
from anomfit.physics.nucleon_scalar import M_D, M_U
from anomfit.physics.two_body import is_open, two_body_momentum

SMALLEST_WIDTH = 1e-40  # GeV: keeps the life of a decoupled scalar finite


class LightScalars(NamedTuple):
    """CP-even scalars, one an entry: L = -y_f phi fbar f. Widths are partial ones, `to_hidden` to neutrinos."""

    mass: Float[Array, " scalars"]
    y_e: Float[Array, " scalars"]
    y_mu: Float[Array, " scalars"]
    y_u: Float[Array, " scalars"]
    y_d: Float[Array, " scalars"]
    y_nu: Float[Array, " scalars"]  # to nu_mu and the heavy neutrino that is made in scattering
    to_electrons: Float[Array, " scalars"]
    to_muons: Float[Array, " scalars"]
    to_pions: Float[Array, " scalars"]
    to_hidden: Float[Array, " scalars"]
    to_photons: Float[Array, " scalars"] | float = 0.0

    @property
    def width(self) -> Float[Array, " scalars"]:
        """Total width, GeV."""
        total = self.to_electrons + self.to_muons + self.to_pions + self.to_hidden + self.to_photons
        return jnp.maximum(total, SMALLEST_WIDTH)

    @property
    def lifetime(self) -> Float[Array, " scalars"]:
        """Mean life at rest, s."""
        return HBAR / self.width

    @property
    def decay_length_per_momentum(self) -> Float[Array, " scalars"]:
        """c tau / m, m/GeV: times the momentum this is the mean decay length."""
        return HBAR_C_M / (self.width * self.mass)


def width_to_majorana_pair(mass: ArrayLike, m_1: ArrayLike, m_2: ArrayLike, g: ArrayLike, relative_cp: int):
    """Width of phi -> N_1 N_2 for two different Majorana states, L = g phi N1bar N2: g the full coefficient.

    g^2 [m^2 - (m_1 + eta m_2)^2] p*/(4 pi m^2), eta the relative CP parity (a scalar vertex for +1, a pseudoscalar one
    for -1). Crossed from `scalar_decays.width_fermion_to_fermion_scalar`.
    """
    mass = jnp.asarray(mass)
    momentum = two_body_momentum(mass, m_1, m_2)
    difference = jnp.asarray(m_1) + relative_cp * jnp.asarray(m_2)
    squared = 2.0 * jnp.asarray(g) ** 2 * (mass - difference) * (mass + difference)
    return squared * momentum / (8.0 * jnp.pi * mass**2)


def width_to_neutrino_and_majorana(mass: ArrayLike, m_N: ArrayLike, y: ArrayLike) -> Float[Array, "..."]:
    """Width of phi -> nu N and nubar N, L = y phi nubar P_R N + h.c., N Majorana: y^2 m/(8 pi) (1 - m_N^2/m^2)^2.

    For a Dirac N the two modes are nu Nbar and nubar N, with the same sum.
    """
    mass, m_N = jnp.broadcast_arrays(jnp.asarray(mass), jnp.asarray(m_N))
    opened = is_open(mass, m_N, 0.0)
    ratio = m_N / jnp.where(opened, mass, 1.0)
    width = jnp.asarray(y) ** 2 * mass / (8.0 * jnp.pi) * ((1.0 - ratio) * (1.0 + ratio)) ** 2
    return jnp.where(opened, width, 0.0)


def width_to_pions(mass: ArrayLike, y_u: ArrayLike, y_d: ArrayLike) -> Float[Array, "..."]:
    """Width of phi -> pi+ pi- and pi0 pi0 at leading order of chiral perturbation theory, an order of magnitude.

    <pi pi| y_u ubar u + y_d dbar d |0> = B (y_u + y_d) for pi+ pi- and for pi0 pi0 (identical: 1/2), B = m_pi^2/(m_u +
    m_d): Donoghue, Gasser, Leutwyler, Nucl. Phys. B 343 (1990) 341, whose dispersive form factors are larger by up to
    ten below 1 GeV.
    """
    mass = jnp.asarray(mass)
    amplitude = M_CHARGED_PION**2 / (M_U + M_D) * (jnp.asarray(y_u) + jnp.asarray(y_d))
    charged = two_body_momentum(mass, M_CHARGED_PION, M_CHARGED_PION)
    neutral = two_body_momentum(mass, M_NEUTRAL_PION, M_NEUTRAL_PION)
    return amplitude**2 * (charged + 0.5 * neutral) / (8.0 * jnp.pi * mass**2)

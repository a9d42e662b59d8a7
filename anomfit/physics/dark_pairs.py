"""Pairs of heavy neutrinos by a virtual Z': e+e- -> N_j N_k, quarkonia -> N_j N_k, and e+e- -> phi' Z'.

arXiv:2007.11813, appendix B. Everything is a width of a Z' of another mass: that to N_j N_k with all masses and the CP
parity (`vector_decays.width_to_neutrinos`), that to e+e-, and the propagator. Pairs stand in the order of
`dark_neutrinos.pairs_of_states`. Energies, masses and widths in GeV.
"""

from dataclasses import replace

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.constants import ALPHA
from anomfit.physics.dark_neutrinos import DarkNeutrinos, ZprimeWidths, zprime_widths
from anomfit.physics.two_body import is_open, two_body_energy, two_body_momentum

ENERGY_SPREAD = 0.005
"""GeV, our round number for the spread of a B factory's energy. Z' is never taken narrower, so that the cross section
stays finite where the energy hits m_Z'; within the spread of such a Z' it is a lower bound.
"""


def virtual_widths(states: DarkNeutrinos, mass: ArrayLike) -> ZprimeWidths:
    """Widths that Z' would have with this mass, couplings unchanged."""
    return zprime_widths(replace(states, m_Zprime=jnp.asarray(mass)))


def _propagator(states: DarkNeutrinos, mass: ArrayLike, spread: float):
    """1/[(s - m^2)^2 + (m Gamma)^2], s = mass^2, GeV^-4."""
    m = states.m_Zprime
    width_squared = zprime_widths(states).total ** 2 + spread**2
    difference = (jnp.asarray(mass) - m) * (jnp.asarray(mass) + m)
    return 1.0 / (difference**2 + m**2 * width_squared)


def pair_cross_sections(states: DarkNeutrinos, root_s: ArrayLike) -> Float[Array, " pairs"]:
    """Cross sections of e+e- -> Z'* -> N_j N_k, all angles, GeV^-2; N_j anti-N_k and its conjugate of Dirac states.

    12 pi Gamma_ee Gamma_jk/[(s - m^2)^2 + (m Gamma)^2] with widths at the mass root_s. For massless, different N:
    (4 pi/3) alpha alpha_D eps^2 |V_jk|^2 s/(s - m^2)^2, the integral of arXiv:2007.11813, equation B12; half of it for
    identical ones. 0 where closed.
    """
    widths = virtual_widths(states, root_s)
    shared = 12.0 * jnp.pi * widths.to_electrons * _propagator(states, root_s, ENERGY_SPREAD)
    return shared * widths.to_heavy


def quarkonium_ratios(states: DarkNeutrinos, m_V: ArrayLike) -> Float[Array, " pairs"]:
    """B(V -> Z'* -> N_j N_k)/B(V -> e+e-) of a vector quarkonium of this mass.

    eps^2 M^4/[(M^2 - m^2)^2 + (m Gamma)^2] times Gamma_jk over the width of a photon of mass M to e+e-; for massless,
    different N: eps^2 alpha_D |V_jk|^2/alpha [M^2/(M^2 - m^2)]^2. Decay constant and charge of the quark cancel:
    arXiv:2007.11813, equation B11, divided by the rate to e+e-.
    """
    m_V = jnp.asarray(m_V)
    widths = virtual_widths(replace(states, epsilon=jnp.ones_like(states.epsilon)), m_V)
    shared = states.epsilon**2 * m_V**4 * _propagator(states, m_V, ENERGY_SPREAD)
    return shared * widths.to_heavy / widths.to_electrons


# -- directions and polarisation ------------------------------------------------------------------------------------


def transverse_fraction(root_s: ArrayLike, m_j: ArrayLike, m_k: ArrayLike, eta: ArrayLike) -> Float[Array, "..."]:
    """Fraction of e+e- -> N_j N_k in which the current has spin projection +1 or -1 along N_j's flight; 1 if closed.

    2s/(2s + (m_j - m_k)^2) of the axial current (eta = +1), 2s/(2s + (m_j + m_k)^2) of the vector current (-1); eta = 0
    is a Dirac state. For light neutrinos 1.
    """
    root_s, m_j, m_k = (jnp.asarray(x) for x in (root_s, m_j, m_k))
    opened, s = is_open(root_s, m_j, m_k), root_s**2
    sum_, difference = m_j + m_k, m_j - m_k
    axial = 0.5 * (1.0 + jnp.asarray(eta)) * (root_s - sum_) * (root_s + sum_)
    vector = 0.5 * (1.0 - jnp.asarray(eta)) * (root_s - difference) * (root_s + difference)
    total = axial * (2.0 * s + difference**2) + vector * (2.0 * s + sum_**2)
    some = opened & (total > 0.0)
    return jnp.where(some, 2.0 * s * (axial + vector) / jnp.where(some, total, 1.0), 1.0)


def angular_density(cosine: ArrayLike, transverse: ArrayLike) -> Float[Array, "..."]:
    """Density of cos between N_j and the beam, normalised on (-1, 1), for unpolarised massless e+e-.

    3/8 (1 + cos^2) of the transverse part and 3/4 sin^2 of the rest.
    """
    squared, transverse = jnp.asarray(cosine) ** 2, jnp.asarray(transverse)
    return 0.375 * transverse * (1.0 + squared) + 0.75 * (1.0 - transverse) * (1.0 - squared)


def polarisation(root_s: ArrayLike, m_j: ArrayLike, m_k: ArrayLike) -> Float[Array, "..."]:
    """Mean spin of a Dirac N_j along its flight (1: helicity +1/2), vertex gamma^mu P_L, over all directions.

    -p (2 E_j + 6 E_k)/(6 E_j E_k + 2 p^2): -1 for massless states, 0 at and below threshold. An anti-N_j has the
    opposite one; Majorana states, whose current conserves parity, have none.
    """
    p = two_body_momentum(root_s, m_j, m_k)
    e_j, e_k = two_body_energy(root_s, m_j, m_k), two_body_energy(root_s, m_k, m_j)
    total = 6.0 * e_j * e_k + 2.0 * p**2
    some = total > 0.0
    return jnp.where(some, -p * (2.0 * e_j + 6.0 * e_k) / jnp.where(some, total, 1.0), 0.0)


# -- e+e- -> phi' Z' --------------------------------------------------------------------------------------------------


def higgsstrahlung_cross_section(
    m_Zprime: ArrayLike, m_phi: ArrayLike, alpha_D: ArrayLike, epsilon: ArrayLike, root_s: ArrayLike
) -> Float[Array, "..."]:
    """Cross section of e+e- -> Z'* -> phi' Z', all angles, GeV^-2: phi' gives Z' its mass. 0 where closed.

    pi alpha alpha_D eps^2 sqrt(lambda) (lambda + 12 m^2 s)/(3 s^2 (s - m^2)^2), lambda the Källén function of s, m_Z'^2
    and m_phi^2: the integral of arXiv:2007.11813, equation B13 with (s - m^2)^2 for its (s - m), for a massless phi'.
    Energies well above m_Z'.
    """
    m, root_s = jnp.asarray(m_Zprime), jnp.asarray(root_s)
    momentum = two_body_momentum(root_s, m, m_phi)
    root = 2.0 * root_s * momentum
    s, opened = root_s**2, root_s > m
    away = jnp.where(opened, (root_s - m) * (root_s + m), 1.0)
    coupling = jnp.pi * ALPHA * jnp.asarray(alpha_D) * jnp.asarray(epsilon) ** 2
    return jnp.where(opened, coupling * root * (root**2 + 12.0 * m**2 * s) / (3.0 * s**2 * away**2), 0.0)

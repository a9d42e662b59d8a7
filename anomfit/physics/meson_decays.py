"""Decays of mesons to a light CP-even scalar phi, L = -y_f phi fbar f: widths and branching ratios. GeV throughout.

Everything broadcasts unless said; a closed channel has width 0 and gradient 0.
"""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics import meson_constants as meson
from anomfit.physics.constants import G_F, M_MU
from anomfit.physics.nucleon_scalar import M_D, M_U
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.two_body import kallen, two_body_momentum

GROSSMAN_NIR = 4.3
"""Largest B(K_L -> pi0 X)/B(K+ -> pi+ X): isospin 1/2 and the lives of the kaons, hep-ph/9701313."""


def two_body_width(amplitude: ArrayLike, m_parent: ArrayLike, m_1: ArrayLike, m_2: ArrayLike) -> Float[Array, "..."]:
    """|A|^2 p*/(8 pi M^2) of a spinless parent for an amplitude in GeV."""
    momentum = two_body_momentum(m_parent, m_1, m_2)
    return jnp.asarray(amplitude) ** 2 * momentum / (8.0 * jnp.pi * jnp.asarray(m_parent) ** 2)


def kaon_to_pion_scalar(m_phi: ArrayLike, y_u: ArrayLike, y_d: ArrayLike, y_s: ArrayLike = 0.0) -> Float[Array, "..."]:
    """B(K+ -> pi+ phi) through couplings to u, d, s quarks, an order of magnitude.

    A = 2 G_8 F^2 B [m_K^2 (y_u + y_d) - m_pi^2 (y_u + y_s)]/(m_K^2 - m_pi^2), B = m_pi^2/(m_u + m_d): octet operator of
    the weak chiral Lagrangian at leading order with the tadpole removed; it vanishes for y_q proportional to m_q.
    """
    kaon, pion = meson.M_CHARGED_KAON**2, meson.M_CHARGED_PION**2
    condensate = pion / (M_U + M_D)
    y_u, y_d, y_s = jnp.asarray(y_u), jnp.asarray(y_d), jnp.asarray(y_s)
    bracket = (kaon * (y_u + y_d) - pion * (y_u + y_s)) / (kaon - pion)
    amplitude = 2.0 * meson.G_8 * meson.F_PION**2 * condensate * bracket
    return two_body_width(amplitude, meson.M_CHARGED_KAON, meson.M_CHARGED_PION, m_phi) / meson.WIDTH_CHARGED_KAON


def muon_neutrino_scalar_squared(p_nu_p, p_nu_q, p_q, s, m_phi):
    """Sum over spins of |M|^2/C^2 of K+ -> mu+(p) nu phi(q), C = G_F V_us f_K y/sqrt 2, s = (p + q)^2; dimension GeV^4.

    8/(s - m^2)^2 {m^2 [2 (pq)(nu q) - m_phi^2 (nu p)] + 2 m^2 (m^2 + s)(nu q) + (m^2 + s)^2 (nu p)}: phi off the muon.
    """
    m2 = M_MU**2
    bracket = m2 * (2.0 * p_q * p_nu_q - m_phi**2 * p_nu_p) + 2.0 * m2 * (m2 + s) * p_nu_q + (m2 + s) ** 2 * p_nu_p
    return 8.0 * bracket / (s - m2) ** 2


def kaon_to_muon_neutrino_scalar(m_phi: ArrayLike, y_mu: ArrayLike, nodes: int = 48) -> Float[Array, ""]:
    """B(K+ -> mu+ nu phi), phi radiated off the muon; scalars. Batell et al., arXiv:1606.04943, section V."""
    mass, constant = meson.M_CHARGED_KAON, G_F * meson.V_US * meson.F_KAON
    to_muon = constant**2 * mass * M_MU**2 * (1.0 - (M_MU / mass) ** 2) ** 2 / (8.0 * jnp.pi)
    return scalar_off_muon(mass, m_phi, y_mu, nodes) * to_muon / meson.WIDTH_CHARGED_KAON


def scalar_off_muon(mass: float, m_phi: ArrayLike, y_mu: ArrayLike, nodes: int = 48) -> Float[Array, ""]:
    """Gamma(M+ -> mu+ nu phi)/Gamma(M+ -> mu+ nu) of a pseudoscalar of this mass, phi off the muon; scalars.

    Gamma = (1/2M) int ds/(2 pi) Phi_2(M; nu, s) Phi_2(s; mu, phi) <|M|^2>; the average over phi's direction is exact,
    |M|^2 being linear in it.
    """
    m_phi = jnp.asarray(m_phi)
    s, weight, opened = _invariant_masses((M_MU + m_phi) ** 2, mass**2, nodes)
    p_q = 0.5 * (s - M_MU**2 - m_phi**2)
    nu_total = 0.5 * (mass**2 - s)
    p_nu_q = nu_total * (p_q + m_phi**2) / s
    p_nu_p = nu_total * (p_q + M_MU**2) / s
    squared = muon_neutrino_scalar_squared(p_nu_p, p_nu_q, p_q, s, m_phi)
    phase = (1.0 - s / mass**2) / (8.0 * jnp.pi) * _two_body_phase_space(s, M_MU**2, m_phi**2)
    return jnp.where(opened, jnp.asarray(y_mu) ** 2 * _over_muon(mass, jnp.sum(weight * squared * phase)), 0.0)


def heavy_neutrino_scalar_squared(p_N_p, p_N_k, p_k, s):
    """Sum over spins of |M|^2/C^2 of M+ -> mu+(p) N(p_N) phi, C = G_F V f y/sqrt 2, k = p_N + q, s = k^2; GeV^2.

    8 {p_N p + (m/s)^2 [2 (p_N k)(p k) - s (p_N p)] + 2 m^2 (p_N k)/s}, m the muon's mass: phi off the neutrino, L = y
    phi nubar P_R N + h.c. The first term has no helicity suppression. N may be Dirac or Majorana.
    """
    m2 = M_MU**2
    return 8.0 * (p_N_p + m2 / s**2 * (2.0 * p_N_k * p_k - s * p_N_p) + 2.0 * m2 * p_N_k / s)


def scalar_off_neutrino(mass: float, m_N: ArrayLike, m_phi: ArrayLike, y: ArrayLike, nodes: int = 48):
    """Gamma(M+ -> mu+ N phi)/Gamma(M+ -> mu+ nu) of a pseudoscalar of this mass, phi off the neutrino; scalars.

    As `scalar_off_muon`, with s the squared mass of N and phi; the average over N's direction in their frame is exact.
    """
    m_N, m_phi = jnp.asarray(m_N), jnp.asarray(m_phi)
    s, weight, opened = _invariant_masses((m_N + m_phi) ** 2, (mass - M_MU) ** 2, nodes)
    p_N_k, p_k = 0.5 * (s + m_N**2 - m_phi**2), 0.5 * (mass**2 - s - M_MU**2)
    squared = heavy_neutrino_scalar_squared(p_N_k * p_k / s, p_N_k, p_k, s)
    phase = _two_body_phase_space(jnp.asarray(mass**2), M_MU**2, s) * _two_body_phase_space(s, m_N**2, m_phi**2)
    return jnp.where(opened, jnp.asarray(y) ** 2 * _over_muon(mass, jnp.sum(weight * squared * phase)), 0.0)


def _invariant_masses(lowest, highest: float, nodes: int):
    """Nodes and weights in s between its ends, where momenta open as roots, and whether there is anything between."""
    opened = highest > lowest
    low = jnp.where(opened, lowest, 0.5 * highest)
    u, w = unit_legendre(nodes)
    place = u**2 * (3.0 - 2.0 * u)
    return low + (highest - low) * place, w * 6.0 * u * (1.0 - u) * (highest - low), opened


def _over_muon(mass: float, integral):
    """(1/2M) integral/(2 pi) over Gamma(M+ -> mu+ nu)/C^2 = M m^2 (1 - m^2/M^2)^2/(4 pi)."""
    to_muon = mass * M_MU**2 * (1.0 - (M_MU / mass) ** 2) ** 2 / (4.0 * jnp.pi)
    return integral / (4.0 * jnp.pi * mass) / to_muon


def _two_body_phase_space(s, m1_squared, m2_squared):
    squared = kallen(s, m1_squared, m2_squared)
    positive = squared > 0.0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squared, 1.0)), 0.0) / (8.0 * jnp.pi * s)

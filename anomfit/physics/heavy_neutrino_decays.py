"""Weak decays of a heavy neutrino N through W and Z by its mixing with nu_e, nu_mu, nu_tau; and mesons that decay to N.

What `weak_decays` leaves out: pions, and two charged leptons of different flavour. arXiv:1805.08567, section 3.1; with
its decay constant f_pi of 130 MeV. Widths in GeV, of a Dirac N unless a function says otherwise: a Majorana N has twice
as many. Hadrons heavier than a pion (from 0.6 GeV) are left out. A closed channel has value 0 and gradient 0.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics import weak_decays
from anomfit.physics.constants import G_F, M_E, M_MU
from anomfit.physics.meson_constants import F_PION, M_CHARGED_PION, M_NEUTRAL_PION
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.two_body import is_open, kallen

V_UD = 0.9737
"""CKM element, PDG 2022."""

F_PI = math.sqrt(2.0) * F_PION
NODES = 32


def width_to_lepton_pion(m_N: ArrayLike, mixing_squared: ArrayLike, m_lepton: ArrayLike) -> Float[Array, "..."]:
    """Width of N -> l- pi+: G_F^2 f^2 |V_ud|^2 |U|^2 m^3/(16 pi) [(1 - x_l^2)^2 - x_pi^2 (1 + x_l^2)] sqrt(lambda)."""
    opened = is_open(m_N, m_lepton, M_CHARGED_PION)
    heavy = jnp.where(opened, m_N, 1.0)
    x_l, x_pi = (jnp.where(opened, m / heavy, 0.25) for m in (jnp.asarray(m_lepton), M_CHARGED_PION))
    shape = ((1.0 - x_l**2) ** 2 - x_pi**2 * (1.0 + x_l**2)) * jnp.sqrt(kallen(1.0, x_l**2, x_pi**2))
    scale = (G_F * F_PI * V_UD) ** 2 * jnp.asarray(mixing_squared) * heavy**3 / (16.0 * jnp.pi)
    return jnp.where(opened, scale * shape, 0.0)


def width_to_neutrino_pion(m_N: ArrayLike, mixing_squared: ArrayLike) -> Float[Array, "..."]:
    """Width of N -> nu pi0: G_F^2 f^2 |U|^2 m^3/(32 pi) (1 - m_pi^2/m^2)^2; mixing_squared is summed over flavours."""
    opened = is_open(m_N, 0.0, M_NEUTRAL_PION)
    heavy = jnp.where(opened, m_N, 1.0)
    ratio = jnp.where(opened, M_NEUTRAL_PION / heavy, 0.5)
    scale = (G_F * F_PI) ** 2 * jnp.asarray(mixing_squared) * heavy**3 / (32.0 * jnp.pi)
    return jnp.where(opened, scale * (1.0 - ratio**2) ** 2, 0.0)


def width_to_unlike_leptons(m_N: ArrayLike, mixing_squared: ArrayLike) -> Float[Array, ""]:
    """Width of N -> mu- e+ nu_e (or e- mu+ nu_mu) by W: G_F^2 m^5 |U|^2/(192 pi^3) I, scalars.

    U is the mixing with the flavour of the lepton of N's charge. I = 12 int ds/s (s - m_mu^2 - m_e^2) (1 - s)^2
    sqrt(lambda(s, m_mu^2, m_e^2)) in units of m_N, the same for both: s is the squared mass of the two charged leptons.
    """
    m_N, threshold = jnp.asarray(m_N), M_MU + M_E
    opened = m_N > threshold
    heavy = jnp.where(opened, m_N, 2.0 * threshold)
    muon, electron = M_MU / heavy, M_E / heavy
    u, weight = unit_legendre(NODES)
    h, h_weight = u * u * (3.0 - 2.0 * u), weight * 6.0 * u * (1.0 - u)  # smooth through the root at the threshold
    low = (muon + electron) ** 2
    s = low + (1.0 - low) * h
    root = jnp.sqrt((1.0 - low) * h * (s - (muon - electron) ** 2))
    total = jnp.sum(h_weight * (1.0 - low) * (s - muon**2 - electron**2) * (1.0 - s) ** 2 * root / s)
    scale = G_F**2 * heavy**5 * jnp.asarray(mixing_squared) / (192.0 * jnp.pi**3)
    return jnp.where(opened, 12.0 * scale * total, 0.0)


def meson_to_lepton_neutrino(m_meson: ArrayLike, m_lepton: ArrayLike, m_N: ArrayLike) -> Float[Array, "..."]:
    """Rate of meson -> l N over |U|^2 times that of meson -> l nu (Shrock, Phys. Rev. D 24 (1981) 1232).

    [x_l^2 + x_N^2 - (x_l^2 - x_N^2)^2] sqrt(lambda(1, x_l^2, x_N^2))/[x_l^2 (1 - x_l^2)^2], x = m/m_meson.
    """
    opened = is_open(m_meson, m_lepton, m_N)
    x_l = jnp.asarray(m_lepton) / jnp.asarray(m_meson)
    x_N = jnp.where(opened, jnp.asarray(m_N) / jnp.asarray(m_meson), 0.0)
    shape = (x_l**2 + x_N**2 - (x_l**2 - x_N**2) ** 2) * jnp.sqrt(kallen(1.0, x_l**2, x_N**2))
    return jnp.where(opened, shape / (x_l * (1.0 - x_l**2)) ** 2, 0.0)


class WeakWidths(NamedTuple):
    """Partial widths (GeV) by what is seen: e+e- alone, anything with a muon, pions without one, nothing."""

    to_electrons: Float[Array, ""]
    to_muons: Float[Array, ""]
    to_hadrons: Float[Array, ""]
    to_neutrinos: Float[Array, ""]
    to_unlike: Float[Array, ""]  # the part of to_muons with mu and e, by W
    to_muon_pion: Float[Array, ""]  # the part of to_muons with mu and pi, both charges

    @property
    def total(self) -> Float[Array, ""]:
        """The sum."""
        return self.to_electrons + self.to_muons + self.to_hadrons + self.to_neutrinos


def weak_widths(m_N: ArrayLike, U_e: ArrayLike, U_mu: ArrayLike, U_tau: ArrayLike, *, majorana: bool) -> WeakWidths:
    """All of them for squared mixings |U_e|^2, |U_mu|^2, |U_tau|^2, scalars."""
    charges = 2.0 if majorana else 1.0
    U_e, U_mu, U_tau = (jnp.asarray(mixing) for mixing in (U_e, U_mu, U_tau))
    everything = U_e + U_mu + U_tau

    def pair(m_lepton, own):
        with_W = weak_decays.width_to_neutrino_leptons(m_N, own, m_lepton, charged_current=True, majorana=majorana)
        others = everything - own
        return with_W + weak_decays.width_to_neutrino_leptons(
            m_N, others, m_lepton, charged_current=False, majorana=majorana
        )

    unlike = charges * width_to_unlike_leptons(m_N, U_e + U_mu)
    muon_pion = charges * width_to_lepton_pion(m_N, U_mu, M_MU)
    electron_pion = charges * width_to_lepton_pion(m_N, U_e, M_E)
    return WeakWidths(
        to_electrons=pair(M_E, U_e),
        to_muons=pair(M_MU, U_mu) + unlike + muon_pion,
        to_hadrons=electron_pion + charges * width_to_neutrino_pion(m_N, everything),
        to_neutrinos=weak_decays.width_to_three_neutrinos(m_N, everything, majorana=majorana),
        to_unlike=unlike,
        to_muon_pion=muon_pion,
    )

"""A light phi' of the dark seesaw that mixes with the Higgs boson: its couplings, decays, and N_j -> N_k phi.

The poster that came before arXiv:2007.11813: lambda_PhiH |H|^2 |Phi|^2 makes phi = cos theta phi' + sin theta h of two
mass states, with sin theta m_f/v to charged fermions. L = -(1/2 sqrt2) (S_jk phi' + H_jk h) Nbar_j P_L N_k + h.c.,
summed over j and k (equations A2 and A3), where the terms of j != k are equal in pairs: phi Nbar_j N_k has the whole
coefficient g_jk = (cos theta S_jk + sin theta H_jk)/sqrt2. In a basis of positive masses Re g is a scalar and Im g a
pseudoscalar vertex, which do not interfere in widths: these are linear in eta = Re(g^2)/|g|^2. Masses and widths in
GeV; a closed channel has width 0 and gradient 0.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Inexact

from anomfit.physics import scalar_decays
from anomfit.physics.constants import ALPHA, M_E, M_MU, M_TAU, V_EW
from anomfit.physics.dark_neutrinos import decays_of_states, pairs_of_states
from anomfit.physics.dark_seesaw import M_HIGGS, Vertices, relative_parity
from anomfit.physics.light_bosons import SMALLEST_WIDTH
from anomfit.physics.meson_constants import M_CHARGED_PION
from anomfit.physics.penguin_decays import M_B, M_TOP
from anomfit.physics.two_body import two_body_momentum

M_CHARM = 1.27  # GeV, MSbar, PDG 2022
W_LOOP = -7.0  # the W's loop beside 4/3 of a heavy fermion's, for a scalar much lighter than both
_LOOP_MASSES = np.array([M_E, M_MU, M_TAU, M_CHARM, M_B, M_TOP])
_LOOP_CHARGES = np.array([1.0, 1.0, 1.0, 4.0 / 3.0, 1.0 / 3.0, 4.0 / 3.0])  # N_c Q^2


class ScalarVertices(NamedTuple):
    """Mass states with their vertices of phi, the light neutrino first."""

    masses: Float[Array, " states"]  # signed where vertices are real
    g: Inexact[Array, "states states"]  # of phi Nbar_j N_k, j != k; half of it stands before phi Nbar_j N_j

    @property
    def size(self) -> Float[Array, " states"]:
        """Masses without their signs, GeV."""
        return jnp.abs(self.masses)

    @property
    def squared(self) -> Float[Array, "states states"]:
        """|g_jk|^2."""
        return jnp.real(self.g * jnp.conj(self.g))

    @property
    def parity(self) -> Float[Array, "states states"]:
        """eta_jk: 1 a scalar vertex, -1 a pseudoscalar one, in between both."""
        return relative_parity(self.masses, self.g)


def scalar_vertices(masses: Float[Array, " states"], found: Vertices, sin: ArrayLike) -> ScalarVertices:
    """Vertices of the lighter mass state of phi' and h; sin: that of their mixing angle, 0 <= theta < pi/2."""
    sin = jnp.asarray(sin)
    return ScalarVertices(masses, (_cosine(sin) * found.S + sin * found.H) / math.sqrt(2.0))


def _cosine(sin):
    return jnp.sqrt((1.0 - sin) * (1.0 + sin))


def width_to_states(
    m_phi: ArrayLike, m_j: ArrayLike, m_k: ArrayLike, g_squared: ArrayLike, eta: ArrayLike
) -> Float[Array, "..."]:
    """Width of phi -> N_j N_k of different Majorana states: |g|^2 [m^2 - m_j^2 - m_k^2 - 2 eta m_j m_k] p*/(4 pi m^2).

    Half of it for j = k, where g_jj is twice the coefficient of phi Nbar_j N_j: |S_jj|^2 m/(32 pi) without masses.
    """
    m_phi, m_j, m_k = jnp.asarray(m_phi), jnp.asarray(m_j), jnp.asarray(m_k)
    momentum = two_body_momentum(m_phi, m_j, m_k)
    squared = m_phi**2 - m_j**2 - m_k**2 - 2.0 * jnp.asarray(eta) * m_j * m_k
    return jnp.asarray(g_squared) * squared * momentum / (4.0 * jnp.pi * m_phi**2)


def width_to_state_and_scalar(
    m_j: ArrayLike, m_k: ArrayLike, m_phi: ArrayLike, g_squared: ArrayLike, eta: ArrayLike
) -> Float[Array, "..."]:
    """Width of N_j -> N_k phi of Majorana states: |g|^2 [m_j^2 + m_k^2 + 2 eta m_j m_k - m^2] p*/(8 pi m_j^2).

    `scalar_decays.width_fermion_to_fermion_scalar` for eta = 1 and -1.
    """
    m_j, m_k, m_phi = jnp.asarray(m_j), jnp.asarray(m_k), jnp.asarray(m_phi)
    momentum = two_body_momentum(m_j, m_k, m_phi)
    squared = m_j**2 + m_k**2 + 2.0 * jnp.asarray(eta) * m_j * m_k - m_phi**2
    return jnp.asarray(g_squared) * squared * momentum / (8.0 * jnp.pi * m_j**2)


# -- decays of phi ----------------------------------------------------------------------------------------------------


class ScalarWidths(NamedTuple):
    """Partial widths of phi in GeV, by what it decays to.

    to_light: two light neutrinos; to_heavy: with at least one of the lighter heavy states and none above them, by pair
    of `pairs_of_states`; to_heavier: with one of the states above.
    """

    to_electrons: Float[Array, ""]
    to_muons: Float[Array, ""]
    to_hadrons: Float[Array, ""]
    to_photons: Float[Array, ""]
    to_light: Float[Array, ""]
    to_heavy: Float[Array, " pairs"]
    to_heavier: Float[Array, ""]

    @property
    def total(self) -> Float[Array, ""]:
        """The sum, never quite 0."""
        alone = self.to_electrons + self.to_muons + self.to_hadrons + self.to_photons + self.to_light + self.to_heavier
        return jnp.maximum(alone + jnp.sum(self.to_heavy), SMALLEST_WIDTH)


def scalar_widths(m_phi: ArrayLike, sin: ArrayLike, states: ScalarVertices, lighter: int) -> ScalarWidths:
    """All of them, for one light neutrino, the first state; lighter: how many heavy states count as made in beams."""
    sin = jnp.asarray(sin)
    number = len(states.masses)
    j, k = np.tril_indices(number)
    pairs = width_to_states(m_phi, states.size[j], states.size[k], states.squared[j, k], states.parity[j, k])
    table = jnp.zeros((number, number)).at[j, k].set(np.where(j == k, 0.5, 1.0) * pairs)
    heavy_j, heavy_k = pairs_of_states(lighter)
    electrons, muons = (scalar_decays.width_to_fermions(m_phi, sin * m / V_EW, m) for m in (M_E, M_MU))
    return ScalarWidths(
        electrons,
        muons,
        width_to_pions(m_phi, sin),
        scalar_decays.width_to_photons(m_phi, photon_coupling(m_phi, sin)),
        table[0, 0],
        table[heavy_j + 1, heavy_k + 1],
        jnp.sum(table[lighter + 1 :]),
    )


def photon_coupling(m_phi: ArrayLike, sin: ArrayLike):
    """kappa_eff (GeV^-1, complex) of charged leptons, c, b, t and W; u, d and s, bound in hadrons, are left out.

    Djouadi, Phys. Rept. 457 (2008) 1, section 2.3.1: W counts -7 beside N_c Q^2 A_f, far below its threshold.
    """
    sin = jnp.asarray(sin)
    of_W = -ALPHA / (2.0 * jnp.pi * V_EW) * W_LOOP * sin
    return scalar_decays.photon_coupling(m_phi, of_W, sin * _LOOP_MASSES / V_EW, _LOOP_MASSES, _LOOP_CHARGES)


def width_to_pions(m_phi: ArrayLike, sin: ArrayLike) -> Float[Array, "..."]:
    """Width of phi -> pi pi, both charges: sin^2 m^3/(216 pi v^2) sqrt(1 - 4r) (1 + 11 r/2)^2, r = m_pi^2/m^2.

    Voloshin, Sov. J. Nucl. Phys. 44 (1986) 478: the trace anomaly of three heavy quarks at leading order of chiral
    perturbation theory. An order of magnitude from some 0.6 GeV on.
    """
    m_phi = jnp.asarray(m_phi)
    momentum = two_body_momentum(m_phi, M_CHARGED_PION, M_CHARGED_PION)
    amplitude = 1.0 + 5.5 * (M_CHARGED_PION / m_phi) ** 2
    return jnp.asarray(sin) ** 2 * m_phi**2 * momentum * amplitude**2 / (108.0 * jnp.pi * V_EW**2)


class Shares(NamedTuple):
    """phi -> heavy neutrinos as searches see it: what never shows, what does, and how far off (m/GeV)."""

    to_invisible: Float[Array, ""]
    to_semivisible: Float[Array, ""]
    flight: Float[Array, ""]


LEAST = 1e-12  # of a chance, so that its logarithm stays finite


def split_by_sight(widths: ScalarWidths, near: Float[Array, " lighter"], far: Float[Array, " lighter"]) -> Shares:
    """Widths to heavy neutrinos, GeV, by whether they show.

    near, far: chances of each state to show within 1 m/GeV, and within what a detector is. A pair of which neither
    shows in the latter is invisible, as are two light neutrinos; `flight` is the c tau/m with which as much of the rest
    shows within 1 m/GeV as does. States above the lighter ones count as seen at once: they decay by a real Z'.
    """
    j, k = pairs_of_states(len(near))

    def hidden(chance):
        return jnp.sum(widths.to_heavy * (1.0 - chance[j]) * jnp.where(k < 0, 1.0, 1.0 - chance[k]))

    endless, at_first = hidden(far), hidden(near)
    semivisible = jnp.sum(widths.to_heavy) - endless + widths.to_heavier
    some = semivisible > 0.0
    late = jnp.where(some, (at_first - endless) / jnp.where(some, semivisible, 1.0), 0.0)
    chance = jnp.clip(1.0 - late, LEAST, 1.0 - LEAST)
    return Shares(widths.to_light + endless, semivisible, -1.0 / jnp.log1p(-chance))


# -- what phi changes elsewhere ---------------------------------------------------------------------------------------


def widths_to_scalar(m_phi: ArrayLike, states: ScalarVertices, lighter: int) -> Float[Array, " decays"]:
    """Widths of N_j -> N_k phi and nu phi, GeV, by decay of `decays_of_states`."""
    parent, daughter = decays_of_states(lighter)
    j, k = parent + 1, daughter + 1  # the light neutrino is state 0
    return width_to_state_and_scalar(states.size[j], states.size[k], m_phi, states.squared[j, k], states.parity[j, k])


def higgs_to_scalars(sin: ArrayLike, v_Phi: ArrayLike, m_phi: ArrayLike) -> Float[Array, "..."]:
    """Width of h -> phi phi, GeV; as many h -> Z' Z', the Goldstone boson's half of Phi, if both are light.

    With x = |H|^2 - v^2/2 and y = |Phi|^2 - v_Phi^2/2 the potential lambda_H x^2 + lambda_Phi y^2 + lambda_PhiH x y
    has no coupling that two masses and theta leave free; its h phi^2 term is -(1/2) sin theta cos theta (m_h^2 + 2
    m_phi^2) (cos theta/v_Phi - sin theta/v). For a small theta and m_phi the width is theta^2 m_h^3/(32 pi v_Phi^2).
    """
    sin, m_phi = jnp.asarray(sin), jnp.asarray(m_phi)
    cos = _cosine(sin)
    coupling = sin * cos * (cos / jnp.asarray(v_Phi) - sin / V_EW) * (M_HIGGS**2 + 2.0 * m_phi**2)
    return coupling**2 * two_body_momentum(M_HIGGS, m_phi, m_phi) / (16.0 * jnp.pi * M_HIGGS**2)

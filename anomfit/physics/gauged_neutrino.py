"""A light vector that gauges baryon and lepton numbers, and a dark neutrino of the same vector that mixes with nu_mu.

nu_mu = c nu + s nu_4 and nu_d = -s nu + c nu_4 with s = U_mu4: arXiv:2006.01948, equations 5, 6 and 27. The vector's
vertices of left-handed neutrinos follow by unitarity, those of quarks and leptons from the charges and from the kinetic
mixing that loops of quarks and leptons make. GeV throughout; a closed channel has width 0 and gradient 0.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics import vector_decays
from anomfit.physics.constants import ALPHA, E_CHARGE, M_E, M_MU, M_TAU
from anomfit.physics.heavy_neutrino_decays import WeakWidths, weak_widths
from anomfit.physics.meson_constants import F_PION, M_CHARGED_PION, M_NEUTRAL_PION
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.two_body import is_open
from anomfit.physics.weak_decays import width_to_neutrino_leptons

M_OMEGA, WIDTH_OMEGA = 0.78266, 0.00868  # GeV, PDG
PIONS_TO_PION_PHOTON = 0.892 / 0.0835  # of the omega: three pions over pi0 gamma, PDG
QUARKS = (  # name, charge, mass (GeV): those of light quarks are constituent masses, which nearly cancel in the sum
    ("u", 2.0 / 3.0, 0.33),
    ("d", -1.0 / 3.0, 0.33),
    ("s", -1.0 / 3.0, 0.5),
    ("c", 2.0 / 3.0, 1.27),
    ("b", -1.0 / 3.0, 4.18),
    ("t", 2.0 / 3.0, 172.6),
)
LEPTONS = (M_E, M_MU, M_TAU)


class Charges(NamedTuple):
    """Charges of lepton doublets, and of right-handed leptons, for a baryon's of 1: -3 of the tau for B - 3 L_tau."""

    electron: float
    muon: float
    tau: float


class GaugedNeutrino(NamedTuple):
    """The vector and nu_4: masses (GeV), couplings g_d and g_B, U_mu4, kinetic mixing, charges of leptons."""

    m_nu4: Float[Array, ""]
    m_Zprime: Float[Array, ""]
    g_d: Float[Array, ""]
    g_B: Float[Array, ""]
    U_mu4: Float[Array, ""]
    epsilon: Float[Array, ""]
    charges: Charges

    @property
    def cosine_squared(self) -> Float[Array, ""]:
        """1 - |U_mu4|^2."""
        return (1.0 - self.U_mu4) * (1.0 + self.U_mu4)

    @property
    def difference(self) -> Float[Array, ""]:
        """g_d minus the coupling of nu_mu itself: what mixing turns into vertices of nu_4 and light neutrinos."""
        return self.g_d - self.g_B * self.charges.muon

    @property
    def to_light(self) -> Float[Array, ""]:
        """Vertex of nu_4, the light neutrino that mixes with it, and the vector."""
        return self.difference * self.U_mu4 * jnp.sqrt(self.cosine_squared)

    @property
    def produced(self) -> Float[Array, ""]:
        """Vertex of a beam's nu_mu, whose light part flies, and nu_4: U_mu4 (1 - |U_mu4|^2) times the difference."""
        return self.difference * self.U_mu4 * self.cosine_squared

    @property
    def between(self) -> Float[Array, ""]:
        """Vertex of two nu_4."""
        return self.g_d * self.cosine_squared + self.g_B * self.charges.muon * self.U_mu4**2

    @property
    def light(self) -> tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""]]:
        """Vertices of pairs of light neutrinos: nu_e, what is left of nu_mu, nu_tau."""
        own = self.g_d * self.U_mu4**2 + self.g_B * self.charges.muon * self.cosine_squared
        return self.g_B * self.charges.electron, own, self.g_B * self.charges.tau

    @property
    def charged(self) -> tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""]]:
        """Couplings of e, mu, tau, kinetic mixing included."""
        electron, muon, tau = (self.g_B * charge - E_CHARGE * self.epsilon for charge in self.charges)
        return electron, muon, tau

    @property
    def quarks(self) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Couplings of up and down quarks, kinetic mixing included."""
        mixing = E_CHARGE * self.epsilon
        return self.g_B / 3.0 + 2.0 / 3.0 * mixing, self.g_B / 3.0 - mixing / 3.0


class VectorWidths(NamedTuple):
    """Partial widths of the vector, GeV; to_heavy: with one nu_4 or two; to_light: light neutrinos alone."""

    to_electrons: Float[Array, ""]
    to_muons: Float[Array, ""]
    to_taus: Float[Array, ""]
    to_hadrons: Float[Array, ""]
    to_heavy: Float[Array, ""]
    to_light: Float[Array, ""]


def kinetic_mixing(g_B: ArrayLike, charges: Charges, m_vector: ArrayLike, scale: ArrayLike) -> Float[Array, ""]:
    """epsilon of L = e epsilon Z' J_em from loops of quarks and leptons, if it vanishes at `scale` (GeV).

    -(e g_B/12 pi^2) sum_f N_c Q_f q_f 6 int dx x(1-x) ln[Lambda^2/(m_f^2 + x(1-x) m_V^2)]: Holdom, Phys. Lett. B 166
    (1986) 196. Equation 4 of arXiv:2006.01948 has 1/16 pi^2, which holds for fermions with their superpartners. The
    sign is that of a vector which couples with +g_B to baryons: screening. Charges above the electroweak scale give
    the same.
    """
    x, weight = unit_legendre(16)
    weight = 6.0 * weight * x * (1.0 - x)
    of_quarks = [(3.0 * charge / 3.0, mass) for _, charge, mass in QUARKS]
    of_leptons = [(-charge, mass) for charge, mass in zip(charges, LEPTONS, strict=True)]
    strengths, masses = (np.array(column) for column in zip(*of_quarks, *of_leptons, strict=True))
    scales = masses[:, None] ** 2 + x * (1.0 - x) * jnp.asarray(m_vector) ** 2
    logarithms = 2.0 * jnp.log(jnp.asarray(scale)) - jnp.log(scales) @ weight
    return -E_CHARGE * jnp.asarray(g_B) / (12.0 * jnp.pi**2) * (strengths @ logarithms)


def baryonic_width(m_vector: ArrayLike, g_B: ArrayLike) -> Float[Array, ""]:
    """Width of a vector of baryon number to hadrons, GeV; a factor of two between the omega and 1 GeV.

    pi0 gamma by the omega: alpha_B alpha m^3/(96 pi^3 f_pi^2) (1 - m_pi^2/m^2)^3 |F|^2, Tulin, arXiv:1404.4370; three
    pions as the omega's, with (m - 3 m_pi)^4 beside the resonance; three quarks, g_B^2 m/(12 pi), from 1.05 GeV up.
    """
    m, alpha_B = jnp.asarray(m_vector), jnp.asarray(g_B) ** 2 / (4.0 * jnp.pi)
    omega = M_OMEGA**4 / ((m**2 - M_OMEGA**2) ** 2 + (M_OMEGA * WIDTH_OMEGA) ** 2)
    opened = is_open(m, M_NEUTRAL_PION, 0.0)
    ratio = jnp.where(opened, M_NEUTRAL_PION / jnp.where(opened, m, 1.0), 1.0)
    norm = alpha_B * ALPHA / (96.0 * jnp.pi**3 * F_PION**2)
    photons = norm * m**3 * ((1.0 - ratio) * (1.0 + ratio)) ** 3
    on_peak = norm * M_OMEGA**3 * (1.0 - (M_NEUTRAL_PION / M_OMEGA) ** 2) ** 3
    lightest = 2.0 * M_CHARGED_PION + M_NEUTRAL_PION
    above = jnp.maximum(m - lightest, 0.0) / (M_OMEGA - lightest)
    pions = PIONS_TO_PION_PHOTON * on_peak * above**4
    edge, softness = vector_decays.CONTINUUM_EDGE, vector_decays.EDGE_WIDTH
    share = 1.0 / (1.0 + jnp.exp(-(m - edge) / softness))
    quarks = jnp.asarray(g_B) ** 2 * m / (12.0 * jnp.pi)
    return jnp.where(opened, (1.0 - share) * (photons + pions) * omega + share * quarks, 0.0)


def vector_widths(of: GaugedNeutrino, *, majorana: bool) -> VectorWidths:
    """Decays of the vector at its mass. A Majorana nu_4 has pairs in a P wave alone, a Dirac one with P_L does not."""
    m, N = of.m_Zprime, of.m_nu4
    if majorana:
        pairs = 0.5 * vector_decays.width_to_neutrinos(m, of.between, N, N, 1.0)
    else:
        pairs = vector_decays.width_to_chiral_pair(m, of.between, N, N)
    single = 2.0 * vector_decays.width_to_chiral_pair(m, of.to_light, N, 0.0)  # and its mirror
    leptons = [vector_decays.width_to_leptons(m, g, mass) for g, mass in zip(of.charged, LEPTONS, strict=True)]
    return VectorWidths(
        *leptons,
        to_hadrons=baryonic_width(m, of.g_B) + vector_decays.width_to_hadrons(m, of.epsilon),
        to_heavy=pairs + single,
        to_light=jnp.sum(jnp.stack([vector_decays.width_to_chiral_pair(m, g, 0.0, 0.0) for g in of.light])),
    )


class NeutrinoWidths(NamedTuple):
    """Partial widths of nu_4, GeV: by a virtual vector, to a real one and a neutrino, and by W and Z."""

    to_neutrinos: Float[Array, ""]
    to_electrons: Float[Array, ""]
    to_muons: Float[Array, ""]
    to_vector: Float[Array, ""]
    weak: WeakWidths

    @property
    def total(self) -> Float[Array, ""]:
        """The sum."""
        return self.to_neutrinos + self.to_electrons + self.to_muons + self.to_vector + self.weak.total


def neutrino_widths(of: GaugedNeutrino, *, majorana: bool) -> NeutrinoWidths:
    """Decays of nu_4: to three neutrinos by a virtual vector above all, if the vector is the heavier of the two.

    For two currents C = g_1 g_2/m_V^2 a Dirac nu_4 has C^2 m^5/(1536 pi^3) to nu_a nu_b nubar_b, twice that where b
    is a (two equal particles), and so for each chirality of charged leptons; a Majorana one twice as much, as with
    the Z, where C = sqrt2 G_F |U|. The propagator's momentum is kept up to m_V; above, its part stays and the decay
    to a real vector is added. The interference of the vector with W and Z is left out.
    """
    m, both = of.m_nu4, 2.0 if majorana else 1.0
    x = jnp.minimum(m / of.m_Zprime, 1.0) ** 2
    strength = (of.to_light / of.m_Zprime**2) ** 2 * m**5 / (1536.0 * jnp.pi**3) * off_shell(x)
    electron, own, tau = of.light
    to_neutrinos = both * strength * (electron**2 + 2.0 * own**2 + tau**2)
    to_electrons, to_muons = (
        2.0 * both * strength * of.charged[i] ** 2 * _leptons_open(m, LEPTONS[i]) for i in range(2)
    )
    to_vector = both * vector_decays.width_fermion_to_fermion_vector(m, 0.0, of.m_Zprime, of.to_light)
    weak = weak_widths(m, 0.0, of.U_mu4**2, 0.0, majorana=majorana)
    return NeutrinoWidths(to_neutrinos, to_electrons, to_muons, to_vector, weak)


def off_shell(x: ArrayLike) -> Float[Array, ""]:
    """2 int_0^1 ds (1 - s)^2 (1 + 2s)/(1 - x s)^2 of the vector's propagator for x = m_nu4^2/m_V^2 up to 1; 1 at 0."""
    s, weight = unit_legendre(32)
    return 2.0 * jnp.sum(weight * (1.0 - s) ** 2 * (1.0 + 2.0 * s) / (1.0 - jnp.asarray(x) * s) ** 2)


def _leptons_open(m_N, m_lepton):
    """What the leptons' mass leaves of a decay to massless ones, as with the Z."""
    whole, massless = (
        width_to_neutrino_leptons(m_N, 1.0, mass, charged_current=False, majorana=False) for mass in (m_lepton, 0.0)
    )
    return whole / massless

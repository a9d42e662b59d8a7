"""Decay widths of a light vector V, and of a heavy neutrino to a light neutrino and V, with V's helicity and direction.

Masses and widths in GeV, couplings dimensionless. Everything broadcasts; a closed channel has value 0 and gradient 0.
A dark photon couples with g = e eps Q to charge Q.
"""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.constants import ALPHA, E_CHARGE, M_E, M_MU
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.meson_constants import M_CHARGED_PION
from anomfit.physics.two_body import is_open, two_body_energy, two_body_momentum

M_RHO, WIDTH_RHO = 0.77526, 0.1474  # GeV, PDG
CONTINUUM_EDGE, CONTINUUM, EDGE_WIDTH = 1.05, 2.0, 0.05  # GeV, R of u, d, s quarks above it, GeV


def width_to_leptons(m_V: ArrayLike, g: ArrayLike, m_lepton: ArrayLike) -> Float[Array, "..."]:
    """Width of V -> l+ l-, L = -g V_mu lbar gamma^mu l: g^2 m/(12 pi) (1 + 2r) sqrt(1 - 4r), r = m_l^2/m_V^2; GeV.

    alpha eps^2 m/3 (1 + 2r) sqrt(1 - 4r) of a dark photon (g = e eps): arXiv:0906.0580, equation 5.
    """
    m_V, m_lepton = jnp.broadcast_arrays(jnp.asarray(m_V), jnp.asarray(m_lepton))
    opened = is_open(m_V, m_lepton, m_lepton)
    ratio = jnp.where(opened, m_lepton / jnp.where(opened, m_V, 1.0), 0.0)
    factor = (1.0 + 2.0 * ratio**2) * jnp.sqrt((1.0 - 2.0 * ratio) * (1.0 + 2.0 * ratio))
    return jnp.where(opened, jnp.asarray(g) ** 2 * m_V / (12.0 * jnp.pi) * factor, 0.0)


def width_to_hadrons(m_V: ArrayLike, epsilon: ArrayLike) -> Float[Array, "..."]:
    """Width of a dark photon to hadrons, alpha eps^2 m/3 R(m), GeV; R is that of `hadronic_ratio`."""
    return ALPHA * jnp.asarray(epsilon) ** 2 * jnp.asarray(m_V) / 3.0 * hadronic_ratio(m_V)


def hadronic_ratio(m: ArrayLike) -> Float[Array, "..."]:
    """R of e+e- at this energy (GeV): hadrons over massless muons, dimensionless; 20 per cent off the peak of the rho.

    The rho as a Breit-Wigner in pi+pi-, |F|^2 beta^3/4, and R = 2 above 1.05 GeV. Omega and phi, and what raises the
    peak of the rho from 5.6 to some 9, are left out.
    """
    m = jnp.asarray(m)
    beta = safe_sqrt(1.0 - (2.0 * M_CHARGED_PION / m) ** 2)
    form_factor = M_RHO**4 / ((m**2 - M_RHO**2) ** 2 + (M_RHO * WIDTH_RHO) ** 2)
    continuum = CONTINUUM / (1.0 + jnp.exp(-(m - CONTINUUM_EDGE) / EDGE_WIDTH))
    return jnp.where(m > 2.0 * M_CHARGED_PION, 0.25 * beta**3 * form_factor + continuum, 0.0)


def dark_photon_widths(m_V: ArrayLike, epsilon: ArrayLike) -> tuple[Float[Array, "..."], ...]:
    """Widths (GeV) of a dark photon to e+e-, mu+mu- and hadrons: all that a visible one has below the tau."""
    charge = E_CHARGE * jnp.asarray(epsilon)
    return width_to_leptons(m_V, charge, M_E), width_to_leptons(m_V, charge, M_MU), width_to_hadrons(m_V, epsilon)


def width_to_neutrinos(
    m_V: ArrayLike, g: ArrayLike, m_j: ArrayLike, m_k: ArrayLike, eta: ArrayLike
) -> Float[Array, "..."]:
    """Width of V -> N_j N_k for two different Majorana neutrinos, GeV; half of it where they are the same.

    g^2 [2M^2 - m_j^2 - m_k^2 - 6 eta m_j m_k - (m_j^2 - m_k^2)^2/M^2] p*/(12 pi M^2): L = g V_mu Nbar_j gamma^mu gamma5
    N_k for states of the same CP parity (eta = +1), i g V_mu Nbar_j gamma^mu N_k for opposite parity (-1); g^2 M/(12
    pi) without masses.
    """
    m_V, m_j, m_k = jnp.asarray(m_V), jnp.asarray(m_j), jnp.asarray(m_k)
    momentum = two_body_momentum(m_V, m_j, m_k)
    flip = 6.0 * jnp.asarray(eta) * m_j * m_k
    squared = 2.0 * m_V**2 - m_j**2 - m_k**2 - flip - ((m_j - m_k) * (m_j + m_k) / m_V) ** 2
    return jnp.asarray(g) ** 2 * squared * momentum / (12.0 * jnp.pi * m_V**2)


def width_to_chiral_pair(m_V: ArrayLike, g: ArrayLike, m_j: ArrayLike, m_k: ArrayLike) -> Float[Array, "..."]:
    """Width of V to the Dirac states N_j and anti-N_k, L = g V_mu Nbar_j gamma^mu P_L N_k; massless g^2 M/(24 pi)."""
    return 0.5 * width_to_neutrinos(m_V, g, m_j, m_k, 0.0)


# -- N -> nu V ------------------------------------------------------------------------------------------------------


def width_fermion_to_fermion_vector(
    m_N: ArrayLike, m_nu: ArrayLike, m_V: ArrayLike, g: ArrayLike
) -> Float[Array, "..."]:
    """Width of a Dirac N -> nu V, L = g V_mu nubar gamma^mu P_L N + h.c., GeV; a Majorana N (nu massless) twice that.

    g^2 [(m_N^2 - m_nu^2)^2/M^2 + m_N^2 + m_nu^2 - 2M^2] p*/(16 pi m_N^2); g^2 m_N^3/(32 pi M^2) (1 - x)^2 (1 + 2x), x =
    M^2/m_N^2, for a massless neutrino, as in t -> b W.
    """
    m_N, m_nu, m_V = jnp.asarray(m_N), jnp.asarray(m_nu), jnp.asarray(m_V)
    momentum = two_body_momentum(m_N, m_nu, m_V)
    squared = ((m_N - m_nu) * (m_N + m_nu) / m_V) ** 2 + m_N**2 + m_nu**2 - 2.0 * m_V**2
    return jnp.asarray(g) ** 2 * squared * momentum / (16.0 * jnp.pi * m_N**2)


def transverse_fraction(m_N: ArrayLike, m_nu: ArrayLike, m_V: ArrayLike) -> Float[Array, "..."]:
    """Fraction of V in N -> nu V with helicity +1 or -1 in N's rest frame, vertex gamma^mu P_L; 2x/(1 + 2x), m_nu = 0.

    The same for Dirac and Majorana N of whatever spin, averaged over V's direction.
    """
    return _over_total(_by_helicity(m_N, m_nu, m_V), (1.0, 0.0, 0.0, 1.0))


def vector_asymmetry(m_N: ArrayLike, m_nu: ArrayLike, m_V: ArrayLike) -> Float[Array, "..."]:
    """alpha of (1/Gamma) dGamma/dcos = (1 + alpha cos)/2, cos between N's spin and V's direction in N's rest frame.

    Dirac N -> nu V, vertex gamma^mu P_L: (1 - 2x)/(1 + 2x), x = m_V^2/m_N^2, for a massless neutrino. Minus it for
    anti-N, 0 for a Majorana N, whose decays to nu and to nubar compensate each other.
    """
    return _over_total(_by_helicity(m_N, m_nu, m_V), (-1.0, 1.0, -1.0, 1.0))


def _by_helicity(m_N, m_nu, m_V):
    """Squared amplitudes over g^2 m_N for V's helicities (-1, 0, 0, +1), the first two with a left-handed neutrino's.

    N's spin is along V's direction for the second and the fourth, against it for the others: the helicities add up.
    """
    momentum = two_body_momentum(m_N, m_nu, m_V)
    energy, of_vector = two_body_energy(m_N, m_nu, m_V), two_body_energy(m_N, m_V, m_nu)
    left, along = energy + momentum, (of_vector + momentum) / m_V
    right = jnp.asarray(m_nu) ** 2 / jnp.where(left > 0.0, left, 1.0)  # energy - momentum, with all its digits
    return 2.0 * left, left * along**2, right / along**2, 2.0 * right


def _over_total(squares, weights):
    """Weighted mean; 0 where the channel is closed for a massless neutrino, whose amplitudes are all 0."""
    total = sum(squares)
    some = total > 0.0
    return jnp.where(some, sum(w * s for w, s in zip(weights, squares, strict=True)) / jnp.where(some, total, 1.0), 0.0)

"""N_j -> N_k + a pair from a virtual or real dark photon Z': widths, spectrum of the pair's mass, its helicity.

Neutral current g_X Z'_mu Nbar_j gamma^mu (V_jk P_L - V_jk^* P_R) N_k of two different Majorana states, e eps Q of the
pair; g = e eps g_X |V_jk| throughout. eta = Re V_jk^2/|V_jk|^2 is the relative CP parity: +1 (masses of the same sign,
V real, axial current), -1 (opposite sign, V imaginary, vector current), between the two for a CP-violating phase.
arXiv:2007.11813 has the vertex with V^dagger in place of V^*, and lifetimes as for eta = +1 in all pairs.

Dirac states with the vertex g Nbar_k gamma^mu P_L N_j: half of these widths at eta = 0, the same spectra. A light
neutrino N_k is m_k = 0, where eta drops out.

The current of the pair is conserved: terms q^mu q^nu of the propagator vanish, and the decay is that to a vector of
mass m_pair, times what this vector decays to. Masses and widths in GeV, couplings dimensionless. Functions that
integrate take scalars (`jax.vmap` makes a batch), the others broadcast; a closed channel has value 0 and gradient 0.
"""

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.aligned_pairs import lepton_alignment
from anomfit.physics.meson_constants import M_CHARGED_PION
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.two_body import is_open, two_body_momentum
from anomfit.physics.vector_decays import hadronic_ratio

LEPTON_NODES, HADRON_NODES = 32, 96
NARROWEST = 1e-30  # added to m_Z' times its width, in units of (m_j - m_k)^2: no division by 0


# -- the vector, real or virtual ------------------------------------------------------------------------------------


def width_to_neutrino_vector(
    m_j: ArrayLike, m_k: ArrayLike, m_V: ArrayLike, g: ArrayLike, eta: ArrayLike
) -> Float[Array, "..."]:
    """Width of N_j -> N_k V on shell, GeV, with both masses and the CP parity; here g = g_X |V_jk|.

    g^2 [(m_j^2 - m_k^2)^2/M^2 + m_j^2 + m_k^2 - 2M^2 + 6 eta m_j m_k] p*/(8 pi m_j^2): `width_to_neutrinos` crossed.
    Half of it at eta = 0 is `width_fermion_to_fermion_vector` of a Dirac state.
    """
    m_V, heavy = jnp.asarray(m_V), jnp.where(is_open(m_j, m_k, m_V), m_j, 1.0)
    momentum = two_body_momentum(m_j, m_k, m_V)
    return jnp.asarray(g) ** 2 * _current(m_V**2, m_j, m_k, eta) * momentum / (8.0 * jnp.pi * (heavy * m_V) ** 2)


def virtual_transverse_fraction(
    m_j: ArrayLike, m_k: ArrayLike, m_pair: ArrayLike, eta: ArrayLike
) -> Float[Array, "..."]:
    """Fraction of vectors of this mass with helicity +1 or -1 in N_j's rest frame, averaged over their direction.

    2s/(2s + (m_j - m_k)^2) of the axial current (eta = +1), 2s/(2s + (m_j + m_k)^2) of the vector current, s =
    m_pair^2; `vector_decays.transverse_fraction` is the case eta = 0.
    """
    s = jnp.asarray(m_pair) ** 2
    axial, vector = _excess(s, m_j, m_k, eta)
    total = _current(s, m_j, m_k, eta)
    opened = is_open(m_j, m_k, m_pair) & (total > 0.0)
    return jnp.where(opened, 2.0 * s * (axial + vector) / jnp.where(opened, total, 1.0), 0.0)


def _current(s, m_j, m_k, eta):
    """(m_j^2 - m_k^2)^2 + s (m_j^2 + m_k^2) - 2 s^2 + 6 eta s m_j m_k, as a sum of positive products."""
    axial, vector = _excess(s, m_j, m_k, eta)
    m_j, m_k = jnp.asarray(m_j), jnp.asarray(m_k)
    return axial * (2.0 * s + (m_j - m_k) ** 2) + vector * (2.0 * s + (m_j + m_k) ** 2)


def _excess(s, m_j, m_k, eta):
    """(m_j + m_k)^2 - s and (m_j - m_k)^2 - s, with the shares (1 +- eta)/2 of the axial and the vector current."""
    root, sum_, difference = jnp.sqrt(s), jnp.asarray(m_j) + jnp.asarray(m_k), jnp.asarray(m_j) - jnp.asarray(m_k)
    axial, vector = 0.5 * (1.0 + jnp.asarray(eta)), 0.5 * (1.0 - jnp.asarray(eta))
    return axial * (sum_ - root) * (sum_ + root), vector * (difference - root) * (difference + root)


# -- the amplitude --------------------------------------------------------------------------------------------------


def squared_amplitude(
    s: ArrayLike,
    t: ArrayLike,
    m_j: ArrayLike,
    m_k: ArrayLike,
    m_lepton: ArrayLike,
    m_Zprime: ArrayLike,
    eta: ArrayLike,
    width_Zprime: ArrayLike = 0.0,
) -> Float[Array, "..."]:
    """|M|^2/g^2 of N_j -> N_k l- l+, summed over all spins (N_j's too: divide by 2), GeV^0.

    s = (l- + l+)^2 and t = (N_k + l-)^2 in GeV^2, inside the Dalitz plot. 32 [(p.p1)(k.p2) + (p.p2)(k.p1) + m_l^2 p.k +
    eta m_j m_k (p1.p2 + 2 m_l^2)] / [(s - M^2)^2 + (M Gamma)^2].
    """
    s, t, m_j, m_k, m_l = (jnp.asarray(x) for x in (s, t, m_j, m_k, m_lepton))
    u = m_j**2 + m_k**2 + 2.0 * m_l**2 - s - t
    k_p1, p_p2 = 0.5 * (t - m_k**2 - m_l**2), 0.5 * (m_j**2 + m_l**2 - t)
    k_p2, p_p1 = 0.5 * (u - m_k**2 - m_l**2), 0.5 * (m_j**2 + m_l**2 - u)
    kept = m_l**2 * 0.5 * (m_j**2 + m_k**2 - s)
    flipped = jnp.asarray(eta) * m_j * m_k * (0.5 * s + m_l**2)
    return 32.0 * (p_p1 * k_p2 + p_p2 * k_p1 + kept + flipped) * _propagator(s, m_Zprime, width_Zprime)


def _propagator(s, m_Zprime, width_Zprime):
    m_Zprime = jnp.asarray(m_Zprime)
    return 1.0 / ((s - m_Zprime**2) ** 2 + (m_Zprime * jnp.asarray(width_Zprime)) ** 2)


# -- spectra and widths ---------------------------------------------------------------------------------------------


def lepton_ratio(m_pair: ArrayLike, m_lepton: ArrayLike) -> Float[Array, "..."]:
    """R of l+ l- at this mass (GeV): (1 + 2r) sqrt(1 - 4r), r = m_l^2/m_pair^2; `hadronic_ratio` is that of hadrons."""
    m_pair, m_lepton = jnp.broadcast_arrays(jnp.asarray(m_pair), jnp.asarray(m_lepton))
    opened = is_open(m_pair, m_lepton, m_lepton)
    ratio = jnp.where(opened, m_lepton / jnp.where(opened, m_pair, 1.0), 0.0)
    return jnp.where(opened, (1.0 + 2.0 * ratio**2) * jnp.sqrt((1.0 - 2.0 * ratio) * (1.0 + 2.0 * ratio)), 0.0)


def d_width_d_s(
    s: ArrayLike,
    ratio: ArrayLike,
    m_j: ArrayLike,
    m_k: ArrayLike,
    m_Zprime: ArrayLike,
    g: ArrayLike,
    eta: ArrayLike,
    width_Zprime: ArrayLike = 0.0,
) -> Float[Array, "..."]:
    """dGamma/ds of N_j -> N_k + pair, s = m_pair^2 > 0 (GeV^2); result in 1/GeV, 0 outside the limits of s.

    g^2 p* R [(m_j^2 - m_k^2)^2 + s (m_j^2 + m_k^2) - 2 s^2 + 6 eta s m_j m_k] / (96 pi^3 m_j^2 [(s - M^2)^2 + (M
    Gamma)^2]), p* of N_j -> N_k and m_pair: `squared_amplitude` over the leptons' directions. ratio: R of the pair at
    sqrt(s), from `lepton_ratio` or `hadronic_ratio`.
    """
    spectrum = _without_propagator(jnp.asarray(s), jnp.asarray(ratio), m_j, m_k, eta)
    return jnp.asarray(g) ** 2 * spectrum * _propagator(s, m_Zprime, width_Zprime)


def _without_propagator(s, ratio, m_j, m_k, eta):
    m_pair = jnp.sqrt(s)
    momentum, heavy = two_body_momentum(m_j, m_k, m_pair), jnp.where(is_open(m_j, m_k, m_pair), m_j, 1.0)
    return momentum * ratio * _current(s, m_j, m_k, eta) / (96.0 * jnp.pi**3 * heavy**2)


def width_to_neutrino_leptons(
    m_j: ArrayLike,
    m_k: ArrayLike,
    m_lepton: ArrayLike,
    m_Zprime: ArrayLike,
    g: ArrayLike,
    eta: ArrayLike,
    width_Zprime: ArrayLike = 0.0,
) -> Float[Array, ""]:
    """Width of N_j -> N_k l+ l- through Z', GeV, scalars; all masses, the propagator and Z' on its shell are kept.

    The integral of `d_width_d_s`, to 1e-8 for electrons and better for muons; to 1e-7 and 3e-6 where m_Z' is 1 and 0.02
    per cent above m_j - m_k. Well below m_Z': g^2 m_j^5/(384 pi^3 m_Z'^4) without masses of N_k and l.

    Where m_j > m_k + m_Z' the whole resonance is in it: for a narrow Z' it is `width_to_neutrino_vector` times the
    branching ratio of Z' -> l+ l-, which must not be added. There width_Zprime, the total width of Z', matters, and
    must not be 0; far off the shell of Z' 0 will do.
    """
    return _width(m_j, m_k, 2.0 * jnp.asarray(m_lepton), m_Zprime, g, eta, width_Zprime, _lepton_ratio_of(m_lepton))


def width_to_neutrino_hadrons(
    m_j: ArrayLike, m_k: ArrayLike, m_Zprime: ArrayLike, g: ArrayLike, eta: ArrayLike, width_Zprime: ArrayLike = 0.0
) -> Float[Array, ""]:
    """Width of N_j -> N_k + hadrons through Z', GeV, scalars: as for leptons, with the R of `hadronic_ratio`.

    Quadrature to 1e-4, or 2e-3 with a Z' on its shell below the rho: far below the 20 per cent of R itself.
    """
    return _width(m_j, m_k, 2.0 * M_CHARGED_PION, m_Zprime, g, eta, width_Zprime, hadronic_ratio, HADRON_NODES)


def _lepton_ratio_of(m_lepton):
    return lambda m_pair: lepton_ratio(m_pair, m_lepton)


def _width(m_j, m_k, threshold, m_Zprime, g, eta, width_Zprime, ratio, n=LEPTON_NODES):
    opened = is_open(m_j, m_k, threshold)
    s, weight = _rule(opened, m_j, m_k, threshold, m_Zprime, width_Zprime, n, 3)
    total = jnp.sum(weight * _without_propagator(s, ratio(jnp.sqrt(s)), m_j, m_k, eta))
    return jnp.where(opened, jnp.asarray(g) ** 2 * total, 0.0)


# -- the pair's mass as a mixture -----------------------------------------------------------------------------------


def pair_mass_nodes(
    m_j: ArrayLike,
    m_k: ArrayLike,
    m_lepton: ArrayLike,
    m_Zprime: ArrayLike,
    eta: ArrayLike,
    n: int = 8,
    width_Zprime: ArrayLike = 0.0,
) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """(m_pair in GeV, weights that add up to 1): N_j -> N_k l+ l- as n decays to N_k and a pair of fixed mass.

    At each mass leptons have the `pair_alignment`, and the pair's direction the asymmetry `vector_decays.
    vector_asymmetry(m_j, m_k, m_pair)` for a Dirac state with V - A vertex, 0 for a Majorana one.

    Means of m_pair are right to 3e-4 with 6 nodes and, for electrons, to 1e-4 with 8 to 16, which leave their threshold
    unresolved. Means of a Gaussian in m_pair with sigma 0.2 of its range: 1e-2, 5e-4 and 6e-5 with 6, 8 and 12 nodes
    (muons 4e-2, 1e-3, 3e-5); sigma 0.15: 6e-2, 3e-3, 7e-5; sigma 0.1: 0.3, 0.07, 4e-3, and 2e-4 with 16 (muons up to
    5e-4). A Z' less than 20 per cent above m_j - m_k takes four nodes more. A narrow Z' on its shell has its nodes
    within its width. Closed: all masses at the threshold, equal weights. Scalars.
    """
    threshold = 2.0 * jnp.asarray(m_lepton)
    opened = is_open(m_j, m_k, threshold)
    s, weight = _rule(opened, m_j, m_k, threshold, m_Zprime, width_Zprime, n, 1)
    masses = jnp.sqrt(s)
    parts = weight * _without_propagator(s, lepton_ratio(masses, m_lepton), m_j, m_k, eta)
    total = jnp.sum(parts)
    some = opened & (total > 0.0)
    return jnp.where(some, masses, threshold), jnp.where(some, parts / jnp.where(some, total, 1.0), 1.0 / n)


def pair_alignment(
    m_j: ArrayLike, m_k: ArrayLike, m_lepton: ArrayLike, m_pair: ArrayLike, eta: ArrayLike
) -> Float[Array, "..."]:
    """A of the density 1 + A P_2(cos) of a lepton in the pair's rest frame, from the pair's flight in N_j's rest frame.

    Averaged over the pair's direction: for a polarised N_j the helicities differ from one direction to the other.
    """
    return lepton_alignment(virtual_transverse_fraction(m_j, m_k, m_pair, eta), m_pair, m_lepton)


@lru_cache
def _unit_nodes(n: int, power: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes h in (0, 1) and weights of Gauss-Legendre in u, dh/du ~ u^power (1 - u): smooth through square roots.

    Phase space goes as sqrt(1 - h) at the upper end and, for leptons of a mass that counts, sqrt(h) at the lower. Power
    3 also resolves the threshold of electrons, far below the rest; 1 leaves it out, and wastes no nodes there.
    """
    u, weight = unit_legendre(n)
    h = (power + 2.0) * u ** (power + 1) - (power + 1.0) * u ** (power + 2)
    return h, weight * (power + 1.0) * (power + 2.0) * u**power * (1.0 - u)


def _rule(opened, m_j, m_k, threshold, m_Zprime, width_Zprime, n: int, power: int):
    """Nodes s and weights with sum(weights f(s)) = int ds f(s)/[(s - M^2)^2 + (M Gamma)^2] between the thresholds.

    Nodes are smooth in the angle arctan[(s - M^2)/(M Gamma)], of which the propagator is the Jacobian: on a resonance,
    next to it and far from it, at whatever width. s counts from its lower limit, where M^2 is much larger.
    """
    h, unit_weight = _unit_nodes(n, power)
    low = jnp.where(opened, threshold, 0.5) ** 2
    high = jnp.where(opened, jnp.asarray(m_j) - jnp.asarray(m_k), 1.0) ** 2
    pole = jnp.asarray(m_Zprime) ** 2
    below, above = low - pole, high - pole
    gamma = jnp.asarray(m_Zprime) * jnp.asarray(width_Zprime) + NARROWEST * high
    angle_per_gamma, straight = _angle_between(below, above, gamma)
    angle = h * angle_per_gamma * gamma
    slope = h * angle_per_gamma * jnp.where(straight, 1.0 - angle**2 / 6.0, jnp.sin(angle) / angle)
    s = low + (below**2 + gamma**2) * slope / (jnp.cos(angle) - below * slope)
    return s, unit_weight * angle_per_gamma


def _angle_between(below, above, gamma):
    """Over gamma, arctan(above/gamma) - arctan(below/gamma); and whether the angle is so small that a series gives it.

    Far from the resonance both angles are next to pi/2, and derivatives would be differences of terms in 1/gamma^2.
    """
    opposite, adjacent = gamma * (above - below), gamma**2 + below * above
    straight = (adjacent > 0.0) & (opposite < 1e-4 * adjacent)
    safe = jnp.where(straight, adjacent, 1.0)
    small = (above - below) / safe * (1.0 - (opposite / safe) ** 2 / 3.0)
    return jnp.where(straight, small, jnp.arctan2(opposite, adjacent) / gamma), straight

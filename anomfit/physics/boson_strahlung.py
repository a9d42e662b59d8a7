"""nu + target -> N + target + scalar: a scalar radiated off the exchanged vector, as off the Z' of arXiv:2006.01948.

nu(k) A(p) -> N(k') A(p') phi(q_h), a process 2 -> 3. The neutrino turns into the heavy neutrino N with the vertex
g nubar gamma^mu P_L N of a vector of mass m, the vector of momentum q1 = k - k' radiates phi with the vertex
i G g^{mu nu}, and the vector of momentum q2 = p' - p couples with `charge` to the baryon number of the target:
figure 1 and equations 13 and 28 of arXiv:2006.01948. With P = p + p', t1 = q1^2, t2 = q2^2 = -Q^2,
    H(A, B) = W1 (P.A)(P.B) - W2 [(q2.A)(q2.B) - t2 A.B],     tr = W1 (4M^2 - t2) + 3 t2 W2,
    |M|^2 = (g charge G)^2/[(t1 - m^2)^2 (t2 - m^2)^2] {4 H(k, k') - 2 k.k' tr
            + (4 m_N^2/m^2) H(q_h, k) + (2 m_N^2/m^4) k.k' H(q_h, q_h)},
with the target's spin averaged. The last two terms are those of q1^mu q1^nu/m^2 in the propagator on the neutrino's
side, where the current is not conserved; on the target's side they vanish. A nucleus of spin 0 has W1 = (A F)^2 and
W2 = 0; a nucleon W1 = (G_E^2 + tau G_M^2)/(1 + tau) and W2 = G_M^2. Both momenta are space-like: the width of the
vector plays no part. Derived here and tested against explicit Dirac matrices with full propagators.

GeV throughout. Everything is the same for antineutrinos and for Dirac and Majorana N.
"""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.constants import GEV2_TO_CM2, HBAR_C_FM, M_N, M_P
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.nuclei import nucleus
from anomfit.physics.nucleon_vector import DIPOLE_MASS_SQUARED, MAGNETIC_MOMENTS, sachs_form_factors
from anomfit.physics.quadrature import unit_legendre, unit_midpoint
from anomfit.physics.targets import FormFactors, Target, Targets, allowed_fraction, of_nucleus, stack_targets

NO_FORM_FACTOR_LEFT = 60.0  # in units of the nucleus's own Q^2: what is beyond is not integrated
Isoscalar = Literal["measured", "published"]
Coherent = Literal["nucleus", "nucleon"]


@dataclass(frozen=True)
class BosonStrahlung:
    """Masses (GeV) and couplings of the process; the last three say what targets are taken for (two static words).

    g: the neutrino's vertex; charge: the coupling to one nucleon, g_B; G: the vertex of two vectors and the scalar,
    GeV: 2 m_V^2/v' = 2 g_d m_V for the scalar that gives the vector its mass, times cos(delta) or -sin(delta) for a
    mixed one. isoscalar: "measured", the sum of proton and neutron, or "published", equation 29 of arXiv:2006.01948,
    whose neutron has no electric form factor. coherent: "nucleus", of spin 0 with its own mass, or "nucleon", equation
    30 as printed: A^2 times the nuclear form factor squared times the cross section of a nucleon, which recoils alone.
    """

    m_N: Float[Array, ""]
    m_scalar: Float[Array, ""]
    m_vector: Float[Array, ""]
    g: Float[Array, ""]
    charge: Float[Array, ""]
    G: Float[Array, ""]
    form_factors: FormFactors
    isoscalar: Isoscalar = "measured"
    coherent: Coherent = "nucleus"

    @property
    def bare(self) -> "BosonStrahlung":
        """The process with couplings of 1: its rates are kernels of the masses."""
        one = jnp.ones_like(self.m_N)
        return replace(self, g=one, charge=one, G=one)

    def couplings(self, targets: Targets) -> Float[Array, "targets 1"]:
        """(g charge G)^2 in GeV^2, which multiplies the kernel, the same for all targets: it has a single term."""
        return jnp.broadcast_to((self.g * self.charge * self.G) ** 2, (len(targets.name), 1))


class Radiation(Protocol):
    """A way to make N and a scalar: couplings apart from the kernels of the masses."""

    @property
    def m_N(self) -> Float[Array, ""]:
        """Mass of the heavy neutrino, GeV."""
        ...

    @property
    def bare(self) -> BosonStrahlung:
        """The process with couplings of 1."""
        ...

    def couplings(self, targets: Targets) -> Float[Array, "targets 1"]:
        """What multiplies the kernel of each target."""
        ...


jax.tree_util.register_dataclass(
    BosonStrahlung,
    data_fields=["m_N", "m_scalar", "m_vector", "g", "charge", "G", "form_factors"],
    meta_fields=["isoscalar", "coherent"],
)


class Place(NamedTuple):
    """Invariants of a point in phase space (GeV^2): s1 = (k' + q_h)^2, t1 = (k - k')^2, Q^2, (p + p').k'."""

    s: Float[Array, "..."]
    s1: Float[Array, "..."]
    t1: Float[Array, "..."]
    q_squared: Float[Array, "..."]
    P_k_prime: Float[Array, "..."]


class Radiated(NamedTuple):
    """Scalars that one target makes: cross sections (cm^2) that add up to the whole, their energies (GeV), Q^2."""

    section: Float[Array, " nodes"]
    energy: Float[Array, " nodes"]
    q_squared: Float[Array, " nodes"]


class Nodes(NamedTuple):
    """Numbers of nodes in s1, in Q^2, in t1 and in the azimuth of N about the beam, in the frame of N and phi.

    |M|^2 has no powers of the azimuth's cosine above the second: two nodes are exact for the cross section.
    """

    mass: int = 16
    transfer: int = 20
    angle: int = 8
    azimuth: int = 2


NODES = Nodes()


def threshold_energy(m_N: ArrayLike, m_scalar: ArrayLike, m_target: ArrayLike) -> Float[Array, "..."]:
    """Neutrino energy at which nu + target -> N + target + phi opens: m + m^2/(2M), m = m_N + m_phi."""
    together = jnp.asarray(m_N) + jnp.asarray(m_scalar)
    return together + together**2 / (2.0 * jnp.asarray(m_target))


def published_isoscalar(q_squared: ArrayLike, m_target: ArrayLike) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """(G_E, G_M) of arXiv:2006.01948, equation 29: a dipole, and mu_p + mu_n = 1 + a_p + a_n times it, at Q^2 in GeV^2.

    F_1 = G_D [1 + tau a/(1 + tau)] and F_2 = G_D a/(1 + tau) with a = a_p + a_n are G_E = G_D, G_M = (1 + a) G_D.
    """
    dipole = (1.0 + jnp.asarray(q_squared) / DIPOLE_MASS_SQUARED) ** -2
    return dipole, sum(MAGNETIC_MOMENTS.values()) * dipole


class Products(NamedTuple):
    """Products of momenta at a point of phase space, GeV^2; h is the scalar's momentum q_h."""

    k_k_prime: Float[Array, "..."]
    h_k: Float[Array, "..."]
    P_k: Float[Array, "..."]
    P_k_prime: Float[Array, "..."]
    P_h: Float[Array, "..."]
    q2_k: Float[Array, "..."]
    q2_k_prime: Float[Array, "..."]
    q2_h: Float[Array, "..."]


def products(process: BosonStrahlung, place: Place, m_target: ArrayLike) -> Products:
    """All products from the invariants, by k + p = k' + p' + q_h and P.q2 = 0."""
    s, s1, t1, q_squared, P_k_prime = place
    P_k = s - jnp.asarray(m_target) ** 2 - 0.5 * (q_squared + s1)
    k_k_prime = 0.5 * (process.m_N**2 - t1)
    q2_k = -0.5 * (q_squared + s1)
    q2_k_prime = k_k_prime - 0.5 * (s1 + process.m_N**2 - process.m_scalar**2)
    h_k = 0.5 * (s1 + q_squared) - k_k_prime
    return Products(k_k_prime, h_k, P_k, P_k_prime, P_k - P_k_prime, q2_k, q2_k_prime, q2_k + q_squared - q2_k_prime)


def squared_amplitude(
    process: BosonStrahlung, place: Place, m_target: ArrayLike, W1: ArrayLike, W2: ArrayLike
) -> Float[Array, "..."]:
    """|M|^2 of the module's docstring, GeV^-2, for structures W1 and W2 of the target at Q^2."""
    at = products(process, place, m_target)
    t2, N2, V2 = -place.q_squared, process.m_N**2, process.m_vector**2
    trace = W1 * (4.0 * jnp.asarray(m_target) ** 2 - t2) + 3.0 * t2 * W2
    k_k_prime = W1 * at.P_k * at.P_k_prime - W2 * (at.q2_k * at.q2_k_prime - t2 * at.k_k_prime)
    h_k = W1 * at.P_h * at.P_k - W2 * (at.q2_h * at.q2_k - t2 * at.h_k)
    h_h = W1 * at.P_h**2 - W2 * (at.q2_h**2 - t2 * process.m_scalar**2)
    transverse = 4.0 * k_k_prime - 2.0 * at.k_k_prime * trace
    longitudinal = 4.0 * N2 / V2 * h_k + 2.0 * N2 / V2**2 * at.k_k_prime * h_h
    strength = (process.g * process.charge * process.G) ** 2
    return strength * (transverse + longitudinal) / ((place.t1 - V2) * (t2 - V2)) ** 2


def scalar_energy(process: BosonStrahlung, place: Place, m_target: ArrayLike) -> Float[Array, "..."]:
    """The scalar's energy in the laboratory, q_h.p/M with p = (P - q2)/2, GeV."""
    at = products(process, place, m_target)
    return 0.5 * (at.P_h - at.q2_h) / jnp.asarray(m_target)


def recoiling_mass(process: BosonStrahlung, target: Target) -> float:
    """Mass (GeV) of what recoils: the target's, or a nucleon's where the process takes nuclei for A^2 of them."""
    if target.is_nucleus and process.coherent == "nucleon":
        return (target.protons * M_P + target.neutrons * M_N) / (target.protons + target.neutrons)
    return target.mass


def structures(
    process: BosonStrahlung, target: Target, q_squared: Float[Array, "..."]
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """(W1, W2) of a target at Q^2 (GeV^2), with what binding leaves of a bound nucleon."""
    forms = process.form_factors
    if target.is_nucleus:
        whole = ((target.protons + target.neutrons) * of_nucleus(q_squared, target.name, forms)) ** 2
        if process.coherent == "nucleus":
            return whole, jnp.zeros_like(q_squared)
        left, mass = whole, recoiling_mass(process, target)
    else:
        left, mass = jnp.asarray(allowed_fraction(0, q_squared, stack_targets((target,)), forms)), target.mass
    W1, W2 = nucleon_structures(process, q_squared, mass)
    return left * W1, left * W2


def nucleon_structures(
    process: BosonStrahlung, q_squared: Float[Array, "..."], mass: float
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """(W1, W2) of a free nucleon of this mass (GeV)."""
    if process.isoscalar == "published":
        electric, magnetic = published_isoscalar(q_squared, mass)
    else:
        pairs = [sachs_form_factors(nucleon, q_squared, mass) for nucleon in MAGNETIC_MOMENTS]
        electric, magnetic = (one + other for one, other in zip(*pairs, strict=True))
    tau = q_squared / (4.0 * mass**2)
    return (electric**2 + tau * magnetic**2) / (1.0 + tau), magnetic**2


def cross_section(process: BosonStrahlung, e_nu: ArrayLike, target: Target, nodes: Nodes = NODES) -> Float[Array, ""]:
    """Cross section on one target at one energy (GeV), cm^2; 0 with gradient 0 below the threshold."""
    return jnp.sum(radiated(process, e_nu, target, nodes).section)


def radiated(process: BosonStrahlung, e_nu: ArrayLike, target: Target, nodes: Nodes = NODES) -> Radiated:
    """The cross section by nodes of phase space, each with the scalar's energy in the laboratory.

    sigma = 1/(2 (s - M^2)) int ds1/(2 pi) dQ^2/(8 pi (s - M^2)) dt1/(8 pi (s1 + Q^2)) dphi/(2 pi) |M|^2. Nodes are
    smooth where the phase space opens and closes, and lie on the scales of the vector's mass and of the form factor: at
    the benchmark of arXiv:2006.01948 the rule is right to 3e-5 up to 2 GeV, and on carbon to 4e-3 at 25 GeV. Below the
    threshold sections are 0 and energies the scalar's mass.
    """
    M = recoiling_mass(process, target)
    e_nu = jnp.asarray(e_nu)
    least = threshold_energy(process.m_N, process.m_scalar, M)
    opened = e_nu > least
    excess = jnp.where(opened, e_nu - least, least)  # any energy above the threshold where it is closed
    s = M**2 + 2.0 * M * (least + excess)
    grid = (unit_legendre(nodes.mass), unit_legendre(nodes.transfer), unit_legendre(nodes.angle))
    (u1, w1), (u2, w2), (u3, w3) = ((x[0], x[1]) for x in grid)
    azimuth, w4 = unit_midpoint(nodes.azimuth)
    u1, w1 = (x[:, None, None, None] for x in (u1, w1))
    u2, w2 = (x[:, None, None] for x in (u2, w2))
    u3, w3 = (x[:, None] for x in (u3, w3))
    s1, below, above, d_s1 = _masses(process, s, M, excess, u1)
    q_squared, d_q_squared = _transfers(process, s, s1, above, target, u2)
    place, d_t1 = _directions(process, s, s1, below, q_squared, M, u3, jnp.cos(jnp.pi * azimuth))
    W1, W2 = structures(process, target, q_squared)
    flux = s - M**2
    phase_space = d_s1 / (2.0 * jnp.pi) * d_q_squared / (8.0 * jnp.pi * flux) * d_t1
    density = squared_amplitude(process, place, M, W1, W2) * phase_space / (2.0 * flux)
    section = jnp.where(opened, GEV2_TO_CM2 * w1 * w2 * w3 * w4 * density, 0.0)
    energy = jnp.where(opened, scalar_energy(process, place, M), process.m_scalar)
    each = (section, energy, q_squared)
    return Radiated(*(jnp.ravel(jnp.broadcast_to(values, section.shape)) for values in each))


def _masses(process: BosonStrahlung, s, M, excess, u):
    """s1 at u in (0, 1), its distances from both limits with all their digits, and ds1/du.

    excess: the neutrino's energy above the threshold. Square roots open at both limits; far above the vector's mass the
    integrand falls as a power of s1.
    """
    together = process.m_N + process.m_scalar
    low = together**2
    root = jnp.sqrt(s)
    span = 2.0 * M * excess / (root + M + together) * (root - M + together)  # (root - M)^2 - low, never negative
    scale = low + process.m_vector**2
    stretch = jnp.log1p(span / scale)
    h, slope = u**2 * (3.0 - 2.0 * u), 6.0 * u * (1.0 - u)
    rest = (1.0 - u) ** 2 * (1.0 + 2.0 * u)
    below = scale * jnp.expm1(stretch * h)
    above = -(span + scale) * jnp.expm1(-stretch * rest)
    return low + below, below, above, (below + scale) * stretch * slope


def _transfers(process: BosonStrahlung, s, s1, above, target: Target, u):
    """Q^2 at u in (0, 1) for the mass s1 and its distance from the upper limit, and dQ^2/du."""
    M, root = recoiling_mass(process, target), jnp.sqrt(s)
    k, energy = (s - M**2) / (2.0 * root), (s + s1 - M**2) / (2.0 * root)
    momentum = jnp.sqrt(above * ((root + M) ** 2 - s1)) / (2.0 * root)
    low = 2.0 * k * (energy - momentum) - s1
    high = 2.0 * k * (energy + momentum) - s1
    if target.is_nucleus:
        own = 3.0 * (HBAR_C_FM / nucleus(target.name).charge_radius) ** 2
        high = jnp.maximum(low, jnp.minimum(high, NO_FORM_FACTOR_LEFT * own))
    else:
        own = DIPOLE_MASS_SQUARED
    scale = 1.0 / (1.0 / own + 1.0 / process.m_vector**2)
    stretch = jnp.log1p((high - low) / (low + scale))
    shifted = (low + scale) * jnp.exp(stretch * u)
    return shifted - scale, shifted * stretch


def _directions(process: BosonStrahlung, s, s1, below, q_squared, M, u, cos_azimuth):
    """The place at u in (0, 1) of t1 and at an azimuth, and dt1/du over 8 pi (s1 + Q^2).

    In the frame of N and phi, with the beam along z: the neutrino has energy k0, the target's p + p' lies in the x-z
    plane, and N's direction is given by D = m^2 - t1, the propagator.
    """
    N2, V2 = process.m_N**2, process.m_vector**2
    root = jnp.sqrt(s1)
    k0 = (s1 + q_squared) / (2.0 * root)
    other = (process.m_N - process.m_scalar) ** 2
    momentum = jnp.sqrt(below * (s1 - other)) / (2.0 * root)
    energy = (s1 + N2 - process.m_scalar**2) / (2.0 * root)
    nearest = V2 + N2 * (2.0 * k0 - energy - momentum) / (energy + momentum)  # m^2 - t1 of N along the beam
    stretch = jnp.log1p(4.0 * k0 * momentum / nearest)
    propagator = nearest * jnp.exp(stretch * u)
    forward = nearest * jnp.expm1(stretch * u)  # above the least
    backward = propagator * jnp.expm1(stretch * (1.0 - u))  # below the most
    along = momentum - forward / (2.0 * k0)
    across = safe_sqrt(forward * backward) / (2.0 * k0)
    P_k = s - M**2 - 0.5 * (q_squared + s1)
    P0, P_minus = P_k / root, P_k / k0  # P0 - Pz = P_minus
    P_x = safe_sqrt(P_minus * (2.0 * P0 - P_minus) - (4.0 * M**2 + q_squared))
    P_k_prime = P0 * energy - (P0 - P_minus) * along - P_x * across * cos_azimuth
    place = Place(s, s1, V2 - propagator, q_squared, P_k_prime)
    return place, propagator * stretch / (8.0 * jnp.pi * (s1 + q_squared))

"""Decay widths of a light neutral scalar and of a fermion into a fermion and a scalar; lifetimes and decay lengths.

Masses and widths in GeV, couplings dimensionless unless said. Everything broadcasts. A closed channel has width 0 and
gradient 0.
"""

from collections.abc import Sequence
from functools import reduce
from math import comb
from typing import Literal

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Complex, Float

from anomfit.errors import reject
from anomfit.physics.constants import ALPHA, HBAR, HBAR_C_M
from anomfit.physics.two_body import is_open, two_body_momentum

MajoranaCounting = Literal["twice", "once"]


def width_to_fermions(
    mass: ArrayLike, coupling: ArrayLike, m_fermion: ArrayLike, colours: int = 1
) -> Float[Array, "..."]:
    """Width of a CP-even scalar into a Dirac pair, L = -y phi fbar f: N_c y^2 m/(8 pi) (1 - 4 m_f^2/m^2)^(3/2), GeV.

    Tree level, as for the Higgs boson with y = m_f/v: Djouadi, Phys. Rept. 457 (2008) 1, section 2.1.
    """
    mass, m_fermion = jnp.broadcast_arrays(jnp.asarray(mass), jnp.asarray(m_fermion))
    opened = is_open(mass, m_fermion, m_fermion)
    ratio = 2.0 * m_fermion / jnp.where(opened, mass, 1.0)
    beta_squared = jnp.where(opened, (1.0 - ratio) * (1.0 + ratio), 1.0)
    width = colours * jnp.asarray(coupling) ** 2 * mass / (8.0 * jnp.pi) * beta_squared**1.5
    return jnp.where(opened, width, 0.0)


def photon_coupling(
    mass: ArrayLike,
    kappa: ArrayLike,
    couplings: ArrayLike,
    m_fermions: ArrayLike,
    colour_charge_squared: ArrayLike,
) -> Complex[Array, ""]:
    """Effective coupling kappa_eff (GeV^-1) of L = -(kappa/4) phi F F, with the loops of charged fermions.

    kappa - alpha/(2 pi) sum_f N_c Q_f^2 (y_f/m_f) A(m^2/4m_f^2) for L = -y_f phi fbar f; the relative minus sign
    belongs to these two signs. Djouadi, Phys. Rept. 457 (2008) 1, section 2.3; arXiv:2005.08920 section II. `mass`
    (GeV) and `kappa` (GeV^-1) are scalars, the rest arrays over the fermions, their masses in GeV.
    """
    m_fermions = jnp.asarray(m_fermions)
    tau = (jnp.asarray(mass) / (2.0 * m_fermions)) ** 2
    loops = jnp.asarray(colour_charge_squared) * jnp.asarray(couplings) / m_fermions * fermion_loop(tau)
    return jnp.asarray(kappa) - ALPHA / (2.0 * jnp.pi) * jnp.sum(loops)


def width_to_photons(mass: ArrayLike, kappa_eff: ArrayLike) -> Float[Array, "..."]:
    """Width into two photons, m^3 |kappa_eff|^2/(64 pi), GeV; kappa_eff in GeV^-1, see `photon_coupling`."""
    kappa_eff = jnp.asarray(kappa_eff)
    return jnp.asarray(mass) ** 3 / (64.0 * jnp.pi) * (jnp.real(kappa_eff) ** 2 + jnp.imag(kappa_eff) ** 2)


def width_fermion_to_fermion_scalar(
    m_parent: ArrayLike, m_daughter: ArrayLike, m_scalar: ArrayLike, g: ArrayLike, relative_cp: int
) -> Float[Array, "..."]:
    """Width of N2 -> N1 phi in GeV: g^2 [(m2 + eta m1)^2 - m_phi^2] p*/(8 pi m2^2).

    For L = g phi N1bar N2 (+ h.c. if Dirac); arXiv:2010.06159 section IV, rederived with explicit Dirac matrices.
    `relative_cp` is eta: +1 for Majorana states of the same CP parity and for Dirac states, -1 for opposite parity (a
    mass eigenvalue of opposite sign, or a pseudoscalar vertex). For Majorana states g is the full coefficient of the
    bilinear, see `majorana_coupling`. Raises InputError for another eta.
    """
    if relative_cp not in (1, -1):
        raise reject("relative_cp", relative_cp, "use +1 (same CP parity) or -1 (opposite)")
    momentum = two_body_momentum(m_parent, m_daughter, m_scalar)
    m_parent, m_scalar = jnp.asarray(m_parent), jnp.asarray(m_scalar)
    mass_sum = m_parent + relative_cp * jnp.asarray(m_daughter)
    squared = jnp.asarray(g) ** 2 * (mass_sum - m_scalar) * (mass_sum + m_scalar)
    return squared * momentum / (8.0 * jnp.pi * m_parent**2)


def majorana_coupling(lambda_12: ArrayLike, counting: MajoranaCounting = "twice") -> Float[Array, "..."]:
    """The g of `width_fermion_to_fermion_scalar` for L = sum_ij lambda_ij phi nbar_i^c n_j with symmetric lambda.

    N1bar N2 = N2bar N1 for Majorana fields, so the sum holds the bilinear twice: g = 2 lambda_12 ("twice", the default:
    arXiv:2010.06159 equations 13 and 18 read literally). "once" is g = lambda_12, for a sum over i <= j. Raises
    InputError for another word.
    """
    factors = {"twice": 2.0, "once": 1.0}
    if counting not in factors:
        raise reject("counting", counting, "use 'twice' (g = 2 lambda_12) or 'once' (g = lambda_12)")
    return factors[counting] * jnp.asarray(lambda_12)


def width_to_massless_neutrino(
    m_parent: ArrayLike, m_scalar: ArrayLike, y: ArrayLike, majorana: bool
) -> Float[Array, "..."]:
    """Width of N -> nu phi for L = y phi nubar P_R N + h.c.: y^2 m/(32 pi) (1 - m_phi^2/m^2)^2, GeV, for a Dirac N.

    A Majorana N decays to nu and to nubar, twice as fast (`majorana` is static).
    """
    m_parent, m_scalar = jnp.broadcast_arrays(jnp.asarray(m_parent), jnp.asarray(m_scalar))
    opened = is_open(m_parent, m_scalar, 0.0)
    ratio = m_scalar / jnp.where(opened, m_parent, 1.0)
    phase_space = ((1.0 - ratio) * (1.0 + ratio)) ** 2
    width = jnp.asarray(y) ** 2 * m_parent / ((16.0 if majorana else 32.0) * jnp.pi) * phase_space
    return jnp.where(opened, width, 0.0)


def lifetime_seconds(width: ArrayLike) -> Float[Array, "..."]:
    """Mean life hbar/Gamma at rest, s, for a total width in GeV; infinite with gradient 0 for width 0."""
    width = jnp.asarray(width)
    decays = width > 0.0
    return jnp.where(decays, HBAR / jnp.where(decays, width, 1.0), jnp.inf)


def decay_length_m(mass: ArrayLike, energy: ArrayLike, width: ArrayLike) -> Float[Array, "..."]:
    """Mean decay length (p/m) hbar c/Gamma in the laboratory, m; 0 at rest (energy <= mass), infinite for width 0."""
    mass, energy, width = jnp.broadcast_arrays(jnp.asarray(mass), jnp.asarray(energy), jnp.asarray(width))
    moves, decays = energy > mass, width > 0.0
    gamma = jnp.where(moves, energy, 2.0) / jnp.where(moves, mass, 1.0)
    boost = jnp.where(moves, jnp.sqrt((gamma - 1.0) * (gamma + 1.0)), 0.0)
    return jnp.where(decays, boost * HBAR_C_M / jnp.where(decays, width, 1.0), jnp.inf)


# The loop function. f = asin^2(sqrt tau) has the power series sum_n c_n tau^n around 0, used where the closed form
# cancels. Around tau = 1, with d = 1 - tau and h(d) = asin(sqrt d)/sqrt d (analytic, asinh for d < 0),
# f = pi^2/4 + d h^2 - pi sqrt(d) h, where sqrt(d) = -i sqrt(-d) above threshold: only that term is not smooth.
_ASIN_SQUARED = [0.5 * 4.0**n / (n**2 * comb(2 * n, n)) for n in range(1, 32)]
_SMALL_TAU = [2.0 * (_ASIN_SQUARED[n] - _ASIN_SQUARED[n + 1]) for n in range(30)]
_ASIN_OVER_ROOT = [comb(2 * n, n) / (4.0**n * (2 * n + 1)) for n in range(16)]


def fermion_loop(tau: ArrayLike) -> Complex[Array, "..."]:
    """A(tau) = 2 [tau + (tau - 1) f(tau)]/tau^2 of a fermion loop with tau = m^2/4m_f^2 >= 0; A(0) = 4/3.

    f = asin^2 sqrt(tau) up to 1 and -(1/4) [ln((1+r)/(1-r)) - i pi]^2, r = sqrt(1 - 1/tau), above. Value and first
    derivative are finite and continuous at tau = 1. Djouadi, Phys. Rept. 457 (2008) 1, section 2.3.
    """
    tau = jnp.asarray(tau)
    small, above = tau < 0.3, tau > 1.0
    d = jnp.where(small, 0.5, 1.0 - tau)
    h = _asin_root_over_root(d)
    distance = jnp.where(d == 0.0, 1.0, jnp.abs(d))
    threshold_term = jnp.where(d == 0.0, 0.0, jnp.pi * distance**1.5 * h)
    regular = -d * (0.25 * jnp.pi**2 + d * h**2)
    safe_tau = 1.0 - d
    real = 2.0 * (safe_tau + regular + jnp.where(above, 0.0, threshold_term)) / safe_tau**2
    imaginary = 2.0 * jnp.where(above, threshold_term, 0.0) / safe_tau**2
    series = _power_series(_SMALL_TAU, jnp.where(small, tau, 0.0))
    return jnp.where(small, series, real) + 1j * jnp.where(small, 0.0, imaginary)


def _asin_root_over_root(d: Float[Array, "..."]) -> Float[Array, "..."]:
    """asin(sqrt d)/sqrt d for d < 1, continued to asinh(sqrt(-d))/sqrt(-d) for d < 0; smooth."""
    near, below = jnp.abs(d) < 0.1, d > 0.0
    series = _power_series(_ASIN_OVER_ROOT, jnp.where(near, d, 0.0))
    root_below = jnp.sqrt(jnp.where(below & ~near, d, 0.5))
    root_above = jnp.sqrt(jnp.where(below | near, 1.0, -d))
    closed = jnp.where(below, jnp.arcsin(root_below) / root_below, jnp.arcsinh(root_above) / root_above)
    return jnp.where(near, series, closed)


def _power_series(coefficients: Sequence[float], x: Float[Array, "..."]) -> Float[Array, "..."]:
    """sum_n coefficients[n] x^n by Horner's rule, unrolled (it compiles faster than a loop)."""
    return reduce(lambda total, coefficient: total * x + coefficient, reversed(coefficients), jnp.zeros_like(x))

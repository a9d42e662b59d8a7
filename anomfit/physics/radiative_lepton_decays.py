"""l1 -> l2 gamma through one loop of a neutral scalar and a lepton F, for a massless l2: dipoles and widths. GeV.

With vertices phi l2bar (a_L P_L + a_R P_R) F and phi Fbar (b_L P_L + b_R P_R) l1 the dipole is
    C_L = -int dx dy dz delta(1 - x - y - z) [(x + y) m_F a_L b_L + x z m_1 a_L b_R]/Delta,     C_R: L <-> R,
    Delta = z (M^2 - x m_1^2) + (1 - z) m_F^2 - i0,     Gamma = alpha m_1^3 (|C_L|^2 + |C_R|^2)/(1024 pi^4),
Lavoura, Eur. Phys. J. C 29 (2003) 191 (hep-ph/0302221), in the normalisation in which a heavy scalar and F = l1 give
C = -m_1 y y' (-4 + 3 ln(M^2/m_1^2))/(3 M^2), as arXiv:1209.1397. Where l1 decays to F phi, m_1 > M + m_F, C is complex.

The integral over x is done: with A = z M^2 + (1 - z) m_F^2, y = z (1 - z) m_1^2/A and l(y) = -ln(1 - y)/y the two are
int dz (1 - z)^2 l/A and int dz (1 - z) (l - 1)/m_1^2. Where y reaches 1 the logarithm is singular at two known places,
and each of the three pieces has nodes that crowd at its ends.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Complex, Float

from anomfit.physics.constants import ALPHA

# trapezoidal rule in ln[z/(1-z)], as in `lepton_moments`; z and 1-z each with all digits
_U = np.arange(-32.0, 60.0, 0.25)
_Z, _REST = 1.0 / (1.0 + np.exp(-_U)), 1.0 / (1.0 + np.exp(_U))
_WEIGHT = 0.25 * _Z * _REST
# the same in pi sinh(t), for logarithms at both ends
_T = np.arange(-3.25, 3.25 + 1e-9, 1.0 / 16.0)
_X, _FROM_END = 1.0 / (1.0 + np.exp(-np.pi * np.sinh(_T))), 1.0 / (1.0 + np.exp(np.pi * np.sinh(_T)))
_W = np.pi / 16.0 * np.cosh(_T) * _X * _FROM_END
_SMALL = 0.02  # y below which a series stands for the logarithm
_TERMS = 9


class Loops(NamedTuple):
    """Integrals of the dipole: with m_F (a helicity that F's mass flips), GeV^-2, and with m_1, GeV^-2."""

    flipped: Complex[Array, ""]
    kept: Complex[Array, ""]


class Dipole(NamedTuple):
    """C_L and C_R, GeV^-1; those of several scalars and leptons in the loop add up."""

    left: Complex[Array, ""]
    right: Complex[Array, ""]


def dipole(
    m_1: ArrayLike,
    m_internal: ArrayLike,
    m_scalar: ArrayLike,
    a: tuple[ArrayLike, ArrayLike],
    b: tuple[ArrayLike, ArrayLike],
) -> Dipole:
    """C_L and C_R of one scalar and one lepton F; a = (a_L, a_R) at l2, b = (b_L, b_R) at l1, real. Scalars."""
    (a_L, a_R), (b_L, b_R) = (tuple(map(jnp.asarray, pair)) for pair in (a, b))
    loops = dipole_loops(m_1, m_internal, m_scalar)
    m_1, m_F = jnp.asarray(m_1), jnp.asarray(m_internal)
    return Dipole(
        left=-a_L * (m_F * b_L * loops.flipped + m_1 * b_R * loops.kept),
        right=-a_R * (m_F * b_R * loops.flipped + m_1 * b_L * loops.kept),
    )


def width(m_1: ArrayLike, total: Dipole) -> Float[Array, ""]:
    """Width of l1 -> l2 gamma, GeV, for the sum of all dipoles."""
    squared = sum(jnp.real(C) ** 2 + jnp.imag(C) ** 2 for C in total)
    return ALPHA * jnp.asarray(m_1) ** 3 * squared / (1024.0 * jnp.pi**4)


def dipole_loops(m_1: ArrayLike, m_internal: ArrayLike, m_scalar: ArrayLike) -> Loops:
    """Both integrals, for scalars, all masses above 0; to 1e-7 but next to m_1 = M + m_F, where slopes diverge."""
    m_1, m_F, M = jnp.asarray(m_1), jnp.asarray(m_internal), jnp.asarray(m_scalar)
    decays = m_1 > m_F + M
    closed = _closed(jnp.where(decays, 0.5 * (m_F + M), m_1), m_F, M)
    opened = _opened(jnp.where(decays, m_1, 2.0 * (m_F + M)), m_F, M)
    return Loops(*(jnp.where(decays, two, one) for one, two in zip(closed, opened, strict=True)))


def _closed(m_1, m_F, M):
    """y stays below 1 everywhere."""
    A = _Z * M**2 + _REST * m_F**2
    y = _Z * _REST * m_1**2 / A
    return _integrals(m_1, A, _REST, y, jnp.log1p(-jnp.minimum(y, 1.0 - 1e-15)), 0.0, _WEIGHT)


def _opened(m_1, m_F, M):
    """1 - y = m_1^2 (z - z_1)(z - z_2)/A changes its sign at z_1 < z_2; ln(1 - y - i0) is ln|1 - y| - i pi between."""
    middle = m_1**2 + m_F**2 - M**2
    factors = (m_1 - m_F - M) * (m_1 - m_F + M) * (m_1 + m_F - M) * (m_1 + m_F + M)
    root = jnp.sqrt(factors)
    high = (middle + root) / (2.0 * m_1**2)
    low = m_F**2 / (m_1**2 * high)
    gap, rest = root / m_1**2, M**2 / (m_1**2 * (1.0 - low))  # (1 - low)(1 - high) = M^2/m_1^2
    zero, ones = jnp.zeros_like(_X), jnp.ones_like(_X)
    pieces = (
        # z, 1 - z, |z - z_1|, |z - z_2|, length, imaginary part
        (low * _X, 1.0 - low * _X, low * _FROM_END, gap + low * _FROM_END, low, zero),
        (low + gap * _X, rest + gap * _FROM_END, gap * _X, gap * _FROM_END, gap, ones),
        (high + rest * _X, rest * _FROM_END, gap + rest * _X, rest * _X, rest, zero),
    )
    total = (0.0, 0.0)
    for z, remaining, to_low, to_high, length, inside in pieces:
        A = z * M**2 + remaining * m_F**2
        y = z * remaining * m_1**2 / A
        logarithm = jnp.log(m_1**2 * to_low / A) + jnp.log(to_high)
        found = _integrals(m_1, A, remaining, y, logarithm, -jnp.pi * inside, length * _W)
        total = tuple(one + two for one, two in zip(total, found, strict=True))
    return total


def _integrals(m_1, A, remaining, y, logarithm, imaginary, weight):
    """Sums over nodes of (1 - z)^2 l/A and (1 - z)(l - 1)/m_1^2, with the logarithm of 1 - y in two parts."""
    small = y < _SMALL
    tiny, safe = jnp.where(small, y, 0.0), jnp.where(small, 1.0, y)
    series = sum(tiny**n / (n + 1.0) for n in range(1, _TERMS))
    above_one = jnp.where(small, series, -jnp.where(small, 0.0, logarithm) / safe - 1.0)
    above_one = above_one + 1j * jnp.where(small, 0.0, -imaginary / safe)
    flipped = jnp.sum(weight * remaining**2 / A * (1.0 + above_one))
    kept = jnp.sum(weight * remaining * above_one) / m_1**2
    return flipped, kept

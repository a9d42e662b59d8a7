"""Light neutrino masses from a type-I seesaw with one right-handed state per generation.

arXiv:2010.06159 equations 16-23: diagonal m_D and m_R, so that each generation is the block ((0, m_D), (m_D, m_R)),
here solved exactly. The matrix is diagonalised by N M N^T (transpose: Majorana masses). Masses in GeV unless a name
says eV. Arrays of any shape, one entry a generation.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

EV = 1e-9
"""One electronvolt in GeV."""

DELTA_M2_21_NUFIT, DELTA_M2_21_NUFIT_SIGMA = 7.49e-5, 0.19e-5
"""eV^2, normal ordering: NuFIT 6.0, JHEP 12 (2024) 216, arXiv:2410.05380 (recalled)."""

DELTA_M2_31_NUFIT, DELTA_M2_31_NUFIT_SIGMA = 2.513e-3, 0.020e-3
"""eV^2, normal ordering, with the Super-Kamiokande and IceCube tables: NuFIT 6.0 (recalled; +0.021 -0.019)."""

DELTA_M2_21_PAPER = (7.05e-5, 8.14e-5)
"""eV^2, the range that arXiv:2010.06159 quotes below equation 23 from its reference 74."""

DELTA_M2_31_PAPER = (2.41e-3, 2.60e-3)
"""eV^2, the range that arXiv:2010.06159 quotes below equation 23 from its reference 74."""


class SeesawStates(NamedTuple):
    """The mass eigenstates of each generation."""

    m_light: Float[Array, "..."]  # GeV, signed: at or below 0, the CP parity opposite to the heavy state's
    m_heavy: Float[Array, "..."]  # GeV, equal to m_R - m_light
    theta: Float[Array, "..."]  # mixing angle: nu = cos(theta) n_L - sin(theta) n_R^c, N = sin n_L + cos n_R^c


def seesaw(m_D: ArrayLike, m_R: ArrayLike) -> SeesawStates:
    """Exact eigenvalues and mixing angle of ((0, m_D), (m_D, m_R)) for m_R > 0.

    m_light = -m_D^2/m_heavy and tan theta = m_D/m_heavy with m_heavy = (m_R + sqrt(m_R^2 + 4 m_D^2))/2, which takes no
    difference of large numbers. To leading order -m_D^2/m_R and m_D/m_R, equations 21 and 22. (Equation 22
    prints the opposite sign of theta, which does not diagonalise the matrix of its equation 19.)
    """
    m_D, m_R = jnp.asarray(m_D), jnp.asarray(m_R)
    m_heavy = 0.5 * (m_R + jnp.sqrt(m_R**2 + 4.0 * m_D**2))
    return SeesawStates(m_light=-(m_D**2) / m_heavy, m_heavy=m_heavy, theta=jnp.arctan2(m_D, m_heavy))


def dirac_mass(m_light: ArrayLike, m_R: ArrayLike) -> Float[Array, "..."]:
    """The m_D >= 0 (GeV) that gives a light mass of this size at m_R: sqrt(|m_light| (m_R + |m_light|)), exact.

    For |m_light| = 0: 0, with slope 0.
    """
    size = jnp.abs(jnp.asarray(m_light))
    massive = size > 0.0
    safe = jnp.where(massive, size, 1.0)
    return jnp.where(massive, jnp.sqrt(safe * (jnp.asarray(m_R) + safe)), 0.0)


def normal_ordering(m_lightest_eV: ArrayLike, delta_m2_21: ArrayLike, delta_m2_31: ArrayLike) -> Float[Array, "3"]:
    """Light masses |m_1|, |m_2|, |m_3| in GeV from the lightest (eV) and the mass-squared differences (eV^2 > 0)."""
    lightest = jnp.asarray(m_lightest_eV, dtype=float)
    squared = lightest**2
    return EV * jnp.stack([lightest, jnp.sqrt(squared + delta_m2_21), jnp.sqrt(squared + delta_m2_31)])


def mass_squared_differences(m_light: Float[Array, "3"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """(Delta m^2_21, Delta m^2_31) in eV^2 of three light masses in GeV."""
    squared = (jnp.asarray(m_light) / EV) ** 2
    return squared[1] - squared[0], squared[2] - squared[0]

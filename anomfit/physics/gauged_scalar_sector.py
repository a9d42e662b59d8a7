"""Two Higgs doublets and a singlet whose vacuum value gives a Z' its mass: quartic couplings <-> masses and mixing.

arXiv:2006.01948, equations 14 to 21 and appendices A and B, in the Higgs basis and the alignment limit: lambda_6 =
lambda'_3 = 0, and lambda_7 = lambda'_4 = 0. The mass matrix of the two light CP-even scalars has the form of
`scalar_sector`, whose functions take it to masses, mixing and back:
    [[mbar_H^2, lambda'_5 v v'], [lambda'_5 v v', 2 lambda'_2 v'^2]],     v' = m_Z'/g_d.
Masses and vacuum values in GeV, couplings dimensionless. Everything broadcasts.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.scalar_sector import Quartics, ScalarPotential


class SingletCouplings(NamedTuple):
    """mbar_H^2 = mu_2 + (lambda_3 + lambda_4 + lambda_5) v^2/2, GeV^2, and the two couplings of the singlet."""

    mbar_H_squared: Float[Array, "..."]
    lambda_2_prime: Float[Array, "..."]
    lambda_5_prime: Float[Array, "..."]


def singlet_vacuum_value(m_Zprime: ArrayLike, g_d: ArrayLike) -> Float[Array, "..."]:
    """v' of m_Z'^2 = g_d^2 v'^2, below equation 13."""
    return jnp.asarray(m_Zprime) / jnp.asarray(g_d)


def radiation_vertex(m_Zprime: ArrayLike, g_d: ArrayLike) -> Float[Array, "..."]:
    """G of the vertex i G g^{mu nu} of Z', Z' and H_3, equation 13: 2 m_Z'^2/v' = 2 g_d m_Z', GeV."""
    return 2.0 * jnp.asarray(g_d) * jnp.asarray(m_Zprime)


def potential_from_couplings(couplings: SingletCouplings, v: ArrayLike, v_prime: ArrayLike) -> ScalarPotential:
    """The block of equation A2 in the form of `scalar_sector.ScalarPotential`: its m_12 is sqrt(2) lambda'_5 v'."""
    v_prime = jnp.asarray(v_prime)
    return ScalarPotential(
        mu_H=jnp.asarray(couplings.mbar_H_squared),
        mu_hprime=2.0 * couplings.lambda_2_prime * v_prime**2,
        m_12=jnp.sqrt(2.0) * couplings.lambda_5_prime * v_prime * jnp.ones_like(jnp.asarray(v, dtype=float)),
    )


def couplings_from_potential(potential: ScalarPotential, v_prime: ArrayLike) -> SingletCouplings:
    """The inverse of `potential_from_couplings`."""
    v_prime = jnp.asarray(v_prime)
    return SingletCouplings(
        mbar_H_squared=jnp.asarray(potential.mu_H),
        lambda_2_prime=0.5 * potential.mu_hprime / v_prime**2,
        lambda_5_prime=potential.m_12 / (jnp.sqrt(2.0) * v_prime),
    )


def heavy_mass(lambda_5: ArrayLike, mbar_H_squared: ArrayLike, v: ArrayLike) -> Float[Array, "..."]:
    """m_H+- = m_A for lambda_4 = lambda_5 < 0, GeV: equations 20 and 21 give mbar_H^2 - lambda_5 v^2."""
    return jnp.sqrt(jnp.asarray(mbar_H_squared) - jnp.asarray(lambda_5) * jnp.asarray(v) ** 2)


def strongest_lambda_5(lambda_1: ArrayLike, singlet: SingletCouplings, largest: ArrayLike) -> Float[Array, "..."]:
    """The most negative lambda_4 = lambda_5 of a stable potential whose couplings are at most `largest` in size.

    Equation B10 with lambda_2 = lambda_3 = largest: 2 |lambda_5| < largest + sqrt(lambda_1 largest) - lambda'_5^2/
    lambda'_2. Half as far as the bound |lambda_5| < largest alone, for lambda_3 has to make up for both.
    """
    largest = jnp.asarray(largest)
    room = largest + jnp.sqrt(jnp.asarray(lambda_1) * largest) - singlet.lambda_5_prime**2 / singlet.lambda_2_prime
    return -jnp.minimum(largest, 0.5 * room)


def quartics(lambda_1: ArrayLike, largest: ArrayLike, lambda_5: ArrayLike, singlet: SingletCouplings) -> Quartics:
    """The couplings with lambda_2 = lambda_3 = largest and lambda_4 = lambda_5, for `scalar_sector`'s conditions."""
    largest, lambda_5 = jnp.asarray(largest), jnp.asarray(lambda_5)
    own = (singlet.lambda_2_prime, singlet.lambda_5_prime)
    return Quartics(jnp.asarray(lambda_1), largest, largest, lambda_5, lambda_5, *own)

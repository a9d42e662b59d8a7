"""Two Higgs doublets and a real singlet in the Higgs basis: potential <-> masses and mixing; stability.

arXiv:2010.06159 equations 2-12, with phi_h = (H1+, (v + H1 + iG)/sqrt2), phi_H = (H2+, (H2 + iA)/sqrt2) and phi_h' =
H3/sqrt2 (the 1/sqrt2 of the doublets is lost in its equations 3 and 4 but implied by its mass matrix). The CP-even
states are H_i = sum_j Z_ji h_j with (h1, h2, h3) = (h, H, h'): H2 = c H + s h', H3 = -s H + c h' for s, c = sin, cos of
delta.

mu_H, mu_hprime, mu_2, mu_prime are squared masses (GeV^2); m_12, v and masses in GeV. Everything broadcasts but the
matrices.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float


class Quartics(NamedTuple):
    """Quartic couplings of equation 2 with lambda_6 = lambda_7 = lambda'_3 = lambda'_4 = 0; real, dimensionless."""

    lambda_1: Float[Array, "..."]
    lambda_2: Float[Array, "..."]
    lambda_3: Float[Array, "..."]
    lambda_4: Float[Array, "..."]
    lambda_5: Float[Array, "..."]
    lambda_2_prime: Float[Array, "..."]
    lambda_5_prime: Float[Array, "..."]


class ScalarMasses(NamedTuple):
    """Masses (GeV) of the two light CP-even scalars and the sine of their mixing angle."""

    m_H: Float[Array, "..."]
    m_hprime: Float[Array, "..."]
    sin_delta: Float[Array, "..."]


class ScalarPotential(NamedTuple):
    """The (H, h') block of the potential: mu_H and mu_hprime in GeV^2, m_12 in GeV."""

    mu_H: Float[Array, "..."]
    mu_hprime: Float[Array, "..."]
    m_12: Float[Array, "..."]


def masses_from_potential(mu_H: ArrayLike, mu_hprime: ArrayLike, m_12: ArrayLike, v: ArrayLike) -> ScalarMasses:
    """Equations 9 and 10: the heavier state is H and delta, in (-pi/2, pi/2], its angle.

    tan 2 delta = sqrt2 m_12 v/(mu_h' - mu_H), so m_12 > 0 gives delta < 0 when the doublet is the heavier one. The
    lighter squared mass is the determinant over the heavier one, which keeps what equation 10 cancels. A determinant
    at or below 0 (a tachyon, see `is_tachyonic`) gives m_hprime = 0 with gradient 0; at mu_H = mu_hprime, m_12 = 0 the
    angle is not defined and 0 is returned, also with gradient 0.
    """
    mu_H, mu_hprime = jnp.asarray(mu_H), jnp.asarray(mu_hprime)
    off_diagonal = _off_diagonal(m_12, v)
    difference = mu_H - mu_hprime
    split = (difference != 0.0) | (off_diagonal != 0.0)
    safe_difference = jnp.where(split, difference, 1.0)
    gap = jnp.where(split, jnp.sqrt(safe_difference**2 + 4.0 * off_diagonal**2), 0.0)
    heavy = 0.5 * (mu_H + mu_hprime + gap)
    determinant = jnp.where(heavy > 0.0, mu_H * mu_hprime - off_diagonal**2, 0.0)
    light = determinant / jnp.where(heavy > 0.0, heavy, 1.0)
    delta = jnp.where(split, 0.5 * jnp.arctan2(-2.0 * off_diagonal, safe_difference), 0.0)
    return ScalarMasses(_root(heavy), _root(light), jnp.sin(delta))


def potential_from_masses(m_H: ArrayLike, m_hprime: ArrayLike, sin_delta: ArrayLike, v: ArrayLike) -> ScalarPotential:
    """The inverse of `masses_from_potential` for m_H > m_hprime and cos delta >= 0.

    mu_H = c^2 m_H^2 + s^2 m_h'^2, mu_h' = s^2 m_H^2 + c^2 m_h'^2, m_12 v/sqrt2 = s c (m_h'^2 - m_H^2).
    """
    m_H, m_hprime, sine = jnp.asarray(m_H), jnp.asarray(m_hprime), jnp.asarray(sin_delta)
    sine_squared, cosine_squared = sine**2, (1.0 - sine) * (1.0 + sine)
    off_diagonal = sine * _root(cosine_squared) * (m_hprime - m_H) * (m_hprime + m_H)
    return ScalarPotential(
        mu_H=cosine_squared * m_H**2 + sine_squared * m_hprime**2,
        mu_hprime=sine_squared * m_H**2 + cosine_squared * m_hprime**2,
        m_12=jnp.sqrt(2.0) * off_diagonal / jnp.asarray(v),
    )


def is_tachyonic(mu_H: ArrayLike, mu_hprime: ArrayLike, m_12: ArrayLike, v: ArrayLike) -> Bool[Array, "..."]:
    """Whether a squared mass of the (H, h') block is at or below 0, so that the vacuum is no minimum."""
    mu_H, mu_hprime = jnp.asarray(mu_H), jnp.asarray(mu_hprime)
    return (mu_H <= 0.0) | (mu_hprime <= 0.0) | (mu_H * mu_hprime <= _off_diagonal(m_12, v) ** 2)


def mass_matrix(
    lambda_1: ArrayLike, lambda_6: ArrayLike, mu_H: ArrayLike, mu_hprime: ArrayLike, m_12: ArrayLike, v: ArrayLike
) -> Float[Array, "3 3"]:
    """Equation 6: squared masses (GeV^2) of the CP-even scalars in the basis (H1, H2, H3), for scalar arguments."""
    v_squared, off_diagonal, zero = jnp.asarray(v) ** 2, _off_diagonal(m_12, v), jnp.zeros(())
    rows = (
        (lambda_1 * v_squared, lambda_6 * v_squared, zero),
        (lambda_6 * v_squared, mu_H, off_diagonal),
        (zero, off_diagonal, mu_hprime),
    )
    return jnp.stack([jnp.stack([jnp.asarray(entry, dtype=float) for entry in row]) for row in rows])


def rotation(sin_delta: ArrayLike) -> Float[Array, "3 3"]:
    """Equation 9: Z with Z M^2 Z^T diagonal if lambda_6 = 0; rows (h, H, h'), columns (H1, H2, H3)."""
    sine = jnp.asarray(sin_delta, dtype=float)
    cosine, zero, one = _root((1.0 - sine) * (1.0 + sine)), jnp.zeros(()), jnp.ones(())
    rows = ((one, zero, zero), (zero, cosine, -sine), (zero, sine, cosine))
    return jnp.stack([jnp.stack(row) for row in rows])


def higgs_mass(lambda_1: ArrayLike, v: ArrayLike) -> Float[Array, "..."]:
    """m_h = sqrt(lambda_1) v in the alignment limit, GeV."""
    return _root(jnp.asarray(lambda_1)) * jnp.asarray(v)


def mu_H_from_quartics(mu_2: ArrayLike, quartics: Quartics, v: ArrayLike) -> Float[Array, "..."]:
    """Below equation 6: mu_H = mu_2 + (lambda_3 + lambda_4 + lambda_5) v^2/2, GeV^2."""
    return jnp.asarray(mu_2) + 0.5 * (quartics.lambda_3 + quartics.lambda_4 + quartics.lambda_5) * jnp.asarray(v) ** 2


def charged_mass_squared(mu_2: ArrayLike, quartics: Quartics, v: ArrayLike) -> Float[Array, "..."]:
    """Equation 11: m_H+-^2 = mu_2 + lambda_3 v^2/2, GeV^2."""
    return jnp.asarray(mu_2) + 0.5 * quartics.lambda_3 * jnp.asarray(v) ** 2


def cp_odd_mass_squared(mu_2: ArrayLike, quartics: Quartics, v: ArrayLike) -> Float[Array, "..."]:
    """Equation 12: m_A^2 = mu_2 + (lambda_3 + lambda_4 - lambda_5) v^2/2, GeV^2."""
    return jnp.asarray(mu_2) + 0.5 * (quartics.lambda_3 + quartics.lambda_4 - quartics.lambda_5) * jnp.asarray(v) ** 2


def is_bounded_from_below(quartics: Quartics) -> Bool[Array, "..."]:
    """Whether the quartic part of equation 2 is positive in every direction of the fields (strict, tree level).

    lambda_1, lambda_2, lambda'_2 > 0 and each of lambda_3, lambda_3 + lambda_4 - lambda_5 and lambda_3 + lambda_4 +
    lambda_5 - lambda'_5^2/lambda'_2 above -sqrt(lambda_1 lambda_2). For lambda_4, lambda_5 < 0 only the last matters:
    (lambda_3 + lambda_4 - |lambda_5|) lambda'_2 - lambda'_5^2 > -lambda'_2 sqrt(lambda_1 lambda_2), as in appendix B of
    the companion paper ("Understanding the MiniBooNE and the muon and electron g-2 anomalies with a light Z' and a
    second Higgs doublet"). Derived by minimising over the singlet, then over phi_h^dagger phi_H.
    """
    positive = (quartics.lambda_1 > 0.0) & (quartics.lambda_2 > 0.0) & (quartics.lambda_2_prime > 0.0)
    singlet = jnp.where(positive, quartics.lambda_2_prime, 1.0)
    lowest = jnp.minimum(-quartics.lambda_5, quartics.lambda_5 - jnp.asarray(quartics.lambda_5_prime) ** 2 / singlet)
    mixed = quartics.lambda_3 + jnp.minimum(0.0, quartics.lambda_4 + lowest)
    return positive & (mixed > -_root(jnp.asarray(quartics.lambda_1 * quartics.lambda_2)))


def is_perturbative(quartics: Quartics) -> Bool[Array, "..."]:
    """Whether every quartic coupling is below sqrt(4 pi) in size, the bound the companion paper (appendix B) uses."""
    largest = jnp.max(jnp.abs(jnp.stack(jnp.broadcast_arrays(*map(jnp.asarray, quartics)))), axis=0)
    return largest < jnp.sqrt(4.0 * jnp.pi)


def _off_diagonal(m_12: ArrayLike, v: ArrayLike) -> Float[Array, "..."]:
    return jnp.asarray(m_12) * jnp.asarray(v) / jnp.sqrt(2.0)


def _root(squared: Float[Array, "..."]) -> Float[Array, "..."]:
    """The square root, 0 with gradient 0 at and below 0."""
    return jnp.where(squared > 0.0, jnp.sqrt(jnp.where(squared > 0.0, squared, 1.0)), 0.0)

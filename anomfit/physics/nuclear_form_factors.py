"""Nuclear form factors: amplitude factors with F(0) = 1, functions of Q^2 = -q^2 >= 0 in GeV^2.

They stand for the whole nucleus: do not multiply one by a nucleon's own form factor.
"""

from functools import reduce
from math import factorial

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.constants import HBAR_C_FM

B_CARBON_12 = 25.0
"""Slope of `exponential` for 12C, GeV^-2, arXiv:2010.06159 below equation 27 and its reference 79."""

HELM_SKIN_FM = 0.9
"""Surface thickness s of Helm's density, fm; Lewin and Smith, Astropart. Phys. 6 (1996) 87, section 4."""

_SERIES = [(-1) ** j * 6.0 * (j + 1) / factorial(2 * j + 3) for j in range(10)]


def helm_radius_squared(mass_number: ArrayLike) -> Float[Array, "..."]:
    """Squared radius of Helm's uniform sphere for mass number A, fm^2: Lewin and Smith (1996), section 4.

    (1.23 A^(1/3) - 0.60)^2 + (7/3) pi^2 0.52^2 - 5 s^2 with s = 0.9 fm.
    """
    central = 1.23 * jnp.cbrt(jnp.asarray(mass_number, dtype=float)) - 0.60
    return central**2 + 7.0 / 3.0 * np.pi**2 * 0.52**2 - 5.0 * HELM_SKIN_FM**2


def helm(q_squared: ArrayLike, mass_number: ArrayLike) -> Float[Array, "..."]:
    """Helm's form factor 3 j_1(qR)/(qR) exp(-q^2 s^2/2) of a nucleus of `mass_number` nucleons (above 1).

    Helm, Phys. Rev. 104 (1956) 1466, with the radius of Lewin and Smith. `q_squared` is Q^2 in GeV^2, an array of any
    shape; the result has its shape, is 1 at Q^2 = 0 and has every derivative there. It is an amplitude factor (square
    it in a rate) and changes sign at its zeros. The radius is a fit to many nuclei: for 12C the rms radius is 2.58 fm,
    5 % above the measured charge radius.
    """
    return _helm(q_squared, helm_radius_squared(mass_number))


def measured(q_squared: ArrayLike, charge_radius: ArrayLike) -> Float[Array, "..."]:
    """Helm's form factor with the measured rms charge radius r (fm): R^2 = (5/3)(r^2 - 3 s^2), which gives r exactly.

    `q_squared` as in `helm`; radii are in `nuclei`. The scalar density is taken to be that of the charge.
    """
    return _helm(q_squared, 5.0 / 3.0 * (jnp.asarray(charge_radius) ** 2 - 3.0 * HELM_SKIN_FM**2))


def fourier_bessel(
    q_squared: ArrayLike, coefficients: Float[np.ndarray, " n"], cut_off_radius: float
) -> Float[Array, "..."]:
    """The form factor of a charge density sum_n a_n j_0(n pi r/R) up to R (fm), 0 beyond: coefficients a_n from n = 1.

    sum_n (-1)^n a_n j_0(qR)/((n pi)^2 - (qR)^2) over its value at q = 0; de Vries et al., Atom. Data Nucl. Data Tabl.
    36 (1987) 495. `q_squared` as in `helm`; smooth at 0 and where qR = n pi.
    """
    order = np.pi * np.arange(1, len(coefficients) + 1)
    x_squared = (jnp.asarray(q_squared) * (cut_off_radius / HBAR_C_FM) ** 2)[..., None]
    small = x_squared < 1.0
    near, x = jnp.where(small, x_squared, 0.0), jnp.sqrt(jnp.where(small, 1.0, x_squared))
    sign = (-1.0) ** np.arange(1, len(coefficients) + 1)
    # sin(x)/x by its series below 1; above, sin(x) = (-1)^n sin(x - n pi) is divided by x - n pi
    sine = reduce(lambda total, j: 1.0 - total * near / ((2 * j) * (2 * j + 1)), range(9, 0, -1), jnp.ones_like(near))
    below = sign * sine / (order**2 - near)
    above = -jnp.sinc(x / np.pi - order / np.pi) / (x * (order + x))
    whole = np.sum(sign * coefficients / order**2)
    return jnp.sum(jnp.asarray(coefficients) * jnp.where(small, below, above), axis=-1) / whole


def exponential(q_squared: ArrayLike, b: ArrayLike) -> Float[Array, "..."]:
    """The amplitude factor exp(-b Q^2) of arXiv:2010.06159 (its rate has exp(-2 b |q^2|)); b in GeV^-2, 25 for 12C."""
    return jnp.exp(-jnp.asarray(b) * jnp.asarray(q_squared))


def _helm(q_squared, radius_squared):
    """Q^2 in GeV^2, R^2 in fm^2."""
    q_squared = jnp.asarray(q_squared) / HBAR_C_FM**2
    return _sphere(q_squared * radius_squared) * jnp.exp(-0.5 * q_squared * HELM_SKIN_FM**2)


def _sphere(x_squared: Float[Array, "..."]) -> Float[Array, "..."]:
    """3 j_1(x)/x = 3 (sin x - x cos x)/x^3 as a function of x^2: power series below x = 1, closed form above."""
    small = x_squared < 1.0
    near_zero = jnp.where(small, x_squared, 0.0)
    series = reduce(lambda total, coefficient: total * near_zero + coefficient, reversed(_SERIES))
    x = jnp.sqrt(jnp.where(small, 1.0, x_squared))
    return jnp.where(small, series, 3.0 * (jnp.sin(x) - x * jnp.cos(x)) / x**3)

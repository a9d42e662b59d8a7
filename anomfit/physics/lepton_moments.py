"""One-loop shifts of a charged lepton's anomalous magnetic moment a = (g-2)/2 from neutral scalars and vectors.

Jackiw and Weinberg, PRD 5 (1972) 2396; Leveille, Nucl. Phys. B137 (1978) 63. With z = 1 - x all are integrals
    (1/8 pi^2) int_0^1 dz z^2 [flip r_F + (1-z) keep] / Delta,     Delta = z^2 + (1-z) r^2 + z (r_F^2 - 1),
where r = m_phi/m_l and r_F = m_F/m_l for the internal lepton F, and flip, keep are products of its couplings.

Quadrature: the trapezoidal rule in u = ln[z/(1-z)] on fixed nodes. The narrow features (z ~ r for a light scalar, 1-z ~
1/r^2 for a heavy one) have unit width in u, and the zeros of Delta keep a distance of at least 1 from the real u axis,
so the error falls as exp(-2 pi/step): below 1e-10, relative, for r between 1e-4 and 1e5 (and for r = 0). Where they
come closer (a scalar and F hardly heavier than the lepton together, or lighter) the closed form is used.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

_STEP = 0.25
_U = np.arange(-32.0, 60.0 + _STEP, _STEP)
_Z, _W = 1.0 / (1.0 + np.exp(-_U)), 1.0 / (1.0 + np.exp(_U))  # z and 1-z, each with all its digits
_MEASURE = _STEP * _Z**3 * _W  # z^2 dz


def scalar_moment(m_lepton: ArrayLike, m_scalar: ArrayLike, y: ArrayLike) -> Float[Array, ""]:
    """Delta a of a lepton from a CP-even scalar, L = -y phi lbar l; dimensionless, never negative.

    y^2/(8 pi^2) int_0^1 dx (1-x)^2 (1+x)/[(1-x)^2 + x r^2], r = m_scalar/m_lepton. Masses in GeV, scalars
    (use vmap for more).
    """
    return _diagonal(m_lepton, m_scalar, y, 1.0)


def pseudoscalar_moment(m_lepton: ArrayLike, m_scalar: ArrayLike, y: ArrayLike) -> Float[Array, ""]:
    """Delta a of a lepton from a CP-odd scalar, L = -i y phi lbar gamma5 l; dimensionless, never positive.

    -y^2/(8 pi^2) int_0^1 dx (1-x)^3/[(1-x)^2 + x r^2], r = m_scalar/m_lepton. Masses in GeV, scalars.
    """
    return _diagonal(m_lepton, m_scalar, y, -1.0)


def vector_moment(m_lepton: ArrayLike, m_vector: ArrayLike, g: ArrayLike) -> Float[Array, ""]:
    """Delta a of a lepton from a vector, L = -g V_mu lbar gamma^mu l; dimensionless, never negative.

    g^2/(8 pi^2) int_0^1 dx 2x (1-x)^2/[(1-x)^2 + x r^2], r = m_vector/m_lepton: g^2/(8 pi^2) for a light one, g^2
    m_l^2/(12 pi^2 m_V^2) for a heavy one. A dark photon has g = e eps. Masses in GeV, scalars (use vmap for more).
    """
    r = jnp.asarray(m_vector) / jnp.asarray(m_lepton)
    zero = jnp.zeros_like(r)
    return _integral(r, jnp.ones_like(r), zero, 2.0 * jnp.asarray(g) ** 2) / (8.0 * jnp.pi**2)


def axial_moment(m_lepton: ArrayLike, m_vector: ArrayLike, g: ArrayLike) -> Float[Array, ""]:
    """Delta a of a lepton from an axial vector, L = -g V_mu lbar gamma^mu gamma5 l; dimensionless, never positive.

    g^2/(8 pi^2) int_0^1 dz [2z (1-z)(z-4) - 4z^3/r^2]/[z^2 + (1-z) r^2], r = m_vector/m_lepton; -5 g^2 m_l^2/(12 pi^2
    m_V^2) for a heavy one. It grows as 1/r^2 for a light one: the longitudinal part sees the lepton's mass. Masses in
    GeV, above 0, scalars.
    """
    r_squared = (jnp.asarray(m_vector) / jnp.asarray(m_lepton)) ** 2
    numerator = 2.0 * _Z * _W * (_Z - 4.0) - 4.0 * _Z**3 / r_squared
    integral = jnp.sum(_STEP * _Z * _W * numerator / (_Z**2 + _W * r_squared))
    return jnp.asarray(g) ** 2 * integral / (8.0 * jnp.pi**2)


def off_diagonal_scalar_moment(
    m_lepton: ArrayLike, m_internal: ArrayLike, m_scalar: ArrayLike, y_lF: ArrayLike, y_Fl: ArrayLike
) -> Float[Array, ""]:
    """Delta a of a lepton l from a scalar that turns it into a lepton F; dimensionless.

    L = -phi (y_lF lbar_L F_R + y_Fl Fbar_L l_R) + h.c. with real couplings gives (1/8 pi^2) int_0^1 dx (1-x)^2
    [y_lF y_Fl r_F + x (y_lF^2 + y_Fl^2)/2] / [(1-x)^2 + x r^2 + (1-x)(r_F^2 - 1)]. Masses in GeV, above 0, scalars. F
    may be any lepton; F = l gives `scalar_moment`.

    If m_internal + m_scalar < m_lepton the lepton decays to F phi and the integrand has a pole: the result is then the
    real part (the principal value). It diverges as the inverse root of the distance when this threshold is approached
    from the closed side, as an on-shell moment of an almost unstable particle does; on the threshold itself it is the
    finite part. Use bounds on l -> F phi there.
    """
    m_lepton, m_internal, m_scalar = jnp.asarray(m_lepton), jnp.asarray(m_internal), jnp.asarray(m_scalar)
    flip = jnp.asarray(y_lF) * jnp.asarray(y_Fl)
    keep = 0.5 * (jnp.asarray(y_lF) ** 2 + jnp.asarray(y_Fl) ** 2)
    r, r_F = m_scalar / m_lepton, m_internal / m_lepton
    near_pole = r**2 + r_F**2 + r * r_F < 1.0  # the zeros of Delta lie within pi/3 of the real u axis
    smooth = _integral(r, jnp.where(near_pole, 1.0, r_F), flip, keep)
    closed_form = _closed_form(jnp.where(near_pole, r, 0.5), jnp.where(near_pole, r_F, 0.25), flip, keep)
    return jnp.where(near_pole, closed_form, smooth) / (8.0 * jnp.pi**2)


def _diagonal(m_lepton: ArrayLike, m_scalar: ArrayLike, y: ArrayLike, parity: float) -> Float[Array, ""]:
    """The moment from F = l and a scalar of this parity."""
    keep = jnp.asarray(y) ** 2
    r = jnp.asarray(m_scalar) / jnp.asarray(m_lepton)
    return _integral(r, jnp.ones_like(r), parity * keep, keep) / (8.0 * jnp.pi**2)


def _integral(
    r: Float[Array, ""], r_F: Float[Array, ""], flip: Float[Array, ""], keep: Float[Array, ""]
) -> Float[Array, ""]:
    """The integral of the module's docstring without 1/(8 pi^2), for zeros of Delta away from the real axis."""
    shift = jnp.where(_Z < 0.5, (r_F - 1.0) * (r_F + 1.0) + _Z, r_F**2 - _W)  # equal; each keeps its digits there
    delta = _W * r**2 + _Z * shift
    return jnp.sum(_MEASURE * (flip * r_F + keep * _W) / delta)


def _closed_form(
    r: Float[Array, ""], r_F: Float[Array, ""], flip: Float[Array, ""], keep: Float[Array, ""]
) -> Float[Array, ""]:
    """The same integral from partial fractions, real part, for r and r_F below 1, where nothing cancels.

    With Delta = z^2 + b z + c and k = flip r_F + keep (1 + b) the numerator is
    (k - keep z) Delta + (keep c - k b) z - k c.
    """
    b, c = (r_F - 1.0) * (r_F + 1.0) - r**2, r**2
    k = flip * r_F + keep * (1.0 + b)
    inverse = _integral_of_inverse(b, c, r_F)
    logarithm = jnp.log(r_F / r) - 0.5 * b * inverse  # the integral of z/Delta
    return k - 0.5 * keep + (keep * c - k * b) * logarithm - k * c * inverse


def _integral_of_inverse(b: Float[Array, ""], c: Float[Array, ""], r_F: Float[Array, ""]) -> Float[Array, ""]:
    """int_0^1 dz/(z^2 + b z + c), principal value if the discriminant is positive; Delta(1) = r_F^2."""
    discriminant = b**2 - 4.0 * c
    has_pole, no_pole = discriminant > 0.0, discriminant < 0.0
    root = jnp.sqrt(jnp.where(has_pole, discriminant, 1.0))
    logarithm = 2.0 * jnp.log(4.0 * r_F * jnp.sqrt(c) / ((2.0 + b + root) * (root - b))) / root
    root = jnp.sqrt(jnp.where(no_pole, -discriminant, 1.0))
    angle = 2.0 * (jnp.arctan2(2.0 + b, root) - jnp.arctan2(b, root)) / root
    at_threshold = -1.0 / (1.0 + 0.5 * b) - 1.0 / (-0.5 * b)  # double zero at -b/2: Hadamard's finite part
    return jnp.where(has_pole, logarithm, jnp.where(no_pole, angle, at_threshold))

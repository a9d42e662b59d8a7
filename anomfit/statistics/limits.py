"""Published limits as smooth likelihoods: upper limits, curves in a plane of mass and coupling.

One convention for all: -2 ln L = 0 well inside the allowed region, 1.645^2 = 2.71 exactly on a 90 % CL limit, and
growing quadratically beyond it. An upper limit on a rate uses the rate itself, a curve the logarithm of the coupling.
"""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float
from scipy.special import ndtri

Z_90 = float(ndtri(0.95))
"""Standard deviations of a 90 % CL upper limit, 1.645."""

CURVE_WIDTH = 0.1
"""Width of a digitised curve, in decades of the coupling: how well such curves are known and agree with each other."""

FARTHEST = 30.0
"""Largest distance from a curve in decades, beyond which nothing changes."""


def rate_log_likelihood(ratio: Float[Array, "..."]) -> Float[Array, "..."]:
    """ln L of a rate given as its ratio to a 90 % CL upper limit: a half-Gaussian with sigma = limit/1.645."""
    return -0.5 * (Z_90 * jnp.maximum(ratio, 0.0)) ** 2


def curve_log_likelihood(ratio: Float[Array, "..."], width: float = CURVE_WIDTH) -> Float[Array, "..."]:
    """ln L of a coupling given as its ratio to a 90 % CL curve: -(1.645 + log10(ratio)/width)^2/2, 0 where negative.

    On the curve -2 ln L = 2.71; it is 0 from 1.645 widths (0.16 decades) below it.
    """
    positive = ratio > 0.0
    decades = jnp.where(positive, jnp.log10(jnp.where(positive, ratio, 1.0)), -FARTHEST)
    return -0.5 * jnp.maximum(Z_90 + decades / width, 0.0) ** 2


def decades_above(
    m: ArrayLike, coupling: ArrayLike, masses: Float[Array, " points"], limits: Float[Array, " points"]
) -> Float[Array, ""]:
    """log10(coupling/limit(m)) inside a curve's range of masses (GeV, ascending); outside minus the distance to it.

    The limit is interpolated between the points in both logarithms. Outside the range of masses the distance (in
    decades) to its nearest end is taken away, from 0 at most where the end itself is excluded, over the first
    `CURVE_WIDTH` smoothly from what holds at the end. Clipped to +- `FARTHEST`.
    """
    log_m = jnp.log10(m)
    edge = log_limit(m, masses, limits)
    above = jnp.clip(jnp.log10(jnp.maximum(coupling, 10.0**-FARTHEST)) - edge, -FARTHEST, FARTHEST)
    out = jnp.maximum(jnp.log10(masses[0]) - log_m, 0.0) + jnp.maximum(log_m - jnp.log10(masses[-1]), 0.0)
    share = jnp.clip(1.0 - out / CURVE_WIDTH, 0.0, 1.0)  # of an exclusion at the end that is left outside
    return jnp.where(above > 0.0, share * above, above) - out


def log_limit(m: ArrayLike, masses: Float[Array, " points"], limits: Float[Array, " points"]) -> Float[Array, ""]:
    """log10 of a curve at mass m (GeV), linear between the points in log mass; the end values hold outside."""
    return jnp.interp(jnp.log10(m), jnp.log10(masses), jnp.log10(limits))


def is_covered(m: ArrayLike, masses: Float[Array, " points"]) -> Array:
    """Whether a curve has something to say at mass m (GeV)."""
    return (jnp.asarray(m) >= masses[0]) & (jnp.asarray(m) <= masses[-1])


def foremost(decades: Float[Array, " n"], covered: Array) -> Array:
    """Which of n couplings speaks for all: the farthest above a curve that covers it, else the nearest to any curve.

    Outside a curve's masses its exclusion fades (`decades_above`) and must not hide one inside.
    """
    return jnp.argmax(jnp.where(covered & (decades > 0.0), decades + 2.0 * FARTHEST, decades))

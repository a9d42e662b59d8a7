"""One coordinate about a linear trend in others, in units of its scatter: what a narrow posterior looks like nearby.

Far away, where the trend says nothing, it stops and the units grow: every number is reached, whatever was learned.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

REACH = 5.0  # spreads of the other coordinates after which the trend goes no further
STRETCH = 3.0  # scatters after which the units begin to grow
NARROWEST = 0.03  # of a scatter: the farthest number (`conditional`) is still 18 normal coordinates away
RIDGE = 1.0  # weight, in points, of a trend of zero


class Trend(NamedTuple):
    """middle and spread of every coordinate; slope with respect to the others' features; scatter about the trend."""

    middle: Float[Array, "coordinates"]
    spread: Float[Array, "coordinates"]
    slope: Float[Array, "coordinates"]
    scatter: Float[Array, ""]


def no_trend(coordinates: int) -> Trend:
    """That of a standard normal distribution."""
    zero, one = jnp.zeros(coordinates), jnp.ones(coordinates)
    return Trend(zero, one, zero, jnp.ones(()))


def features(trend: Trend, z: Float[Array, "... coordinates"]) -> Float[Array, "... coordinates"]:
    """Coordinates in spreads from their middle, none beyond `REACH`."""
    return REACH * jnp.tanh((z - trend.middle) / (REACH * trend.spread))


def from_trend(trend: Trend, index, z: Float[Array, "coordinates"]) -> Float[Array, ""]:
    """The coordinate `index` of z, counted from the trend in scatters."""
    off = z[index] - trend.middle[index] - trend.slope @ features(trend, z)
    return STRETCH * jnp.arcsinh(off / (STRETCH * trend.scatter))


def to_trend(trend: Trend, index, z: Float[Array, "coordinates"], v: Float[Array, ""]):
    """The coordinate at v, its others those of z, and ln of its derivative with respect to v."""
    middle = trend.middle[index] + trend.slope @ features(trend, z)
    return middle + trend.scatter * STRETCH * jnp.sinh(v / STRETCH), jnp.log(trend.scatter * jnp.cosh(v / STRETCH))


def fit_trend(z: np.ndarray, weight: np.ndarray, effective: float, index: int, known: np.ndarray) -> Trend:
    """Weighted least squares over points (points, coordinates) for one coordinate; `known` others enter, no more."""
    middle = weight @ z
    spread = np.maximum(np.sqrt(weight @ (z - middle) ** 2), NARROWEST)
    trend = Trend(jnp.asarray(middle), jnp.asarray(spread), jnp.zeros(z.shape[1]), jnp.ones(()))
    seen = np.where(known, np.asarray(features(trend, jnp.asarray(z))), 0.0)
    off = z[:, index] - middle[index]
    curvature = (seen * weight[:, None]).T @ seen + RIDGE / effective * np.eye(z.shape[1])
    slope = np.linalg.solve(curvature, seen.T @ (weight * off))
    scatter = np.sqrt(weight @ (off - seen @ slope) ** 2)
    return trend._replace(slope=jnp.asarray(slope), scatter=jnp.asarray(np.clip(scatter, NARROWEST, 1.0)))

"""Energy and angle resolution of a single electromagnetic shower: smooth functions of its true energy in GeV."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
from jax.scipy.special import erfc
from jaxtyping import Array, ArrayLike, Float

from anomfit.errors import reject


def normal_cdf(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Standard normal distribution function, through erfc: exact in the tail, a quarter of the time of erf on a CPU."""
    return 0.5 * erfc(-math.sqrt(0.5) * x)


def outside(x: Float[Array, "..."], low: ArrayLike, high: ArrayLike, width: ArrayLike) -> Float[Array, "..."]:
    """Share of a Gaussian of this width around x that leaves [low, high] clear, as a sum of two tails.

    1 - Phi((x - low)/width) Phi((high - x)/width), but not written so: deep inside, where the product rounds to 1, the
    difference is 0 while its slope is not.
    """
    below, above = (jnp.asarray(low) - x) / width, (x - jnp.asarray(high)) / width
    return normal_cdf(below) + normal_cdf(-below) * normal_cdf(above)


def normal_pdf(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Standard normal density."""
    return jnp.exp(-0.5 * x**2) / jnp.sqrt(2.0 * jnp.pi)


@dataclass(frozen=True)
class Resolution:
    """sigma_E in GeV and sigma_theta in rad as functions of the true energy in GeV; `words` says which, for reports."""

    name: str
    words: str
    sigma_energy: Callable[[Float[Array, "..."]], Float[Array, "..."]]
    sigma_theta: Callable[[Float[Array, "..."]], Float[Array, "..."]]


def _sigma_theta(energy):
    # (2.7 - ln E/GeV) degrees, arXiv:2308.02543; no less than 1 degree, which only matters above 5 GeV
    return jnp.deg2rad(jnp.maximum(2.7 - jnp.log(energy), 1.0))


RESOLUTIONS = {
    resolution.name: resolution
    for resolution in (
        Resolution(
            "flat",
            "11.5 % of the energy (nu_e CCQE average of MiniBooNE), (2.7 - ln E/GeV) degrees",
            lambda energy: 0.115 * energy,
            _sigma_theta,
        ),
        Resolution(
            "stochastic",
            "0.12 sqrt(E/GeV) + 0.01 GeV (the parametrisation of arXiv:2308.02543), (2.7 - ln E/GeV) degrees",
            lambda energy: 0.12 * jnp.sqrt(energy) + 0.01,
            _sigma_theta,
        ),
    )
}


def find_resolution(name: str) -> Resolution:
    """The resolution of that name."""
    if name not in RESOLUTIONS:
        raise reject("resolution", name, f"use one of {', '.join(RESOLUTIONS)}")
    return RESOLUTIONS[name]

"""Data drawn from the likelihood terms of this package: what a repeated experiment would find at a given expectation.

A statistical error of a background (Monte Carlo, a beam-off sample) that the likelihood profiles bin by bin is drawn
with the counts: the likelihood sees the difference of counts and background, whichever of the two fluctuates.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def poisson_counts(key: Array, expected: Float[Array, "..."]) -> Float[Array, "..."]:
    """Counts for `expected` events, bin by bin; none for an expectation at or below 0."""
    return jax.random.poisson(key, jnp.maximum(expected, 0.0)).astype(expected.dtype)


def poisson_counts_over(
    key: Array,
    signal: Float[Array, "..."],
    background: Float[Array, "..."],
    background_mc_error: Float[Array, "..."],
) -> Float[Array, "..."]:
    """Counts for signal + background, the background shifted by its own error in each bin: the counterpart of
    `terms.poisson_barlow_beeston`.
    """
    key_error, key_counts = jax.random.split(key)
    shift = background_mc_error * jax.random.normal(key_error, jnp.shape(background))
    return poisson_counts(key_counts, signal + background + shift)


def two_sided_gaussian(
    key: Array, predicted: Float[Array, "..."], sigma_minus: Float[Array, "..."], sigma_plus: Float[Array, "..."]
) -> Float[Array, "..."]:
    """A measured number for a predicted one, distributed as `terms.gaussian_log_likelihood` has it.

    A measured number below the prediction has the error `sigma_plus`, one above it `sigma_minus`; the density is the
    likelihood itself, so a side is as probable as its error is large and -2 ln L is a chi^2 of one number.
    """
    key_side, key_size = jax.random.split(key)
    below = jax.random.uniform(key_side, jnp.shape(predicted)) * (sigma_minus + sigma_plus) < sigma_plus
    size = jnp.abs(jax.random.normal(key_size, jnp.shape(predicted)))
    return predicted + jnp.where(below, -sigma_plus, sigma_minus) * size


def correlated_gaussian(
    key: Array, mean: Float[Array, " bins"], covariance: Float[Array, "bins bins"]
) -> Float[Array, " bins"]:
    """Numbers with this mean and (positive definite) covariance."""
    return mean + jnp.linalg.cholesky(covariance) @ jax.random.normal(key, mean.shape)

"""ln L at normal coordinates for samplers that take differences and logarithms of it: a number everywhere.

Where the likelihood is none, or 0, it is `HOPELESS`, which no draw survives.

Equal draws out of weighted ones.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.inference.sample.ensemble import log_posteriors
from anomfit.inference.undefined import Watch
from anomfit.problem import Problem


def equal_draws(weights: np.ndarray, number: int, key: Array) -> np.ndarray:
    """Indices of `number` draws of equal weight, in random order, from draws with `weights` that add up to 1.

    Systematic resampling: steps of 1/number through the summed weights from a random start, so that a draw comes twice
    only if its weight is above 1/number.
    """
    key_start, key_order = jax.random.split(key)
    steps = (np.arange(number) + float(jax.random.uniform(key_start))) / number
    found = np.minimum(np.searchsorted(np.cumsum(weights), steps, side="right"), len(weights) - 1)
    return found[np.asarray(jax.random.permutation(key_order, number))]


HOPELESS = -1e30  # ln L where it is none


def log_likelihoods(
    problem: Problem, z: Float[np.ndarray, "points coordinates"], watch: Watch, least: int = 0
) -> Float[np.ndarray, " points"]:
    """ln L with the prior's weight (`Problem.from_normal`); `watch` notes the points at which it is not a number.

    Computed for `least` points or more, the last one repeated: one shape, one program.
    """
    padded = np.concatenate([z, np.repeat(z[-1:], max(least - len(z), 0), axis=0)])
    value = np.asarray(log_posteriors(problem, jnp.asarray(padded)))[: len(z)] + 0.5 * np.sum(z**2, axis=1)
    undefined = np.isnan(value) | np.isposinf(value)
    watch.note(z, undefined)
    return np.where(undefined | (value < HOPELESS), HOPELESS, value)

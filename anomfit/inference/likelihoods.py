"""ln L at normal coordinates for samplers that take differences and logarithms of it: a number everywhere.

Where the likelihood is none, or 0, it is `HOPELESS`, which no draw survives.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from anomfit.inference.ensemble import log_posteriors
from anomfit.inference.undefined import Watch
from anomfit.problem import Problem

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

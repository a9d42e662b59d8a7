"""ln L at normal coordinates for samplers that take differences and logarithms of it: a number everywhere.

Where the likelihood is none, or 0, it is `HOPELESS`, which no draw survives. What such samplers weight is drawn equal
here, too.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.inference.compiled import asked_again, exact_problem
from anomfit.inference.devices import devices_for, each, spread
from anomfit.inference.undefined import Watch
from anomfit.measurements.base import is_lean
from anomfit.problem import Problem, parts_of, with_measurements

FEW = 16  # points outside of a table that are computed together
HOPELESS = -1e30  # ln L where it is none


def equal_draws(weights: np.ndarray, number: int, key: Array) -> np.ndarray:
    """Indices of `number` draws of equal weight, in random order, from draws with `weights` that add up to 1.

    Systematic resampling: steps of 1/number through the summed weights from a random start, so that a draw comes twice
    only if its weight is above 1/number.
    """
    key_start, key_order = jax.random.split(key)
    steps = (np.arange(number) + float(jax.random.uniform(key_start))) / number
    found = np.minimum(np.searchsorted(np.cumsum(weights), steps, side="right"), len(weights) - 1)
    return found[np.asarray(jax.random.permutation(key_order, number))]


def log_likelihoods(
    problem: Problem, z: Float[np.ndarray, "points coordinates"], watch: Watch, least: int = 0
) -> Float[np.ndarray, " points"]:
    """ln L with the prior's weight (`Problem.from_normal`); `watch` notes the points at which it is not a number.

    Computed for `least` points or more, the last one repeated: one shape, one program.
    """
    padded = np.concatenate([z, np.repeat(z[-1:], max(least - len(z), 0), axis=0)])
    value = np.asarray(log_posteriors(problem, jnp.asarray(padded)))[: len(z)] + 0.5 * np.sum(z**2, axis=1)
    watch.note(z, undefined_in(value))
    return numbers_of(value)


def undefined_in(values: np.ndarray) -> np.ndarray:
    """Where a logarithm of a likelihood is none."""
    return np.isnan(values) | np.isposinf(values)


def numbers_of(values: np.ndarray) -> np.ndarray:
    """The values, `HOPELESS` where they are none or below."""
    return np.where(undefined_in(values) | (values < HOPELESS), HOPELESS, values)


def log_posteriors(problem: Problem, z: Float[Array, "walkers coordinates"]) -> Float[Array, " walkers"]:
    """Log posterior densities in normal coordinates; not a number where the likelihood is none.

    The parts of the problem are compiled apart, as in `compiled`.
    """
    return _log_priors(with_measurements(problem, ()), z) + measured_log_likelihoods(problem, z)


def measured_log_likelihoods(problem: Problem, z: Float[Array, "walkers coordinates"]) -> Float[Array, " walkers"]:
    """ln L of the measurements alone, in normal coordinates; not a number where it is none."""
    total = jnp.zeros(z.shape[0])
    for _, part in parts_of(problem):
        found = _measured(part, z)
        if (exact := exact_problem(part)) is not None:
            found = asked_again(found, np.isnan(found), lambda i, exact=exact: _in_sixteens(exact, z[i]))
        total = total + found
    return total


def _in_sixteens(part: Problem, z) -> np.ndarray:
    """`_measured` of any number of points by one compiled program."""
    parts = []
    for first in range(0, len(z), FEW):
        lanes = np.minimum(np.arange(first, first + FEW), len(z) - 1)
        parts.append(np.asarray(_measured(part, z[lanes])))
    return np.concatenate(parts)[: len(z)]


@jax.jit
def _log_priors(bare: Problem, z):
    return _spread_over(lambda shared, x: shared.log_posterior(x), bare, z)


@jax.jit
def _measured(part: Problem, z):
    return _spread_over(lambda shared, x: shared.measured_log_likelihood(shared.from_normal(x)[0]), part, z)


def _spread_over(function, problem: Problem, z):
    lean = all(is_lean(m) for m in problem.measurements)

    def batch(shared, points):
        return each(lambda x: function(shared, x), points, lean)

    return spread(batch, devices_for(z.shape[0]))(problem, z)

"""Where chains start and how far they step: a first look at the posterior by weighted points, before any gradient."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from anomfit.inference.evaluate import forward
from anomfit.inference.nuts import log_prior
from anomfit.inference.straight import Straight, to_normal
from anomfit.problem import Problem

POINTS = 4096
ENOUGH = 60.0  # effective points that a covariance is taken from
PRIOR_POINTS = 5.0  # weight, in points, of a small multiple of the unit matrix in it


class Pilot(NamedTuple):
    """Starts in normal coordinates (chain, coordinates), and the posterior's covariance in the sampler's."""

    z: np.ndarray
    covariance: np.ndarray


def look(problem: Problem, coordinates: Straight, key: Array, chains: int) -> Pilot:
    """Draw points from the standard normal in the sampler's coordinates and weight them with the posterior.

    The weights are softened (raised to a power below 1) until `ENOUGH` points count: a start and a scale are all that
    is wanted, the chains do the rest.
    """
    key_points, key_choice = jax.random.split(key)
    w = jax.random.normal(key_points, (POINTS, len(problem.names)))
    z, points, log_ratio = _prepared(problem, coordinates, w)
    twice_nll = forward(problem, {name: np.asarray(x) for name, x in points.items()}).twice_nll
    log_weight = np.asarray(log_ratio) - 0.5 * twice_nll
    log_weight = np.where(np.isfinite(log_weight), log_weight, -np.inf)
    weight = _softened(log_weight)
    effective = 1.0 / np.sum(weight**2)
    centre = weight @ np.asarray(w)
    spread = (np.asarray(w) - centre) * np.sqrt(weight)[:, None]
    covariance = (effective * spread.T @ spread + PRIOR_POINTS * 1e-2 * np.eye(w.shape[1])) / (effective + PRIOR_POINTS)
    drawn = np.log(np.maximum(weight, 1e-300)) + np.asarray(jax.random.gumbel(key_choice, (POINTS,)))
    return Pilot(np.asarray(z)[np.argsort(-drawn)[:chains]], covariance)


def _softened(log_weight: np.ndarray) -> np.ndarray:
    power = 1.0
    while True:
        weight = np.exp(power * (log_weight - log_weight.max()))
        weight /= weight.sum()
        if 1.0 / np.sum(weight**2) >= ENOUGH or power < 1e-3:
            return weight
        power *= 0.8


@jax.jit
def _prepared(problem: Problem, coordinates: Straight, w):
    def one(w):
        z = to_normal(coordinates, w)[0]
        return z, problem.from_normal(z)[0], log_prior(problem, coordinates, w) + 0.5 * jnp.sum(w**2)

    return jax.vmap(one)(w)

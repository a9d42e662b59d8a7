"""A first look at the posterior by weighted points, before any gradient: coordinates, starts and scales for chains.

Points are drawn from the prior, then, round by round, in the coordinates learned from all points so far.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from anomfit.inference.coordinates import values_at_normal
from anomfit.inference.sample.learning_amplitudes import driven, learn_amplitudes
from anomfit.inference.sample.learning_conditionals import learn_conditionals
from anomfit.inference.sample.points import Points, draw, together
from anomfit.inference.sample.straight import Straight, from_normal, stack
from anomfit.inference.undefined import Watch
from anomfit.problem import Problem

PRIOR_POINTS = 8192
LOOKS, POINTS = 2, 4096  # rounds after the first, and points in each
ENOUGH = 300.0  # points of a round that must count
FEW = 5.0  # weight, in points, of a small multiple of the unit matrix in a covariance


class Pilot(NamedTuple):
    """Coordinates, starts in normal coordinates (chain, coordinates), and the posterior's covariance in the first;
    sentences about points without a likelihood.
    """

    coordinates: Straight
    z: np.ndarray
    covariance: np.ndarray
    problems: tuple[str, ...]


def look(problem: Problem, key: Array, chains: int) -> Pilot | None:
    """What chains need to start; None where no free parameter sets a measured rate."""
    measured = driven(problem)
    if not measured:
        return None
    rows = PRIOR_POINTS + LOOKS * POINTS
    key_prior, key_first, key_choice, *keys = jax.random.split(key, 3 + LOOKS)
    points = draw(problem, Straight(), key_prior, PRIOR_POINTS, ENOUGH)
    amplitudes = learn_amplitudes(problem, measured, points, rows, key_first)
    if not amplitudes:
        return None
    coordinates, others = Straight(None, stack(amplitudes)), [i for i in range(len(problem.names)) if i not in measured]
    for key_round in keys:
        key_points, key_amplitudes, key_conditionals = jax.random.split(key_round, 3)
        points = together(points, draw(problem, coordinates, key_points, POINTS, ENOUGH))
        amplitudes = learn_amplitudes(problem, measured, points, rows, key_amplitudes, amplitudes)
        conditionals = learn_conditionals(points, others, rows, key_conditionals)
        coordinates = Straight(conditionals, stack(amplitudes))
    starts = np.log(np.maximum(points.posterior, 1e-300)) + np.asarray(jax.random.gumbel(key_choice, (rows,)))
    watch = Watch("points of the first look", lambda z: values_at_normal(problem, z))
    watch.note(points.z, points.undefined)
    chosen = points.z[np.argsort(-starts)[:chains]]
    return Pilot(coordinates, chosen, _covariance(coordinates, points), watch.sentences(problem))


def _covariance(coordinates: Straight, points: Points) -> np.ndarray:
    w = np.asarray(_in_coordinates(coordinates, jnp.asarray(points.z)))
    spread = (w - points.posterior @ w) * np.sqrt(points.posterior)[:, None]
    n = points.effective
    return (n * spread.T @ spread + FEW * 1e-2 * np.eye(w.shape[1])) / (n + FEW)


@jax.jit
def _in_coordinates(coordinates: Straight, z):
    return jax.vmap(lambda x: from_normal(coordinates, x))(z)

"""The minimiser's angles: values and gradients there from the one compiled gradient, for any number of points."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.inference import coordinates
from anomfit.inference.compiled import gradients
from anomfit.problem import Problem

OFF_EDGE = 1e-6

Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@jax.jit
def values_at_angles(
    problem: Problem, angles: Float[Array, "points coordinates"]
) -> dict[str, Float[Array, " points"]]:
    """Parameters and pulls by name at the minimiser's coordinates."""
    return jax.vmap(problem.from_angle)(angles)


def prior_angles(problem: Problem, key: Array, points: int) -> np.ndarray:
    """(points, coordinates) points drawn from the prior, all pulls at 0."""
    u = np.asarray(jax.random.uniform(key, (points, len(problem.free))), dtype=float)
    if _has_gaussian(problem):
        u = np.clip(_fractions(problem, u), 0.0, 1.0)
    return np.concatenate([np.arcsin(2.0 * u - 1.0), np.zeros((points, len(problem.nuisances)))], axis=1)


def normal_angles(problem: Problem, z: Float[np.ndarray, "points coordinates"]) -> np.ndarray:
    """The minimiser's coordinates of points given in normal ones (`Problem.from_normal`), pulls as they are.

    Kept `OFF_EDGE` of a range away from its ends, where an angle has no slope.
    """
    free, inside = len(problem.free), np.clip(np.asarray(_fractions_of_normal(problem, z)), OFF_EDGE, 1.0 - OFF_EDGE)
    return np.concatenate([np.arcsin(2.0 * inside - 1.0), z[:, free:]], axis=1)


def quantiles(problem: Problem, angles: Float[np.ndarray, "points free"]) -> Float[np.ndarray, "points free"]:
    """The prior quantiles, points of the unit cube, of free parameters at the minimiser's coordinates."""
    fractions = 0.5 * (1.0 + np.sin(angles))
    return np.asarray(_quantiles(problem, fractions)) if _has_gaussian(problem) else fractions


def _has_gaussian(problem: Problem) -> bool:
    """Whether a prior is Gaussian; without one, a prior quantile is the fraction of a range."""
    return any(parameter.is_gaussian for parameter in problem.free)


@jax.jit
def _fractions(problem: Problem, u):
    return jax.vmap(lambda x: problem.to_fractions(problem.from_cube(x)[0]))(u)


@jax.jit
def _fractions_of_normal(problem: Problem, z):
    return jax.vmap(lambda x: problem.to_fractions(problem.from_normal(x)[0]))(z)


@jax.jit
def _quantiles(problem: Problem, fractions):
    return jax.vmap(lambda x: problem.to_cube(problem.from_fractions(x)))(fractions)


def scaled_points(problem: Problem, angles: np.ndarray) -> np.ndarray:
    """Scaled coordinates of points given in angles, inside the box."""
    values = {name: np.asarray(x) for name, x in values_at_angles(problem, jnp.asarray(angles)).items()}
    return np.array([coordinates.to_scaled(problem, {n: x[i] for n, x in values.items()}) for i in range(len(angles))])


def angle_gradients(problem: Problem, most: int) -> Evaluate:
    """A function of up to `most` points in angles (n, coordinates): -2 ln L (n,) and its gradients (n, coordinates).

    The maps of coordinates are compiled once, for `most` points.
    """

    def evaluate(angles):
        padded = jnp.asarray(np.concatenate([angles, np.repeat(angles[-1:], most - len(angles), axis=0)]))
        values, slopes = gradients(problem, np.asarray(_to_scaled(problem, padded))[: len(angles)])
        slopes = np.concatenate([slopes, np.zeros((most - len(angles), slopes.shape[1]))])
        return values, np.asarray(_pull_back(problem, padded, jnp.asarray(slopes)))[: len(angles)]

    return evaluate


@jax.jit
def _to_scaled(problem: Problem, angles):
    return jax.vmap(lambda a: coordinates.from_values(problem, problem.from_angle(a)))(angles)


@jax.jit
def _pull_back(problem: Problem, angles, slopes):
    """Gradients in angle coordinates from those in scaled ones: the chain rule through the map of coordinates."""

    def one(a, slope):
        return jax.vjp(lambda x: coordinates.from_values(problem, problem.from_angle(x)), a)[1](slope)[0]

    return jax.vmap(one)(angles, slopes)

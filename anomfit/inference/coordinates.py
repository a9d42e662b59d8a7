"""-2 ln L in the coordinates in which errors are quoted: ln(value) for log-uniform parameters, else the value; pulls.

HESSE, MINOS and the last polish of a fit work here, with the gradient from JAX. A bound that depends on other
parameters (an open decay) is a quadratic wall of width `WALL` outside it: the objective is defined in the whole box.
Beside them, the other coordinates: a minimiser's angles, which have no bounds, and a sampler's normal ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.parameters import Parameter
from anomfit.problem import Problem
from anomfit.statistics.terms import minus_two

WALL = 0.01
PULL_LIMIT = 10.0
OFF_EDGE = 1e-6


def scaled_twice_nll(problem: Problem, s: Float[Array, " coordinates"]) -> Float[Array, ""]:
    """-2 ln L at scaled coordinates `s` (order of `problem.names`), plus the wall outside an open region."""
    return measured_twice_nll(problem, s) + penalty_and_wall(problem, s)


def measured_twice_nll(problem: Problem, s: Float[Array, " coordinates"]) -> Float[Array, ""]:
    """-2 ln L of the measurements at scaled coordinates, without the nuisances' own data and without the wall."""
    return minus_two(problem.measured_log_likelihood(_named(problem, s)))


def penalty_and_wall(problem: Problem, s: Float[Array, " coordinates"]) -> Float[Array, ""]:
    """What the nuisances' own data say at scaled coordinates, and the wall outside an open region."""
    named = _named(problem, s)
    return problem.penalty(named) + _wall(problem, {p.name: named[p.name] for p in problem.free})


def _named(problem: Problem, s) -> dict[str, Array]:
    """Values and pulls by name at scaled coordinates."""
    values = {p.name: jnp.exp(x) if p.is_log else x for p, x in zip(problem.free, s, strict=False)}
    return {**values, **dict(zip((n.name for n in problem.nuisances), s[len(problem.free) :], strict=True))}


@dataclass(frozen=True)
class Box:
    """Limits of the scaled coordinates; `widths` is a parameter's range, or `PULL_LIMIT` for a pull."""

    low: np.ndarray
    high: np.ndarray
    widths: np.ndarray


def box(problem: Problem) -> Box:
    """The box of a problem: its parameters' bounds, and +-`PULL_LIMIT` for pulls."""
    pulls = np.full(len(problem.nuisances), PULL_LIMIT)
    low = np.array([scale(p, p.low) for p in problem.free])
    high = np.array([scale(p, p.high) for p in problem.free])
    return Box(np.append(low, -pulls), np.append(high, pulls), np.append(high - low, pulls))


def scale(parameter: Parameter, value: float) -> float:
    """A parameter's value in its scaled coordinate."""
    return float(np.log(value)) if parameter.is_log else float(value)


def from_values(problem: Problem, values: Mapping[str, Array]) -> Float[Array, " coordinates"]:
    """Scaled coordinates of traced `values`, parameters and pulls by name, wherever they are."""
    free = [jnp.log(values[p.name]) if p.is_log else values[p.name] for p in problem.free]
    return jnp.stack([*free, *(values[n.name] for n in problem.nuisances)])


def to_scaled(problem: Problem, values: Mapping[str, float]) -> np.ndarray:
    """Scaled coordinates of `values` (parameters and pulls by name; a pull not given is 0), inside the box."""
    limits = box(problem)
    s = [scale(p, values[p.name]) for p in problem.free] + [float(values.get(n.name, 0.0)) for n in problem.nuisances]
    return np.clip(np.array(s), limits.low, limits.high)


def from_scaled(problem: Problem, s: np.ndarray) -> dict[str, float]:
    """Parameters in their own units and pulls, by name; rounding never leaves a parameter's bounds."""
    values = {}
    for parameter, x in zip(problem.free, s, strict=False):
        value = float(np.exp(x)) if parameter.is_log else float(x)
        values[parameter.name] = min(max(value, parameter.low), parameter.high)
    return {**values, **{n.name: float(x) for n, x in zip(problem.nuisances, s[len(problem.free) :], strict=True)}}


def project(problem: Problem, s: np.ndarray) -> np.ndarray:
    """`s` with every parameter that leaves its open region (its `upper` bound) moved back onto the region's edge."""
    values = {**{name: float(x) for name, x in problem.fixed.items()}, **from_scaled(problem, s)}
    for parameter in problem.free:
        bound = problem.parametrisation.upper.get(parameter.name)
        if bound is not None:
            limit = max(float(bound({n: jnp.asarray(x) for n, x in values.items()})), parameter.low)
            values[parameter.name] = min(values[parameter.name], limit)
    return to_scaled(problem, values)


def _wall(problem: Problem, values) -> Float[Array, ""]:
    known = {**{name: jnp.asarray(value) for name, value in problem.fixed.items()}, **values}
    total = jnp.zeros(())
    for parameter in problem.free:
        bound = problem.parametrisation.upper.get(parameter.name)
        if bound is not None:
            limit = jnp.maximum(bound(known), parameter.low)
            value = known[parameter.name]
            excess = jnp.log(value / limit) if parameter.is_log else value - limit
            total = total + (jnp.maximum(excess, 0.0) / WALL) ** 2
    return total


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


def scaled_at_angles(problem: Problem, angles: np.ndarray) -> np.ndarray:
    """Scaled coordinates of points given in angles, inside the box."""
    values = {name: np.asarray(x) for name, x in values_at_angles(problem, jnp.asarray(angles)).items()}
    return np.array([to_scaled(problem, {n: x[i] for n, x in values.items()}) for i in range(len(angles))])


@jax.jit
def scaled_at_normal(problem: Problem, z: Float[Array, "points coordinates"]) -> Float[Array, "points coordinates"]:
    """Scaled coordinates of points given in normal ones (`Problem.from_normal`)."""
    return jax.vmap(lambda x: from_values(problem, problem.from_normal(x)[0]))(z)


def values_at_normal(problem: Problem, z: Float[np.ndarray, "points coordinates"]) -> dict[str, np.ndarray]:
    """Parameters and pulls by name at normal coordinates."""
    return {name: np.asarray(x) for name, x in _values_at_normal(problem, z).items()}


@jax.jit
def _values_at_normal(problem: Problem, z):
    return jax.vmap(lambda x: problem.from_normal(x)[0])(z)

"""-2 ln L in the coordinates in which errors are quoted: ln(value) for log-uniform parameters, else the value; pulls.

HESSE, MINOS and the last polish of a fit work here, with the gradient from JAX. A bound that depends on other
parameters (an open decay) is a quadratic wall of width `WALL` outside it: the objective is defined in the whole box.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.parameters import Parameter
from anomfit.problem import Problem
from anomfit.statistics.terms import minus_two

WALL = 0.01
PULL_LIMIT = 10.0


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

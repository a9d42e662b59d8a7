"""Measurements that stand in for exact ones, such as those from tables: where they do not hold, the exact one is asked.

Nothing branches inside a compiled program: it says what is not a number, and such points are given to the exact one.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from anomfit.measurements.base import StandsIn
from anomfit.problem import Problem


def exact_problem(problem: Problem) -> Problem | None:
    """The problem with every stand-in replaced by its exact measurement; None where there is no stand-in."""
    if not any(isinstance(m, StandsIn) for m in problem.measurements):
        return None
    return replace(problem, measurements=tuple(m.exact if isinstance(m, StandsIn) else m for m in problem.measurements))


def asked_again(found: Any, broken: Bool[np.ndarray, " points"], ask: Callable[[np.ndarray], Any]) -> Any:
    """`found`, arrays over points, with what `ask` says of the places of the `broken` ones put in."""
    places = np.flatnonzero(broken)
    if not places.size:
        return found

    def put(old, new):
        whole = np.array(old)
        whole[places] = new
        return whole

    return jax.tree.map(put, found, ask(places))


@jax.jit
def holds(problem: Problem, points: Mapping[str, Float[Array, "points"]]) -> Bool[Array, "points"]:
    """Whether every stand-in of the problem holds at the points, by parameters' names."""

    def at(parameters):
        point, nuisances = problem.physical_point(parameters), problem.nuisance_values(parameters)
        found = [m.holds_at(problem.model, point, nuisances) for m in problem.measurements if isinstance(m, StandsIn)]
        return jnp.all(jnp.stack(found)) if found else jnp.array(True)

    return jax.lax.map(at, dict(points), batch_size=256)

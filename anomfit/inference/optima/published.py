"""How a model's published points stand in a problem, and where they rank among what a search found."""

from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np

from anomfit.inference import coordinates
from anomfit.inference.fit.descent import descend_held
from anomfit.inference.optima.search import Search
from anomfit.inference.optima.standing import Standings, standings
from anomfit.problem import Problem

ROUNDS = 60


@dataclass(frozen=True)
class PublishedPoint:
    """A published point with its own values of all parameters, nuisance parameters fitted to it.

    rank: 1 + the number of the search's ends with a lower -2 ln L. `remarks` say where it lies outside of the problem:
    another value of a fixed parameter, or a value out of range.
    """

    name: str
    values: dict[str, float]
    twice_nll: float
    rank: int
    failing: tuple[str, ...]
    standing: Standings
    remarks: tuple[str, ...]


def published_points(problem: Problem, search: Search) -> tuple[PublishedPoint, ...]:
    """Every published point of the problem's model, in its order."""
    found = []
    for name, point in problem.model.points.items():
        physical = {key: jnp.asarray(float(value)) for key, value in point.items()}
        converted = problem.parametrisation.from_physical(physical)
        values = {key: float(converted[key]) for key in problem.parametrisation.names if key in converted}
        if set(problem.parametrisation.names) <= set(values):
            found.append(_stand(problem, search, name, values))
    return tuple(found)


def _stand(problem: Problem, search: Search, name: str, values: dict[str, float]) -> PublishedPoint:
    moved = replace(problem, fixed={key: jnp.asarray(values[key]) for key in problem.fixed})
    pulls = _fitted_pulls(moved, values)
    at = {key: np.array([x]) for key, x in {**values, **pulls}.items()}
    standing = standings(moved, at)
    twice_nll = float(standing.twice_nll[0])
    return PublishedPoint(
        name=name,
        values=values,
        twice_nll=twice_nll,
        rank=1 + int(np.sum(search.standing.twice_nll < twice_nll)),
        failing=standing.failing(0),
        standing=standing,
        remarks=_remarks(problem, values),
    )


def _fitted_pulls(problem: Problem, values: dict[str, float]) -> dict[str, float]:
    """The pulls that fit best with all parameters held."""
    if not problem.nuisances:
        return {}
    held = np.arange(len(problem.names)) < len(problem.free)
    start = [coordinates.scale(p, values[p.name]) for p in problem.free] + [0.0] * len(problem.nuisances)
    ended, _ = descend_held(problem, np.array([start]), held, ROUNDS)
    return {n.name: float(x) for n, x in zip(problem.nuisances, ended[0, len(problem.free) :], strict=True)}


def _remarks(problem: Problem, values: dict[str, float]) -> tuple[str, ...]:
    moved = [
        f"{name} = {values[name]:.4g}, here fixed to {float(fixed):.4g}"
        for name, fixed in problem.fixed.items()
        if not np.isclose(values[name], float(fixed), rtol=1e-9, atol=0.0)
    ]
    outside = [
        f"{p.name} = {values[p.name]:.4g} is out of range"
        for p in problem.free
        if not p.low <= values[p.name] <= p.high
    ]
    return (*moved, *outside)

"""Data thrown from the likelihoods of a problem, for any number of points or toys through one compiled program.

A throw replaces the data of each measurement and the centres of the nuisances; beams, tables and everything else stay
what they are. Only what changes is kept for each throw, by its place among the leaves of the measurements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.errors import InputError
from anomfit.inference.devices import each
from anomfit.measurements.base import CanBeThrown, Measurement, Prediction
from anomfit.problem import Problem


class Thrown(NamedTuple):
    """n throws: what changes of the measurements' leaves, and the nuisances' centres, all with the leading axis n."""

    leaves: tuple[Any, ...]
    centres: Float[Array, "throws nuisances"]


def check_throwable(measurements: Sequence[Measurement]) -> None:
    """InputError for a measurement with data that does not say how they are distributed."""
    for measurement in measurements:
        if measurement.independent_numbers and not isinstance(measurement, CanBeThrown):
            raise InputError(
                f"{measurement.name}: it cannot be thrown for toys; give it a method "
                "simulate(prediction, nuisances, key) that returns the measurement with other data"
            )


def changing(problem: Problem, predictions: Sequence[Prediction]) -> tuple[int, ...]:
    """The places, among the leaves of the problem's measurements, of what a throw replaces."""
    found: list[int] = []

    def look(measurements, predictions, pulls, key):
        after = _simulated(measurements, predictions, problem.nuisance_values(pulls), key)
        pairs = zip(jax.tree.leaves(measurements), jax.tree.leaves(after), strict=True)
        found[:] = [i for i, (before, now) in enumerate(pairs) if now is not before]
        return ()

    pulls = {n.name: jnp.zeros(()) for n in problem.nuisances}
    jax.eval_shape(look, problem.measurements, tuple(predictions), pulls, jax.random.key(0))
    return tuple(found)


def throw(problem: Problem, predictions: Sequence[Prediction], pulls: Mapping[str, float], keys: Array) -> Thrown:
    """One data set a key at one point: `predictions` there, `pulls` the true values of the nuisances."""
    true = {n.name: jnp.asarray(float(pulls.get(n.name, 0.0))) for n in problem.nuisances}
    places = changing(problem, predictions)
    return _throw_at_one(problem, tuple(predictions), true, keys, places=places)


def with_data(problem: Problem, places: tuple[int, ...], leaves: Sequence[Any], centres: Float[Array, " nuisances"]):
    """The problem with one throw's data in place of its own."""
    flat, structure = jax.tree.flatten(problem.measurements)
    for place, leaf in zip(places, leaves, strict=True):
        flat[place] = leaf
    return replace(problem, measurements=jax.tree.unflatten(structure, flat), centres=centres)


def replicas(
    problem: Problem,
    points: Mapping[str, Float[np.ndarray, " n"]],
    signals: Sequence[Mapping[str, Float[np.ndarray, "n bins"]]],
    key: Array,
) -> list[Float[np.ndarray, "n bins"] | None]:
    """Data like the observed ones, one set a point, for every measurement that has data and can be thrown.

    `points`: parameters and pulls by name; `signals`: every measurement's prediction there, by component.
    """
    n = len(next(iter(points.values())))
    predictions = tuple(Prediction({k: jnp.asarray(x) for k, x in one.items()}, {}) for one in signals)
    places = changing(problem, jax.tree.map(lambda x: x[0], predictions))
    pulls = {nuisance.name: jnp.asarray(points.get(nuisance.name, np.zeros(n))) for nuisance in problem.nuisances}
    leaves = _throw_at_each(problem, predictions, pulls, jax.random.split(key, n), places=places)
    flat, structure = jax.tree.flatten(problem.measurements)
    found = []
    for i in range(n):
        for place, leaf in zip(places, leaves, strict=True):
            flat[place] = leaf[i]
        found.append(jax.tree.unflatten(structure, flat))
    return [
        np.array([[entry.data for entry in one[k].bins()] for one in found])
        if measurement.independent_numbers and isinstance(measurement, CanBeThrown)
        else None
        for k, measurement in enumerate(problem.measurements)
    ]


def _simulated(measurements, predictions, nuisances, key):
    thrown = []
    for i, (measurement, prediction) in enumerate(zip(measurements, predictions, strict=True)):
        own = jax.random.fold_in(key, i)
        can = isinstance(measurement, CanBeThrown)
        thrown.append(measurement.simulate(prediction, nuisances, own) if can else measurement)
    return tuple(thrown)


def _changed(problem: Problem, predictions, pulls, key, places):
    after = jax.tree.leaves(_simulated(problem.measurements, predictions, problem.nuisance_values(pulls), key))
    return tuple(after[place] for place in places)


@partial(jax.jit, static_argnames=("places",))
def _throw_at_one(problem: Problem, predictions, pulls, keys, places):
    true = jnp.stack([pulls[n.name] for n in problem.nuisances]) if problem.nuisances else jnp.zeros(0)

    def one(key):
        key_data, key_centres = jax.random.split(key)
        centres = true + jax.random.normal(key_centres, true.shape)
        return Thrown(_changed(problem, predictions, pulls, key_data, places), centres)

    return each(one, keys)


@partial(jax.jit, static_argnames=("places",))
def _throw_at_each(problem: Problem, predictions, pulls, keys, places):
    return each(lambda at: _changed(problem, at[0], at[1], at[2], places), (predictions, pulls, keys))

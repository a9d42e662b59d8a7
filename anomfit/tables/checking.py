"""How far a table is from the exact rule at random points: bin by bin, in units of what predictions are asked to hold.

A bin's tolerance is 1e-3 of it, or 1e-2 of its statistical error if that is more; a signal of more than 1000 events,
which any data exclude, counts as 1000 (as in benchmarks/convergence.py).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit import interrupts
from anomfit.measurements.base import Measurement, is_limit
from anomfit.problem import Problem

LARGEST = 1000.0  # events
AT_ONCE = 16
WITHIN, WORST = (
    0.01,
    3.0,
)  # share of points that may be beyond the tolerance, and by how much, where tables are a default


class Errors(NamedTuple):
    """Of the points that a table holds: the worst bin of each over its tolerance, and the total over the exact one less
    1 (0 without signal); points: how many were looked at in all.
    """

    worst_bin: Float[np.ndarray, "held"]
    total: Float[np.ndarray, "held"]
    points: int

    @property
    def passes(self) -> bool:
        """Whether so few are beyond the tolerance, and by so little, that a table may be used unasked."""
        return bool(np.mean(self.worst_bin > 1.0) <= WITHIN and np.max(self.worst_bin, initial=0.0) <= WORST)

    def sentence(self) -> str:
        """For a report."""
        if not len(self.worst_bin):
            return f"none of {self.points} points is inside of the table"
        median, most, worst = np.quantile(self.worst_bin, [0.5, 0.99, 1.0])
        beyond = np.mean(self.worst_bin > 1.0)
        words = f"error over tolerance in the worst bin: median {median:.2g}, 99 % {most:.2g}, worst {worst:.2g}"
        outside = self.points - len(self.worst_bin)
        return f"{words}; {beyond:.1%} of {len(self.worst_bin)} points beyond it; {outside} more outside of the table"


def errors_at(
    exact: Problem, tabulated: Problem, normal: Float[np.ndarray, "points coordinates"], show: Callable | None = None
) -> Errors:
    """At points in normal coordinates, of the first measurement of both problems."""
    worst, totals = [], []
    for first in range(0, len(normal), AT_ONCE):
        interrupts.check()
        part = normal[first : first + AT_ONCE]
        filled = jnp.asarray(part[np.minimum(np.arange(AT_ONCE), len(part) - 1)])
        reference, found = (np.asarray(_signals(problem, filled))[: len(part)] for problem in (exact, tabulated))
        held = np.all(np.isfinite(found), axis=1) & np.all(np.isfinite(reference), axis=1)
        worst.append(over_tolerance(found[held], reference[held], exact.measurements[0]))
        sums = np.sum(reference[held], axis=1)
        some = np.abs(sums) > 1e-12
        totals.append(np.where(some, np.sum(found[held], axis=1) / np.where(some, sums, 1.0) - 1.0, 0.0))
        if show is not None:
            show("check", min(first + AT_ONCE, len(normal)), len(normal))
    return Errors(np.concatenate(worst), np.concatenate(totals), len(normal))


def over_tolerance(
    found: Float[np.ndarray, "points bins"], reference: Float[np.ndarray, "points bins"], measurement: Measurement
) -> Float[np.ndarray, "points"]:
    """The worst bin of each point of a measurement's predictions, its error over its tolerance.

    The ratio to a limit has the limit's own error, for any prediction.
    """
    scale = np.minimum(1.0, LARGEST / np.maximum(np.sum(reference, axis=1, keepdims=True), 1e-30))
    signal = scale * reference
    if is_limit(measurement):
        error = np.array([one.error for one in measurement.bins()])
    else:
        error = np.sqrt(np.array([one.data for one in measurement.bins()]) + np.maximum(signal, 0.0))
    tolerance = np.maximum(1e-3 * signal, 1e-2 * error)
    return np.max(scale * np.abs(found - reference) / tolerance, axis=1, initial=0.0)


def prior_points(problem: Problem, number: int, seed: int) -> Float[np.ndarray, "points coordinates"]:
    """Normal coordinates of points drawn from the prior, nuisances included."""
    return np.random.default_rng(seed).normal(size=(number, len(problem.names)))


@jax.jit
def _signals(problem: Problem, normal: Array) -> Array:
    """(points, bins): the first measurement's."""

    def at(z):
        parameters, _ = problem.from_normal(z)
        point, nuisances = problem.physical_point(parameters), problem.nuisance_values(parameters)
        return problem.measurements[0].predict(problem.model, point, nuisances).total

    return jax.lax.map(at, normal, batch_size=4)

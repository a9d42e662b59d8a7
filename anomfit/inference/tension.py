"""Each measurement alone and all but it: the fits behind the tension between measurements.

Every sub-fit is the same problem with weights 0 or 1 on its measurements. Weights are data, so that one compiled
program serves them all, and a measurement of weight 0 is not computed. Starts are the optima of the joint fit and
prior points that the joint fit's own program ranks for each choice of measurements.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.errors import reject
from anomfit.inference import scaled
from anomfit.inference.descent import descend
from anomfit.inference.evaluate import forward, gradients
from anomfit.inference.minimise import Fit, Progress, values_at_angles
from anomfit.inference.uncertainties import hesse
from anomfit.measurements.base import Bin, Measurement, Prediction
from anomfit.parameters import Nuisance, Point
from anomfit.problem import Problem
from anomfit.statistics.tension import Minimum, Tension

SCREENED = 256  # prior points ranked for every sub-fit at once
STARTS = 6  # of each sub-fit, the joint best fit among them
ROUNDS = 200
INSIDE = 1e-3  # starts keep this distance, in ranges, to their bounds, where the angles below have no slope
SHARED = 0.05  # a square of a shared pull above this is said


@dataclass(frozen=True)
class Weighted:
    """A measurement whose likelihood counts `weight` times; with weight 0 nothing of it is computed."""

    measurement: Measurement
    weight: Float[Array, ""]

    @property
    def name(self) -> str:
        """The measurement's."""
        return self.measurement.name

    @property
    def era(self) -> str:
        """The measurement's."""
        return self.measurement.era

    @property
    def title(self) -> str:
        """The measurement's."""
        return self.measurement.title

    @property
    def samples(self) -> frozenset[str]:
        """The measurement's."""
        return self.measurement.samples

    @property
    def accepts(self) -> tuple[type, ...]:
        """The measurement's."""
        return self.measurement.accepts

    @property
    def nuisances(self) -> tuple[Nuisance, ...]:
        """The measurement's."""
        return self.measurement.nuisances

    @property
    def references(self) -> tuple[str, ...]:
        """The measurement's."""
        return self.measurement.references

    @property
    def choices(self) -> Mapping[str, str]:
        """The measurement's."""
        return self.measurement.choices

    def bins(self) -> list[Bin]:
        """The measurement's."""
        return self.measurement.bins()

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """The measurement's prediction, zeros where it has no weight."""

        def computed(given):
            return self.measurement.predict(model, *given)

        shapes = jax.eval_shape(computed, (point, nuisances))
        nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
        return jax.lax.cond(self.weight > 0.0, computed, lambda given: nothing, (point, nuisances))

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """ln L times the weight."""
        found = self.measurement.log_likelihood(prediction, nuisances)
        return self.weight * jnp.where(self.weight > 0.0, found, 0.0)

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """chi^2 times the weight."""
        return self.weight * self.measurement.chi_squared(prediction, nuisances)

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "bins"]:
        """The measurement's."""
        return self.measurement.pulls(prediction, nuisances)


jax.tree_util.register_dataclass(Weighted, data_fields=["measurement", "weight"], meta_fields=[])


def tensions(problem: Problem, fit: Fit, key: Array, progress: Progress | None = None) -> tuple[Tension, ...]:
    """The parameter goodness of fit of each measurement of `problem` against the others; `fit` is the joint fit.

    A nuisance that several measurements use is constrained in every sub-fit that uses it. That counts its constraint
    twice, by as much as the squares of its pulls, which a note states where it matters. `progress(stage, done, total)`
    is called after each sub-fit. Raises InputError for fewer than two measurements.
    """
    count, report = len(problem.measurements), progress or (lambda stage, done, total: None)
    if count < 2:
        raise reject("tension", count, "fit at least two measurements, or leave the tension out")
    names = [f"{m.name}:{m.era}" for m in problem.measurements]
    candidates, ranks = _candidates(problem, fit, key)
    parts = [frozenset({i}) for i in range(count)]
    chosen = dict.fromkeys([*parts, *(frozenset(range(count)) - part for part in parts)])
    report("tension", 0, len(chosen))
    found: dict[frozenset[int], Fit] = {}
    for done, subset in enumerate(chosen):
        ordered = candidates[np.argsort(np.sum(ranks[:, sorted(subset)], axis=1), kind="stable")]
        starts = np.vstack([scaled.to_scaled(problem, fit.point), ordered[: STARTS - 1]])
        found[subset] = minimum_of(problem, subset, starts, fit)
        report("tension", done + 1, len(chosen))
    whole = Minimum(fit.twice_nll, hesse(problem, fit).effective_parameters)
    minima = {subset: _minimum(problem, subset, sub_fit) for subset, sub_fit in found.items()}
    return tuple(
        Tension(names[i], whole, minima[part], minima[rest], _note(problem, found[part], found[rest]))
        for i, part in enumerate(parts)
        for rest in [frozenset(range(count)) - part]
    )


def weighted(problem: Problem, subset: frozenset[int]) -> Problem:
    """The problem with the likelihoods of the measurements in `subset` alone; nuisances and parameters stay."""
    measurements = tuple(
        Weighted(measurement, jnp.asarray(float(i in subset))) for i, measurement in enumerate(problem.measurements)
    )
    return replace(problem, measurements=measurements)


def minimum_of(problem: Problem, subset: frozenset[int], starts: np.ndarray, joint: Fit) -> Fit:
    """The best fit to some of the measurements, from `starts` in scaled coordinates; never above the first of them."""
    part = weighted(problem, subset)
    at_first, _ = gradients(part, starts[:1])
    ends, values = descend(partial(_at_angles, part), _to_angles(part, starts), ROUNDS, lambda done: None)
    best = int(np.argmin(np.where(np.isfinite(values), values, np.inf)))
    s = scaled.project(part, _from_angles(part, ends[best : best + 1])[0])
    value = float(gradients(part, s[None])[0][0])
    if not value <= at_first[0]:
        s, value = starts[0], float(at_first[0])
    point = scaled.from_scaled(problem, s)
    return replace(
        joint,
        values={p.name: point[p.name] for p in problem.free},
        pulls={n.name: point[n.name] for n in problem.nuisances},
        twice_nll=value,
        optima=(),
    )


def _minimum(problem: Problem, subset: frozenset[int], fit: Fit) -> Minimum:
    return Minimum(fit.twice_nll, hesse(weighted(problem, subset), fit).effective_parameters)


def _candidates(problem: Problem, fit: Fit, key: Array) -> tuple[np.ndarray, np.ndarray]:
    """Scaled coordinates of the joint optima and of prior points, and the chi^2 of each measurement there."""
    u = np.asarray(jax.random.uniform(key, (SCREENED, len(problem.free))), dtype=float)
    angles = np.concatenate([np.arcsin(2.0 * u - 1.0), np.zeros((SCREENED, len(problem.nuisances)))], axis=1)
    table = {name: np.asarray(x) for name, x in values_at_angles(problem, jnp.asarray(angles)).items()}
    optima = [optimum.values for optimum in fit.optima[1:STARTS]]
    points = {name: np.append([optimum[name] for optimum in optima], x) for name, x in table.items()}
    ranks = np.stack(forward(problem, points).chi_squared, axis=1)
    rows = [{name: float(x[i]) for name, x in points.items()} for i in range(len(ranks))]
    return np.array([scaled.to_scaled(problem, row) for row in rows]), np.where(np.isfinite(ranks), ranks, np.inf)


def _to_angles(problem: Problem, s: np.ndarray) -> np.ndarray:
    """Unbounded coordinates: parameters are the middle of their range plus half of it times the sine of the angle."""
    limits, n = scaled.box(problem), len(problem.free)
    u = np.clip((s - limits.low) / (limits.high - limits.low), INSIDE, 1.0 - INSIDE)
    return np.concatenate([np.arcsin(2.0 * u[:, :n] - 1.0), s[:, n:]], axis=1)


def _from_angles(problem: Problem, angles: np.ndarray) -> np.ndarray:
    limits, n = scaled.box(problem), len(problem.free)
    inside = limits.low[:n] + limits.widths[:n] * 0.5 * (1.0 + np.sin(angles[:, :n]))
    return np.concatenate([inside, np.clip(angles[:, n:], limits.low[n:], limits.high[n:])], axis=1)


def _at_angles(problem: Problem, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = len(problem.free)
    values, slopes = gradients(problem, _from_angles(problem, angles))
    stretch = 0.5 * scaled.box(problem).widths[:n] * np.cos(angles[:, :n])
    return values, np.concatenate([slopes[:, :n] * stretch, slopes[:, n:]], axis=1)


def _note(problem: Problem, alone: Fit, others: Fit) -> str:
    """What the constraints that both sides use can have moved chi^2 by, where that is not negligible."""
    twice = {name: min(alone.pulls[name] ** 2, others.pulls[name] ** 2) for name in alone.pulls}
    shared = {name: square for name, square in twice.items() if square > SHARED}
    if not shared:
        return ""
    words = ", ".join(f"{name} ({square:.2f})" for name, square in shared.items())
    return f"constrained on both sides, chi^2 uncertain by: {words}"

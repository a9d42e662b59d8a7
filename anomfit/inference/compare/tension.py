"""Each measurement alone and all but it: the fits behind the tension between measurements.

Every sub-fit is the same problem with some of its measurements. Its parts are those of the joint fit, whose compiled
programs serve it. Starts are the optima of the joint fit and
prior points that the joint fit's own program ranks for each choice of measurements.
"""

from collections.abc import Sequence
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from anomfit.errors import reject
from anomfit.inference import coordinates
from anomfit.inference.compiled import forward, gradients, hessian
from anomfit.inference.coordinates import prior_angles, values_at_angles
from anomfit.inference.fit.descent import descend_held
from anomfit.inference.fit.minimise import Fit, Progress
from anomfit.problem import Problem, with_measurements
from anomfit.statistics.tension import Minimum, Tension, determined_parameters

SCREENED = 256  # prior points ranked for every sub-fit at once
STARTS = 6  # of each sub-fit, the joint best fit among them
ROUNDS = 200
SHARED = 0.05  # a square of a shared pull above this is said


def tensions(
    problem: Problem, fit: Fit, key: Array, parts: Sequence[int] | None = None, progress: Progress | None = None
) -> tuple[Tension, ...]:
    """The parameter goodness of fit of measurements of `problem` against all others; `fit` is the joint fit.

    parts: indices of the measurements that get one, by default all; limits, say, have none of their own and belong to
    the others. A nuisance that several measurements use is constrained in every sub-fit that uses it. That counts its
    constraint twice, by as much as the squares of its pulls, which a note states where it matters. `progress(stage,
    done, total)` is called after each sub-fit. Raises InputError for fewer than two measurements.
    """
    report, every = progress or (lambda stage, done, total: None), frozenset(range(len(problem.measurements)))
    check_tension(problem, parts)
    singles = [frozenset({i}) for i in (every if parts is None else parts)]
    names = [f"{m.name}:{m.era}" for m in problem.measurements]
    candidates, ranks = _candidates(problem, fit, key)
    chosen = dict.fromkeys([*singles, *(every - part for part in singles)])
    report("tension", 0, len(chosen))
    found: dict[frozenset[int], tuple[Fit, Minimum]] = {}
    for done, subset in enumerate(chosen):
        ordered = candidates[np.argsort(np.sum(ranks[:, sorted(subset)], axis=1), kind="stable")]
        starts = np.vstack([coordinates.to_scaled(problem, fit.point), ordered[: STARTS - 1]])
        found[subset] = _minimum(with_measurements(problem, sorted(subset)), starts, fit)
        report("tension", done + 1, len(chosen))
    whole = Minimum(fit.twice_nll, _determined(problem, coordinates.to_scaled(problem, fit.point)))
    return tuple(_compared(names, part, whole, found[part], found[every - part]) for part in singles)


def check_tension(problem: Problem, parts: Sequence[int] | None = None) -> None:
    """InputError for fewer than two measurements, and when none of them is among the `parts`."""
    number = len(problem.measurements)
    if number < 2 or (parts is not None and not parts):
        raise reject("tension", number, "fit at least two measurements, or leave the tension out")


def _minimum(problem: Problem, starts: np.ndarray, joint: Fit) -> tuple[Fit, Minimum]:
    """The best fit to a sub-problem, from `starts` in scaled coordinates; never above the first, the joint fit."""
    at_joint = float(gradients(problem, starts[:1])[0][0])
    ends, values = descend_held(problem, starts, np.zeros(starts.shape[1], dtype=bool), ROUNDS)
    best = int(np.argmin(np.where(np.isfinite(values), values, np.inf)))
    s = coordinates.project(problem, ends[best])
    value = float(gradients(problem, s[None])[0][0])
    if not value <= at_joint:
        s, value = starts[0], at_joint
    point = coordinates.from_scaled(problem, s)
    found = replace(joint.moved(problem, point, value), optima=())
    return found, Minimum(value, _determined(problem, s), at_joint - value)


def _determined(problem: Problem, s: np.ndarray) -> float:
    """`determined_parameters` at scaled coordinates, the nuisances profiled."""
    n, widths = len(problem.free), coordinates.box(problem).widths
    second = 0.5 * np.nan_to_num(hessian(problem, s)) * np.outer(widths, widths)
    across = np.linalg.pinv(second[n:, n:], hermitian=True) @ second[n:, :n]
    return determined_parameters(second[:n, :n] - second[:n, n:] @ across)


def _compared(names, part: frozenset[int], whole: Minimum, alone, others) -> Tension:
    (fit_alone, minimum_alone), (fit_others, minimum_others) = alone, others
    name = names[next(iter(part))]
    return Tension(name, whole, minimum_alone, minimum_others, _note(fit_alone, fit_others))


def _candidates(problem: Problem, fit: Fit, key: Array) -> tuple[np.ndarray, np.ndarray]:
    """Scaled coordinates of the joint optima and of prior points, and the chi^2 of each measurement there."""
    angles = jnp.asarray(prior_angles(problem, key, SCREENED))
    table = {name: np.asarray(x) for name, x in values_at_angles(problem, angles).items()}
    optima = [optimum.values for optimum in fit.optima[1:STARTS]]
    points = {name: np.append([optimum[name] for optimum in optima], x) for name, x in table.items()}
    ranks = np.stack(forward(problem, points).chi_squared, axis=1)
    rows = [{name: float(x[i]) for name, x in points.items()} for i in range(len(ranks))]
    return np.array([coordinates.to_scaled(problem, row) for row in rows]), np.where(np.isfinite(ranks), ranks, np.inf)


def _note(alone: Fit, others: Fit) -> str:
    """What the constraints that both sides use can have moved chi^2 by, where that is not negligible."""
    twice = {name: min(alone.pulls[name] ** 2, others.pulls[name] ** 2) for name in alone.pulls}
    shared = {name: square for name, square in twice.items() if square > SHARED}
    if not shared:
        return ""
    words = ", ".join(f"{name} ({square:.2f})" for name, square in shared.items())
    return f"constrained on both sides, chi^2 uncertain by: {words}"

"""The best fit to the data alone, the limits left out: how much of the data's wish the limits deny, and which do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import numpy as np

from anomfit.inference import scaled
from anomfit.inference.evaluate import forward_at, gradients
from anomfit.inference.exclusions import EXCLUDED
from anomfit.inference.holding import descend_held
from anomfit.inference.minimise import Fit, FitSettings, minimise
from anomfit.inference.significance import Significance
from anomfit.measurements.base import is_limit
from anomfit.problem import Problem, with_measurements
from anomfit.statistics.terms import minus_two

SETTINGS = FitSettings(screened=512, starts=8, polished=2)
ROUNDS = 200  # gradients of the descent from the joint best fit


@dataclass(frozen=True)
class Paid:
    """-2 ln L of one measurement or limit at the best fit to the data alone, and at that of everything."""

    name: str
    without: float
    best: float


@dataclass(frozen=True)
class WithoutLimits:
    """The best fit to the data alone: `values` by name, its gain over no new physics, and what the limits say of it.

    gains: every measurement and limit at both best fits; excluded_by: -2 ln L of the limits of the fit that exclude it.
    """

    values: dict[str, float]
    delta_chi_squared: float
    gains: tuple[Paid, ...]
    excluded_by: dict[str, float]


def has_limits(problem: Problem) -> bool:
    """Whether there are data and limits, so that leaving the latter out means something."""
    found = {is_limit(m) for m in problem.measurements}
    return found == {True, False}


def without_limits(
    problem: Problem,
    point: Mapping[str, float],
    gain: Significance,
    key: jax.Array,
    progress: Callable[[str, int, int], None] | None = None,
) -> WithoutLimits:
    """Fit the data of `problem` alone; `point` is the best fit to everything and `gain` that of it."""
    data = with_measurements(problem, [i for i, m in enumerate(problem.measurements) if not is_limit(m)])
    place, twice_nll = _best(data, point, minimise(data, key, SETTINGS, progress))
    there, here = (forward_at(problem, at).log_likelihood for at in (place, point))
    names = [f"{m.name}:{m.era}" for m in problem.measurements]
    pairs = zip(names, there, here, strict=True)
    gains = [Paid(name, minus_two(float(a[0])), minus_two(float(b[0]))) for name, a, b in pairs]
    limits = {m.name for m in problem.measurements if is_limit(m)}
    null = gain.null - sum(g.null for g, m in zip(gain.gains, problem.measurements, strict=False) if m.name in limits)
    costs = {m.name: paid.without for m, paid in zip(problem.measurements, gains, strict=True) if m.name in limits}
    if problem.nuisances:
        penalties = [float(problem.penalty(at)) for at in (place, point)]  # type: ignore[arg-type]
        gains.append(Paid("nuisance pulls", *penalties))
    return WithoutLimits(
        values={parameter.name: place[parameter.name] for parameter in problem.free},
        delta_chi_squared=null - twice_nll,
        gains=tuple(gains),
        excluded_by={name: cost for name, cost in costs.items() if cost > EXCLUDED},
    )


def _best(data: Problem, point: Mapping[str, float], found: Fit) -> tuple[Mapping[str, float], float]:
    """The lower of what a search from the prior has found and what a descent from the joint best fit finds."""
    start = scaled.to_scaled(data, point)[None]
    ends, _ = descend_held(data, start, np.zeros(start.shape[1], dtype=bool), ROUNDS)
    s = scaled.project(data, ends[0])
    value = float(gradients(data, s[None])[0][0])
    return (scaled.from_scaled(data, s), value) if value < found.twice_nll else (found.point, found.twice_nll)

"""What is asked of a best fit: errors, goodness, no new physics, the cost of limits, tension, constraints. Each of
these may fail alone.
"""

import dataclasses
import time
from collections.abc import Callable

import jax

from anomfit.attempts import COMPARISON, Attempts
from anomfit.cards import Card
from anomfit.checks import Checks
from anomfit.inference.compare.exclusions import WithoutLimits, has_limits, without_limits
from anomfit.inference.compare.goodness import goodness_of_fit
from anomfit.inference.compare.significance import Significance, significance
from anomfit.inference.compare.tension import tensions
from anomfit.inference.coordinates import to_scaled
from anomfit.inference.fit.hesse import curvature
from anomfit.inference.fit.minimise import Fit
from anomfit.inference.fit.minos import NOT_LOOKED_FOR, minos
from anomfit.inference.fit.uncertainties import hesse
from anomfit.measurements.base import is_limit
from anomfit.problem import Problem
from anomfit.results.result import Result
from anomfit.statistics.tension import Tension

Say = Callable[[str], None]
Progress = Callable[[str, int, int], None]


def with_errors(
    problem: Problem, fast: Problem, fit: Fit, result: Result, tried: Attempts, progress: Progress | None
) -> Result:
    """The result with errors and goodness of its fit. fast: what valleys are followed with, or `problem` itself."""

    def bent():
        return curvature(problem, to_scaled(problem, fit.point))

    local = tried.at("the curvature at the best fit", bent, None)  # once, for both kinds of errors
    intervals = tried.at("MINOS", lambda: minos(problem, fit, progress=progress, local=local, fast=fast), ())
    if any(NOT_LOOKED_FOR[1] in (error.note_low, error.note_high) for error in intervals):
        raise KeyboardInterrupt
    errors = tried.at("HESSE", lambda: hesse(problem, fit, intervals, local, fast), None)
    result = dataclasses.replace(result, hesse=errors, minos=intervals)
    if errors is None:
        return result
    effective = errors.effective_parameters
    quality = tried.at("the goodness of fit", lambda: goodness_of_fit(problem, fit.point, effective), None)
    return dataclasses.replace(result, goodness=quality)


def with_comparisons(
    problem: Problem,
    fast: Problem,
    card: Card,
    fit: Fit,
    result: Result,
    tried: Attempts,
    say: Say,
    progress: Progress | None,
) -> Result:
    """The result with what no new physics, the data alone, each measurement and all constraints say of its fit.

    fast: what is searched, or `problem` itself.
    """
    gain = tried.at("the fit without new physics", lambda: significance(problem, fit.point), None)

    def cost():
        return None if gain is None else _without_limits(problem, fast, card, fit, gain, say, progress)

    alone = tried.at("the fit without limits", cost, None)
    between = tried.at("the tension", lambda: _tensions(problem, card, fit, say, progress), ())
    so_far = dataclasses.replace(result, significance=gain, without_limits=alone, tensions=between)
    return tried.at(COMPARISON, lambda: Checks(problem, card).at_best_fit(so_far), so_far)


def _without_limits(
    problem: Problem, fast: Problem, card: Card, fit: Fit, gain: Significance, say: Say, progress: Progress | None
) -> WithoutLimits | None:
    """The best fit to the data alone, where the card has limits too."""
    if not has_limits(problem):
        return None
    say("what the limits cost: the data are fitted without them")
    key = jax.random.fold_in(jax.random.key(card.fit.seed), 3)
    return without_limits(problem, fit.point, gain, key, progress, fast)


def _tensions(problem: Problem, card: Card, fit: Fit, say: Say, progress: Progress | None) -> tuple[Tension, ...]:
    """Each measurement against the others, where the card asks for it."""
    if not card.fit.tension:
        return ()
    say("tension: each measurement alone and left out")
    began = time.perf_counter()
    key = jax.random.fold_in(jax.random.key(card.fit.seed), 2)
    found = tensions(problem, fit, key, with_data(problem), progress)
    words = (f"{t.name} {t.chi_squared:.2f} ({t.degrees_of_freedom:.1f})" for t in found)
    say(f"tension ({time.perf_counter() - began:.0f} s), chi^2 (degrees of freedom): {', '.join(words)}")
    return found


def with_data(problem: Problem) -> list[int]:
    """Indices of the measurements that are no limits."""
    return [i for i, measurement in enumerate(problem.measurements) if not is_limit(measurement)]

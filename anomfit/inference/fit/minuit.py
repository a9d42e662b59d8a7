"""MINUIT on a problem: function and exact gradient from one evaluation, the box as limits.

The last steps to a minimum: MIGRAD from points that a descent left.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from iminuit import Minuit

from anomfit.inference import coordinates
from anomfit.inference.compiled import gradients
from anomfit.problem import Problem

REMEMBERED = 64
Evaluate = Callable[[np.ndarray], tuple[float, np.ndarray]]


class Spent(Exception):
    """A search has used up its gradients, or met one that is not finite, after which MINUIT's answers mean nothing."""


@dataclass
class Budget:
    """Gradients that a search may still take; MINUIT's own limits count otherwise, if at all."""

    left: int

    def take(self) -> None:
        """One gradient; raises `Spent` when there is none left."""
        if self.left <= 0:
            raise Spent
        self.left -= 1


def remembering(problem: Problem, budget: Budget | None = None) -> Evaluate:
    """-2 ln L and its gradient at scaled coordinates; the last points are remembered, for callers that ask twice."""
    known: dict[bytes, tuple[float, np.ndarray]] = {}

    def evaluate(x):
        at = np.array(x, dtype=float)
        if at.tobytes() not in known:
            if len(known) >= REMEMBERED:
                known.pop(next(iter(known)))
            if budget is not None:
                budget.take()
            values, slopes = gradients(problem, at[None])
            if budget is not None and not np.isfinite(slopes).all():
                raise Spent
            known[at.tobytes()] = float(values[0]), slopes[0]
        return known[at.tobytes()]

    return evaluate


def minuit(problem: Problem, s: np.ndarray, tolerance: float, budget: Budget | None = None) -> Minuit:
    """A Minuit at scaled coordinates `s`, to stop `tolerance` in -2 ln L above the minimum.

    Strategy 0: the gradient is exact, so that no differences of the function are spent on it.
    """
    limits, evaluate = coordinates.box(problem), remembering(problem, budget)
    function, gradient = cast(Any, lambda x: evaluate(x)[0]), cast(Any, lambda x: evaluate(x)[1])
    fitter = Minuit(function, np.asarray(s, dtype=float), grad=gradient, name=problem.names)
    fitter.limits = list(zip(limits.low, limits.high, strict=True))
    fitter.errors = 0.01 * limits.widths
    fitter.errordef = Minuit.LEAST_SQUARES
    fitter.tol = tolerance / 0.002  # MIGRAD stops at 0.002 * tol * errordef
    fitter.strategy = 0
    fitter.print_level = 0
    return fitter


def expected_distance(fitter: Minuit) -> float:
    """MIGRAD's estimate of the distance in -2 ln L to the minimum, infinite where it has none."""
    return float("inf") if fitter.fmin is None or fitter.fmin.edm is None else abs(float(fitter.fmin.edm))


MIGRAD_CALLS = 1500


def polish(problem: Problem, s: np.ndarray, tolerance: float, rounds: int) -> tuple[np.ndarray, float, float, bool]:
    """MIGRAD, up to `rounds` times until it gains less than the tolerance; (point, -2 ln L, distance, settled).

    The distance is the smaller of MINUIT's estimate and |gradient|^2/4 per unit of prior range, which is what a step of
    at most one range along the flattest direction can gain: MINUIT's is meaningless on a plateau without curvature.
    A place without a finite gradient is not accepted.
    """
    value, slope = (x[0] for x in gradients(problem, s[None]))
    distance, settled = np.inf, False
    for _ in range(rounds):
        fitter = minuit(problem, s, tolerance)
        fitter.migrad(ncall=MIGRAD_CALLS, iterate=1)
        found = coordinates.project(problem, np.array(fitter.values))
        lowest, lowest_slope = (x[0] for x in gradients(problem, found[None]))
        gained = value - lowest
        if gained > 0.0 and np.isfinite(lowest_slope).all():
            s, value, slope = found, lowest, lowest_slope
        distance = min(expected_distance(fitter), 0.25 * projected_gradient_norm(problem, s, slope) ** 2)
        settled = bool(gained < tolerance and distance < tolerance)
        if settled:
            break
    return s, float(value), float(distance), settled


def projected_gradient_norm(problem: Problem, s: np.ndarray, slope: np.ndarray) -> float:
    """Length of the gradient per unit of prior range, without components that push out of a bound."""
    limits = coordinates.box(problem)
    gradient = slope * limits.widths
    at_low = (s <= limits.low + 1e-6 * limits.widths) & (gradient > 0.0)
    at_high = (s >= limits.high - 1e-6 * limits.widths) & (gradient < 0.0)
    return float(np.linalg.norm(np.where(at_low | at_high, 0.0, gradient)))


def distinct(points: np.ndarray, values: np.ndarray, apart: np.ndarray, wanted: int) -> list[int]:
    """Indices of the best points that differ by `apart` in some coordinate, or by 0.1 in value; best first given."""
    chosen: list[int] = []
    for i, (point, value) in enumerate(zip(points, values, strict=False)):
        same = any(abs(value - values[k]) < 0.1 and np.all(abs(point - points[k]) < apart) for k in chosen)
        if len(chosen) < wanted and not same and np.isfinite(value):
            chosen.append(i)
    return chosen

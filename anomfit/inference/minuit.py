"""MINUIT on a problem: function and exact gradient from one evaluation, the box as limits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from iminuit import Minuit

from anomfit.inference import scaled
from anomfit.inference.evaluate import gradients
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
    limits, evaluate = scaled.box(problem), remembering(problem, budget)
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

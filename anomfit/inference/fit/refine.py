"""A best fit found with a faster likelihood, led to the minimum of the exact one."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from anomfit.inference import coordinates
from anomfit.inference.compiled import forward, gradients
from anomfit.inference.fit.minimise import Fit, FitSettings, Optimum
from anomfit.inference.fit.minuit import polish, projected_gradient_norm
from anomfit.problem import Problem

ROUNDS = 6


def refined(
    problem: Problem, fit: Fit, settings: FitSettings, progress: Callable[[str, int, int], None] | None = None
) -> Fit:
    """`fit`, of a likelihood close to that of `problem`, polished with that of `problem`.

    All that the answer states is of `problem`: its distinct optima are asked again, the best of them polished, and the
    others stay where they were. How many starts ended where is what the search with the other likelihood has seen.
    An interrupted fit stays interrupted, with -2 ln L of `problem`.
    """
    began, report = time.perf_counter(), progress or (lambda stage, done, total: None)
    places = [fit.point, *(optimum.values for optimum in fit.optima)]
    found = forward(problem, {name: np.array([place[name] for place in places]) for name in problem.names})
    values = np.asarray(found.twice_nll)
    order = np.argsort(values, kind="stable")
    interrupted = fit.message.startswith("interrupted")
    ends, rounds = [], 0 if interrupted else 1
    for done, i in enumerate(order[: 1 if interrupted else settings.polished]):
        report("polishing with the exact rule", done, min(len(order), settings.polished))
        ends.append(polish(problem, coordinates.to_scaled(problem, places[i]), settings.tolerance, rounds))
    best = min(ends, key=lambda end: end[1])
    if not interrupted:
        best = polish(problem, best[0], settings.tolerance, ROUNDS)
        report("polishing with the exact rule", 1, 1)
    s, twice_nll, distance, settled = best
    point = coordinates.from_scaled(problem, s)
    message = fit.message
    if not interrupted:
        message = "converged" if settled else f"not converged: -2 ln L may fall by another {distance:.1e}"
    return replace(
        fit.moved(problem, point, twice_nll),
        distance=distance,
        gradient_norm=projected_gradient_norm(problem, s, gradients(problem, s[None])[1][0]),
        optima=_optima(problem, Optimum(point, twice_nll, 0), fit.optima, values[1:]),
        converged=settled and not interrupted,
        message=message,
        seconds=fit.seconds + time.perf_counter() - began,
    )


def _optima(problem: Problem, best: Optimum, others: tuple[Optimum, ...], values: np.ndarray) -> tuple[Optimum, ...]:
    """The polished point, with the starts of those that it is the minimum of, and the other ones by -2 ln L."""
    widths, at = coordinates.box(problem).widths, coordinates.to_scaled(problem, best.values)
    asked = [replace(one, twice_nll=float(value)) for one, value in zip(others, values, strict=True)]
    near = [
        abs(one.twice_nll - best.twice_nll) < 0.01
        and bool(np.all(abs(coordinates.to_scaled(problem, one.values) - at) < 0.02 * widths))
        for one in asked
    ]
    starts = sum(one.starts for one, is_near in zip(asked, near, strict=True) if is_near)
    kept = [one for one, is_near in zip(asked, near, strict=True) if not is_near and np.isfinite(one.twice_nll)]
    return (replace(best, starts=starts), *sorted(kept, key=lambda one: one.twice_nll))

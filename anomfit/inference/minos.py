"""MINOS errors of a fit through iminuit, with a constrained search where MINUIT cannot cope with a flat valley."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from anomfit.errors import reject
from anomfit.inference import scaled
from anomfit.inference.evaluate import gradients
from anomfit.inference.minimise import Fit
from anomfit.inference.minuit import minuit
from anomfit.inference.uncertainties import hesse
from anomfit.problem import Problem

MINUIT_TOLERANCE = 2e-4  # distance to the minimum, MINUIT's default


@dataclass(frozen=True)
class MinosError:
    """The interval of a parameter where the profiled -2 ln L is within 1 of its minimum, in the parameter's own unit.

    `low` or `high` is None where there is none, and `note_low` and `note_high` say why; else they name the method.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    note_low: str
    note_high: str


def minos(
    problem: Problem,
    fit: Fit,
    names: Sequence[str] | None = None,
    ncall: int = 600,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[MinosError, ...]:
    """MINOS intervals of the parameters `names` (default: every free one), at most `ncall` evaluations each.

    Never raises for a degenerate fit: an end that cannot be found is None with the reason. Unknown names: InputError.
    An interrupt (Ctrl-C) returns the intervals found so far.
    """
    wanted = tuple(names) if names is not None else tuple(p.name for p in problem.free)
    for name in wanted:
        if name not in problem.names:
            raise reject("minos", name, f"name a free parameter: {', '.join(problem.names)}")
    symmetric = hesse(problem, fit).errors
    sigma = np.array([symmetric[name] for name in problem.names])
    found: list[MinosError] = []
    try:
        for i, name in enumerate(wanted):
            found.append(_interval(problem, fit, sigma, name, ncall))
            if progress is not None:
                progress("MINOS", i + 1, len(wanted))
    except KeyboardInterrupt:
        if not found:
            raise
    return tuple(found)


def _interval(problem: Problem, fit: Fit, sigma: np.ndarray, name: str, ncall: int) -> MinosError:
    i, s = problem.names.index(name), scaled.to_scaled(problem, fit.point)
    ends = {}
    by_minuit = _minuit_ends(problem, s, name, ncall)
    for side in (-1, 1):
        end, note = by_minuit[side] or _constrained_end(problem, s, sigma, fit.twice_nll, i, side, ncall)
        value = None if end is None else scaled.from_scaled(problem, np.where(np.arange(s.size) == i, end, s))[name]
        ends[side] = value, note
    return MinosError(name, fit.point[name], ends[-1][0], ends[1][0], ends[-1][1], ends[1][1])


def _minuit_ends(problem, s, name, ncall) -> dict[int, tuple[float | None, str] | None]:
    """MINUIT's two ends; None where it has no answer."""
    fitter = minuit(problem, s, MINUIT_TOLERANCE)
    fitter.migrad(ncall=ncall, iterate=1)
    try:
        fitter.minos(name, ncall=ncall)
    except RuntimeError:  # no valid minimum in MINUIT's sense, as on a plateau
        return {-1: None, 1: None}
    found = fitter.merrors[name]
    return {
        -1: _minuit_end(fitter.values[name] + found.lower, found.lower_valid, found.at_lower_limit, "lower"),
        1: _minuit_end(fitter.values[name] + found.upper, found.upper_valid, found.at_upper_limit, "upper"),
    }


def _minuit_end(end: float, valid: bool, at_limit: bool, side: str) -> tuple[float | None, str] | None:
    if at_limit:
        return None, f"no {side} limit inside the range"
    return (float(end), "MINOS") if valid else None


def _constrained_end(problem, s, sigma, twice_nll, i, side, ncall) -> tuple[float | None, str]:
    """The furthest value of coordinate `i` with -2 ln L within 1 of `twice_nll`, by quadratic programming (SLSQP).

    In units of `sigma`, restarted from where it stopped until the end moves by less than 1 % of it.
    """
    limits, word = scaled.box(problem), "upper" if side > 0 else "lower"
    along = np.where(np.arange(s.size) == i, -float(side), 0.0)

    def room(x):
        value, slope = gradients(problem, (s + x * sigma)[None])
        return twice_nll + 1.0 - float(value[0]), -slope[0] * sigma

    x, moved, allowed = np.zeros_like(s), np.inf, max(1, ncall // 8)
    for _ in range(4):
        result = minimize(
            lambda x: (along @ x, along),
            x,
            jac=True,
            method="SLSQP",
            bounds=list(zip((limits.low - s) / sigma, (limits.high - s) / sigma, strict=True)),
            constraints={"type": "ineq", "fun": lambda x: room(x)[0], "jac": lambda x: room(x)[1]},
            options={"maxiter": allowed, "ftol": 1e-6},
        )
        moved, x = abs(result.x[i] - x[i]), np.array(result.x)
        if moved < 0.01:
            break
    end, left = s + x * sigma, room(x)[0]
    bound = limits.high[i] if side > 0 else limits.low[i]
    if left > -0.02 and abs(end[i] - bound) < 1e-4 * limits.widths[i]:
        return None, f"no {word} limit inside the range"
    if abs(left) > 0.02 or moved >= 0.01:
        return None, f"not found within {ncall} evaluations"
    return float(end[i]), "constrained search"

"""MINOS errors of a fit through iminuit, with a constrained search where MINUIT cannot cope with a flat valley."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from iminuit import Minuit
from scipy.optimize import minimize

from anomfit.errors import reject
from anomfit.inference import scaled
from anomfit.inference.minimise import Fit
from anomfit.inference.minuit import Budget, Spent, minuit, remembering
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
    ncall: int = 120,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[MinosError, ...]:
    """MINOS intervals of the parameters `names` (default: every free one).

    At most `ncall` gradients for each of three searches: MINUIT's for both ends, and where it fails, one for each end.

    Never raises for a degenerate fit: an end that cannot be found is None with the reason. Unknown names: InputError.
    An interrupt (Ctrl-C) returns the intervals found so far.
    """
    wanted = tuple(names) if names is not None else tuple(p.name for p in problem.free)
    for name in wanted:
        if name not in problem.names:
            raise reject("minos", name, f"name a free parameter: {', '.join(problem.names)}")
    symmetric, s = hesse(problem, fit), scaled.to_scaled(problem, fit.point)
    sigma = np.array([symmetric.errors[name] for name in problem.names])
    budget = Budget(ncall)
    fitter = minuit(problem, s, MINUIT_TOLERANCE, budget)
    with suppress(Spent):
        fitter.migrad(ncall=ncall, iterate=1)
    found: list[MinosError] = []
    try:
        for i, name in enumerate(wanted):
            budget.left = ncall
            ends = _minuit_ends(fitter, name, ncall)
            for side in (-1, 1):
                ends[side] = ends[side] or _constrained_end(problem, s, sigma, fit.twice_nll, name, side, ncall)
            found.append(_error(problem, s, name, ends))
            if progress is not None:
                progress("MINOS", i + 1, len(wanted))
    except KeyboardInterrupt:
        if not found:
            raise
    return tuple(found)


def _error(problem: Problem, s: np.ndarray, name: str, ends) -> MinosError:
    i, values = problem.names.index(name), []
    for side in (-1, 1):
        end = ends[side][0]
        at = np.where(np.arange(s.size) == i, s[i] if end is None else end, s)
        values.append(None if end is None else scaled.from_scaled(problem, at)[name])
    value = scaled.from_scaled(problem, s)[name]
    return MinosError(name, value, values[0], values[1], ends[-1][1], ends[1][1])


def _minuit_ends(fitter: Minuit, name: str, ncall: int) -> dict[int, tuple[float | None, str] | None]:
    """MINUIT's two ends; None where it has no answer, as on a plateau, where it calls no minimum valid."""
    if not fitter.valid:
        return {-1: None, 1: None}
    try:
        fitter.minos(name, ncall=ncall)
    except (RuntimeError, Spent):  # a lower point, found on the way by the last parameter, is no valid minimum
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


def _constrained_end(problem, s, sigma, twice_nll, name, side, ncall) -> tuple[float | None, str]:
    """The furthest value of coordinate `i` with -2 ln L within 1 of `twice_nll`, by quadratic programming (SLSQP).

    In units of `sigma`, restarted from where it stopped until the end moves by less than 1 % of it.
    """
    limits, word, i = scaled.box(problem), "upper" if side > 0 else "lower", problem.names.index(name)
    evaluate = remembering(problem, Budget(ncall))
    along = np.where(np.arange(s.size) == i, -float(side), 0.0)

    def room(x):
        value, slope = evaluate(s + x * sigma)
        return twice_nll + 1.0 - value, -slope * sigma

    x, moved = np.zeros_like(s), np.inf
    with suppress(Spent):
        for _ in range(4):
            result = minimize(
                lambda x: (along @ x, along),
                x,
                jac=True,
                method="SLSQP",
                bounds=list(zip((limits.low - s) / sigma, (limits.high - s) / sigma, strict=True)),
                constraints={"type": "ineq", "fun": lambda x: room(x)[0], "jac": lambda x: room(x)[1]},
                options={"maxiter": ncall, "ftol": 1e-6},
            )
            moved, x = abs(result.x[i] - x[i]), np.array(result.x)
            end, left = s + x * sigma, room(x)[0]
            bound = limits.high[i] if side > 0 else limits.low[i]
            if left > -0.02 and abs(end[i] - bound) < 1e-4 * limits.widths[i]:
                return None, f"no {word} limit inside the range"
            if moved < 0.01:
                return (float(end[i]), "constrained search") if abs(left) <= 0.02 else (None, "no end found")
    return None, f"not found within {ncall} gradients"

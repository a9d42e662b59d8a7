"""MINOS errors of a fit through iminuit, and by profiling where MINUIT cannot cope with a flat valley."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from iminuit import Minuit

from anomfit.errors import reject
from anomfit.inference import scaled
from anomfit.inference.minimise import Fit
from anomfit.inference.minuit import Budget, Spent, minuit
from anomfit.inference.profile import Side, profile_sides
from anomfit.inference.uncertainties import hesse
from anomfit.problem import Problem

MINUIT_TOLERANCE = 2e-4  # distance to the minimum, MINUIT's default
UNSURE = 0.02  # of a range: a bracket wider than that is no end
WORDS = {-1: "lower", 1: "upper"}
SIDES = tuple(WORDS)
NOT_LOOKED_FOR = None, "not looked for: interrupted"

End = tuple[float | None, str]  # scaled, and how it was found or why there is none
Ends = dict[tuple[int, int], End | None]  # by coordinate and side; None: not found yet
Progress = Callable[[str, int, int], None]


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
    progress: Progress | None = None,
) -> tuple[MinosError, ...]:
    """MINOS intervals of the parameters `names` (default: every free one).

    MINUIT's search, of at most `ncall` gradients a parameter, unless the data leave a direction free, in which it finds
    nothing. The other ends are looked for together in profiles (see `profile`).

    Never raises for a degenerate fit: an end that cannot be found is None with the reason. Unknown names: InputError.
    An interrupt (Ctrl-C) returns the intervals found so far.
    """
    wanted = tuple(names) if names is not None else tuple(p.name for p in problem.free)
    for name in wanted:
        if name not in problem.names:
            raise reject("minos", name, f"name a free parameter: {', '.join(problem.names)}")
    s = scaled.to_scaled(problem, fit.point)
    ends: Ends = {(problem.names.index(name), side): None for name in wanted for side in SIDES}
    report = progress or (lambda stage, done, total: None)
    with suppress(KeyboardInterrupt):
        if not hesse(problem, fit).flat:
            ends |= _by_minuit(problem, s, ends, ncall)
        report("MINOS", sum(end is not None for end in ends.values()), len(ends))
        ends |= _by_profiles(problem, s, fit.twice_nll, ends, report)
    return tuple(_error(problem, s, name, ends) for name in wanted)


def _by_minuit(problem: Problem, s: np.ndarray, wanted: Ends, ncall: int) -> Ends:
    """MINUIT's answers; it has none on a plateau, where it calls no minimum valid."""
    budget, found = Budget(ncall), dict(wanted)
    fitter = minuit(problem, s, MINUIT_TOLERANCE, budget)
    with suppress(Spent):
        fitter.migrad(ncall=ncall, iterate=1)
    for i in dict.fromkeys(i for i, _ in wanted):
        budget.left = ncall
        found |= {(i, side): end for side, end in _minuit_ends(fitter, problem.names[i], ncall).items()}
    return found


def _by_profiles(problem: Problem, s: np.ndarray, twice_nll: float, ends: Ends, report: Progress) -> Ends:
    """The ends that are still missing."""
    missing = [place for place, end in ends.items() if end is None]
    known = len(ends) - len(missing)
    sides = profile_sides(problem, s, twice_nll, missing, lambda done: report("MINOS", known + done, len(ends)))
    return {place: _profile_end(problem, side) for place, side in zip(missing, sides, strict=True)}


def _profile_end(problem: Problem, side: Side) -> End:
    word = WORDS[side.sign]
    if side.end is None:
        return None, f"no {word} limit inside the range"
    width = abs(side.places[side.inner] - side.places[side.outer]) / scaled.box(problem).widths[side.coordinate]
    if not side.is_done and width > UNSURE:
        return None, f"no {word} end found"
    return side.end, "profile"


def _error(problem: Problem, s: np.ndarray, name: str, ends: Ends) -> MinosError:
    i, values = problem.names.index(name), []
    for side in SIDES:
        end = (ends[i, side] or NOT_LOOKED_FOR)[0]
        at = np.where(np.arange(s.size) == i, s[i] if end is None else end, s)
        values.append(None if end is None else scaled.from_scaled(problem, at)[name])
    value = scaled.from_scaled(problem, s)[name]
    notes = [(ends[i, side] or NOT_LOOKED_FOR)[1] for side in SIDES]
    return MinosError(name, value, *values, *notes)


def _minuit_ends(fitter: Minuit, name: str, ncall: int) -> dict[int, End | None]:
    """MINUIT's two ends; None where it has no answer, as on a plateau, where it calls no minimum valid."""
    if not fitter.valid:
        return {-1: None, 1: None}
    try:
        fitter.minos(name, ncall=ncall)
    except (RuntimeError, Spent):  # a lower point, found on the way by the last parameter, is no valid minimum
        return {-1: None, 1: None}
    found = fitter.merrors[name]
    return {
        -1: _minuit_end(fitter.values[name] + found.lower, found.lower_valid, found.at_lower_limit, -1),
        1: _minuit_end(fitter.values[name] + found.upper, found.upper_valid, found.at_upper_limit, 1),
    }


def _minuit_end(end: float, valid: bool, at_limit: bool, side: int) -> End | None:
    if at_limit:
        return None, f"no {WORDS[side]} limit inside the range"
    return (float(end), "MINOS") if valid else None

"""MINOS errors of a fit through iminuit, and by profiling where MINUIT cannot cope: a flat valley, or a bound.

Ends of likelihood intervals by profiling: all parameters and both directions side by side, through one gradient.

For valleys in which MINUIT's search for an end fails: a coordinate is moved outwards in steps, all others follow the
valley by descents, and the place where -2 ln L has risen by 1 (or by another level) is closed in on.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
from iminuit import Minuit

from anomfit.errors import reject
from anomfit.inference import coordinates
from anomfit.inference.compiled import forward, gradients
from anomfit.inference.fit.descent import descend_held
from anomfit.inference.fit.hesse import LOWER, UPPER, Curvature, curvature
from anomfit.inference.fit.minimise import Fit
from anomfit.inference.fit.minuit import Budget, Spent, minuit
from anomfit.problem import Problem

LEVEL = 1.0  # of -2 ln L above the minimum
CLOSE = 0.02  # from that level
FIRST_STEP = 1 / 12  # of a range; each further step outwards is twice as long
STEPS = 12  # outwards, and inside the bracket that is found
ROUNDS = (
    120  # gradients of a descent: after 40, flat valleys were left so early that an end was found where there is none
)

Report = Callable[[int], None]


@dataclass
class Side:
    """One direction of one coordinate, and the profile found in it: points (scaled) with their rise in -2 ln L.

    A rise is infinite where the likelihood is 0, and nan where it is not known since a gradient is not finite.
    """

    coordinate: int
    sign: int
    bound: float
    points: list[np.ndarray] = field(default_factory=list)
    rises: list[float] = field(default_factory=list)
    level: float = LEVEL
    is_done: bool = False

    @property
    def places(self) -> np.ndarray:
        """The coordinate's values at the points."""
        return np.array([point[self.coordinate] for point in self.points])

    @property
    def inner(self) -> int:
        """Index of the outermost point below the level."""
        below = np.flatnonzero(np.array(self.rises) < self.level)
        return int(below[np.argmax(self.sign * self.places[below])])

    @property
    def outer(self) -> int | None:
        """Index of the next point beyond it, None before one is found."""
        beyond = np.flatnonzero(self.sign * (self.places - self.places[self.inner]) > 0.0)
        return int(beyond[np.argmin(self.sign * self.places[beyond])]) if beyond.size else None

    @property
    def end(self) -> float | None:
        """Where the root of the rise, close to a straight line, crosses the level; None beyond the bound.

        In the middle of the bracket where the rise is not finite at its outer end.
        """
        inner, outer = self.inner, self.outer
        if outer is None:
            return None
        low, high = np.sqrt(np.maximum([self.rises[inner], self.rises[outer]], 0.0))
        share = (np.sqrt(self.level) - low) / (high - low) if np.isfinite(high) else 0.5
        return float(self.places[inner] + share * (self.places[outer] - self.places[inner]))


def profile_sides(
    problem: Problem,
    s: np.ndarray,
    twice_nll: float,
    wanted: Sequence[tuple[int, int]],
    report: Report = lambda done: None,
    fast: Problem | None = None,
) -> list[Side]:
    """Profiles from the best fit `s` (scaled) for each of `wanted`, pairs of a coordinate's index and a sign.

    A side without an `outer` point stays below the level up to the bound of its range. `report` gets the number of
    sides that are done after every step. `fast`: a likelihood close to that of `problem`, which the valleys are
    followed with: where it is off by d along a valley and the valley's place by e, -2 ln L is off by d e. What is kept
    is -2 ln L of `problem` at the places.
    """
    limits = coordinates.box(problem)
    sides = [Side(i, sign, (limits.low if sign < 0 else limits.high)[i], [s], [0.0]) for i, sign in wanted]
    _extend(problem, fast or problem, sides, twice_nll, report)
    return sides


def raise_level(
    problem: Problem, sides: Sequence[Side], twice_nll: float, level: float, fast: Problem | None = None
) -> list[Side]:
    """The same profiles gone on with, to where -2 ln L has risen by `level`."""
    raised = [replace(side, points=[*side.points], rises=[*side.rises], level=level) for side in sides]
    for side in raised:
        side.is_done = _is_done(side)
    _extend(problem, fast or problem, raised, twice_nll, lambda done: None)
    return raised


def _extend(problem: Problem, fast: Problem, sides: Sequence[Side], twice_nll: float, report: Report) -> None:
    """Every side by steps until its level is found, in place."""
    limits = coordinates.box(problem)
    for k in range(STEPS):
        going = [side for side in sides if not side.is_done]
        if not going:
            break
        trials = [_next_place(side, FIRST_STEP * 2**k * limits.widths[side.coordinate]) for side in going]
        for side, point, value in zip(going, *_profiled(problem, fast, going, trials), strict=True):
            side.points.append(point)
            side.rises.append(float(value) - twice_nll)
            side.is_done = _is_done(side)
        report(int(sum(side.is_done for side in sides)))


def _next_place(side: Side, step: float) -> float:
    """One step further out, or, once the level is passed, where it should be crossed (not too close to either end)."""
    inner, outer = side.places[side.inner], side.outer
    if outer is None or side.end is None:
        return side.sign * min(side.sign * (inner + side.sign * step), side.sign * side.bound)
    low, high = sorted((inner, side.places[outer]))
    margin = 0.1 * (high - low)
    return float(np.clip(side.end, low + margin, high - margin))


def _is_done(side: Side) -> bool:
    at_bound = np.any(abs(side.places - side.bound) < 1e-12 * (1.0 + abs(side.bound)))
    return bool(np.min(abs(np.array(side.rises) - side.level)) < CLOSE or (side.outer is None and at_bound))


def _profiled(problem: Problem, fast: Problem, sides: list[Side], places: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Points and -2 ln L with each side's coordinate at its place, all others minimised over with `fast`.

    nan where the likelihood is finite and a gradient along the others is not.
    """
    starts = np.concatenate([_continued(problem, side, place) for side, place in zip(sides, places, strict=True)])
    values, slopes = gradients(fast, starts)
    slopes[np.arange(len(starts)), np.repeat([side.coordinate for side in sides], 2)] = 0.0
    broken = np.any((np.isfinite(values) & ~np.isfinite(slopes).all(axis=1)).reshape(len(sides), 2), axis=1)
    values = np.where(np.isnan(values), np.inf, values).reshape(len(sides), 2)
    starts = starts.reshape(len(sides), 2, -1)[np.arange(len(sides)), np.argmin(values, axis=1)]
    held = np.arange(starts.shape[1]) == np.array([side.coordinate for side in sides])[:, None]
    found, lowest = descend_held(fast, starts, held, ROUNDS)
    if fast is not problem:
        points = [coordinates.from_scaled(problem, one) for one in found]
        exact = forward(problem, {name: np.array([point[name] for point in points]) for name in problem.names})
        lowest = np.where(np.isinf(lowest), lowest, exact.twice_nll)
    return found, np.where(np.isinf(lowest) & broken, np.nan, lowest)


def _continued(problem: Problem, side: Side, place: float) -> np.ndarray:
    """Two starts: the nearest point with its coordinate moved, and the straight line through the nearest two."""
    limits, order = coordinates.box(problem), np.argsort(np.abs(side.places - place))
    near = side.points[order[0]]
    moved = np.where(np.arange(near.size) == side.coordinate, place, near)
    if len(order) == 1:
        return np.stack([moved, moved])
    far = side.points[order[1]]
    share = (place - near[side.coordinate]) / (far[side.coordinate] - near[side.coordinate])
    return np.stack([moved, np.clip(near + share * (far - near), limits.low, limits.high)])


MINUIT_TOLERANCE = 2e-4  # distance to the minimum, MINUIT's default
UNSURE = 0.02  # of a range: a bracket wider than that is no end
LIMIT_90 = 2.71  # of -2 ln L: a limit at 90 % CL on one side, as of a parameter whose best value is at its bound
DEEPER = 0.01  # of -2 ln L below the best fit: what a profile says of a lower point
WORDS = {-1: "lower", 1: "upper"}
SIDES = tuple(WORDS)
OUTWARD = {LOWER: -1, UPPER: 1}
NOT_LOOKED_FOR = None, "not looked for: interrupted"

End = tuple[float | None, str]  # scaled, and how it was found or why there is none
Ends = dict[tuple[int, int], End | None]  # by coordinate and side; None: not found yet
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class MinosError:
    """The interval of a parameter where the profiled -2 ln L is within 1 of its minimum, in the parameter's own unit.

    `low` or `high` is None where there is none, and `note_low` and `note_high` say why; else they name the method.

    An interval with one end, as of a parameter at its bound or on a plateau, does not cover 68 %. `limit_90` is where
    its profile has risen by 2.71 on the side of that end, the limit at 90 % CL that the measurements with limits use:
    exact in the sense of Feldman and Cousins for a Gaussian whose centre is at the bound, and conservative where the
    data push beyond it. It is None for an interval with two ends or none, and where the range ends before.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    note_low: str
    note_high: str
    limit_90: float | None = None

    @property
    def only_side(self) -> int:
        """-1 or 1 for an interval with a lower or an upper end that goes up to the range's other end; else 0."""
        open_low, open_high = self.note_low == _open(-1), self.note_high == _open(1)
        return int(open_low and self.high is not None) - int(open_high and self.low is not None)

    @property
    def is_free(self) -> bool:
        """Whether -2 ln L rises by less than 1 up to both ends of the parameter's range."""
        return all(note == _open(side) for note, side in ((self.note_low, -1), (self.note_high, 1)))

    @property
    def remarks(self) -> tuple[str, ...]:
        """Notes that neither name a method alone nor say that the range ends before the interval."""
        notes = ((self.note_low, -1), (self.note_high, 1))
        return tuple(note for note, side in notes if note not in ("MINOS", "profile", _open(side)))


def minos(
    problem: Problem,
    fit: Fit,
    names: Sequence[str] | None = None,
    ncall: int = 120,
    progress: Progress | None = None,
    local: Curvature | None = None,
    fast: Problem | None = None,
) -> tuple[MinosError, ...]:
    """MINOS intervals of the parameters `names` (default: every free one).

    MINUIT's search, of at most `ncall` gradients a parameter, unless the data leave a direction free or a parameter is
    at a bound, where it finds nothing, or an interval without what the others do. The other ends are looked for
    together in profiles (see `profile_sides`, for `fast` too). `local`: the curvature at the fit, where it is known.

    Never raises for a degenerate fit: an end that cannot be found is None with the reason. Unknown names: InputError.
    An interrupt (Ctrl-C) returns the intervals found so far.
    """
    wanted = tuple(names) if names is not None else tuple(p.name for p in problem.free)
    for name in wanted:
        if name not in problem.names:
            raise reject("minos", name, f"name a free parameter: {', '.join(problem.names)}")
    s = coordinates.to_scaled(problem, fit.point)
    ends: Ends = {(problem.names.index(name), side): None for name in wanted for side in SIDES}
    limits: dict[int, float | None] = {}
    report = progress or (lambda stage, done, total: None)
    with suppress(KeyboardInterrupt):
        local = local or curvature(problem, s)
        if not local.loose.size and not local.held:
            ends |= _by_minuit(problem, s, ends, ncall)
        ends |= _at_bounds(problem, local, ends)
        report("MINOS", sum(end is not None for end in ends.values()), len(ends))
        sides = _by_profiles(problem, fast, s, fit.twice_nll, ends, report)
        ends |= {place: _profile_end(problem, side) for place, side in sides.items()}
        limits = _limits(problem, fast, s, fit.twice_nll, ends, sides)
    return tuple(_error(problem, s, name, ends, limits) for name in wanted)


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


def _at_bounds(problem: Problem, local: Curvature, wanted: Ends) -> Ends:
    """The sides on which a parameter stands at the end of its range already."""
    places = [(problem.names.index(name), OUTWARD[at]) for name, at in local.held.items() if at in OUTWARD]
    return {place: _no_end(place[1]) for place in places if place in wanted}


def _by_profiles(
    problem: Problem, fast: Problem | None, s: np.ndarray, twice_nll: float, ends: Ends, report: Progress
) -> dict[tuple[int, int], Side]:
    """Profiles for the ends that are still missing."""
    missing = [place for place, end in ends.items() if end is None]
    known = len(ends) - len(missing)

    def say(done: int) -> None:
        report("MINOS", known + done, len(ends))

    sides = profile_sides(problem, s, twice_nll, missing, say, fast)
    return dict(zip(missing, sides, strict=True))


def _profile_end(problem: Problem, side: Side) -> End:
    if side.end is None or side.outer is None:
        return _no_end(side.sign)
    width = abs(side.places[side.inner] - side.places[side.outer]) / coordinates.box(problem).widths[side.coordinate]
    if np.isnan(side.rises[side.outer]):
        return None, f"no {WORDS[side.sign]} end found: the gradient is not finite there"
    if not side.is_done and width > UNSURE:
        return None, f"no {WORDS[side.sign]} end found"
    lowest = np.nanmin(side.rises)
    return side.end, "profile" if lowest > -DEEPER else f"profile, on which -2 ln L falls by {-lowest:.2f}"


def _limits(problem: Problem, fast: Problem | None, s, twice_nll: float, ends: Ends, sides) -> dict[int, float | None]:
    """Limits at 90 % CL (scaled) of the coordinates whose interval goes from one end to the range's."""
    single = [place for place in ends if _has_end(ends, place) and ends[place[0], -place[1]] == _no_end(-place[1])]
    new = [place for place in single if place not in sides]  # MINUIT leaves no profile to go on with
    known = sides | dict(zip(new, profile_sides(problem, s, twice_nll, new, fast=fast), strict=True))
    raised = raise_level(problem, [known[place] for place in single], twice_nll, LIMIT_90, fast)
    return {side.coordinate: _profile_end(problem, side)[0] for side in raised}


def _has_end(ends: Ends, place: tuple[int, int]) -> bool:
    return (ends.get(place) or NOT_LOOKED_FOR)[0] is not None


def _error(problem: Problem, s: np.ndarray, name: str, ends: Ends, limits: dict[int, float | None]) -> MinosError:
    i = problem.names.index(name)

    def own(place: float | None) -> float | None:
        at = np.where(np.arange(s.size) == i, s[i] if place is None else place, s)
        return None if place is None else coordinates.from_scaled(problem, at)[name]

    low, high = (ends[i, side] or NOT_LOOKED_FOR for side in SIDES)
    value = coordinates.from_scaled(problem, s)[name]
    return MinosError(name, value, own(low[0]), own(high[0]), low[1], high[1], own(limits.get(i)))


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
        return _no_end(side)
    return (float(end), "MINOS") if valid else None


def _no_end(side: int) -> End:
    return None, _open(side)


def _open(side: int) -> str:
    return f"no {WORDS[side]} limit inside the range"

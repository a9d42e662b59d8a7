"""Ends of likelihood intervals by profiling: all parameters and both directions side by side, through one gradient.

For valleys in which MINUIT's search for an end fails: a coordinate is moved outwards in steps, all others follow the
valley by descents, and the place where -2 ln L has risen by 1 (or by another level) is closed in on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from anomfit.inference import scaled
from anomfit.inference.evaluate import gradients
from anomfit.inference.holding import descend_held
from anomfit.problem import Problem

LEVEL = 1.0  # of -2 ln L above the minimum
CLOSE = 0.02  # from that level
FIRST_STEP = 1 / 12  # of a range; each further step outwards is twice as long
STEPS = 12  # outwards, and inside the bracket that is found
ROUNDS = 40  # gradients of a descent

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
) -> list[Side]:
    """Profiles from the best fit `s` (scaled) for each of `wanted`, pairs of a coordinate's index and a sign.

    A side without an `outer` point stays below the level up to the bound of its range. `report` gets the number of
    sides that are done after every step.
    """
    limits = scaled.box(problem)
    sides = [Side(i, sign, (limits.low if sign < 0 else limits.high)[i], [s], [0.0]) for i, sign in wanted]
    _extend(problem, sides, twice_nll, report)
    return sides


def raise_level(problem: Problem, sides: Sequence[Side], twice_nll: float, level: float) -> list[Side]:
    """The same profiles gone on with, to where -2 ln L has risen by `level`."""
    raised = [replace(side, points=[*side.points], rises=[*side.rises], level=level) for side in sides]
    for side in raised:
        side.is_done = _is_done(side)
    _extend(problem, raised, twice_nll, lambda done: None)
    return raised


def _extend(problem: Problem, sides: Sequence[Side], twice_nll: float, report: Report) -> None:
    """Every side by steps until its level is found, in place."""
    limits = scaled.box(problem)
    for k in range(STEPS):
        going = [side for side in sides if not side.is_done]
        if not going:
            break
        trials = [_next_place(side, FIRST_STEP * 2**k * limits.widths[side.coordinate]) for side in going]
        for side, point, value in zip(going, *_profiled(problem, going, trials), strict=True):
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


def _profiled(problem: Problem, sides: list[Side], places: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Points and -2 ln L with each side's coordinate at its place, all others minimised over.

    nan where the likelihood is finite and a gradient along the others is not.
    """
    starts = np.concatenate([_continued(problem, side, place) for side, place in zip(sides, places, strict=True)])
    values, slopes = gradients(problem, starts)
    slopes[np.arange(len(starts)), np.repeat([side.coordinate for side in sides], 2)] = 0.0
    broken = np.any((np.isfinite(values) & ~np.isfinite(slopes).all(axis=1)).reshape(len(sides), 2), axis=1)
    values = np.where(np.isnan(values), np.inf, values).reshape(len(sides), 2)
    starts = starts.reshape(len(sides), 2, -1)[np.arange(len(sides)), np.argmin(values, axis=1)]
    held = np.arange(starts.shape[1]) == np.array([side.coordinate for side in sides])[:, None]
    found, lowest = descend_held(problem, starts, held, ROUNDS)
    return found, np.where(np.isinf(lowest) & broken, np.nan, lowest)


def _continued(problem: Problem, side: Side, place: float) -> np.ndarray:
    """Two starts: the nearest point with its coordinate moved, and the straight line through the nearest two."""
    limits, order = scaled.box(problem), np.argsort(np.abs(side.places - place))
    near = side.points[order[0]]
    moved = np.where(np.arange(near.size) == side.coordinate, place, near)
    if len(order) == 1:
        return np.stack([moved, moved])
    far = side.points[order[1]]
    share = (place - near[side.coordinate]) / (far[side.coordinate] - near[side.coordinate])
    return np.stack([moved, np.clip(near + share * (far - near), limits.low, limits.high)])

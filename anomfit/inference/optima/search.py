"""Benchmark points by gradient: thousands of starts from the prior, the distinct optima they end in, what holds them.

Nothing is assumed about where the points are: starts are draws from the prior and no published point is among them.

Which ends of many descents belong to one optimum, and which of them are worth a look.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Array

from anomfit import interrupts
from anomfit.errors import reject
from anomfit.inference import coordinates
from anomfit.inference.compiled import angle_gradients, forward
from anomfit.inference.coordinates import prior_angles, scaled_at_angles
from anomfit.inference.fit.descent import descend
from anomfit.inference.fit.minuit import polish
from anomfit.inference.optima.standing import Active, Direction, Standings, active_terms, directions, standings_at
from anomfit.problem import Problem

BARRIER = 1.0  # in -2 ln L
FAR = 9.0  # ends this far above the best are no candidates
MOST = 512  # ends looked at, the best ones
APART = 0.2  # of a range, in some parameter: points of one basin that are told apart
BETWEEN = np.linspace(0.0, 1.0, 7)[1:-1]


def basins(problem: Problem, ends: np.ndarray, values: np.ndarray, wanted: int) -> list[np.ndarray]:
    """Indices of `ends` (n, scaled coordinates; best first) by basin, the best end of each first; up to `wanted`.

    Two ends are neighbours if on the straight line between them -2 ln L rises by at most `BARRIER` above the higher
    one; a basin is what neighbours connect. An end is tried with its nearest end in the basin only, so that a valley
    that bends between sparse ends may be cut in two. Lines are straight in the coordinates in which errors are quoted.
    """
    finite = np.flatnonzero(np.isfinite(values))
    left = finite[values[finite] <= values[finite[0]] + FAR][:MOST] if finite.size else finite
    found: list[np.ndarray] = []
    while left.size and len(found) < wanted:
        joined = _connected(problem, ends[left], values[left])
        found.append(left[joined])
        left = left[~joined]
    return found


def representatives(problem: Problem, ends: np.ndarray, groups: list[np.ndarray], wanted: int) -> list[tuple[int, int]]:
    """(end, basin) of up to `wanted` points: the best of every basin, then ends far from those already chosen.

    Far: `APART` of a range or more in some parameter; the farthest first, basins taking turns as their ends allow.
    """
    cube = ends[:, : len(problem.free)] / coordinates.box(problem).widths[: len(problem.free)]
    chosen = [(int(group[0]), k) for k, group in enumerate(groups)][:wanted]
    pool = [(int(i), k) for k, group in enumerate(groups) for i in group[1:]]
    while pool and len(chosen) < wanted:
        away = [min(np.max(abs(cube[i] - cube[j])) for j, _ in chosen) for i, _ in pool]
        farthest = int(np.argmax(away))
        if away[farthest] < APART:
            break
        chosen.append(pool.pop(farthest))
    return chosen


def _connected(problem: Problem, ends: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Which ends are connected with the first one."""
    widths = coordinates.box(problem).widths
    joined, tried = np.arange(len(ends)) == 0, np.full(len(ends), -1)
    while not joined.all():
        outside, inside = np.flatnonzero(~joined), np.flatnonzero(joined)
        away = np.sum(((ends[outside, None] - ends[None, inside]) / widths) ** 2, axis=-1)
        nearest = inside[np.argmin(away, axis=1)]
        fresh = nearest != tried[outside]
        if not fresh.any():
            break
        outside, nearest = outside[fresh], nearest[fresh]
        tried[outside] = nearest
        higher = np.maximum(values[outside], values[nearest])
        joined[outside] = _highest_between(problem, ends[nearest], ends[outside]) <= higher + BARRIER
    return joined


def _highest_between(problem: Problem, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The largest -2 ln L at a few points on the lines between pairs of points (n, scaled coordinates)."""
    line = starts + BETWEEN[:, None, None] * (ends - starts)
    points = [coordinates.from_scaled(problem, s) for s in line.reshape(-1, line.shape[-1])]
    found = forward(problem, {name: np.array([point[name] for point in points]) for name in problem.names}).twice_nll
    return np.max(found.reshape(len(BETWEEN), -1), axis=0)


Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class SearchSettings:
    """How hard to look: `starts` prior points, each descended in at most `rounds` gradients, `batch` side by side;
    up to `optima` distinct ends are polished by MIGRAD until `tolerance` above their minimum in -2 ln L.
    """

    starts: int = 2048
    rounds: int = 200
    batch: int = 256
    optima: int = 8
    tolerance: float = 1e-4

    def __post_init__(self):
        for name in ("starts", "rounds", "batch", "optima"):
            if getattr(self, name) < 1:
                raise reject(name, getattr(self, name), "give a whole number above 0")
        if not self.tolerance > 0.0:
            raise reject("tolerance", self.tolerance, "give a number above 0")


@dataclass(frozen=True)
class FoundOptimum:
    """An optimum, polished: values and pulls by name.

    Optima of one `basin` are connected without a barrier: points of one valley, far apart; `starts` is the number of
    starts that ended in the basin, of those looked at (`grouping.MOST`). `distance` estimates how far -2 ln L still is
    above its minimum; `standing` is row 0 of the conditions there.
    """

    values: dict[str, float]
    pulls: dict[str, float]
    s: np.ndarray  # scaled coordinates
    twice_nll: float
    distance: float
    basin: int
    starts: int
    standing: Standings
    active: tuple[Active, ...]
    directions: tuple[Direction, ...]

    @property
    def all_hold(self) -> bool:
        """Whether every condition holds."""
        return bool(self.standing.all_hold[0])


@dataclass(frozen=True)
class Search:
    """What a search found. `ends` are scaled coordinates where descents ended, best first, with their conditions.

    points: gradients taken by the descents; descent_seconds: their time, compilation included in the first batch.
    """

    optima: tuple[FoundOptimum, ...]
    ends: np.ndarray
    standing: Standings
    starts: int
    points: int
    descent_seconds: float
    compile_seconds: float
    seconds: float
    interrupted: bool

    @property
    def successes(self) -> int:
        """Ends at which every condition holds."""
        return int(np.sum(self.standing.all_hold))

    @property
    def in_the_way(self) -> dict[str, int]:
        """If no end satisfies everything: the conditions that fail at the ends which fail fewest, and at how many."""
        if self.successes:
            return {}
        failed = ~self.standing.holds
        nearest = failed[failed.sum(axis=1) == failed.sum(axis=1).min()]
        counts = zip(self.standing.names, nearest.sum(axis=0), strict=True)
        return {name: int(count) for name, count in sorted(counts, key=lambda entry: -entry[1]) if count}


@dataclass
class _Progress:
    """Ends so far, in angles, so that an interrupted search can still answer."""

    angles: list[np.ndarray] = field(default_factory=list)
    values: list[np.ndarray] = field(default_factory=list)
    points: int = 0
    seconds: float = 0.0
    compile_seconds: float = 0.0


def optimise(
    problem: Problem, key: Array, settings: SearchSettings | None = None, progress: Progress | None = None
) -> Search:
    """Search `problem` from draws of its prior (`key`): distinct optima, best first, and how many starts succeed.

    `progress(stage, done, total)` is called from Python. An interrupt (Ctrl-C) after the first batch ends the search
    and what was found so far is returned; before that it is raised. Raises InputError if nothing is free or no start
    has a finite likelihood.
    """
    settings, report = settings or SearchSettings(), progress or (lambda stage, done, total: None)
    if not problem.names:
        raise reject("free", [], "leave at least one parameter free")
    began, done, interrupted = time.perf_counter(), _Progress(), False
    try:
        _descend(problem, key, settings, done, report)
    except KeyboardInterrupt:
        if not done.angles:
            raise
        interrupted = True
    ends, values = _sorted_ends(problem, done)
    if not np.isfinite(values).any():
        raise reject("free", list(problem.names), "no start has a finite likelihood; check the ranges")
    with interrupts.postponed():
        standing = standings_at(problem, ends)
    found: list[FoundOptimum] = []
    try:
        report("grouping", 0, 1)
        groups = basins(problem, ends, values, settings.optima)
        chosen = representatives(problem, ends, groups, settings.optima)
        report("grouping", 1, 1)
        for end, basin in chosen:
            where = (basin + 1, len(groups[basin]))
            found.append(_finished(problem, ends[end], *where, settings, polished=not interrupted))
            report("polishing", len(found), len(chosen))
    except KeyboardInterrupt:
        interrupted = True
    if not found:
        found.append(_finished(problem, ends[0], 1, 1, settings, polished=False))
    return Search(
        optima=tuple(sorted(found, key=lambda optimum: optimum.twice_nll)),
        ends=ends,
        standing=standing,
        starts=len(ends),
        points=done.points,
        descent_seconds=done.seconds,
        compile_seconds=done.compile_seconds,
        seconds=time.perf_counter() - began,
        interrupted=interrupted,
    )


def _descend(problem, key, settings, done: _Progress, report) -> None:
    angles = prior_angles(problem, key, settings.starts)
    evaluate = angle_gradients(problem, min(settings.batch, settings.starts))
    began = time.perf_counter()
    evaluate(angles[:1])
    done.compile_seconds = time.perf_counter() - began

    def counted(points):
        done.points += len(points)
        return evaluate(points)

    for first in range(0, settings.starts, settings.batch):
        chunk = angles[first : first + settings.batch]
        began = time.perf_counter()
        ended, values = descend(
            counted, chunk, settings.rounds, lambda k, first=first: report("descending", first + k, settings.starts)
        )
        done.seconds += time.perf_counter() - began
        done.angles.append(ended)
        done.values.append(values)
        report("descending", min(first + settings.batch, settings.starts), settings.starts)


def _sorted_ends(problem, done: _Progress) -> tuple[np.ndarray, np.ndarray]:
    angles, values = np.concatenate(done.angles), np.concatenate(done.values)
    order = np.argsort(np.where(np.isfinite(values), values, np.inf), kind="stable")
    return scaled_at_angles(problem, angles[order]), values[order]


def _finished(problem, s, basin: int, starts: int, settings, polished: bool) -> FoundOptimum:
    s, twice_nll, distance, _ = polish(problem, s, settings.tolerance, rounds=3 if polished else 0)
    point = coordinates.from_scaled(problem, s)
    return FoundOptimum(
        values={p.name: point[p.name] for p in problem.free},
        pulls={n.name: point[n.name] for n in problem.nuisances},
        s=s,
        twice_nll=twice_nll,
        distance=distance,
        basin=basin,
        starts=starts,
        standing=standings_at(problem, s[None]),
        active=active_terms(problem, s),
        directions=directions(problem, s),
    )

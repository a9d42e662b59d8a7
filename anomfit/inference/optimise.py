"""Benchmark points by gradient: thousands of starts from the prior, the distinct optima they end in, what holds them.

Nothing is assumed about where the points are: starts are draws from the prior and no published point is among them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Array

from anomfit import interrupts
from anomfit.errors import reject
from anomfit.inference import scaled
from anomfit.inference.angles import angle_gradients, prior_angles, scaled_points
from anomfit.inference.descent import descend
from anomfit.inference.grouping import basins, representatives
from anomfit.inference.polish import polish
from anomfit.inference.standing import Standings
from anomfit.inference.stiffness import Active, Direction, active_terms, directions, standings_at
from anomfit.problem import Problem

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
    return scaled_points(problem, angles[order]), values[order]


def _finished(problem, s, basin: int, starts: int, settings, polished: bool) -> FoundOptimum:
    s, twice_nll, distance, _ = polish(problem, s, settings.tolerance, rounds=3 if polished else 0)
    point = scaled.from_scaled(problem, s)
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

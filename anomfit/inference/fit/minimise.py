"""The best fit: many prior points by value, the best distinct ones by gradient in one batch, the winner polished.

Draws of the posterior may take the place of the prior's points, where a minimum is too narrow for these to find.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from anomfit.errors import reject
from anomfit.inference import coordinates
from anomfit.inference.compiled import angle_gradients, forward, gradients
from anomfit.inference.coordinates import normal_angles, prior_angles, scaled_at_angles, values_at_angles
from anomfit.inference.fit.descent import descend
from anomfit.inference.fit.minuit import distinct, polish, projected_gradient_norm
from anomfit.inference.undefined import Watch, undefined_values
from anomfit.problem import Problem

CHUNK = 256  # prior points between two reports
TRIED = 48  # prior points whose gradient is looked at, too
PASSES = 12  # choices of starts, each without those of the one before that have no finite gradient

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class FitSettings:
    """How hard to look: `screened` prior points by value, the best distinct `starts` descended, in at most `rounds`
    gradients each, the best `polished` ends handed to MIGRAD; the best fit is `tolerance` from its minimum in -2 ln L.
    """

    screened: int = 2048
    starts: int = 24
    rounds: int = 300
    polished: int = 4
    tolerance: float = 1e-5

    def __post_init__(self):
        for name in ("screened", "starts", "rounds", "polished"):
            if getattr(self, name) < 1:
                raise reject(name, getattr(self, name), "give a whole number above 0")
        if not self.tolerance > 0.0:
            raise reject("tolerance", self.tolerance, "give a number above 0")
        if self.screened < self.starts:
            raise reject(
                "screened", self.screened, f"screen at least as many points as there are starts ({self.starts})"
            )


@dataclass(frozen=True)
class Optimum:
    """A local optimum: values of parameters and pulls by name, its -2 ln L, and how many starts ended there."""

    values: dict[str, float]
    twice_nll: float
    starts: int


@dataclass(frozen=True)
class Fit:
    """A best fit. `distance` estimates how far -2 ln L still is above its minimum (see `polish`).

    `gradient_norm` is that of -2 ln L per unit of prior range, components that push out of a bound left out. `optima`
    are the distinct local optima (more than 0.01 apart in -2 ln L or 2 % of a range in position), best first;
    `reached` counts the starts that ended within 0.01 of the best -2 ln L, wherever that was. `problems` are sentences
    about points at which the likelihood or its gradient is not finite (see `undefined`), empty for a good model.
    `start_from`: what the starts were chosen from, "prior" or "draws", of which `screened` were looked at.
    """

    values: dict[str, float]
    pulls: dict[str, float]
    twice_nll: float
    distance: float
    gradient_norm: float
    optima: tuple[Optimum, ...]
    screened: int
    starts: int
    reached: int
    converged: bool
    message: str
    seconds: float
    problems: tuple[str, ...] = ()
    start_from: str = "prior"

    @property
    def point(self) -> dict[str, float]:
        """Parameters and pulls together, as `Problem.predictions` takes them."""
        return {**self.values, **self.pulls}

    def moved(self, problem: Problem, point: Mapping[str, float], twice_nll: float) -> "Fit":
        """The fit with another point of `problem` (parameters and pulls) as its best; all else that it says stays."""
        values = {parameter.name: point[parameter.name] for parameter in problem.free}
        pulls = {nuisance.name: point[nuisance.name] for nuisance in problem.nuisances}
        return replace(self, values=values, pulls=pulls, twice_nll=twice_nll)


@dataclass
class _Search:
    """What has been found so far, in angle coordinates, so that an interrupted search can still answer."""

    angles: np.ndarray
    values: np.ndarray
    start_from: str
    screened: int = 0
    starts: int = 0
    watches: list[Watch] = field(default_factory=list)

    def sort(self) -> None:
        """Best first."""
        order = np.argsort(self.values, kind="stable")
        self.angles, self.values = self.angles[order], self.values[order]


def minimise(
    problem: Problem,
    key: Array,
    settings: FitSettings | None = None,
    progress: Progress | None = None,
    draws: np.ndarray | None = None,
) -> Fit:
    """Fit `problem`: multi-start BFGS, all starts in one batch and one compile, then MIGRAD with the same gradient.

    `key` draws the starts from the prior. With `draws`, points (n, coordinates) in normal coordinates
    (`Problem.from_normal`), the descents start instead at the first of these whose gradient is finite.
    `progress(stage, done, total)` is called from Python between batches. An interrupt (Ctrl-C) after the first batch
    ends the search and returns the best point so far with `converged` False; before that it is raised. Raises
    InputError if there is nothing to fit, or no screened point has a finite likelihood and a finite gradient.
    """
    settings, report = settings or FitSettings(), progress or (lambda stage, done, total: None)
    if not problem.names:
        raise reject("free", [], "leave at least one parameter free")
    began, interrupted = time.perf_counter(), False
    search = _Search(np.zeros((0, len(problem.names))), np.zeros(0), "prior" if draws is None else "draws")
    try:
        _screen(problem, _angles(problem, key, settings, draws), search, report)
        _descend(problem, settings, search, report)
    except KeyboardInterrupt:
        if not search.screened:
            raise
        interrupted = True
    return _conclude(problem, settings, search, interrupted, report, began)


def _angles(problem, key, settings, draws) -> np.ndarray:
    """The points to look at."""
    if draws is None:
        return prior_angles(problem, key, settings.screened)
    return normal_angles(problem, np.asarray(draws, dtype=float))


def _screen(problem, angles, search, report) -> None:
    kind = "point of the prior" if search.start_from == "prior" else "draw of the populations"
    points = {name: np.asarray(x) for name, x in values_at_angles(problem, jnp.asarray(angles)).items()}
    watch = _watch(problem, kind.replace(" of", "s of", 1), search)
    for first in range(0, len(angles), CHUNK):
        chunk = slice(first, min(first + CHUNK, len(angles)))
        found = forward(problem, {name: x[chunk] for name, x in points.items()})
        watch.note(angles[chunk], undefined_values(found))
        search.angles, search.values = (
            np.vstack([search.angles, angles[chunk]]),
            np.append(search.values, found.twice_nll),
        )
        search.screened = chunk.stop
        report("screening", chunk.stop, len(angles))
    if not np.isfinite(search.values).any():
        raise _no_start(problem, search, f"no {kind} has a finite likelihood; check the ranges")


def _descend(problem, settings, search, report) -> None:
    watch, evaluate = _watch(problem, "points tried by gradient", search), angle_gradients(problem, settings.starts)

    def watched(angles):
        return watch.noted(angles, *evaluate(angles))

    if search.start_from == "prior":
        search.sort()
        _try_gradients(settings.starts, watched, search)
    starts = _usable_starts(problem, settings.starts, watched, search)
    ended = descend(watched, starts, settings.rounds, lambda done: report("minimising", done, len(starts)))
    search.angles, search.values, search.starts = *ended, len(starts)


def _watch(problem, stage: str, search: _Search) -> Watch:
    search.watches.append(Watch(stage, lambda angles: values_at_angles(problem, jnp.asarray(angles))))
    return search.watches[-1]


def _no_start(problem, search, reason: str):
    found = [sentence for watch in search.watches for sentence in watch.sentences(problem)]
    return reject("free", list(problem.names), "; ".join([reason, *found]))


def _usable_starts(problem, wanted: int, evaluate, search) -> np.ndarray:
    """The best distinct points whose gradient is finite, as far as a few choices find them; draws in their order."""
    values, starts = search.values.copy(), search.angles[:0]
    for _ in range(PASSES):
        if search.start_from == "draws":
            chosen = np.flatnonzero(np.isfinite(values))[:wanted]
        else:
            chosen = np.array(_distinct_starts(search.angles, values, len(problem.free), wanted), dtype=int)
        if not chosen.size:
            break
        found, slopes = evaluate(search.angles[chosen])
        good = np.isfinite(found) & np.isfinite(slopes).all(axis=1)
        starts = search.angles[chosen[good]]
        if good.all():
            break
        values[chosen[~good]] = np.inf
    if not len(starts):
        raise _no_start(problem, search, "no start has a finite likelihood and a finite gradient")
    return starts


def _try_gradients(most: int, evaluate, search) -> None:
    """Look at the gradient of some prior points, good and bad ones, `most` at once."""
    finite = np.flatnonzero(np.isfinite(search.values))
    tried = search.angles[finite[np.unique(np.linspace(0, finite.size - 1, TRIED).astype(int))]]
    for first in range(0, len(tried), most):
        evaluate(tried[first : first + most])


def _distinct_starts(angles: np.ndarray, values: np.ndarray, free: int, wanted: int) -> list[int]:
    """The best points that keep their distance (0.2 a dimension in the cube, rms); the next best fill up."""
    cube, chosen = 0.5 * (1.0 + np.sin(angles[:, :free])), []
    for i in np.flatnonzero(np.isfinite(values)):
        if len(chosen) < wanted and all(np.sum((cube[i] - cube[j]) ** 2) > 0.04 * free for j in chosen):
            chosen.append(i)
    rest = [i for i in np.flatnonzero(np.isfinite(values)) if i not in chosen]
    return chosen + rest[: wanted - len(chosen)]


def _conclude(problem, settings, search, interrupted, report, began) -> Fit:
    search.sort()
    ends = scaled_at_angles(problem, search.angles[:64])
    try:
        s, twice_nll, distance, settled = _polished(problem, ends, search, settings, interrupted, report)
    except KeyboardInterrupt:  # while polishing
        interrupted = True
        s, twice_nll, distance, settled = _polished(problem, ends, search, settings, interrupted, report)
    point = coordinates.from_scaled(problem, s)
    message = "converged" if settled else f"not converged: -2 ln L may fall by another {distance:.1e}"
    if interrupted:
        message = "interrupted: the best point so far, not a converged fit"
    kept = len(ends) if search.starts else 0
    return Fit(
        values={p.name: point[p.name] for p in problem.free},
        pulls={n.name: point[n.name] for n in problem.nuisances},
        twice_nll=twice_nll,
        distance=distance,
        gradient_norm=projected_gradient_norm(problem, s, gradients(problem, s[None])[1][0]),
        optima=_optima(problem, np.vstack([s, ends[:kept]]), np.append(twice_nll, search.values[:kept])),
        screened=search.screened,
        starts=search.starts,
        reached=int(np.sum(search.values < twice_nll + 0.01)) if search.starts else 0,
        converged=settled and not interrupted,
        message=message,
        seconds=time.perf_counter() - began,
        problems=tuple(sentence for watch in search.watches for sentence in watch.sentences(problem, twice_nll)),
        start_from=search.start_from,
    )


def _polished(problem, ends, search, settings, interrupted, report) -> tuple[np.ndarray, float, float, bool]:
    """The best of the polished ends. A descent that stopped early in a narrow valley may lead furthest."""
    if interrupted:
        return polish(problem, ends[0], settings.tolerance, rounds=0)
    chosen = distinct(ends, search.values, 0.05 * coordinates.box(problem).widths, settings.polished)
    report("polishing", 0, len(chosen))
    found = []
    for i, k in enumerate(chosen):
        found.append(polish(problem, ends[k], settings.tolerance, rounds=1))
        report("polishing", i + 1, len(chosen))
    return polish(problem, min(found, key=lambda end: end[1])[0], settings.tolerance, rounds=6)


def _optima(problem, points: np.ndarray, values: np.ndarray) -> tuple[Optimum, ...]:
    """Group the ends of the starts (the first row, the polished point, is no start)."""
    widths, found = coordinates.box(problem).widths, []
    for i, (s, value) in enumerate(zip(points, values, strict=True)):
        near = [k for k, (t, v, _) in enumerate(found) if abs(value - v) < 0.01 and np.all(abs(s - t) < 0.02 * widths)]
        if near:
            found[near[0]][2] += 1
        elif np.isfinite(value):
            found.append([s, value, int(i > 0)])
    ordered = sorted(found, key=lambda entry: entry[1])
    return tuple(Optimum(coordinates.from_scaled(problem, s), float(value), count) for s, value, count in ordered)

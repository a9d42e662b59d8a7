"""The best fit: many prior points by value, the best distinct ones by gradient in one batch, the winner polished."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from anomfit.errors import reject
from anomfit.inference import scaled
from anomfit.inference.devices import devices_for, spread
from anomfit.problem import Problem

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class FitSettings:
    """How hard to look: `screened` prior points by value, the best `starts` by gradient, `batch` of them at a time."""

    screened: int = 2048
    starts: int = 24
    batch: int = 8
    steps: int = 300
    tolerance: float = 1e-5

    def __post_init__(self):
        for name in ("screened", "starts", "batch", "steps"):
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
    """A best fit. `distance` estimates how far -2 ln L still is above its minimum (see `_polish`).

    `gradient_norm` is that of -2 ln L per unit of prior range, components that push out of a bound left out. `optima`
    are the distinct local optima (more than 0.01 apart in -2 ln L or 2 % of a range in position), best first;
    `reached` counts the starts that ended within 0.01 of the best -2 ln L, wherever that was.
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

    @property
    def point(self) -> dict[str, float]:
        """Parameters and pulls together, as `Problem.predictions` takes them."""
        return {**self.values, **self.pulls}


@dataclass
class _Search:
    """What has been found so far, in angle coordinates, so that an interrupted search can still answer."""

    screened: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    ended: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def best_first(self) -> tuple[np.ndarray, np.ndarray]:
        points, values = (np.concatenate(x) for x in zip(*(self.ended or self.screened), strict=True))
        order = np.argsort(values, kind="stable")
        return points[order], values[order]


def minimise(
    problem: Problem, key: Array, settings: FitSettings | None = None, progress: Progress | None = None
) -> Fit:
    """Fit `problem`: multi-start L-BFGS in one batched compile, then MIGRAD with the exact gradient.

    `key` draws the starts from the prior. `progress(stage, done, total)` is called from Python between batches. An
    interrupt (Ctrl-C) after the first batch ends the search and returns the best point so far with `converged` False;
    before that it is raised. Raises InputError if there is nothing to fit or no screened point has a finite likelihood.
    """
    settings, report = settings or FitSettings(), progress or (lambda stage, done, total: None)
    if not problem.names:
        raise reject("free", [], "leave at least one parameter free")
    began, search, interrupted = time.perf_counter(), _Search(), False
    try:
        _screen(problem, key, settings, search, report)
        _descend(problem, settings, search, report)
    except KeyboardInterrupt:
        if not search.screened:
            raise
        interrupted = True
    return _conclude(problem, settings, search, interrupted, report, began)


@jax.jit
def batched_twice_nll(problem: Problem, angles: Float[Array, "points coordinates"]) -> Float[Array, " points"]:
    """-2 ln L at many points in the minimiser's coordinates; what is not finite becomes infinite."""
    devices = devices_for(angles.shape[0])
    values = spread(lambda shared, batch: jax.lax.map(shared.twice_nll, batch, batch_size=16), devices)(problem, angles)
    return jnp.where(jnp.isfinite(values), values, jnp.inf)


@partial(jax.jit, static_argnames=("steps",))
def batched_descent(
    problem: Problem, angles: Float[Array, "starts coordinates"], steps: int
) -> Float[Array, "starts coordinates"]:
    """Where L-BFGS with a zoom line search leads from each start, in at most `steps` steps."""
    solver = optax.lbfgs(memory_size=20, linesearch=optax.scale_by_zoom_linesearch(max_linesearch_steps=12))

    def descend(shared, start):
        objective = jax.value_and_grad(shared.twice_nll)

        def goes_on(carry):
            _, _, gradient, _, step, gained = carry
            return (step < steps) & (gained > 1e-7) & jnp.all(jnp.isfinite(gradient))

        def step_down(carry):
            a, value, gradient, state, step, _ = carry
            update, state = solver.update(gradient, state, a, value=value, grad=gradient, value_fn=shared.twice_nll)
            new, slope = optax.tree.get(state, "value"), optax.tree.get(state, "grad")
            return a + update, new, slope, state, step + 1, value - new

        value, gradient = objective(start)
        end = jax.lax.while_loop(goes_on, step_down, (start, value, gradient, solver.init(start), 0, jnp.inf))[0]
        return jnp.where(jnp.all(jnp.isfinite(end)), end, start)

    def batch(shared, starts):
        return jax.vmap(descend, in_axes=(None, 0))(shared, starts)

    return spread(batch, devices_for(angles.shape[0]))(problem, angles)


def _screen(problem, key, settings, search, report) -> None:
    u = np.asarray(jax.random.uniform(key, (settings.screened, len(problem.free))), dtype=float)
    angles = np.concatenate([np.arcsin(2.0 * u - 1.0), np.zeros((settings.screened, len(problem.nuisances)))], axis=1)
    size = min(256, settings.screened)
    for first in range(0, settings.screened, size):
        chunk = angles[first : first + size]
        values = np.asarray(batched_twice_nll(problem, _padded(chunk, size)))[: len(chunk)]
        search.screened.append((chunk, values))
        report("screening", first + len(chunk), settings.screened)
    if not np.isfinite(np.concatenate([v for _, v in search.screened])).any():
        raise reject("free", list(problem.names), "no point of the prior has a finite likelihood; check the ranges")


def _descend(problem, settings, search, report) -> None:
    angles, values = search.best_first()
    starts = _distinct_starts(angles, values, len(problem.free), settings.starts)
    size = min(settings.batch, len(starts))
    for first in range(0, len(starts), size):
        chunk = starts[first : first + size]
        ends = np.asarray(batched_descent(problem, _padded(chunk, size), settings.steps))
        values = np.asarray(batched_twice_nll(problem, jnp.asarray(ends)))
        search.ended.append((ends[: len(chunk)], values[: len(chunk)]))
        report("minimising", first + len(chunk), len(starts))


def _distinct_starts(angles: np.ndarray, values: np.ndarray, free: int, wanted: int) -> np.ndarray:
    """The best points that keep their distance (0.2 a dimension in the cube, rms); the next best fill up."""
    cube, chosen = 0.5 * (1.0 + np.sin(angles[:, :free])), []
    for i in np.flatnonzero(np.isfinite(values)):
        if len(chosen) < wanted and all(np.sum((cube[i] - cube[j]) ** 2) > 0.04 * free for j in chosen):
            chosen.append(i)
    rest = [i for i in np.flatnonzero(np.isfinite(values)) if i not in chosen]
    return angles[chosen + rest[: wanted - len(chosen)]]


def _conclude(problem, settings, search, interrupted, report, began) -> Fit:
    angles, values = search.best_first()
    ends = np.array([scaled.to_scaled(problem, _floats(problem.from_angle(jnp.asarray(a)))) for a in angles[:64]])
    report("polishing", 0, 1)
    s, twice_nll, distance, settled = _polish(problem, ends[0], settings.tolerance, interrupted)
    report("polishing", 1, 1)
    point = scaled.from_scaled(problem, s)
    message = "converged" if settled else f"not converged: -2 ln L may fall by another {distance:.1e}"
    if interrupted:
        message = "interrupted: the best point so far, not a converged fit"
    return Fit(
        values={p.name: point[p.name] for p in problem.free},
        pulls={n.name: point[n.name] for n in problem.nuisances},
        twice_nll=twice_nll,
        distance=distance,
        gradient_norm=_projected_gradient_norm(problem, s),
        optima=_optima(problem, np.vstack([s, ends]), np.append(twice_nll, values[: len(ends)])),
        screened=sum(len(v) for _, v in search.screened),
        starts=sum(len(v) for _, v in search.ended),
        reached=int(sum(np.sum(v < twice_nll + 0.01) for _, v in search.ended)),
        converged=settled and not interrupted,
        message=message,
        seconds=time.perf_counter() - began,
    )


def _polish(problem, s, tolerance, interrupted) -> tuple[np.ndarray, float, float, bool]:
    """MIGRAD, restarted until it gains less than the tolerance; (point, -2 ln L, distance to the minimum, settled).

    The distance is the smaller of MINUIT's estimate and |gradient|^2/4 per unit of prior range, which is what a step of
    at most one range along the flattest direction can gain: MINUIT's is meaningless on a plateau without curvature.
    """
    value, distance, settled = float(scaled.value_and_gradient(problem, jnp.asarray(s))[0]), np.inf, False
    for _ in range(0 if interrupted else 6):
        fitter = scaled.minuit(problem, s, tolerance)
        fitter.migrad(ncall=2000, iterate=1)
        found = scaled.project(problem, np.array(fitter.values))
        lowest, edm = float(scaled.value_and_gradient(problem, jnp.asarray(found))[0]), scaled.expected_distance(fitter)
        gained = value - lowest
        if gained > 0.0:
            s, value = found, lowest
        distance = min(edm, 0.25 * _projected_gradient_norm(problem, s) ** 2)
        settled = gained < tolerance and distance < tolerance
        if settled:
            break
    return s, value, distance, settled


def _projected_gradient_norm(problem, s) -> float:
    limits = scaled.box(problem)
    gradient = np.asarray(scaled.value_and_gradient(problem, jnp.asarray(s))[1]) * limits.widths
    at_low = (s <= limits.low + 1e-6 * limits.widths) & (gradient > 0.0)
    at_high = (s >= limits.high - 1e-6 * limits.widths) & (gradient < 0.0)
    return float(np.linalg.norm(np.where(at_low | at_high, 0.0, gradient)))


def _optima(problem, points: np.ndarray, values: np.ndarray) -> tuple[Optimum, ...]:
    """Group the ends of the starts (the first row, the polished point, is no start)."""
    widths, found = scaled.box(problem).widths, []
    for i, (s, value) in enumerate(zip(points, values, strict=True)):
        near = [k for k, (t, v, _) in enumerate(found) if abs(value - v) < 0.01 and np.all(abs(s - t) < 0.02 * widths)]
        if near:
            found[near[0]][2] += 1
        elif np.isfinite(value):
            found.append([s, value, int(i > 0)])
    ordered = sorted(found, key=lambda entry: entry[1])
    return tuple(Optimum(scaled.from_scaled(problem, s), float(value), count) for s, value, count in ordered)


def _padded(chunk: np.ndarray, size: int) -> Array:
    return jnp.asarray(np.concatenate([chunk, np.repeat(chunk[-1:], size - len(chunk), axis=0)]))


def _floats(values) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}

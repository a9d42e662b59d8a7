"""The compiled programs that fits, errors and reports share: a forward and a gradient one for each part of a problem.

A likelihood of real measurements takes longer to compile than to evaluate thousands of times, so every caller goes
through these, whatever the number of points: points are padded to a fixed number of lanes. The gradient skips the
lanes that are not in use. A problem is compiled in parts (`parts_of`), and the parts are added here.

Measurements that stand in for exact ones, such as those from tables: where they do not hold, the exact one is asked.

Nothing branches inside a compiled program: it says what is not a number, and such points are given to the exact one.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from anomfit import interrupts
from anomfit.inference import coordinates
from anomfit.inference.devices import devices_for, each, spread
from anomfit.measurements.base import StandsIn, is_lean
from anomfit.problem import Problem, parts_of, with_measurements


def exact_problem(problem: Problem) -> Problem | None:
    """The problem with every stand-in replaced by its exact measurement; None where there is no stand-in."""
    if not any(isinstance(m, StandsIn) for m in problem.measurements):
        return None
    return replace(problem, measurements=tuple(m.exact if isinstance(m, StandsIn) else m for m in problem.measurements))


def asked_again(found: Any, broken: Bool[np.ndarray, " points"], ask: Callable[[np.ndarray], Any]) -> Any:
    """`found`, arrays over points, with what `ask` says of the places of the `broken` ones put in."""
    places = np.flatnonzero(broken)
    if not places.size:
        return found

    def put(old, new):
        whole = np.array(old)
        whole[places] = new
        return whole

    return jax.tree.map(put, found, ask(places))


@jax.jit
def holds(problem: Problem, points: Mapping[str, Float[Array, "points"]]) -> Bool[Array, "points"]:
    """Whether every stand-in of the problem holds at the points, by parameters' names."""

    def at(parameters):
        point, nuisances = problem.physical_point(parameters), problem.nuisance_values(parameters)
        found = [m.holds_at(problem.model, point, nuisances) for m in problem.measurements if isinstance(m, StandsIn)]
        return jnp.all(jnp.stack(found)) if found else jnp.array(True)

    return jax.lax.map(at, dict(points), batch_size=256)


FORWARD_LANES = 64
GRADIENT_LANES = 16

Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class Forward(NamedTuple):
    """What a problem says at n points: arrays with the leading axis n, in lists over the measurements but the first."""

    twice_nll: Any
    log_likelihood: list[Any]
    chi_squared: list[Any]
    pulls: list[Any]
    signal: list[dict[str, Any]]


def forward(problem: Problem, points: Mapping[str, np.ndarray]) -> Forward:
    """-2 ln L (infinite where it is not finite), chi^2, pulls and signals at `points`, arrays of n values by name.

    Names that the problem does not have are ignored; a pull that is not given is 0.
    """
    n = len(next(iter(points.values())))
    table = {name: np.asarray(points.get(name, np.zeros(n)), dtype=float) for name in problem.names}
    found: list[Any] = [None] * len(problem.measurements)
    for places, part in parts_of(problem):
        for place, forwarded in zip(places, _through_lanes(part, table, n), strict=True):
            found[place] = forwarded
    pulls = [(table[x.name] - float(centre)) ** 2 for x, centre in zip(problem.nuisances, problem.centres, strict=True)]
    log_likelihood = [one.log_likelihood for one in found]
    twice_nll = sum(pulls, np.zeros(n)) - 2.0 * sum(log_likelihood, np.zeros(n))
    return Forward(
        twice_nll=np.where(np.isfinite(twice_nll), twice_nll, np.inf),
        log_likelihood=log_likelihood,
        chi_squared=[one.chi_squared for one in found],
        pulls=[one.pulls for one in found],
        signal=[one.signal for one in found],
    )


def _through_lanes(part: Problem, table: Mapping[str, np.ndarray], n: int) -> "list[_OfOne]":
    """What each measurement of a part says at n points."""
    chunks = []
    for first in range(0, n, FORWARD_LANES):
        interrupts.check()
        lanes = np.minimum(np.arange(first, first + FORWARD_LANES), n - 1)
        found = _forward(part, {name: jnp.asarray(x[lanes]) for name, x in table.items()})
        chunks.append(jax.tree.map(lambda x, left=n - first: np.asarray(x)[:left], found))
    found = jax.tree.map(lambda *pieces: np.concatenate(pieces), *chunks)
    if (exact := exact_problem(part)) is None:
        return found
    broken = np.any([np.isnan(one.log_likelihood) for one in found], axis=0)
    return asked_again(
        found, broken, lambda i: _through_lanes(exact, {name: x[i] for name, x in table.items()}, len(i))
    )


def forward_at(problem: Problem, point: Mapping[str, float]) -> Forward:
    """`forward` at one point, with the leading axis 1."""
    return forward(problem, {name: np.array([float(value)]) for name, value in point.items()})


def gradients(problem: Problem, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`scaled_twice_nll` (n,) and its gradients (n, coordinates) at scaled coordinates `s` (n, coordinates)."""
    values, slopes = penalties(problem, s)
    for _, part in parts_of(problem):
        found = in_lanes(partial(_gradients, part), s)
        if (exact := exact_problem(part)) is not None:
            broken = np.isnan(found[0]) | np.isnan(found[1]).any(axis=1)
            found = asked_again(found, broken, lambda i, exact=exact: in_lanes(partial(_gradients, exact), s[i]))
        values, slopes = values + found[0], slopes + found[1]
    return values, slopes


def penalties(problem: Problem, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`penalty_and_wall` (n,), what is not measured, and its gradients (n, coordinates) at scaled `s`."""
    return in_lanes(partial(_penalty_gradients, with_measurements(problem, ())), s)


def in_lanes(program: Callable, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and gradients at any number of points (n, coordinates), through one shape of a compiled `program`.

    `program(points, active)` takes `GRADIENT_LANES` points and which of them are asked for.
    """
    values, slopes = np.empty(len(points)), np.empty(points.shape)
    lanes = _lane_order(devices_for(GRADIENT_LANES))
    for first in range(0, len(points), GRADIENT_LANES):
        interrupts.check()
        chunk = points[first : first + GRADIENT_LANES]
        used = lanes[: len(chunk)]
        padded, active = np.repeat(chunk[:1], GRADIENT_LANES, axis=0), np.zeros(GRADIENT_LANES, dtype=bool)
        padded[used], active[used] = chunk, True
        value, slope = program(jnp.asarray(padded), jnp.asarray(active))
        values[first : first + len(chunk)] = np.asarray(value)[used]
        slopes[first : first + len(chunk)] = np.asarray(slope)[used]
    return values, slopes


def hessian(problem: Problem, s: np.ndarray) -> np.ndarray:
    """Second derivatives of -2 ln L at scaled coordinates `s`: fourth-order differences of the exact gradient.

    Steps are 1e-4 of a range; the error of the differences is far below that of a quadratic approximation, and no
    program but the gradient's is compiled.
    """
    steps = 1e-4 * coordinates.box(problem).widths
    shifts = np.concatenate([k * np.diag(steps) for k in (1.0, -1.0, 2.0, -2.0)])
    _, slopes = gradients(problem, s + shifts)
    ahead, behind, far_ahead, far_behind = np.split(slopes, 4)
    rows = (8.0 * (ahead - behind) - (far_ahead - far_behind)) / (12.0 * steps[:, None])
    return 0.5 * (rows + rows.T)


class _OfOne(NamedTuple):
    """What one measurement says at points."""

    log_likelihood: Any
    chi_squared: Any
    pulls: Any
    signal: dict[str, Any]


@jax.jit
def _forward(part: Problem, points) -> list[_OfOne]:
    def one(shared, point):
        nuisances, predictions = shared.nuisance_values(point), shared.predictions(point)
        return [
            _OfOne(m.log_likelihood(p, nuisances), m.chi_squared(p, nuisances), m.pulls(p, nuisances), dict(p.signal))
            for m, p in zip(shared.measurements, predictions, strict=True)
        ]

    lean = all(is_lean(m) for m in part.measurements)

    def batch(shared, points):
        return each(lambda point: one(shared, point), points, lean)

    return spread(batch, devices_for(FORWARD_LANES))(part, points)


@jax.jit
def _gradients(part: Problem, s, active):
    return _value_and_slopes(coordinates.measured_twice_nll, part, s, active)


@jax.jit
def _penalty_gradients(problem: Problem, s, active):
    return _value_and_slopes(coordinates.penalty_and_wall, problem, s, active)


def _value_and_slopes(function: Callable, problem: Problem, s, active):
    def one(shared, lane):
        point, is_used = lane
        evaluate = jax.value_and_grad(lambda x: function(shared, x))
        return jax.lax.cond(is_used, evaluate, lambda x: (jnp.zeros((), x.dtype), jnp.zeros_like(x)), point)

    def batch(shared, lanes):
        return each(lambda lane: one(shared, lane), lanes)

    return spread(batch, devices_for(GRADIENT_LANES))(problem, (s, active))


def _lane_order(devices: int) -> np.ndarray:
    """Lanes in the order of their use: the devices, each of which has a run of lanes, take turns."""
    return np.arange(GRADIENT_LANES).reshape(devices, -1).T.ravel()


def angle_gradients(problem: Problem, most: int) -> Evaluate:
    """A function of up to `most` points in angles (n, coordinates): -2 ln L (n,) and its gradients (n, coordinates).

    The maps of coordinates are compiled once, for `most` points.
    """

    def evaluate(angles):
        padded = jnp.asarray(np.concatenate([angles, np.repeat(angles[-1:], most - len(angles), axis=0)]))
        values, slopes = gradients(problem, np.asarray(_to_scaled(problem, padded))[: len(angles)])
        slopes = np.concatenate([slopes, np.zeros((most - len(angles), slopes.shape[1]))])
        return values, np.asarray(_pull_back(problem, padded, jnp.asarray(slopes)))[: len(angles)]

    return evaluate


@jax.jit
def _to_scaled(problem: Problem, angles):
    return jax.vmap(lambda a: coordinates.from_values(problem, problem.from_angle(a)))(angles)


@jax.jit
def _pull_back(problem: Problem, angles, slopes):
    """Gradients in angle coordinates from those in scaled ones: the chain rule through the map of coordinates."""

    def one(a, slope):
        return jax.vjp(lambda x: coordinates.from_values(problem, problem.from_angle(x)), a)[1](slope)[0]

    return jax.vmap(one)(angles, slopes)

"""The two compiled programs that fits, errors and reports share: the forward one and the gradient one.

A likelihood of real measurements takes longer to compile than to evaluate thousands of times, so every caller goes
through these two, whatever the number of points: points are padded to a fixed number of lanes. The gradient skips the
lanes that are not in use.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from anomfit import interrupts
from anomfit.inference import scaled
from anomfit.inference.devices import devices_for, each, spread
from anomfit.problem import Problem

FORWARD_LANES = 64
GRADIENT_LANES = 16


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
    chunks = []
    for first in range(0, n, FORWARD_LANES):
        interrupts.check()
        lanes = np.minimum(np.arange(first, first + FORWARD_LANES), n - 1)
        found = _forward(problem, {name: jnp.asarray(x[lanes]) for name, x in table.items()})
        chunks.append(jax.tree.map(lambda x, left=n - first: np.asarray(x)[:left], found))
    whole = jax.tree.map(lambda *parts: np.concatenate(parts), *chunks)
    return whole._replace(twice_nll=np.where(np.isfinite(whole.twice_nll), whole.twice_nll, np.inf))


def forward_at(problem: Problem, point: Mapping[str, float]) -> Forward:
    """`forward` at one point, with the leading axis 1."""
    return forward(problem, {name: np.array([float(value)]) for name, value in point.items()})


def gradients(problem: Problem, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`scaled.scaled_twice_nll` (n,) and its gradients (n, coordinates) at scaled coordinates `s` (n, coordinates)."""
    return in_lanes(partial(_gradients, problem), s)


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
    steps = 1e-4 * scaled.box(problem).widths
    shifts = np.concatenate([k * np.diag(steps) for k in (1.0, -1.0, 2.0, -2.0)])
    _, slopes = gradients(problem, s + shifts)
    ahead, behind, far_ahead, far_behind = np.split(slopes, 4)
    rows = (8.0 * (ahead - behind) - (far_ahead - far_behind)) / (12.0 * steps[:, None])
    return 0.5 * (rows + rows.T)


@jax.jit
def _forward(problem: Problem, points) -> Forward:
    def one(shared, point):
        nuisances, predictions = shared.nuisance_values(point), shared.predictions(point)
        pairs = list(zip(shared.measurements, predictions, strict=True))
        log_likelihood = [m.log_likelihood(p, nuisances) for m, p in pairs]
        chi_squared = [m.chi_squared(p, nuisances) for m, p in pairs]
        pulls = [m.pulls(p, nuisances) for m, p in pairs]
        twice_nll = shared.penalty(point) - 2.0 * sum(log_likelihood)
        return Forward(twice_nll, log_likelihood, chi_squared, pulls, [dict(p.signal) for p in predictions])

    def batch(shared, points):
        return each(lambda point: one(shared, point), points)

    return spread(batch, devices_for(FORWARD_LANES))(problem, points)


@jax.jit
def _gradients(problem: Problem, s, active):
    def one(shared, lane):
        point, is_used = lane
        evaluate = jax.value_and_grad(lambda x: scaled.scaled_twice_nll(shared, x))
        return jax.lax.cond(is_used, evaluate, lambda x: (jnp.zeros((), x.dtype), jnp.zeros_like(x)), point)

    def batch(shared, lanes):
        return each(lambda lane: one(shared, lane), lanes)

    return spread(batch, devices_for(GRADIENT_LANES))(problem, (s, active))


def _lane_order(devices: int) -> np.ndarray:
    """Lanes in the order of their use: the devices, each of which has a run of lanes, take turns."""
    return np.arange(GRADIENT_LANES).reshape(devices, -1).T.ravel()

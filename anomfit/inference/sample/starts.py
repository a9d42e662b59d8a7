"""Where chains start: at the distinct optima of a fit, or at prior points of high likelihood; where all is finite."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from scipy.stats import norm

from anomfit.errors import reject
from anomfit.inference.compiled import forward, gradients
from anomfit.inference.coordinates import prior_angles, quantiles, scaled_at_normal, values_at_angles, values_at_normal
from anomfit.inference.fit.minimise import Fit
from anomfit.inference.undefined import Watch
from anomfit.problem import Problem

NEAR_BEST = 4.0  # optima within this -2 ln L of the best are places to start
INSIDE = 0.02  # starts keep this distance to the faces of the unit cube
SCREENED = 2048
JITTER = 0.1
TRIES = 8  # of a start that is not finite


@dataclass(frozen=True)
class Starts:
    """Normal coordinates `z` (chain, coordinates), -2 ln L there and its gradients in scaled ones, all finite; what
    was found wrong on the way, in sentences.
    """

    z: np.ndarray
    twice_nll: np.ndarray
    slopes: np.ndarray
    problems: tuple[str, ...]


def chain_starts(problem: Problem, key: Array, chains: int, fit: Fit | None = None) -> np.ndarray:
    """(chains, coordinates) starts in normal coordinates, dispersed.

    With a fit, its distinct optima of nearly the best -2 ln L, best first and repeated if there are too few; without,
    prior points drawn with weights L^(1/4). All are shifted by a small random
    amount (0.1 in each normal coordinate) so that no two chains start together.
    """
    key_points, key_choice, key_jitter = jax.random.split(key, 3)
    if fit is None:
        z = _from_prior(problem, key_points, key_choice, chains)
    else:
        near = [o.values for o in fit.optima if o.twice_nll < fit.twice_nll + NEAR_BEST] or [fit.point]
        z = np.array([to_normal(problem, near[k % len(near)]) for k in range(chains)])
    return z + JITTER * np.asarray(jax.random.normal(key_jitter, z.shape))


def finite_starts(problem: Problem, key: Array, z: np.ndarray) -> Starts:
    """Starts near `z` (chain, coordinates, normal) at which -2 ln L and its gradient are finite.

    One at which they are not is replaced by a prior point, or by a place near another chain's, closer with every try.
    Raises InputError where that does not help.
    """
    watch = Watch("starts of chains", lambda points: values_at_normal(problem, points))
    z = np.array(z)
    for attempt in range(TRIES):
        twice_nll, slopes = gradients(problem, np.asarray(scaled_at_normal(problem, jnp.asarray(z))))
        watch.noted(z, twice_nll, slopes)
        good = np.isfinite(twice_nll) & np.isfinite(slopes).all(axis=1)
        if good.all():
            return Starts(z, twice_nll, slopes, watch.sentences(problem))
        key_try, key_choice, key = jax.random.split(key, 3)
        if good.any():
            shift = JITTER * 0.5**attempt * np.asarray(jax.random.normal(key_try, z.shape))
            z = np.where(good[:, None], z, z[good][np.arange(len(z)) % good.sum()] + shift)
        else:
            z = _from_prior(problem, key_try, key_choice, len(z))
    reason = "no start of a chain has a finite likelihood and a finite gradient"
    raise reject("free", list(problem.names), "; ".join([reason, *watch.sentences(problem)]))


def _from_prior(problem: Problem, key_points, key_choice, chains: int) -> np.ndarray:
    angles = prior_angles(problem, key_points, SCREENED)
    points = values_at_angles(problem, jnp.asarray(angles))
    twice_nll = forward(problem, {name: np.asarray(x) for name, x in points.items()}).twice_nll
    if np.isfinite(twice_nll).sum() < chains:
        raise reject(
            "free", list(problem.names), "too few points of the prior have a finite likelihood; check the ranges"
        )
    tempered = -(twice_nll - np.min(twice_nll)) / 8.0 + np.asarray(jax.random.gumbel(key_choice, (SCREENED,)))
    parameters, pulls = np.split(angles[np.argsort(-tempered)[:chains]], [len(problem.free)], axis=1)
    return np.concatenate([_inside(quantiles(problem, parameters)), pulls], axis=1)


def to_normal(problem: Problem, values: dict[str, float]) -> np.ndarray:
    """Normal coordinates (`Problem.from_normal`) of parameters and pulls, inside the prior."""
    given = {p.name: jnp.asarray(values[p.name]) for p in problem.free}
    u = np.asarray(problem.to_cube(given)) if given else np.zeros(0)
    pulls = [values.get(n.name, 0.0) for n in problem.nuisances]
    return np.append(_inside(np.nan_to_num(u, nan=0.5)), pulls)


def _inside(u: np.ndarray) -> np.ndarray:
    """Normal coordinates of points of the unit cube, kept away from its faces."""
    return norm.ppf(np.clip(u, INSIDE, 1.0 - INSIDE))

"""Points at which the likelihood is known, weighted with the posterior over what they were drawn from."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from anomfit.inference.compiled import Forward, forward
from anomfit.inference.sample.nuts import log_prior
from anomfit.inference.sample.straight import Straight, to_normal
from anomfit.inference.undefined import undefined_values
from anomfit.problem import Problem


@dataclass(frozen=True)
class Points:
    """Normal coordinates (points, coordinates); total signal and chi^2 by measurement (measurements, points).

    posterior: weights that add up to 1, softened so that enough points count; found: how many counted before that;
    weight: those to learn with, half of them spread evenly; undefined: which have no likelihood (see `undefined`).
    """

    z: np.ndarray
    signal: np.ndarray
    chi_squared: np.ndarray
    posterior: np.ndarray
    found: float
    undefined: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """Half uniform, half posterior, adding up to 1."""
        return 0.5 / len(self.z) + 0.5 * self.posterior

    @property
    def effective(self) -> float:
        """How many equal ones the posterior weights are worth."""
        return effective(self.posterior)


def draw(problem: Problem, coordinates: Straight, key: Array, n: int, enough: float) -> Points:
    """`n` points, standard normal in these coordinates; weights are raised to a power below 1 until `enough` count."""
    _, z, said, log_weight = _drawn(problem, coordinates, key, n)
    softened, found = _softened(log_weight, enough), effective(np.exp(log_weight - log_weight.max()))
    signal = np.stack([total_signal(said, k) for k in range(len(problem.measurements))])
    chi_squared = np.stack([np.asarray(x) for x in said.chi_squared])
    return Points(z, signal, chi_squared, softened, found, undefined_values(said))


def draw_weighted(problem: Problem, coordinates: Straight, key: Array, n: int):
    """`n` points, standard normal in these coordinates: there, in normal coordinates, and ln of posterior over density.

    The posterior is known up to a constant.
    """
    w, z, _, log_weight = _drawn(problem, coordinates, key, n)
    return w, z, log_weight


def _drawn(problem: Problem, coordinates: Straight, key: Array, n: int):
    w = jax.random.normal(key, (n, len(problem.names)))
    z, values, log_ratio = _prepared(problem, coordinates, w)
    said = forward(problem, {name: np.asarray(x) for name, x in values.items()})
    log_weight = np.asarray(log_ratio) - 0.5 * said.twice_nll
    # far below every other, and still a number where no point has a likelihood
    return np.asarray(w), np.asarray(z), said, np.where(np.isfinite(log_weight), log_weight, -1e300)


def together(first: Points, second: Points) -> Points:
    """Both, with the posterior weights of each in proportion to how many of its points counted before softening."""
    share = first.found / (first.found + second.found)
    return Points(
        np.concatenate([first.z, second.z]),
        np.concatenate([first.signal, second.signal], axis=1),
        np.concatenate([first.chi_squared, second.chi_squared], axis=1),
        np.concatenate([share * first.posterior, (1.0 - share) * second.posterior]),
        first.found + second.found,
        np.concatenate([first.undefined, second.undefined]),
    )


def effective(weight: np.ndarray) -> float:
    """(sum w)^2 / sum w^2."""
    return float(np.sum(weight) ** 2 / np.sum(weight**2))


def total_signal(said: Forward, measurement: int) -> np.ndarray:
    """The signal of one measurement, all components and bins together, at every point; above 0."""
    counts = [np.asarray(part).sum(axis=-1) for part in said.signal[measurement].values()]
    return np.maximum(np.sum(counts, axis=0), 1e-100)


def _softened(log_weight: np.ndarray, enough: float) -> np.ndarray:
    power = 1.0
    while True:
        weight = np.exp(power * (log_weight - log_weight.max()))
        weight /= weight.sum()
        if effective(weight) >= enough or power < 1e-3:
            return weight
        power *= 0.8


@jax.jit
def _prepared(problem: Problem, coordinates: Straight, w):
    def one(w):
        z = to_normal(coordinates, w)[0]
        return z, problem.from_normal(z)[0], log_prior(problem, coordinates, w) + 0.5 * jnp.sum(w**2)

    return jax.vmap(one)(w)

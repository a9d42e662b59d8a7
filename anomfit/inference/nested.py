"""Nested sampling with nautilus: the evidence, posteriors too narrow or too scattered for chains, a check of NUTS.

It draws from shells of rising likelihood in the prior's cube; starts, gradients and learned coordinates play no part.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from scipy.stats import norm

from anomfit import interrupts
from anomfit.errors import InputError, reject
from anomfit.inference.ensemble import log_posteriors, values_at
from anomfit.inference.workers import workers
from anomfit.problem import Problem

BATCH = 64
EDGE = 1e-12  # of the cube: quantiles of the normal stay finite
NETWORKS = {"n_networks": 2, "neural_network_kwargs": {"batch_size": 500}}
"""Half of nautilus's networks, in larger batches: as good a bound in less than half of the time, most of a run's."""


@dataclass(frozen=True)
class Nested:
    """Weighted draws: `values` of parameters and pulls, each (draws,), `weights` that add up to 1.

    z: the same in normal coordinates (draws, coordinates), `log_posterior` there as `Problem.log_posterior` has it.

    `log_evidence` is the logarithm of the likelihood's mean over the prior (pulls included, likelihoods normalised as
    in `Problem.log_likelihood`, the constants of the pulls' Gaussians in the prior); `ess` = 1 / sum of weights^2;
    `calls` are all likelihoods behind it, those before a resumption too, `seconds` the time of this call.
    """

    values: dict[str, np.ndarray]
    weights: np.ndarray
    z: np.ndarray
    log_posterior: np.ndarray
    log_evidence: float
    ess: float
    calls: int
    seconds: float

    def mean(self, of: np.ndarray) -> float:
        """Posterior mean of numbers given for every draw."""
        return float(self.weights @ of)


def sample_nested(
    problem: Problem,
    key: Array,
    live: int = 1500,
    effective: float = 4000.0,
    state_file: Path | None = None,
    show_progress: bool = False,
) -> Nested:
    """Sample the posterior of `problem` with nautilus (arXiv:2306.16923) until `effective` samples count.

    `live` points follow the likelihood up; `key` fixes all draws. What is found is kept in `state_file` (HDF5, ending
    in .h5), and a run that finds one goes on from there. InputError if nautilus is not installed, for a single
    coordinate, fewer live points than twice the coordinates, and a damaged `state_file`.
    """
    check_nested(problem, live)
    began = time.perf_counter()
    with workers(NETWORKS["n_networks"]) as pool:
        try:
            sampler = _sampler()(
                lambda cube: cube,
                lambda cube: _log_likelihoods(problem, cube),
                n_dim=len(problem.names),
                n_live=live,
                n_batch=BATCH,
                vectorized=True,
                seed=int(jax.random.randint(key, (), 0, 2**31 - 1)),
                filepath=state_file,
                pool=(None, pool),
                **NETWORKS,
            )
        except (OSError, KeyError, ValueError) as error:
            if state_file is None or not state_file.exists():
                raise
            raise reject("state file", str(state_file), "it is damaged or of another kind; remove it") from error
        sampler.run(n_eff=effective, discard_exploration=True, verbose=show_progress)
    cube, log_weights, log_likelihood = sampler.posterior()
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    z = _normal(cube)
    return Nested(
        values={name: np.asarray(x) for name, x in values_at(problem, jnp.asarray(z)).items()},
        weights=weights,
        z=z,
        log_posterior=log_likelihood - 0.5 * np.sum(z**2, axis=1),
        log_evidence=float(sampler.log_z),
        ess=float(1.0 / np.sum(weights**2)),
        calls=int(sampler.n_like),
        seconds=time.perf_counter() - began,
    )


def check_nested(problem: Problem, live: int) -> None:
    """InputError for what nautilus cannot sample, a single coordinate or too few live points, and without nautilus."""
    _sampler()
    dimension = len(problem.names)
    if dimension < 2:
        raise reject("free", list(problem.names), 'nested sampling takes two or more; write method = "nuts"')
    if live < 2 * dimension:
        raise reject("live", live, f"give at least {2 * dimension}, twice the coordinates")


def _normal(cube: np.ndarray) -> np.ndarray:
    return norm.ppf(np.clip(cube, EDGE, 1.0 - EDGE))


def _log_likelihoods(problem: Problem, cube: np.ndarray) -> np.ndarray:
    """ln L at points of the cube, of which every coordinate (pulls too) is a quantile of its prior."""
    z = _normal(np.atleast_2d(cube))
    found = []
    for first in range(0, len(z), BATCH):
        interrupts.check()
        chunk = z[first : first + BATCH]
        padded = np.concatenate([chunk, np.repeat(chunk[-1:], BATCH - len(chunk), axis=0)])  # one shape, one program
        value = np.asarray(log_posteriors(problem, jnp.asarray(padded)))[: len(chunk)] + 0.5 * np.sum(chunk**2, axis=1)
        found.append(np.maximum(value, -1e30))  # nautilus takes logarithms of differences, not infinities
    return np.concatenate(found)


def _sampler() -> Any:
    try:
        from nautilus import Sampler
    except ImportError as error:
        message = "nautilus is not installed; install it with: python -m pip install nautilus-sampler"
        raise InputError(message) from error
    return Sampler

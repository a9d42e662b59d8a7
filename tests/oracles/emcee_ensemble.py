"""An independent sampler on the same posterior: emcee's affine-invariant ensemble (arXiv:1202.3665)."""

from dataclasses import dataclass

import emcee
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from anomfit.inference.coordinates import values_at_normal
from anomfit.inference.fit.minimise import Fit
from anomfit.inference.sample.likelihoods import log_posteriors
from anomfit.inference.sample.starts import chain_starts
from anomfit.problem import Problem


@dataclass(frozen=True)
class Ensemble:
    """Draws of an ensemble: `values` of parameters and pulls, each (step, walker), after the burn-in.

    `autocorrelation` is the integrated autocorrelation time in steps, `ess` = steps * walkers / autocorrelation.
    `trustworthy`: the chain is at least 50 autocorrelation times long, emcee's own criterion, and no walker is stuck
    (every walker's mean within six standard errors of the mean of all).
    """

    values: dict[str, np.ndarray]
    autocorrelation: dict[str, float]
    ess: dict[str, float]
    acceptance: float
    trustworthy: bool


def sample_ensemble(
    problem: Problem,
    key: Array,
    walkers: int = 64,
    steps: int = 2000,
    burn_in: int = 1000,
    fit: Fit | None = None,
) -> Ensemble:
    """Sample the posterior of `problem` with emcee (arXiv:1202.3665), all walkers of a half-step in one batch.

    Walkers start around the optima of `fit` or, without one, at prior points of high likelihood; `key` fixes all
    draws. Moves are a mixture of differential evolution and its snooker, better than the stretch move in
    narrow valleys.
    """
    dimension = len(problem.names)
    key_starts, key_moves = jax.random.split(key)
    at = chain_starts(problem, key_starts, walkers, fit)
    sampler = emcee.EnsembleSampler(
        walkers,
        dimension,
        lambda z: np.nan_to_num(log_posteriors(problem, jnp.asarray(z)), nan=-np.inf, posinf=-np.inf, neginf=-np.inf),
        vectorize=True,
        moves=[(emcee.moves.DEMove(), 0.8), (emcee.moves.DESnookerMove(), 0.2)],
    )
    seed = int(jax.random.randint(key_moves, (), 0, 2**31 - 1))
    sampler.random_state = np.random.RandomState(seed).get_state()
    sampler.run_mcmc(at, burn_in + steps)
    z = np.asarray(sampler.get_chain(discard=burn_in))
    times = np.asarray(sampler.get_autocorr_time(discard=burn_in, tol=0))
    flat = values_at_normal(problem, z.reshape(-1, dimension))
    return Ensemble(
        values={name: x.reshape(z.shape[:2]) for name, x in flat.items()},
        autocorrelation=dict(zip(problem.names, times.tolist(), strict=True)),
        ess=dict(zip(problem.names, (steps * walkers / times).tolist(), strict=True)),
        acceptance=float(np.mean(sampler.acceptance_fraction)),
        trustworthy=bool(np.all(steps > 50.0 * times)) and _walkers_agree(z, times),
    )


def _walkers_agree(z: np.ndarray, times: np.ndarray) -> bool:
    """Whether every walker's mean is within six standard errors of the mean of all (axes step, walker, coordinate)."""
    standard_error = np.std(z, axis=(0, 1)) * np.sqrt(times / z.shape[0])
    return bool(np.all(abs(np.mean(z, axis=0) - np.mean(z, axis=(0, 1))) < 6.0 * standard_error))

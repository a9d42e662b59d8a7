"""An independent sampler on the same posterior: emcee's affine-invariant ensemble, for comparison with NUTS."""

import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.errors import InputError, reject
from anomfit.inference.compiled import asked_again, exact_problem
from anomfit.inference.devices import devices_for, each, spread
from anomfit.inference.fit.minimise import Fit
from anomfit.inference.sample.starts import chain_starts
from anomfit.problem import Problem, parts_of, with_measurements

FEW = 16  # points outside of a table that are computed together


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
    seconds: float
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
    narrow valleys. InputError if emcee, of the extra `compare`, is not installed, or the numbers make no ensemble.
    """
    emcee = _emcee()
    dimension = len(problem.names)
    if walkers % 2 or walkers < 2 * dimension:
        raise reject("walkers", walkers, f"give an even number of at least {2 * dimension}, twice the coordinates")
    if steps < 1 or burn_in < 0:
        raise reject("steps", (burn_in, steps), "give a burn-in of 0 or more and at least one step")
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
    began = time.perf_counter()
    sampler.run_mcmc(at, burn_in + steps)
    seconds = time.perf_counter() - began
    z = np.asarray(sampler.get_chain(discard=burn_in))
    times = np.asarray(sampler.get_autocorr_time(discard=burn_in, tol=0))
    values = jax.tree.map(
        lambda x: np.asarray(x).reshape(z.shape[:2]), values_at(problem, jnp.asarray(z.reshape(-1, dimension)))
    )
    return Ensemble(
        values={name: values[name] for name in problem.names},
        autocorrelation=dict(zip(problem.names, times.tolist(), strict=True)),
        ess=dict(zip(problem.names, (steps * walkers / times).tolist(), strict=True)),
        acceptance=float(np.mean(sampler.acceptance_fraction)),
        seconds=seconds,
        trustworthy=bool(np.all(steps > 50.0 * times)) and _walkers_agree(z, times),
    )


def log_posteriors(problem: Problem, z: Float[Array, "walkers coordinates"]) -> Float[Array, " walkers"]:
    """Log posterior densities in normal coordinates; not a number where the likelihood is none.

    The parts of the problem are compiled apart, as in `compiled`.
    """
    total = _log_priors(with_measurements(problem, ()), z)
    for _, part in parts_of(problem):
        found = _measured(part, z)
        if (exact := exact_problem(part)) is not None:
            found = asked_again(found, np.isnan(found), lambda i, exact=exact: _in_sixteens(exact, z[i]))
        total = total + found
    return total


def _in_sixteens(part: Problem, z) -> np.ndarray:
    """`_measured` of any number of points by one compiled program."""
    parts = []
    for first in range(0, len(z), FEW):
        lanes = np.minimum(np.arange(first, first + FEW), len(z) - 1)
        parts.append(np.asarray(_measured(part, z[lanes])))
    return np.concatenate(parts)[: len(z)]


@jax.jit
def _log_priors(bare: Problem, z):
    return _spread_over(lambda shared, x: shared.log_posterior(x), bare, z)


@jax.jit
def _measured(part: Problem, z):
    return _spread_over(lambda shared, x: shared.measured_log_likelihood(shared.from_normal(x)[0]), part, z)


def _spread_over(function, problem: Problem, z):
    def batch(shared, points):
        return each(lambda x: function(shared, x), points)

    return spread(batch, devices_for(z.shape[0]))(problem, z)


@jax.jit
def values_at(problem: Problem, z: Float[Array, "draws coordinates"]) -> dict[str, Float[Array, " draws"]]:
    """Parameters and pulls at normal coordinates."""
    return jax.lax.map(lambda x: problem.from_normal(x)[0], z, batch_size=256)


def _walkers_agree(z: np.ndarray, times: np.ndarray) -> bool:
    """Whether every walker's mean is within six standard errors of the mean of all (axes step, walker, coordinate)."""
    standard_error = np.std(z, axis=(0, 1)) * np.sqrt(times / z.shape[0])
    return bool(np.all(abs(np.mean(z, axis=0) - np.mean(z, axis=(0, 1))) < 6.0 * standard_error))


def _emcee():
    try:
        import emcee
    except ImportError as error:
        raise InputError("emcee is not installed; install it with: python -m pip install 'anomfit[compare]'") from error
    return emcee

"""Populations of points led from the prior to the posterior: sequential Monte Carlo with tempered likelihoods.

Every population starts as draws of the prior. The likelihood is raised to a power beta that grows from 0 to 1 in steps
so small that half of the points still count after one; points are drawn again by their weights, and then moved by a
Markov chain that leaves prior x likelihood^beta alone. All points of all populations move together, so that a batch is
as wide as a machine likes it, and nothing is learned but three step sizes.

The populations know nothing of each other: what they disagree about is the error of what they say, R-hat included.
Moves are differences of two points of the half of a population that stands still (ter Braak 2006, differential
evolution), which take the shape and the arms of the posterior, and, for nuisance pulls, shortened steps of their prior
(the preconditioned Crank-Nicolson move of Cotter et al, arXiv:1202.0709).
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from tqdm import tqdm

from anomfit import interrupts
from anomfit.errors import reject
from anomfit.identity import sampling_identity
from anomfit.inference.ensemble import values_at
from anomfit.inference.likelihoods import log_likelihoods
from anomfit.inference.resampling import equal_draws
from anomfit.inference.states import keep_state, kept_state
from anomfit.inference.undefined import Watch
from anomfit.problem import Problem

COUNTED = 0.5  # of a population, that count as equal draws after a step in beta
ACCEPTED = 0.25  # of proposals, which the step sizes aim at
ACROSS = 0.1  # of the moves along a difference have its full length, from one arm of the posterior to another
LONGEST, SHORTEST = 2.0, 0.01  # step sizes, in units of the best one for a Gaussian
BLUR = 1e-4  # in standard deviations of the prior, added to a difference: no direction is left out
TRIED = (0.25, 0.6, 0.15)  # how often: along a difference in all coordinates, in parameters alone, and pulls alone
KINDS = len(TRIED)


@dataclass(frozen=True)
class Tempered:
    """`z`: normal coordinates (population, point, coordinates), draws of equal weight; log_likelihood there.

    `log_likelihood` includes the prior's weight in normal coordinates (`Problem.from_normal`), whose logarithm is not
    0 where a bound depends on other parameters. `log_evidence`: of each population, the logarithm of the likelihood's
    mean over the prior. `temperatures`: how often beta was raised, by the population that took most; `calls`:
    likelihoods of all populations; `undefined`: sentences about points met in this call whose likelihood is not a
    number (see `undefined`).
    """

    z: np.ndarray
    log_likelihood: np.ndarray
    log_evidence: np.ndarray
    temperatures: int
    calls: int
    seconds: float
    undefined: tuple[str, ...] = ()


@dataclass(frozen=True)
class _State:
    z: np.ndarray  # (population, point, coordinate)
    log_likelihood: np.ndarray  # (population, point)
    beta: np.ndarray  # (population,)
    log_evidence: np.ndarray  # (population,)
    sizes: np.ndarray  # of steps, by kind
    step: int
    calls: int
    seconds: float


def sample_tempered(
    problem: Problem,
    key: Array,
    populations: int = 4,
    points: int = 1024,
    moves: int = 20,
    state_file: Path | None = None,
    show_progress: bool = False,
) -> Tempered:
    """Sample the posterior of `problem` with `populations` of `points` each, and `moves` of every point for each beta.

    `key` fixes all draws. The state is kept in `state_file` (ending in .npz; see `states`) whenever beta was raised,
    and a run that finds one goes on with the numbers of a run that never stopped. An interrupt is raised with the last
    state kept. InputError for numbers too small (`check_tempered`), and a `state_file` that is damaged or of a run of
    another likelihood, key or setting.
    """
    check_tempered(problem, points)
    of_run = sampling_identity(problem, key, "tempered", populations=populations, points=points, moves=moves)
    watch = Watch("points of tempered sampling", lambda z: values_at(problem, jnp.asarray(z)))
    found = None if state_file is None else kept_state(state_file, of_run, _read)
    began = time.perf_counter()
    state = found or _from_prior(problem, jax.random.fold_in(key, 0), (populations, points), watch)
    earlier = state.seconds if found else 0.0
    with tqdm(disable=not show_progress, unit="likelihood", initial=state.calls) as bar:
        while np.any(state.beta < 1.0):
            state = _raised(state, jax.random.fold_in(key, 2 * state.step + 1))
            rng = _generator(jax.random.fold_in(key, 2 * state.step + 2))
            for _ in range(moves):
                interrupts.check()
                state = _moved(problem, state, rng, watch)
                bar.set_description(f"tempered sampling, beta from {state.beta.min():.3g} to {state.beta.max():.3g}")
                bar.update(state.calls - bar.n)
            state = replace(state, step=state.step + 1, seconds=earlier + time.perf_counter() - began)
            if state_file is not None:
                kept = state
                keep_state(state_file, of_run, lambda part, kept=kept: np.savez(part, allow_pickle=False, **vars(kept)))
    return Tempered(
        z=state.z,
        log_likelihood=state.log_likelihood,
        log_evidence=state.log_evidence,
        temperatures=state.step,
        calls=state.calls,
        seconds=state.seconds,
        undefined=watch.sentences(problem),
    )


def check_tempered(problem: Problem, points: int) -> None:
    """InputError for fewer points than four times the coordinates: their differences would span too little."""
    least = 4 * len(problem.names)
    if points < least or points % 2:
        raise reject("points", points, f"give an even number of at least {least}, four times the coordinates")


def _from_prior(problem: Problem, key: Array, shape: tuple[int, int], watch: Watch) -> _State:
    z = _generator(key).normal(size=(*shape, len(problem.names)))
    halves = np.split(z, 2, axis=1)  # as they are moved: a program for one number of points is enough
    log_likelihood = np.concatenate([_log_likelihoods(problem, half, watch) for half in halves], axis=1)
    nothing = np.zeros(shape[0])
    return _State(z, log_likelihood, nothing, nothing, np.ones(KINDS), 0, log_likelihood.size, 0.0)


def _raised(state: _State, key: Array) -> _State:
    """Every population at its next beta, drawn again by its weights; one that has reached 1 stays as it is."""
    z, log_likelihood, beta, log_evidence = (
        np.array(x) for x in (state.z, state.log_likelihood, state.beta, state.log_evidence)
    )
    for i in range(len(beta)):
        if beta[i] == 1.0:
            continue
        higher = _next_beta(log_likelihood[i], beta[i])
        log_weights = (higher - beta[i]) * log_likelihood[i]
        total = float(np.logaddexp.reduce(log_weights))
        chosen = equal_draws(np.exp(log_weights - total), z.shape[1], jax.random.fold_in(key, i))
        log_evidence[i] += total - np.log(z.shape[1])
        z[i], log_likelihood[i], beta[i] = z[i, chosen], log_likelihood[i, chosen], higher
    return replace(state, z=z, log_likelihood=log_likelihood, beta=beta, log_evidence=log_evidence)


def _next_beta(log_likelihood: np.ndarray, beta: float) -> float:
    """The largest beta at which enough of the points still count, found by halving; 1 at most."""

    def count(to: float) -> float:
        log_weights = (to - beta) * log_likelihood
        once, twice = (float(np.logaddexp.reduce(k * log_weights)) for k in (1.0, 2.0))
        return float(np.exp(2.0 * once - twice))

    if count(1.0) >= COUNTED * len(log_likelihood):
        return 1.0
    low, high = -40.0, 0.0  # ln of the step: HOPELESS points are left behind in the first one
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if count(beta + np.exp(middle)) >= COUNTED * len(log_likelihood) else (low, middle)
    return min(1.0, beta + float(np.exp(low)))


def _moved(problem: Problem, state: _State, rng: np.random.Generator, watch: Watch) -> _State:
    """Each half of every population moved once, the other half standing still."""
    z, log_likelihood, sizes, calls = np.array(state.z), np.array(state.log_likelihood), state.sizes, state.calls
    populations, points, dimension = z.shape
    half, free = points // 2, len(problem.free)
    order = rng.permutation(points)
    tried, accepted = np.zeros(KINDS), np.zeros(KINDS)
    for own, other in ((order[:half], order[half:]), (order[half:], order[:half])):
        kind = _kinds(rng, (populations, half), free, dimension - free)
        now, steady = z[:, own], z[:, other]
        new, is_prior_kept = _proposed(rng, now, steady, kind, sizes, free)
        found = _log_likelihoods(problem, new, watch)
        prior = np.where(is_prior_kept, 0.0, 0.5 * np.sum(now**2 - new**2, axis=-1))
        log_ratio = state.beta[:, None] * (found - log_likelihood[:, own]) + prior
        is_taken = np.log(rng.uniform(size=log_ratio.shape)) < log_ratio
        z[:, own] = np.where(is_taken[..., None], new, now)
        log_likelihood[:, own] = np.where(is_taken, found, log_likelihood[:, own])
        tried += np.bincount(kind.ravel(), minlength=KINDS)
        accepted += np.bincount(kind.ravel(), weights=is_taken.ravel(), minlength=KINDS)
        calls += found.size
    rate = np.where(tried > 0.0, accepted / np.maximum(tried, 1.0), ACCEPTED)
    sizes = np.clip(sizes * np.exp(rate - ACCEPTED), SHORTEST, LONGEST)
    return replace(state, z=z, log_likelihood=log_likelihood, sizes=sizes, calls=calls)


def _kinds(rng: np.random.Generator, shape: tuple[int, int], free: int, pulls: int) -> np.ndarray:
    """Which move each point tries: where there are no pulls, or nothing else, one kind is left."""
    if free == 0:
        return np.full(shape, 2)
    return rng.choice(KINDS, shape, p=TRIED) if pulls else np.full(shape, 1)


def _proposed(rng: np.random.Generator, now, steady, kind, sizes, free: int) -> tuple[np.ndarray, np.ndarray]:
    """New places of `now` (population, point, coordinate), and where the proposal keeps the prior by itself."""
    populations, half, dimension = now.shape
    first = rng.integers(0, half, (populations, half))
    second = (first + rng.integers(1, half, (populations, half))) % half
    each = np.arange(populations)[:, None]
    difference = steady[each, first] - steady[each, second] + BLUR * rng.normal(size=now.shape)
    moved = np.where(kind == 0, dimension, max(free, 1))
    length = np.where(rng.uniform(size=kind.shape) < ACROSS, 1.0, sizes[kind] * 2.38 / np.sqrt(2.0 * moved))
    is_free = np.arange(dimension) < free
    along = now + length[..., None] * np.where(is_free | (kind == 0)[..., None], difference, 0.0)
    step = min(sizes[2], 1.0)
    shortened = np.sqrt(1.0 - step**2) * now + step * rng.normal(size=now.shape)
    is_pulls = kind == 2
    return np.where(is_pulls[..., None], np.where(is_free, now, shortened), along), is_pulls


def _log_likelihoods(problem: Problem, z: np.ndarray, watch: Watch) -> np.ndarray:
    """ln L with the prior's weight at normal coordinates (population, point, coordinate)."""
    return log_likelihoods(problem, z.reshape(-1, z.shape[-1]), watch).reshape(z.shape[:-1])


def _generator(key: Array) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel())


def _read(file: Path) -> _State:
    with np.load(file, allow_pickle=False) as found:
        state = {name: found[name] for name in found.files}
    return _State(
        **{**state, "step": int(state["step"]), "calls": int(state["calls"]), "seconds": float(state["seconds"])}
    )

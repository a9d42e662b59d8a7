"""Populations of points led from the prior to the posterior: sequential Monte Carlo with tempered likelihoods.

Every population starts as draws of the prior. The likelihood is raised to a power beta that grows from 0 to 1 in steps
so small that half of the points still count after one; points are drawn again by their weights, and then moved by a
Markov chain that leaves prior x likelihood^beta alone. All points of all populations move together, so that a batch is
as wide as a machine likes it, and nothing is learned but three step sizes and a mixture at a time.

The populations know nothing of each other: what they disagree about is the error of what they say, R-hat included.
The halves of a population are moved by turns, each by what the other one, which stands still, says of the posterior
(`proposals`): along differences of its points first, and then by draws of a mixture of Gaussians fitted to them, which
carry points from one arm of the posterior to another. A half is the same points and their descendants all the time:
were copies of one point on both sides, arms that are just being found would be left too readily. What is quick to work
out is asked first, and the rest where that leaves a chance (`stages`).
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Array
from tqdm import tqdm

from anomfit import interrupts
from anomfit.errors import reject
from anomfit.identity import sampling_identity
from anomfit.inference.coordinates import values_at_normal
from anomfit.inference.pulls.integrated import integrated, with_pulls
from anomfit.inference.sample.likelihoods import equal_draws
from anomfit.inference.sample.mixtures import Mixtures
from anomfit.inference.sample.proposals import KINDS, adapted_sizes, along_differences, from_mixtures, of_parameters
from anomfit.inference.sample.stages import Stages, look, stages_of
from anomfit.inference.states import keep_state, kept_state
from anomfit.inference.undefined import Watch
from anomfit.problem import Problem

COUNTED = 0.5  # of a population, that count as equal draws after a step in beta
NEAR = 2  # of so many moves, one is along a difference
FITTED = 4  # moves, after which mixtures are fitted again
LAST = 2  # times `moves`: how many more draws of mixtures points are moved by at beta = 1
ASKED_FIRST = 0.75  # of the logarithm of a mixture's density, in the first of several stages; the rest in the last one


@dataclass(frozen=True)
class Tempered:
    """`z`: normal coordinates (population, point, coordinates), draws of equal weight; log_likelihood there.

    `log_likelihood` includes the prior's weight in normal coordinates (`Problem.from_normal`), whose logarithm is not
    0 where a bound depends on other parameters. `log_evidence`: of each population, the logarithm of the likelihood's
    mean over the prior. `temperatures`: how often beta was raised, by the population that took most; `proposals`: of
    all populations, the draws of the prior included; `calls`: likelihoods that were computed whole; `undefined`:
    sentences about points met in this call whose likelihood is not a number (see `undefined`); `sampled`: how many
    coordinates, the first ones, points were moved in, the others being pulls that were drawn at the end; None: all.
    """

    z: np.ndarray
    log_likelihood: np.ndarray
    log_evidence: np.ndarray
    temperatures: int
    proposals: int
    calls: int
    seconds: float
    undefined: tuple[str, ...] = ()
    sampled: int | None = None


@dataclass(frozen=True)
class _State:
    z: np.ndarray  # (population, point, coordinate)
    looks: np.ndarray  # ln L of each stage, the first one's with the prior's weight (stage, population, point)
    beta: np.ndarray  # (population,)
    log_evidence: np.ndarray  # (population,)
    sizes: np.ndarray  # of steps, by kind
    step: int
    proposals: int
    calls: int
    seconds: float

    @property
    def log_likelihood(self) -> np.ndarray:
        """Of all stages (population, point)."""
        return self.looks.sum(axis=0)


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

    Half of the moves are draws of mixtures, and at beta = 1 there are twice `moves` more of them (`LAST`).
    `key` fixes all draws. The state is kept in `state_file` (ending in .npz; see `states`) whenever beta was raised,
    and a run that finds one goes on with the numbers of a run that never stopped. An interrupt is raised with the last
    state kept. InputError for numbers too small (`check_tempered`), and a `state_file` that is damaged or of a run of
    another likelihood, key or setting.
    """
    check_tempered(problem, points)
    of_run = sampling_identity(problem, key, "tempered", populations=populations, points=points, moves=moves)
    whole = integrated(problem)
    watch = Watch("points of tempered sampling", lambda z: values_at_normal(whole, z))
    found = None if state_file is None else kept_state(state_file, of_run, _read)
    began = time.perf_counter()
    stages = stages_of(problem)
    state = found or _from_prior(stages, jax.random.fold_in(key, 0), (populations, points), watch)
    earlier = state.seconds if found else 0.0
    with tqdm(disable=not show_progress, unit="point", initial=state.proposals) as bar:
        while np.any(state.beta < 1.0):
            state = _raised(state, jax.random.fold_in(key, 2 * state.step + 1))
            rng = generator(jax.random.fold_in(key, 2 * state.step + 2))
            bar.set_description(f"tempered sampling, beta from {state.beta.min():.3g} to {state.beta.max():.3g}")
            for moved in _all_moves(stages, state, rng, watch, moves):
                state = moved
                bar.update(state.proposals - bar.n)
            state = replace(state, step=state.step + 1, seconds=earlier + time.perf_counter() - began)
            if state_file is not None:
                kept = state
                keep_state(state_file, of_run, lambda part, kept=kept: np.savez(part, allow_pickle=False, **vars(kept)))
    ended = Tempered(
        z=state.z,
        log_likelihood=state.log_likelihood,
        log_evidence=state.log_evidence,
        temperatures=state.step,
        proposals=state.proposals,
        calls=state.calls,
        seconds=state.seconds,
        undefined=watch.sentences(whole),
    )
    if whole.names == problem.names:
        return ended
    return _with_all_pulls(problem, ended, jax.random.fold_in(key, 2 * state.step + 1))


def moved_at_the_end(
    stages: Stages, z: np.ndarray, rng: np.random.Generator, watch: Watch, moves: int
) -> tuple[np.ndarray, int]:
    """Points (population, point, coordinate) moved as at beta = 1, and how many likelihoods were computed whole."""
    state = replace(_looked_at(stages, z, watch), beta=np.ones(len(z)))
    for moved in _all_moves(stages, state, rng, watch, moves):
        state = moved
    return state.z, state.calls


def _with_all_pulls(problem: Problem, found: Tempered, key: Array) -> Tempered:
    """Populations of the whole problem from those without the pulls that were integrated out: pulls drawn given the
    parameters, and each population drawn again by the weights, which make it one of the exact integrals.
    """
    populations, points, dimension = found.z.shape
    key_pulls, key_choice = jax.random.split(key)
    drawn = with_pulls(problem, found.z.reshape(-1, dimension), key_pulls)
    log_weights = drawn.log_ratio.reshape(populations, points)
    totals = np.logaddexp.reduce(log_weights, axis=1)
    weights = np.exp(log_weights - totals[:, None])
    chosen = [np.sort(equal_draws(w, points, jax.random.fold_in(key_choice, i))) for i, w in enumerate(weights)]
    each, chosen = np.arange(populations)[:, None], np.stack(chosen)
    log_likelihood = found.log_likelihood + drawn.log_change.reshape(populations, points)
    return replace(
        found,
        z=drawn.z.reshape(populations, points, -1)[each, chosen],
        log_likelihood=log_likelihood[each, chosen],
        log_evidence=found.log_evidence + totals - np.log(points),
        sampled=dimension,
    )


def check_tempered(problem: Problem, points: int) -> None:
    """InputError for fewer points than four times the coordinates: their differences would span too little."""
    least = 4 * len(integrated(problem).names)
    if points < least or points % 2:
        raise reject("points", points, f"give an even number of at least {least}, four times the coordinates")


def _from_prior(stages: Stages, key: Array, shape: tuple[int, int], watch: Watch) -> _State:
    return _looked_at(stages, generator(key).normal(size=(*shape, len(stages.parts[0].names))), watch)


def _looked_at(stages: Stages, z: np.ndarray, watch: Watch) -> _State:
    """The state of points that were not moved yet, beta = 0."""
    populations, points, _ = z.shape
    halves = np.split(z, 2, axis=1)  # as they are moved: a program for one number of points is enough
    all_pass = np.full((populations, points // 2), True)
    each = range(len(stages.parts))
    looks = np.stack([np.concatenate([look(stages, i, h, all_pass, watch) for h in halves], axis=1) for i in each])
    nothing, number = np.zeros(populations), populations * points
    return _State(z, looks, nothing, nothing, np.ones(KINDS), 0, number, number, 0.0)


def _raised(state: _State, key: Array) -> _State:
    """Every population at its next beta, drawn again by its weights; one that has reached 1 stays as it is.

    Copies of a point, and what has become of earlier copies, stay side by side in the order of the population, so that
    they are in one half of it: a half that is moved by what the other one says must not meet itself there.
    """
    z, looks, beta, log_evidence = (np.array(x) for x in (state.z, state.looks, state.beta, state.log_evidence))
    for i in range(len(beta)):
        if beta[i] == 1.0:
            continue
        log_likelihood = state.log_likelihood[i]
        higher = _next_beta(log_likelihood, beta[i])
        log_weights = (higher - beta[i]) * log_likelihood
        total = float(np.logaddexp.reduce(log_weights))
        chosen = np.sort(equal_draws(np.exp(log_weights - total), z.shape[1], jax.random.fold_in(key, i)))
        log_evidence[i] += total - np.log(z.shape[1])
        z[i], looks[:, i], beta[i] = z[i, chosen], looks[:, i, chosen], higher
    return replace(state, z=z, looks=looks, beta=beta, log_evidence=log_evidence)


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


def _all_moves(stages: Stages, state: _State, rng: np.random.Generator, watch: Watch, moves: int) -> Iterator[_State]:
    """The state after each of the moves that follow a step in beta; after the last one, `LAST` times `moves` more.

    Differences come first: a mixture is to be fitted to points, not to copies.
    """
    free, is_last = len(stages.parts[0].free), bool(np.all(state.beta == 1.0))
    near = -(-moves // NEAR) if free else moves
    mixtures: tuple[Mixtures, ...] | None = None
    for move in range(moves + (LAST * moves if is_last and free else 0)):
        interrupts.check()
        if move >= near and (move - near) % FITTED == 0:
            mixtures = tuple(of_parameters(rng, state.z[:, other], free) for _, other in _halves(state))
        state = _moved(stages, state, rng, watch, mixtures)
        yield state


def _halves(state: _State) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The half that is moved and the one that stands still, and the other way round."""
    half = state.z.shape[1] // 2
    first, second = slice(None, half), slice(half, None)
    return (first, second), (second, first)


def _moved(
    stages: Stages, state: _State, rng: np.random.Generator, watch: Watch, mixtures: tuple[Mixtures, ...] | None
) -> _State:
    """Each half of every population moved once, the other one standing still: by its mixture, or along a difference."""
    z, looks = np.array(state.z), np.array(state.looks)
    populations, points, _ = z.shape
    free, beta, calls, sizes = len(stages.parts[0].free), state.beta[:, None], state.calls, state.sizes
    asked = _asked_of_density(len(stages.parts))
    for which, (own, other) in enumerate(_halves(state)):
        now = z[:, own]
        if mixtures is None:
            proposal = along_differences(rng, now, z[:, other], sizes, free)
        else:
            proposal = from_mixtures(rng, now, mixtures[which], sizes)
        chances = np.log(rng.uniform(size=(len(asked), populations, points // 2)))
        found, passed = looks[..., own].copy(), np.full((populations, points // 2), True)
        for stage, share in enumerate(asked):
            calls += int(passed.sum()) if stage == len(asked) - 1 else 0
            found[stage] = look(stages, stage, proposal.new, passed, watch)
            ratio = beta * (found[stage] - looks[stage][:, own]) + share * proposal.density
            passed = passed & (chances[stage] < ratio + (proposal.prior if stage == 0 else 0.0))
        z[:, own] = np.where(passed[..., None], proposal.new, now)
        looks[..., own] = np.where(passed, found, looks[..., own])
        if proposal.kind is not None:
            sizes = adapted_sizes(sizes, proposal.kind, passed)
    proposals = state.proposals + populations * points
    return replace(state, z=z, looks=looks, sizes=sizes, proposals=proposals, calls=calls)


def _asked_of_density(stages: int) -> list[float]:
    """Of the logarithm of a proposal's density, which share each stage asks for."""
    return [1.0] if stages == 1 else [ASKED_FIRST, *[0.0] * (stages - 2), 1.0 - ASKED_FIRST]


def generator(key: Array) -> np.random.Generator:
    """A generator of NumPy's from a key of JAX's."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel())


def _read(file: Path) -> _State:
    with np.load(file, allow_pickle=False) as found:
        state = {name: found[name] for name in found.files}
    counted = {name: int(state[name]) for name in ("step", "proposals", "calls")}
    return _State(**{**state, **counted, "seconds": float(state["seconds"])})

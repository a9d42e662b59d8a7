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

Tempered populations as a run uses them: as chains, whose draws are independent, and as starts of descents.
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
from anomfit.inference.sample.chains import Evidence, Samples, SampleSettings, samples_of
from anomfit.inference.sample.likelihoods import equal_draws
from anomfit.inference.sample.mixtures import Mixtures
from anomfit.inference.sample.nuts import Block
from anomfit.inference.sample.proposals import KINDS, adapted_sizes, along_differences, from_mixtures, of_parameters
from anomfit.inference.sample.stages import Stages, look, stages_of
from anomfit.inference.states import keep_state, kept_state
from anomfit.inference.undefined import Watch
from anomfit.problem import Problem

COUNTED = 0.5  # of a population, that count as equal draws after a step in beta
NEAR = 2  # of so many moves, one is along a difference
FITTED = 4  # moves, after which mixtures are fitted again
FORGOTTEN = (
    0.5  # correlation of the places of points with those after the last step in beta, at which no more are moved
)
LAST = 2  # times `moves`: how many more draws of mixtures points are moved by at beta = 1
APART = 1.0  # in ln of the evidence: populations that differ by more do not hold the same parts of the posterior
ASKED_FIRST = 0.75  # of the logarithm of a mixture's density, in the first of several stages; the rest in the last one


@dataclass(frozen=True)
class Tempered:
    """`z`: normal coordinates (population, point, coordinates), draws of equal weight; log_likelihood there.

    `log_likelihood` includes the prior's weight in normal coordinates (`Problem.from_normal`), whose logarithm is not
    0 where a bound depends on other parameters. `log_evidence`: of each population, the logarithm of the likelihood's
    mean over the prior. `temperatures`: how often beta was raised, by the population that took most; `proposals`: of
    all populations, the draws of the prior included; `calls`: likelihoods that were computed whole; `undefined`:
    sentences about points met in this call whose likelihood is not a number (see `undefined`).
    """

    z: np.ndarray
    log_likelihood: np.ndarray
    log_evidence: np.ndarray
    temperatures: int
    proposals: int
    calls: int
    seconds: float
    undefined: tuple[str, ...] = ()


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
    watch = Watch("points of tempered sampling", lambda z: values_at_normal(problem, z))
    found = None if state_file is None else kept_state(state_file, of_run, _read)
    began = time.perf_counter()
    stages = stages_of(problem)
    state = found or _from_prior(stages, jax.random.fold_in(key, 0), (populations, points), watch)
    earlier = state.seconds if found else 0.0
    with tqdm(disable=not show_progress, unit="point", initial=state.proposals) as bar:
        while np.any(state.beta < 1.0):
            state = _raised(state, jax.random.fold_in(key, 2 * state.step + 1))
            rng = _generator(jax.random.fold_in(key, 2 * state.step + 2))
            bar.set_description(f"tempered sampling, beta from {state.beta.min():.3g} to {state.beta.max():.3g}")
            for moved in _all_moves(stages, state, rng, watch, moves):
                state = moved
                bar.update(state.proposals - bar.n)
            state = replace(state, step=state.step + 1, seconds=earlier + time.perf_counter() - began)
            if state_file is not None:
                kept = state
                keep_state(state_file, of_run, lambda part, kept=kept: np.savez(part, allow_pickle=False, **vars(kept)))
    return Tempered(
        z=state.z,
        log_likelihood=state.log_likelihood,
        log_evidence=state.log_evidence,
        temperatures=state.step,
        proposals=state.proposals,
        calls=state.calls,
        seconds=state.seconds,
        undefined=watch.sentences(problem),
    )


def check_tempered(problem: Problem, points: int) -> None:
    """InputError for fewer points than four times the coordinates: their differences would span too little."""
    least = 4 * len(problem.names)
    if points < least or points % 2:
        raise reject("points", points, f"give an even number of at least {least}, four times the coordinates")


def _from_prior(stages: Stages, key: Array, shape: tuple[int, int], watch: Watch) -> _State:
    z = _generator(key).normal(size=(*shape, len(stages.parts[0].names)))
    halves = np.split(z, 2, axis=1)  # as they are moved: a program for one number of points is enough
    all_pass = np.full((shape[0], shape[1] // 2), True)
    each = range(len(stages.parts))
    looks = np.stack([np.concatenate([look(stages, i, h, all_pass, watch) for h in halves], axis=1) for i in each])
    nothing, number = np.zeros(shape[0]), shape[0] * shape[1]
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


def _generator(key: Array) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel())


def _read(file: Path) -> _State:
    with np.load(file, allow_pickle=False) as found:
        state = {name: found[name] for name in found.files}
    counted = {name: int(state[name]) for name in ("step", "proposals", "calls")}
    return _State(**{**state, **counted, "seconds": float(state["seconds"])})


def led_populations(
    problem: Problem,
    key: Array,
    settings: SampleSettings,
    points: int,
    moves: int,
    state_file: Path | None = None,
    show_progress: bool = False,
) -> Tempered:
    """`settings.chains` populations (see `tempered.sample_tempered`), each of which has `settings.draws` draws to give.

    InputError for fewer `points` than draws.
    """
    check_points(points, settings.draws)
    key_run, _ = jax.random.split(key)
    return sample_tempered(problem, key_run, settings.chains, points, moves, state_file, show_progress)


def samples_of_populations(problem: Problem, found: Tempered, settings: SampleSettings, key: Array) -> Samples:
    """Draws of `led_populations`, as many as `settings` ask for, of equal weight, with all that is known of them.

    A population gives draws in proportion to its evidence, which is how likely it was to find what it holds. They come
    in random order, those of a population in the chain of its number as far as there is room. `key`: the one that the
    populations were led with.
    """
    populations, points, _ = found.z.shape
    _, key_choice = jax.random.split(key)
    orders = [np.asarray(jax.random.permutation(jax.random.fold_in(key_choice, i), points)) for i in range(populations)]
    each, chosen = _dealt(found.log_evidence, orders, settings.draws)
    z = found.z[each, chosen]
    log_posterior = found.log_likelihood[each, chosen] - 0.5 * np.sum(z**2, axis=-1)
    nothing, sure = np.zeros(chosen.shape), np.ones(chosen.shape)
    draws = Block(z, log_posterior, -log_posterior, sure, nothing, nothing)
    log_evidence = float(np.logaddexp.reduce(found.log_evidence) - np.log(populations))
    evidence = Evidence(log_evidence, found.calls, worth(found), "tempered", _error(found.log_evidence))
    seconds = found.seconds, found.seconds
    said = (*found.undefined, *_disagreement(found.log_evidence))
    return samples_of(problem, draws, settings, seconds, evidence=evidence, undefined=said)


def _dealt(log_evidence: np.ndarray, orders: list[np.ndarray], draws: int) -> tuple[np.ndarray, np.ndarray]:
    """The population and the point of every draw (chain, draw), each population's points in its order of `orders`.

    A population of which more draws are wanted than it has points gives some of them again.
    """
    populations = len(orders)
    ends = np.cumsum(shares(log_evidence)) * populations * draws
    wanted = np.diff(np.floor(ends + 0.5).astype(int), prepend=0)
    lots = [[(i, int(j)) for j in np.resize(order, n)] for i, (order, n) in enumerate(zip(orders, wanted, strict=True))]
    spare = [one for lot in lots for one in lot[draws:]]
    chains = [lot[:draws] for lot in lots]
    for chain in chains:
        missing = draws - len(chain)
        chain += spare[:missing]
        spare = spare[missing:]
    dealt = np.array(chains)
    return dealt[..., 0], dealt[..., 1]


def shares(log_evidence: np.ndarray) -> np.ndarray:
    """What each population counts for: its evidence, of the sum of all."""
    return np.exp(log_evidence - np.logaddexp.reduce(log_evidence))


def _disagreement(log_evidence: np.ndarray) -> tuple[str, ...]:
    """A sentence where a population has found what others have missed."""
    apart = float(np.max(log_evidence) - np.min(log_evidence))
    if apart < APART:
        return ()
    return (
        f"the evidences of the populations differ by a factor of e^{apart:.1f}: some have missed a part of the "
        "posterior that others found. Draws come from each in proportion to its evidence, so that the weights of the "
        "parts rest on few populations; give more points",
    )


def descent_starts(problem: Problem, found: Tempered, wanted: int) -> np.ndarray:
    """Up to `wanted` points of the populations that differ, in normal coordinates, for descents to start from.

    The best of each population come first, best first. Then follows, one by one, the point farthest from all that were
    chosen, of those in the better half of their population: the valleys that the populations ended in, and their ends.
    Distances are in the parameters (in pulls without any), in standard deviations over all points.
    """
    populations, points, dimension = found.z.shape
    best = np.argmax(found.log_likelihood, axis=1) + points * np.arange(populations)
    flat, log_likelihood = found.z.reshape(-1, dimension), found.log_likelihood.ravel()
    is_better_half = (found.log_likelihood >= np.median(found.log_likelihood, axis=1, keepdims=True)).ravel()
    places = flat[:, : len(problem.free) or dimension]
    places = places / np.maximum(places.std(axis=0), 1e-300)
    chosen = [int(i) for i in best[np.argsort(-log_likelihood[best], kind="stable")][:wanted]]
    nearest = np.min([_distances(places, i) for i in chosen], axis=0)
    while len(chosen) < wanted:
        farthest = int(np.argmax(np.where(is_better_half, nearest, 0.0)))
        if nearest[farthest] == 0.0:  # all others are copies
            break
        chosen.append(farthest)
        nearest = np.minimum(nearest, _distances(places, farthest))
    return flat[chosen]


def _distances(places: np.ndarray, of: int) -> np.ndarray:
    return np.linalg.norm(places - places[of], axis=1)


def worth(found: Tempered) -> float:
    """How many independent draws would scatter as the means of the populations do, at most all points.

    The variance of a mean over that of the posterior is pooled over all coordinates. Populations of unlike evidence
    are worth as many fewer as their weights leave. One population says nothing: it is taken for all its points.
    """
    populations, points, _ = found.z.shape
    if populations == 1:
        return float(points)
    means, variance = found.z.mean(axis=1), found.z.var(axis=(0, 1))
    scatter = float(np.mean(means.var(axis=0, ddof=1) / variance))
    left = 1.0 / float(np.sum(shares(found.log_evidence) ** 2))
    return min(left * points, left / max(scatter, 1e-300))


def _error(log_evidence: np.ndarray) -> float | None:
    """Of the logarithm of the populations' mean evidence, from their scatter; None for a single one."""
    if len(log_evidence) < 2:
        return None
    share = np.exp(log_evidence - np.max(log_evidence))
    return float(np.std(share, ddof=1) / np.sqrt(len(share)) / np.mean(share))


def check_points(points: int, draws: int) -> None:
    """InputError for populations smaller than the draws that are asked of them."""
    if points < draws:
        raise reject("points", points, f"give at least the number of draws, {draws}")

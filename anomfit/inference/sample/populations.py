"""Tempered populations as a run uses them: as draws of a posterior with its evidence, and as starts of descents."""

import time
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Array
from tqdm import tqdm

from anomfit.errors import reject
from anomfit.inference.coordinates import values_at_normal
from anomfit.inference.pulls.integrated import integrated, with_pulls
from anomfit.inference.sample.chains import Evidence, Samples, SampleSettings, samples_of
from anomfit.inference.sample.likelihoods import equal_draws
from anomfit.inference.sample.nuts import Block
from anomfit.inference.sample.stages import stages_of
from anomfit.inference.sample.tempered import Tempered, generator, moved_at_the_end, sample_tempered
from anomfit.inference.sample.weighted import TRUSTED, Weighted, empty_pool, fits_of, with_more
from anomfit.inference.undefined import Watch
from anomfit.problem import Problem

ROUNDS = 4  # of mixtures, each fitted to points that were drawn by the weights of the one before
MOVED = 512  # points of each population that are drawn so, and
MOVES = 8  # a third of their moves
TRIED = 2  # lots of draws, after which mixtures are judged
APART = 1.0  # in ln of the evidence: populations that differ by more do not hold the same parts of the posterior


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


def samples_of_populations(
    problem: Problem,
    found: Tempered,
    settings: SampleSettings,
    key: Array,
    most: int = 0,
    show_progress: bool = False,
) -> Samples:
    """Draws of `led_populations`, as many as `settings` ask for, of equal weight, with all that is known of them.

    A population gives draws in proportion to its evidence, which is how likely it was to find what it holds. They come
    in random order, those of a population in the chain of its number as far as there is room. `key`: the one that the
    populations were led with.

    With `most`, up to so many draws of mixtures fitted to the populations take their place, weighted until they are
    worth as many as are asked for (`weighted`), where the tail of their weights lets them be trusted.
    """
    populations, points, _ = found.z.shape
    _, key_choice = jax.random.split(key)
    said = (*found.undefined, *_disagreement(found.log_evidence))
    if most:
        drawn, sentences = _drawn_of_mixtures(
            problem, found, settings, jax.random.fold_in(key_choice, populations), most, show_progress
        )
        if drawn is not None:
            return drawn
        said = (*said, *sentences)
    orders = [np.asarray(jax.random.permutation(jax.random.fold_in(key_choice, i), points)) for i in range(populations)]
    each, chosen = _dealt(found.log_evidence, orders, settings.draws)
    z = found.z[each, chosen]
    log_posterior = found.log_likelihood[each, chosen] - 0.5 * np.sum(z**2, axis=-1)
    nothing, sure = np.zeros(chosen.shape), np.ones(chosen.shape)
    draws = Block(z, log_posterior, -log_posterior, sure, nothing, nothing)
    log_evidence = float(np.logaddexp.reduce(found.log_evidence) - np.log(populations))
    evidence = Evidence(log_evidence, found.calls, worth(found), "tempered", _error(found.log_evidence))
    seconds = found.seconds, found.seconds
    return samples_of(problem, draws, settings, seconds, evidence=evidence, undefined=said)


def _drawn_of_mixtures(
    problem: Problem, found: Tempered, settings: SampleSettings, key: Array, most: int, show_progress: bool
) -> tuple[Samples | None, tuple[str, ...]]:
    """Equal draws of weighted ones, and nothing to say; or None, and why they are none."""
    began = time.perf_counter()
    keys = jax.random.split(key, 4)
    whole, total = integrated(problem), settings.chains * settings.draws
    watch = Watch("draws of mixtures", lambda z: values_at_normal(whole, z))
    drawn, calls = _weighted(problem, found, generator(keys[0]), float(total), most, watch, show_progress)
    if not drawn.is_trusted:
        return None, (
            f"{len(drawn.z)} draws of mixtures fitted to the populations cannot be made draws of the posterior by "
            f"weights (Pareto k = {drawn.pareto_k:.2f}, not below {TRUSTED}): these draws are the points of the "
            "populations; give more points or moves",
        )
    chosen = equal_draws(np.exp(drawn.log_weights), total, keys[1])
    pulls = with_pulls(problem, drawn.z[chosen], keys[2])
    change = float(np.logaddexp.reduce(pulls.log_ratio)) - np.log(total)
    again = equal_draws(np.exp(pulls.log_ratio - np.log(total) - change), total, keys[3])
    z = pulls.z[again]
    log_posterior = drawn.log_likelihood[chosen][again] + pulls.log_change[again] - 0.5 * np.sum(z**2, axis=-1)
    shape = (settings.chains, settings.draws)
    nothing, log_posterior = np.zeros(shape), log_posterior.reshape(shape)
    block = Block(z.reshape(*shape, -1), log_posterior, -log_posterior, np.ones(shape), nothing, nothing)
    spread = np.exp(pulls.log_ratio - change)
    variance = float(np.var(spread) / np.mean(spread) ** 2)
    log_evidence, error = drawn.log_evidence + change, float(np.hypot(drawn.error, np.sqrt(variance / total)))
    ess, number = drawn.ess / (1.0 + variance), len(drawn.z)
    evidence = Evidence(log_evidence, found.calls + calls, ess, "tempered", error, drawn.pareto_k, number)
    seconds = found.seconds + time.perf_counter() - began
    said = (*found.undefined, *watch.sentences(whole))
    return samples_of(problem, block, settings, (seconds, seconds), evidence=evidence, undefined=said), ()


def _weighted(
    problem: Problem,
    found: Tempered,
    rng: np.random.Generator,
    wanted: float,
    most: int,
    watch: Watch,
    show_progress: bool,
) -> tuple[Weighted, int]:
    """Weighted draws of mixtures fitted to the populations, and whole likelihoods computed.

    Of mixtures that are not good `TRIED` lots are drawn; then points are drawn from all draws by their weights, moved,
    and a mixture is fitted to these.
    """
    stages, z = stages_of(problem), found.z[..., : found.sampled]
    populations, points, dimension = z.shape
    few, rest, moving = min(points, MOVED), ROUNDS, 0
    fits, pool, tried = fits_of(rng, z, found.log_evidence), empty_pool(dimension), 0
    with tqdm(disable=not show_progress, unit="draw") as bar:
        while True:
            pool, tried = with_more(pool, fits, stages, rng, watch), tried + 1
            drawn = pool.weighted()
            bar.set_description(f"weighted draws of mixtures, worth {drawn.ess:.0f} of {wanted:.0f}")
            bar.update(len(pool.z) - bar.n)
            if len(pool.z) >= most or (drawn.ess >= wanted and drawn.is_trusted):
                return drawn, pool.calls + moving
            if rest > 1 and tried == TRIED and not drawn.is_good:
                rest, tried, weights = rest - 1, 0, np.exp(drawn.log_weights)
                chosen = rng.choice(len(weights), size=(few, populations), p=weights / weights.sum())
                moved, more = moved_at_the_end(stages, drawn.z[np.sort(chosen, axis=0).T], rng, watch, MOVES)
                moving += more
                fits = fits_of(rng, moved.reshape(1, -1, dimension), np.zeros(1))  # all of one origin


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

    The variance of a mean over that of the posterior is pooled over all coordinates that points were moved in.
    Populations of unlike evidence are worth as many fewer as their weights leave. One population says nothing: it is
    taken for all its points.
    """
    populations, points, _ = found.z.shape
    if populations == 1:
        return float(points)
    z = found.z[..., : found.sampled]
    means, variance = z.mean(axis=1), z.var(axis=(0, 1))
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

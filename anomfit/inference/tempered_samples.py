"""Tempered populations as a run uses them: as chains, whose draws are independent, and as starts of descents."""

from pathlib import Path

import jax
import numpy as np
from jaxtyping import Array

from anomfit.errors import reject
from anomfit.inference.nuts import Block
from anomfit.inference.sample import Evidence, Samples, SampleSettings, samples_of
from anomfit.inference.tempered import Tempered, sample_tempered
from anomfit.problem import Problem


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
    """As many draws of each of `led_populations` as `settings` ask for, in random order, with all known of them.

    `key`: the one that the populations were led with.
    """
    populations, points, _ = found.z.shape
    _, key_choice = jax.random.split(key)
    chosen = np.stack(
        [np.asarray(jax.random.permutation(jax.random.fold_in(key_choice, i), points)) for i in range(populations)]
    )[:, : settings.draws]
    each = np.arange(populations)[:, None]
    z = found.z[each, chosen]
    log_posterior = found.log_likelihood[each, chosen] - 0.5 * np.sum(z**2, axis=-1)
    nothing, sure = np.zeros(chosen.shape), np.ones(chosen.shape)
    draws = Block(z, log_posterior, -log_posterior, sure, nothing, nothing)
    log_evidence = float(np.logaddexp.reduce(found.log_evidence) - np.log(populations))
    evidence = Evidence(log_evidence, found.calls, worth(found), "tempered", _error(found.log_evidence))
    seconds = found.seconds, found.seconds
    return samples_of(problem, draws, settings, seconds, evidence=evidence, undefined=found.undefined)


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

    The variance of a mean over that of the posterior is pooled over all coordinates. One population says nothing: it
    is taken for all its points.
    """
    populations, points, _ = found.z.shape
    if populations == 1:
        return float(points)
    means, variance = found.z.mean(axis=1), found.z.var(axis=(0, 1))
    scatter = float(np.mean(means.var(axis=0, ddof=1) / variance))
    return min(float(populations * points), populations / max(scatter, 1e-300))


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

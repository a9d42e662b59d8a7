"""Draws of tempered populations in the form that chains have: a population is a chain whose draws are independent."""

from pathlib import Path

import jax
import numpy as np
from jaxtyping import Array

from anomfit.errors import reject
from anomfit.inference.nuts import Block
from anomfit.inference.sample import Evidence, Samples, SampleSettings, samples_of
from anomfit.inference.tempered import Tempered, sample_tempered
from anomfit.problem import Problem


def tempered_samples(
    problem: Problem,
    key: Array,
    settings: SampleSettings,
    points: int,
    moves: int,
    state_file: Path | None = None,
    show_progress: bool = False,
) -> Samples:
    """`settings.draws` draws of each of `settings.chains` populations (see `tempered.sample_tempered`).

    InputError for fewer `points` than draws.
    """
    check_points(points, settings.draws)
    key_run, key_choice = jax.random.split(key)
    found = sample_tempered(problem, key_run, settings.chains, points, moves, state_file, show_progress)
    return samples_of_populations(problem, found, settings, key_choice)


def samples_of_populations(problem: Problem, found: Tempered, settings: SampleSettings, key: Array) -> Samples:
    """As many draws of each population as `settings` ask for, in random order, with all that is known of them."""
    populations, points, _ = found.z.shape
    chosen = np.stack(
        [np.asarray(jax.random.permutation(jax.random.fold_in(key, i), points)) for i in range(populations)]
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

"""Equal, independent draws from a run of nested sampling, in the form that chains have."""

from pathlib import Path

import jax
import numpy as np
from jaxtyping import Array

from anomfit.inference.nested import sample_nested
from anomfit.inference.nuts import Block
from anomfit.inference.resampling import equal_draws
from anomfit.inference.sample import Evidence, Samples, SampleSettings, samples_of
from anomfit.problem import Problem


def nested_samples(
    problem: Problem,
    key: Array,
    settings: SampleSettings,
    live: int,
    state_file: Path | None = None,
    show_progress: bool = False,
) -> Samples:
    """`settings.chains` x `settings.draws` draws of a run that is worth as many (see `nested.sample_nested`)."""
    key_run, key_choice = jax.random.split(key)
    total = settings.chains * settings.draws
    found = sample_nested(problem, key_run, live, float(total), state_file, show_progress)
    chosen = equal_draws(found.weights, total, key_choice).reshape(settings.chains, settings.draws)
    log_posterior = found.log_posterior[chosen]
    nothing, sure = np.zeros(chosen.shape), np.ones(chosen.shape)
    draws = Block(found.z[chosen], log_posterior, -log_posterior, sure, nothing, nothing)
    evidence = Evidence(found.log_evidence, found.calls, found.ess)
    seconds = found.seconds, found.seconds
    return samples_of(problem, draws, settings, seconds, evidence=evidence, undefined=found.undefined)

"""Nested sampling with nautilus: the evidence, posteriors too narrow or too scattered for chains, a check of NUTS.

It draws from shells of rising likelihood in the prior's cube; starts and gradients play no part.

Equal, independent draws from a run of nested sampling, in the form that chains have.
"""

import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import jax
import numpy as np
from jaxtyping import Array
from scipy.stats import norm
from tqdm import tqdm

from anomfit import interrupts
from anomfit.errors import InputError, reject
from anomfit.identity import sampling_identity
from anomfit.inference.coordinates import values_at_normal
from anomfit.inference.pulls.integrated import integrated, with_pulls
from anomfit.inference.sample.chains import Evidence, Samples, SampleSettings, samples_of
from anomfit.inference.sample.likelihoods import equal_draws, log_likelihoods
from anomfit.inference.sample.nuts import Block
from anomfit.inference.sample.workers import workers
from anomfit.inference.states import keep_state, kept_state
from anomfit.inference.undefined import Watch
from anomfit.problem import Problem

BATCH = 64
SECONDS = "seconds"  # what a run has taken, in its state
ROOM = 2**24  # bytes on the disk that are made sure of before HDF5 writes
WRITING = 0.05  # of a run's time may go into keeping its state
EDGE = 1e-12  # of the cube: quantiles of the normal stay finite
NETWORKS = {"n_networks": 2, "neural_network_kwargs": {"batch_size": 500}}
"""Half of nautilus's networks, in larger batches: as good a bound in less than half of the time, most of a run's."""


@dataclass(frozen=True)
class Nested:
    """Weighted draws: `values` of parameters and pulls, each (draws,), `weights` that add up to 1.

    z: the same in normal coordinates (draws, coordinates), `log_posterior` there as `Problem.log_posterior` has it.

    `log_evidence` is the logarithm of the likelihood's mean over the prior (pulls included, likelihoods normalised as
    in `Problem.log_likelihood`, the constants of the pulls' Gaussians in the prior); `ess` = 1 / sum of weights^2;
    `calls` are all likelihoods behind it, those before a resumption too, `seconds` the time of this call, and
    `undefined` sentences about points met in it whose likelihood is not a number (see `undefined`).
    """

    values: dict[str, np.ndarray]
    weights: np.ndarray
    z: np.ndarray
    log_posterior: np.ndarray
    log_evidence: float
    ess: float
    calls: int
    seconds: float
    undefined: tuple[str, ...] = ()

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

    `live` points follow the likelihood up; `key` fixes all draws, whatever the machine lends to `workers`. What is
    found is kept in `state_file` (ending in .h5; see `states`) every few seconds and at an interrupt, and a run that
    finds one goes on with the numbers of a run that never stopped. InputError if nautilus is not installed, for a
    single coordinate, fewer live points than twice the coordinates, and a `state_file` that is damaged or of a run of
    another likelihood, key or `live`.
    """
    check_nested(problem, live)
    whole = integrated(problem)
    began = time.perf_counter()
    of_run = sampling_identity(problem, key, "nested", live=live)
    watch = Watch("points of nested sampling", lambda z: values_at_normal(whole, z))
    with workers(NETWORKS["n_networks"]) as pool:

        def made(file: Path | None) -> Any:
            sampler = _sampler()(
                lambda cube: cube,
                lambda cube: _log_likelihoods(whole, cube, watch),
                n_dim=len(whole.names),
                n_live=live,
                n_batch=BATCH,
                vectorized=True,
                seed=int(jax.random.randint(key, (), 0, 2**31 - 1)),
                filepath=file,
                pool=(None, pool),
                **NETWORKS,
            )
            sampler.filepath = None  # it would write over its own file
            return sampler

        def left(file: Path) -> tuple[Any, float]:
            return made(file), _seconds_of(file)

        found = None if state_file is None else kept_state(state_file, of_run, left)
        sampler, earlier = (made(None), 0.0) if found is None else found
        began -= earlier
        _run(sampler, effective, state_file, of_run, show_progress, began)
    cube, log_weights, log_likelihood = sampler.posterior()
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    z, log_evidence, ess = _normal(cube), float(sampler.log_z), float(1.0 / np.sum(weights**2))
    if whole.names != problem.names:
        # as many equal draws as the weights are worth, before pulls are drawn for each
        chosen = equal_draws(weights, max(int(ess), 1), jax.random.fold_in(key, 1))
        drawn = with_pulls(problem, z[chosen], jax.random.fold_in(key, 2))
        total = float(np.logaddexp.reduce(drawn.log_ratio))
        z, log_likelihood, weights = drawn.z, log_likelihood[chosen] + drawn.log_change, np.exp(drawn.log_ratio - total)
        log_evidence, ess = log_evidence + total - np.log(len(chosen)), float(1.0 / np.sum(weights**2))
    return Nested(
        values=values_at_normal(problem, z),
        weights=weights,
        z=z,
        log_posterior=log_likelihood - 0.5 * np.sum(z**2, axis=1),
        log_evidence=log_evidence,
        ess=ess,
        calls=int(sampler.n_like),
        seconds=time.perf_counter() - began,
        undefined=watch.sentences(whole),
    )


def check_nested(problem: Problem, live: int) -> None:
    """InputError for what nautilus cannot sample, a single coordinate or too few live points, and without nautilus."""
    _sampler()
    dimension = len(integrated(problem).names)
    if dimension < 2:
        raise reject("free", list(problem.names), 'nested sampling takes two or more; write method = "nuts"')
    if live < 2 * dimension:
        raise reject("live", live, f"give at least {2 * dimension}, twice the coordinates")


def _run(
    sampler: Any, effective: float, state_file: Path | None, of_run: dict[str, str], show_progress: bool, start: float
) -> None:
    """Run to the end, one batch at a time: between two batches the state is whole, and kept now and then.

    start: when the run began on the clock of `time.perf_counter`, what it took before it was stopped included.
    """
    known, written, cost = sampler.n_like, time.monotonic(), 0.0

    def keep() -> None:
        nonlocal known, written, cost
        if state_file is not None and sampler.n_like > known:
            began = time.monotonic()
            keep_state(state_file, of_run, lambda file: _write(sampler, time.perf_counter() - start, file), ROOM)
            known, written = sampler.n_like, time.monotonic()
            cost = written - began

    done = False
    with tqdm(initial=known, disable=not show_progress, unit="likelihood") as bar:
        while not done:
            done = bool(sampler.run(n_eff=effective, n_like_max=sampler.n_like + 1, discard_exploration=True))
            _show(bar, sampler, effective)
            if done or time.monotonic() - written > cost / WRITING:
                keep()
            try:
                interrupts.check()
            except KeyboardInterrupt:
                keep()
                raise


def _write(sampler: Any, seconds: float, file: Path) -> None:
    """The sampler's state, and what the run has taken so far."""
    sampler.write(file)
    with h5py.File(file, "r+") as opened:
        opened.attrs[SECONDS] = seconds


def _seconds_of(file: Path) -> float:
    with h5py.File(file) as opened:
        return float(np.asarray(opened.attrs.get(SECONDS, 0.0)))


def _show(bar: tqdm, sampler: Any, effective: float) -> None:
    if sampler.explored:
        bar.set_description(f"nested sampling, {sampler.n_eff:.0f} of {effective:.0f} effective draws")
    else:
        bar.set_description(f"nested sampling, {sampler.f_live:.0%} of the evidence to explore")
    bar.update(sampler.n_like - bar.n)


def _normal(cube: np.ndarray) -> np.ndarray:
    return norm.ppf(np.clip(cube, EDGE, 1.0 - EDGE))


def _log_likelihoods(problem: Problem, cube: np.ndarray, watch: Watch) -> np.ndarray:
    """ln L at points of the cube, of which every coordinate (pulls too) is a quantile of its prior."""
    z = _normal(np.atleast_2d(cube))
    chunks = (z[first : first + BATCH] for first in range(0, len(z), BATCH))
    return np.concatenate([log_likelihoods(problem, chunk, watch, BATCH) for chunk in chunks])


def _sampler() -> Any:
    try:
        with warnings.catch_warnings():
            # what it imports tries shared memory, which may be read-only and is not used
            warnings.filterwarnings("ignore", message=".*joblib will operate in serial mode")
            from nautilus import Sampler
    except ImportError as error:
        message = "nautilus is not installed; install it with: python -m pip install nautilus-sampler"
        raise InputError(message) from error
    return Sampler


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

"""The posterior by NUTS: blocks of draws until the chains are good enough, each block kept on disk if wanted."""

import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from tqdm import tqdm

from anomfit import interrupts
from anomfit.errors import InputError, reject
from anomfit.identity import sampling_identity
from anomfit.inference.compiled import forward, gradients
from anomfit.inference.coordinates import scaled_at_normal, values_at_normal
from anomfit.inference.devices import place
from anomfit.inference.fit.minimise import Fit
from anomfit.inference.sample.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from anomfit.inference.sample.diagnostics import Diagnostic, diagnose, still_chains, verdict
from anomfit.inference.sample.nuts import Block, Tuning, advance_chains, energies, start_chains
from anomfit.inference.sample.starts import chain_starts, finite_starts
from anomfit.inference.undefined import CURE, Watch, placed, undefined_values
from anomfit.problem import Problem
from anomfit.statistics.terms import minus_two

MOVED = 100  # draws after which a chain must have moved
BESIDE = 128  # points beside the draws whose gradient is looked at


@dataclass(frozen=True)
class SampleSettings:
    """`draws` a chain at least; more, up to `max_draws`, until R-hat < 1.01 and ESS >= 400 for every coordinate."""

    chains: int = 4
    draws: int = 500
    max_draws: int = 4000
    tuning: Tuning = field(default_factory=Tuning)

    def __post_init__(self):
        for name in ("chains", "draws"):
            if getattr(self, name) < 1:
                raise reject(name, getattr(self, name), "give a whole number above 0")
        if self.max_draws < self.draws:
            raise reject("max_draws", self.max_draws, f"give at least the number of draws, {self.draws}")


@dataclass(frozen=True)
class Evidence:
    """What a sampler that starts from the prior says beyond its draws: ln of the evidence, likelihoods computed, equal
    draws it is worth; `method` is its name, "nested" or "tempered". error: of the evidence's logarithm, None if the
    sampler knows of none. Of weighted draws of mixtures, how many (`weighted`), and Pareto's k of their weights.
    """

    log_evidence: float
    calls: int
    ess: float
    method: str = "nested"
    error: float | None = None
    pareto_k: float | None = None
    weighted: int | None = None


@dataclass(frozen=True)
class Samples:
    """Posterior draws. Every array has leading axes (chain, draw). Those of nested sampling and of tempered
    populations, which come with the `evidence`, are independent; a chain is then any part of them, or a population.

    `values` holds parameters and pulls, `derived` the model's other physical quantities that vary, `z` the sampler's
    normal coordinates, `stats` log_posterior, log_likelihood, energy, acceptance_rate, n_steps and diverging.
    `seconds` is all the time spent, compilation included, `sampling_seconds` that after the warmup. `undefined` are
    sentences about points at which the likelihood or its gradient is not finite (see `undefined`).
    """

    values: dict[str, np.ndarray]
    derived: dict[str, np.ndarray]
    z: np.ndarray
    stats: dict[str, np.ndarray]
    diagnostics: tuple[Diagnostic, ...]
    settings: SampleSettings
    seconds: float
    sampling_seconds: float
    complete: bool
    evidence: Evidence | None = None
    undefined: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """ "nuts", "nested" or "tempered"."""
        return "nuts" if self.evidence is None else self.evidence.method

    @property
    def divergences(self) -> int:
        """Divergent transitions after the warmup."""
        return int(np.sum(self.stats["diverging"]))

    @property
    def acceptance(self) -> float:
        """Mean acceptance probability."""
        return float(np.mean(self.stats["acceptance_rate"]))

    @property
    def ess_per_second(self) -> float:
        """The least bulk effective sample size of any coordinate per second after the warmup."""
        return min(d.ess_bulk for d in self.diagnostics) / self.sampling_seconds

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the draws, one sentence each; empty when nothing is."""
        chains, independent = self.z.shape[0], self.method == "nested"
        has_edges, populations = bool(self.undefined), self.method == "tempered"
        judged = verdict(self.diagnostics, self.divergences, chains, independent, has_edges, populations)
        sentences = (*self.undefined, *judged)
        return sentences if self.complete else ("the run was interrupted before it was done", *sentences)


def sample(
    problem: Problem,
    key: Array,
    settings: SampleSettings | None = None,
    fit: Fit | None = None,
    state_file: Path | None = None,
    show_progress: bool = False,
) -> Samples:
    """Sample the posterior of `problem` with NUTS in the prior's normal coordinates, with a dense mass matrix.

    Chains start at the optima of `fit` or at prior points of high likelihood; `key` fixes all draws.
    Chains run on the local JAX devices (see `devices.prepare_devices`), vectorised on each. With a `state_file` every
    block of draws is kept there, and a run that finds one goes on with the same numbers as if it had not stopped; a
    file of another problem, key or tuning is refused (InputError, see `identity`). An interrupt (Ctrl-C) after the
    warmup returns the draws so far with `complete` False; before that it is raised. InputError, too, where no start has
    a finite likelihood and a finite gradient, and for a chain that never moves.
    """
    settings = settings or SampleSettings()
    if not problem.names:
        raise reject("free", [], "leave at least one parameter free")
    run = _begin(problem, key, settings, fit, state_file)
    complete = True
    with tqdm(total=settings.tuning.warmup + settings.draws, disable=not show_progress, unit="draw") as bar:
        bar.update(run.steps)
        try:
            while not _is_done(problem, run, settings):
                run = _next_block(problem, run, settings.tuning)
                if state_file is not None:
                    write_checkpoint(state_file, run)
                _show(bar, run, settings)
                _check_moved(problem, run.draws, MOVED)
        except KeyboardInterrupt:
            if run.steps <= settings.tuning.warmup:
                raise
            complete = False
    _check_moved(problem, run.draws, settings.tuning.block if complete else MOVED)
    return _samples(problem, run, settings, complete, jax.random.fold_in(key, 2))


def _begin(problem, key, settings, fit, state_file) -> Checkpoint:
    began = time.perf_counter()
    identity = sampling_identity(problem, key, "nuts", chains=settings.chains, **asdict(settings.tuning))
    key_starts, key_chains = jax.random.split(key)
    keys = jax.random.split(key_chains, settings.chains)
    dimension = len(problem.names)
    if state_file is not None:
        z = jnp.zeros((settings.chains, dimension))
        template = jax.eval_shape(lambda z, k: start_chains(z, z[:, 0], z, k, settings.tuning), z, keys)
        if (run := read_checkpoint(state_file, template, identity)) is not None:
            return run
    z = chain_starts(problem, key_starts, settings.chains, fit)
    starts = finite_starts(problem, jax.random.fold_in(key_starts, 1), z)
    z, twice_nll, slopes = (jnp.asarray(x) for x in (starts.z, starts.twice_nll, starts.slopes))
    state = start_chains(z, *energies(problem, z, twice_nll, slopes), keys, settings.tuning)
    nothing = np.zeros((settings.chains, 0))
    empty = Block(np.zeros((settings.chains, 0, dimension)), nothing, nothing, nothing, nothing, nothing)
    seconds = time.perf_counter() - began
    return Checkpoint(identity, place(state, settings.chains), empty, 0, seconds, 0.0, starts.problems)


def _next_block(problem: Problem, run: Checkpoint, tuning: Tuning) -> Checkpoint:
    began = time.perf_counter()
    interrupts.check()
    state, block = jax.block_until_ready(advance_chains(problem, run.state, tuning))
    spent = time.perf_counter() - began
    skipped = max(0, tuning.warmup - run.steps)  # draws of the warmup are not kept
    kept = [np.asarray(new)[:, skipped:] for new in block]
    draws = Block(*(np.concatenate([old, new], axis=1) for old, new in zip(run.draws, kept, strict=True)))
    sampling = run.sampling_seconds + (spent if skipped == 0 else 0.0)
    steps, seconds = run.steps + tuning.block, run.seconds + spent
    return replace(run, state=state, draws=draws, steps=steps, seconds=seconds, sampling_seconds=sampling)


def _is_done(problem: Problem, run: Checkpoint, settings: SampleSettings) -> bool:
    drawn = run.draws.z.shape[1]
    if drawn < settings.draws:
        return False
    if drawn >= settings.max_draws:
        return True
    return all(d.good for d in diagnose(_by_name(problem, run.draws.z)))


def _check_moved(problem: Problem, draws: Block, least: int) -> None:
    """InputError if a chain of at least so many draws never moved, or stays where the likelihood is 0."""
    still = still_chains(draws.z, draws.log_posterior)
    if draws.z.shape[1] < least or not still:
        return
    names, number = ", ".join(str(chain + 1) for chain in still), draws.z.shape[0]
    where = placed(problem, values_at_normal(problem, draws.z[still[0], -1:]))
    raise InputError(
        f"chains: {len(still)} of {number} (chain {names}) never moved in {draws.z.shape[1]} draws, or met a "
        f"likelihood that is not finite, {where}; the likelihood or its gradient is not finite around there (see "
        f'{CURE}), or the posterior is too narrow for this warmup (raise it, or write method = "tempered")'
    )


def _beside(problem: Problem, z: np.ndarray, twice_nll: np.ndarray, key: Array) -> tuple[str, ...]:
    """What is wrong with points that mirror one draw in another, of those as likely as some draw: all over the
    posterior, and beyond an edge at which the chains turned back.
    """
    z, likely = z.reshape(-1, z.shape[-1]), np.nanmax(twice_nll)
    first, second = np.asarray(jax.random.randint(key, (2, BESIDE), 0, len(z)))
    mirrored = 2.0 * z[first] - z[second]
    found, slopes = gradients(problem, np.asarray(scaled_at_normal(problem, jnp.asarray(mirrored))))
    found = np.where(undefined_values(forward(problem, values_at_normal(problem, mirrored))), np.nan, found)
    kept = ~(found > likely)
    watch = Watch("points beside the draws", lambda points: values_at_normal(problem, points))
    watch.noted(mirrored[kept], found[kept], slopes[kept])
    return watch.sentences(problem)


def _by_name(problem: Problem, z: np.ndarray) -> dict[str, np.ndarray]:
    """Normal coordinates by name: monotonic in the values, so R-hat and ESS, which use ranks, are the same."""
    return {name: z[:, :, i] for i, name in enumerate(problem.names)}


def _show(bar: tqdm, run: Checkpoint, settings: SampleSettings) -> None:
    if run.steps > bar.total:
        bar.total = settings.tuning.warmup + settings.max_draws
    stage = "warmup" if run.steps <= settings.tuning.warmup else "sampling"
    bar.set_description(f"NUTS, {settings.chains} chains, {stage}")
    bar.set_postfix(divergences=int(np.sum(run.draws.diverging)), refresh=False)
    bar.update(run.steps - bar.n)


@jax.jit
def _physical(problem: Problem, z: Float[Array, "draws coordinates"]):
    """Values, physical point and log-likelihood less log-posterior of every draw; no measurement is evaluated."""

    def one(z):
        values, log_weight = problem.from_normal(z)
        free = z[: len(problem.free)]
        return values, problem.physical_point(values), 0.5 * jnp.sum(free**2) - log_weight

    return jax.lax.map(one, z, batch_size=256)


def _samples(problem: Problem, run: Checkpoint, settings: SampleSettings, complete: bool, key: Array) -> Samples:
    found = samples_of(problem, run.draws, settings, (run.seconds, run.sampling_seconds), complete)
    beside = ()
    if found.divergences:  # an edge of what is finite is one cause of them
        with interrupts.postponed():
            beside = _beside(problem, found.z, minus_two(found.stats["log_likelihood"]), key)
    return replace(found, undefined=(*run.problems, *beside))


def samples_of(
    problem: Problem,
    draws: Block,
    settings: SampleSettings,
    seconds: tuple[float, float],
    complete: bool = True,
    evidence: Evidence | None = None,
    undefined: tuple[str, ...] = (),
) -> Samples:
    """`draws` with all that is known of them; `seconds` in all, and after the warmup."""
    z, shape = draws.z, draws.z.shape[:2]
    values, physical, offset = jax.tree.map(
        lambda x: np.asarray(x).reshape(shape), _physical(problem, jnp.asarray(z.reshape(-1, z.shape[-1])))
    )
    values = {name: values[name] for name in problem.names}
    derived = {n: x for n, x in physical.items() if n not in values and np.ptp(x) > 0.0}
    stats = {name: getattr(draws, name) for name in Block._fields if name != "z"}
    stats = {**stats, "log_likelihood": stats["log_posterior"] + offset, "diverging": stats["diverging"].astype(bool)}
    return Samples(
        values=values,
        derived=derived,
        z=z,
        stats=stats,
        diagnostics=diagnose(values),
        settings=settings,
        seconds=seconds[0],
        sampling_seconds=seconds[1],
        complete=complete,
        evidence=evidence,
        undefined=undefined,
    )

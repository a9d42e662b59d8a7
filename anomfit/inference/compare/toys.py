"""Toys: data sets thrown from the likelihood at a point, each fitted again as the data themselves were.

Every number that a toy gives is one of the repeated experiment: chi^2 at its best fit calibrates the p-value of
goodness of fit, Delta chi^2 from the true point the confidence regions, Delta chi^2 from no new physics the global
significance.

All fits of a block of toys run side by side through one compiled gradient, of which the data are arguments: a lane is a
toy and a point. A toy is fitted from the true point and from the prior points that describe it best, of a number of
points whose predictions are computed once. Where there is a faster copy of the problem, all descents are its own first,
and one from the end of the best of them is of the problem itself: every number of a toy is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.errors import reject
from anomfit.identity import sampling_identity
from anomfit.inference import coordinates
from anomfit.inference.compare.significance import null_predictions, null_twice_nll
from anomfit.inference.compare.throwing import Thrown, changing, check_throwable, throw, with_data
from anomfit.inference.compiled import GRADIENT_LANES, forward, in_lanes
from anomfit.inference.coordinates import prior_angles, values_at_angles
from anomfit.inference.devices import devices_for, each, spread
from anomfit.inference.fit.descent import descend, descend_held
from anomfit.inference.states import keep_state, kept_state
from anomfit.measurements.base import Prediction
from anomfit.problem import Problem
from anomfit.statistics.terms import minus_two

Progress = Callable[[str, int, int], None]

BLOCK = 16  # toys whose descents share their batches of gradients


@dataclass(frozen=True)
class ToySettings:
    """How hard each toy is fitted: `starts` descents of at most `rounds` gradients, from the true point and from the
    best of `screened` prior points.
    """

    number: int = 100
    starts: int = 4
    screened: int = 256
    rounds: int = 200

    def __post_init__(self):
        for name, least in (("number", 1), ("starts", 1), ("screened", 1), ("rounds", 1)):
            if getattr(self, name) < least:
                raise reject(name, getattr(self, name), f"give a whole number, {least} or above")


@dataclass(frozen=True)
class Truth:
    """Where toys are thrown: parameters and pulls by name, or, with `point` None, no new physics at these `pulls`."""

    point: dict[str, float] | None
    pulls: dict[str, float]


@dataclass(frozen=True)
class Toys:
    """n toys, fitted. Rows are toys in order; the i-th is the same whatever the number of toys.

    twice_nll: at each best fit; null: without new physics, nuisances refitted; at_truth: at the true parameters, the
    nuisances refitted (None where the truth is no new physics); chi_squared: (n, measurements), of those with data;
    penalty: squared distances of the pulls from the toy's own centres; held: -2 ln L with one parameter at its true
    value, everything else refitted, by name; best: scaled coordinates of the best fits.
    """

    truth: Truth
    names: tuple[str, ...]
    measurements: tuple[str, ...]
    numbers: int
    twice_nll: Float[np.ndarray, " toys"]
    null: Float[np.ndarray, " toys"]
    at_truth: Float[np.ndarray, " toys"] | None
    chi_squared: Float[np.ndarray, "toys measurements"]
    penalty: Float[np.ndarray, " toys"]
    held: dict[str, Float[np.ndarray, " toys"]]
    best: dict[str, Float[np.ndarray, " toys"]]
    complete: bool

    @property
    def total(self) -> Float[np.ndarray, " toys"]:
        """chi^2 as goodness of fit has it: of all measured numbers and the nuisances."""
        return np.sum(self.chi_squared, axis=1) + self.penalty


def _identity(problem: Problem, truth: Truth, key: Array, settings: ToySettings, parameters: Sequence[str]):
    """What fixes the toys but for their number. The true values by six digits: a best fit is found anew by a card."""
    place = {name: f"{value:.6g}" for name, value in {**(truth.point or {}), **truth.pulls}.items()}
    searched = {name: getattr(settings, name) for name in ("starts", "screened", "rounds")}
    return sampling_identity(problem, key, "toys", truth=place, parameters=tuple(parameters), **searched)


def _save(table: Mapping[str, Any], path: Path) -> None:
    flat = {name: column for name, column in table.items() if isinstance(column, np.ndarray)}
    for group in ("held", "best"):
        flat |= {f"{group}/{name}": column for name, column in table[group].items()}
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **flat)


def _load(path: Path) -> dict[str, Any]:
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        flat = {name: file[name] for name in file.files}
    table: dict[str, Any] = {"at_truth": None, "held": {}, "best": {}}
    for name, column in flat.items():
        group, _, member = name.rpartition("/")
        (table[group] if group else table)[member] = column
    return table


class _Bench(NamedTuple):
    """What all toys of a run share: the problem, which leaves change, the toys' data, and the null predictions."""

    problem: Problem
    places: tuple[int, ...]
    thrown: Thrown
    null: tuple[Prediction, ...]


def run_toys(
    problem: Problem,
    truth: Truth,
    key: Array,
    settings: ToySettings | None = None,
    parameters: Sequence[str] = (),
    progress: Progress | None = None,
    state_file: Path | None = None,
    fast: Problem | None = None,
) -> Toys:
    """Throw `settings.number` data sets at `truth` and fit each; `parameters` are those whose coverage is asked for.

    fast: a copy of the problem with tables or few nodes, in which the descents are led before the last ones.

    With a `state_file` (.npz) every block of toys is kept there, and a run that finds one goes on from it; one of
    another likelihood, key, truth or settings is refused. The number of toys may be another one. An interrupt (Ctrl-C)
    after the first block of toys ends the run with those that are done, `complete` False. Raises InputError for a
    measurement that cannot be thrown, and for a name that is no free parameter of the problem.
    """
    settings, report = settings or ToySettings(), progress or (lambda stage, done, total: None)
    check_throwable(problem.measurements)
    check_parameters(problem, parameters, truth.point is None)
    key_data, key_prior = jax.random.split(key)
    who = _identity(problem if fast is None else fast, truth, key, settings, parameters)
    table = None if state_file is None else kept_state(state_file, who, _load)
    done, complete = 0 if table is None else len(table["twice_nll"]), True
    report("toys", min(done, settings.number), settings.number)
    try:
        benches = _benches(problem, fast, truth, key_data, settings.number)
        prior = _prior_points(problem if fast is None else fast, key_prior, settings.screened)
        for first in range(done, settings.number, BLOCK):
            toys = np.arange(first, min(first + BLOCK, settings.number))
            block = _fitted_block(benches, truth, prior, toys, settings, parameters)
            table = block if table is None else jax.tree.map(lambda *parts: np.concatenate(parts), table, block)
            if state_file is not None:
                keep_state(state_file, who, partial(_save, table))
            report("toys", int(toys[-1]) + 1, settings.number)
    except KeyboardInterrupt:
        if table is None:
            raise
        complete = False
    assert table is not None  # there is at least one toy
    table = jax.tree.map(lambda column: column[: settings.number], table)
    return Toys(
        truth=truth,
        names=problem.names,
        measurements=tuple(f"{m.name}:{m.era}" for m in problem.measurements if m.independent_numbers),
        numbers=sum(m.independent_numbers for m in problem.measurements),
        complete=complete,
        **table,
    )


def check_parameters(problem: Problem, parameters: Sequence[str], is_null: bool) -> None:
    """InputError for a name that is no free parameter, and for any where there is no new physics (`is_null`)."""
    free = [parameter.name for parameter in problem.free]
    for name in parameters:
        if name not in free:
            raise reject("parameter", name, f"coverage is that of a free parameter: {', '.join(free)}")
    if is_null and parameters:
        raise reject("parameter", parameters[0], "without new physics no parameter has a true value; leave it out")


def _benches(problem: Problem, fast: Problem | None, truth: Truth, key: Array, number: int) -> tuple[_Bench, ...]:
    """Those that toys are fitted on, one after the other, with the same data thrown at what `problem` predicts."""
    null = null_predictions(problem)
    predictions = null
    if truth.point is not None:
        signals = forward(problem, {name: np.array([x]) for name, x in {**truth.point, **truth.pulls}.items()}).signal
        predictions = tuple(Prediction({k: jnp.asarray(x[0]) for k, x in one.items()}, {}) for one in signals)
    keys = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(number))
    fitted = (problem,) if fast is None else (fast, problem)
    return tuple(_Bench(p, changing(p, predictions), throw(p, predictions, truth.pulls, keys), null) for p in fitted)


class _Prior(NamedTuple):
    """Points of the prior, pulls 0, in scaled coordinates, and what every measurement is predicted there."""

    points: Float[np.ndarray, "points coordinates"]
    predictions: tuple[Prediction, ...]


def _prior_points(problem: Problem, key: Array, number: int) -> _Prior:
    angles = prior_angles(problem, key, number)
    table = {name: np.asarray(x) for name, x in values_at_angles(problem, jnp.asarray(angles)).items()}
    signals = forward(problem, table).signal
    points = [coordinates.to_scaled(problem, {name: float(x[i]) for name, x in table.items()}) for i in range(number)]
    predictions = (Prediction({k: jnp.asarray(x) for k, x in one.items()}, {}) for one in signals)
    return _Prior(np.array(points), tuple(predictions))


def _fitted_block(
    benches: tuple[_Bench, ...], truth: Truth, prior: _Prior, toys, settings: ToySettings, parameters
) -> dict[str, Any]:
    """Everything that `Toys` holds of these toys."""
    bench, rounds = benches[-1], settings.rounds
    problem = bench.problem
    free, dimension = len(problem.free), len(problem.names)
    ranks = _screen(bench, prior.predictions, toys)
    order = np.argsort(np.where(np.isfinite(ranks), ranks, np.inf), axis=1)
    true = None if truth.point is None else coordinates.to_scaled(problem, {**truth.point, **truth.pulls})
    own = 0 if true is None else 1
    starts = np.empty((len(toys), max(settings.starts, own), dimension))
    starts[:, own:] = prior.points[order[:, : starts.shape[1] - own]]
    if true is not None:
        starts[:, 0] = true
    ends = [_lowest(benches, toys, starts, np.zeros(dimension, dtype=bool), rounds)]
    if true is not None:
        ends.append(_lowest(benches, toys, starts[:, :1], np.arange(dimension) < free, rounds))
        for name in parameters:
            held = np.arange(dimension) == problem.names.index(name)
            both = np.stack([np.where(held, true, ends[0][0]), starts[:, 0]], axis=1)
            ends.append(_lowest(benches, toys, both, held, rounds))
    # a descent with something held may have met a lower point than those with everything free
    lowest = np.argmin([values for _, values in ends], axis=0)
    points, values = (np.stack(parts)[lowest, np.arange(len(toys))] for parts in zip(*ends, strict=True))
    chi_squared, penalty = _chi_squared(bench, toys, points)
    return {
        "twice_nll": values,
        "null": _null(bench, toys),
        "at_truth": ends[1][1] if true is not None else None,
        "chi_squared": chi_squared,
        "penalty": penalty,
        "held": {name: end[1] for name, end in zip(parameters, ends[2:], strict=True)},
        "best": {name: points[:, i] for i, name in enumerate(problem.names)},
    }


def _lowest(benches: tuple[_Bench, ...], toys, starts, held, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """As `_descended` of the last bench, which starts from the lowest point of the one before."""
    for faster in benches[:-1]:
        starts = _descended(faster, toys, starts, held, rounds)[0][:, None]
    return _descended(benches[-1], toys, starts, held, rounds)


def _descended(bench: _Bench, toys, starts, held, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """The lowest point of each toy, and -2 ln L there, of descents from `starts` (toys, starts, coordinates).

    The toy of a descent is one more coordinate of its point, held, so that descents of all toys share their batches.
    """
    each_toy = np.repeat(toys.astype(float), starts.shape[1])[:, None]
    flat = np.concatenate([starts.reshape(-1, starts.shape[2]), each_toy], axis=1)
    ends, values = descend_held(bench.problem, flat, np.append(held, True), rounds, evaluate=partial(_slopes, bench))
    values = np.where(np.isfinite(values), values, np.inf).reshape(len(toys), -1)
    lowest = np.argmin(values, axis=1)
    ends = ends[:, :-1].reshape(starts.shape)
    return ends[np.arange(len(toys)), lowest], values[np.arange(len(toys)), lowest]


def _slopes(bench: _Bench, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """-2 ln L and its gradient at points whose last coordinate is the toy."""
    return in_lanes(partial(_gradients, bench.problem, bench.thrown, places=bench.places), points)


def _null(bench: _Bench, toys: np.ndarray) -> np.ndarray:
    """-2 ln L of each toy without new physics, nuisances refitted."""
    start = np.concatenate([np.asarray(bench.thrown.centres)[toys], toys[:, None]], axis=1)

    def evaluate(points):
        lanes = jnp.asarray(_padded(points))
        found = _null_gradients(bench.problem, bench.thrown, bench.null, lanes, places=bench.places)
        value, slope = (np.asarray(x)[: len(points)] for x in found)
        return value, np.concatenate([slope, np.zeros((len(points), 1))], axis=1)

    if start.shape[1] == 1:
        return evaluate(start)[0]
    return descend(evaluate, start, 200, lambda done: None)[1]


def _screen(bench: _Bench, predictions, toys: np.ndarray) -> np.ndarray:
    """-2 ln L of each toy at the prior points, pulls 0: (toys, points)."""
    lanes = jnp.asarray(_padded(toys))
    return np.asarray(_ranks(bench.problem, bench.thrown, predictions, lanes, places=bench.places))[: len(toys)]


def _chi_squared(bench: _Bench, toys: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows, at = jnp.asarray(_padded(toys)), jnp.asarray(_padded(points))
    chi_squared, penalty = _goodness(bench.problem, bench.thrown, rows, at, places=bench.places)
    return np.asarray(chi_squared)[: len(toys)], np.asarray(penalty)[: len(toys)]


def _padded(rows: np.ndarray) -> np.ndarray:
    """A block of rows, the last one repeated: one shape, one program."""
    return np.concatenate([rows, np.repeat(rows[-1:], BLOCK - len(rows), axis=0)])


def _toy(problem: Problem, thrown: Thrown, toy, places: tuple[int, ...]) -> Problem:
    own = jax.tree.map(lambda x: x[toy], thrown)
    return with_data(problem, places, own.leaves, own.centres)


@partial(jax.jit, static_argnames=("places",))
def _gradients(problem: Problem, thrown: Thrown, points, active, places):
    def one(shared, lane):
        point, is_used = lane
        toy = _toy(shared[0], shared[1], point[-1].astype(int), places)
        evaluate = jax.value_and_grad(lambda x: coordinates.scaled_twice_nll(toy, x[:-1]))
        return jax.lax.cond(is_used, evaluate, lambda x: (jnp.zeros((), x.dtype), jnp.zeros_like(x)), point)

    def batch(shared, lanes):
        return each(lambda lane: one(shared, lane), lanes)

    return spread(batch, devices_for(GRADIENT_LANES))((problem, thrown), (points, active))


@partial(jax.jit, static_argnames=("places",))
def _null_gradients(problem: Problem, thrown: Thrown, null, points, places):
    def one(point):
        toy = _toy(problem, thrown, point[-1].astype(int), places)
        return jax.value_and_grad(lambda pulls: null_twice_nll(toy, null, pulls))(point[:-1])

    return each(one, points)


@partial(jax.jit, static_argnames=("places",))
def _ranks(problem: Problem, thrown: Thrown, predictions, toys, places):
    nuisances = problem.nuisance_values({})

    def one(toy):
        measurements = _toy(problem, thrown, toy, places).measurements

        def at(predicted):
            pairs = zip(measurements, predicted, strict=True)
            return minus_two(sum(m.log_likelihood(prediction, nuisances) for m, prediction in pairs))

        return jax.vmap(at)(predictions)

    return each(one, toys)


@partial(jax.jit, static_argnames=("places",))
def _goodness(problem: Problem, thrown: Thrown, toys, points, places):
    def one(lane):
        toy, s = lane
        chosen = _toy(problem, thrown, toy, places)
        values = dict(zip(problem.names, s, strict=True))
        values |= {p.name: jnp.exp(values[p.name]) for p in problem.free if p.is_log}
        nuisances = chosen.nuisance_values(values)
        pairs = zip(chosen.measurements, chosen.predictions(values), strict=True)
        parts = [m.chi_squared(p, nuisances) for m, p in pairs if m.independent_numbers]
        return jnp.stack(parts) if parts else jnp.zeros(0), chosen.penalty(values)

    return each(one, (toys, points))


def true_point(problem: Problem, values: Mapping[str, float]) -> Truth:
    """The truth at parameters and pulls by name; pulls that are not given are 0."""
    return Truth(
        {p.name: float(values[p.name]) for p in problem.free},
        {n.name: float(values.get(n.name, 0.0)) for n in problem.nuisances},
    )

"""What a result predicts for a measurement, one of its own or any other: the best fit, and the posterior's bands."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from anomfit.catalogue import other_projections
from anomfit.explaining import explained
from anomfit.inference.compare.significance import with_projections
from anomfit.inference.compare.throwing import replicas
from anomfit.measurements.base import Measurement
from anomfit.plain_json import finite_or_none
from anomfit.prediction import PredictionReport, predict
from anomfit.results.opened import OpenedResult
from anomfit.userfiles import anchored, resolve_measurement

DRAWS = 400  # of the posterior, at most: 2.5 % of them are ten
QUANTILES = {"low_95": 0.02275, "low_68": 0.15865, "median": 0.5, "high_68": 0.84135, "high_95": 0.97725}


@dataclass(frozen=True)
class Bands:
    """Quantiles of a number in every bin: the median and the central intervals of 68.27 and 95.45 %."""

    low_95: tuple[float, ...]
    low_68: tuple[float, ...]
    median: tuple[float, ...]
    high_68: tuple[float, ...]
    high_95: tuple[float, ...]


@dataclass(frozen=True)
class PosteriorPrediction:
    """What `draws` posterior draws predict. `signal` is what a model adds in each bin, without a fluctuation.

    `data` are the posterior predictive in the strict sense, numbers of the same kind as the observed ones: background,
    signal and fluctuation together, thrown once a draw. None for a limit, and for data that are not public.
    """

    draws: int
    signal: Bands
    data: Bands | None


@dataclass(frozen=True)
class ResultPrediction:
    """The prediction of a result: `report` at the best fit with its nuisance parameters, `posterior` if it has one."""

    report: PredictionReport
    posterior: PosteriorPrediction | None

    def as_json(self) -> dict[str, object]:
        """What `anomfit predict RESULT MEASUREMENT --json` prints: the report with "posterior", null without draws."""
        found = self.posterior
        bands = None
        if found is not None:
            kinds = {"signal": found.signal, "data": found.data}
            bands = {"draws": found.draws, **{name: kind and vars(kind) for name, kind in kinds.items()}}
        return {**self.report.as_json(), "posterior": finite_or_none(bands)}


@explained()
def predict_result(opened: OpenedResult, name: str, options: Mapping[str, str]) -> ResultPrediction:
    """What the result predicts for the measurement called `name`, with these `options`.

    A measurement of the fit is the fit's own, with the options of its card, unless other options are given; so is
    another projection of the same events. Nuisance parameters stand where the fit, or the draw, has them; those that
    the fit lacks stand at their central values. InputError for an unknown measurement, option or capability.
    """
    problem = opened.problem
    asked = with_projections(problem, [_measurement(opened, name, options)])
    (measurement,) = asked.measurements
    best = {key: np.array([value]) for key, value in opened.fit.point.items()}
    drawn = _draws(opened)
    columns = best if drawn is None else {key: np.concatenate([value, drawn[key]]) for key, value in best.items()}
    size = len(next(iter(columns.values())))
    fixed = {key: float(value) for key, value in problem.fixed.items()}
    free = [p.name for p in problem.free]
    points = [{**fixed, **{key: float(columns[key][i]) for key in free}} for i in range(size)]
    values = {key: np.broadcast_to(x, size) for key, x in _nuisance_values(opened, columns).items()}
    nuisances = [{key: float(x[i]) for key, x in values.items()} for i in range(size)]
    report, *others = predict(problem.model, measurement, problem.parametrisation, points, nuisances)
    if drawn is None:
        return ResultPrediction(report, None)
    signals = {key: np.array([one.signal[key] for one in others]) for key in report.signal}
    (data,) = replicas(asked, drawn, [signals], jax.random.key(opened.card.sampling.seed))
    total = np.sum(list(signals.values()), axis=0)
    found = PosteriorPrediction(len(others), _bands(total), None if data is None else _bands(data))
    return ResultPrediction(report, found)


def _measurement(opened: OpenedResult, name: str, options: Mapping[str, str]) -> Measurement:
    name = anchored(name, Path.cwd())
    for choice, own in zip(opened.card.measurements, opened.problem.measurements, strict=True):
        if not options and name in (choice.name, own.name, f"{own.name}:{own.era}"):
            return own
        if not options and name.partition(":")[0] == own.name:
            for other in other_projections(own, dict(choice.options)):
                if f"{other.name}:{other.era}" == name:
                    return other
    return resolve_measurement(name, **options)


def _draws(opened: OpenedResult) -> dict[str, Float[np.ndarray, " draws"]] | None:
    """About `DRAWS` evenly spaced posterior draws, parameters and pulls by name."""
    samples = opened.result.samples
    if samples is None:
        return None
    step = -(-samples.z[..., 0].size // DRAWS)
    return {name: np.asarray(x).ravel()[::step] for name, x in samples.values.items()}


def _nuisance_values(opened: OpenedResult, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {n.name: np.asarray(n.value(jnp.asarray(columns[n.name]))) for n in opened.problem.nuisances}


def _bands(numbers: Float[np.ndarray, "draws bins"]) -> Bands:
    rows = np.quantile(numbers, list(QUANTILES.values()), axis=0)
    return Bands(**{name: tuple(map(float, row)) for name, row in zip(QUANTILES, rows, strict=True)})

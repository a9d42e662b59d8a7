"""What a fit gains over no new physics: -2 ln L without any signal, nuisances refitted, against that of the best fit.

The significance is local: what one free amplitude would have to fluctuate by, all masses and ratios of couplings held
where the fit has found them best. At zero coupling masses mean nothing, so how often some point of the whole range
does as well by chance is known from toys alone (`inference.compare.toys`).

Other projections of events that were fitted: how a fit stands against what it has not been compared with.

The events are the same, so that none of this is independent of the fit: it is a check of the shape.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm

from anomfit.inference.compiled import forward, forward_at
from anomfit.measurements.base import Measurement, Prediction
from anomfit.parameters import Point
from anomfit.problem import Problem, merged_nuisances
from anomfit.statistics.terms import minus_two


@dataclass(frozen=True)
class Gain:
    """-2 ln L of one measurement without new physics, and at the best fit: their difference alone means something."""

    name: str
    null: float
    best: float

    @property
    def delta(self) -> float:
        """How much better the best fit describes it; negative where it describes it worse."""
        return self.null - self.best


@dataclass(frozen=True)
class Significance:
    """The best fit against no new physics. `null_pulls`: the nuisances refitted without a signal.

    gains: the measurements in order, then the nuisance pulls if there are any.
    """

    gains: tuple[Gain, ...]
    null_pulls: dict[str, float]

    @property
    def null(self) -> float:
        """-2 ln L of everything without new physics."""
        return sum(gain.null for gain in self.gains)

    @property
    def delta_chi_squared(self) -> float:
        """-2 ln L without new physics less that of the best fit."""
        return sum(gain.delta for gain in self.gains)

    @property
    def local_sigmas(self) -> float:
        """Standard deviations, one-sided, of a fluctuation in one amplitude, masses fixed: the root of Delta chi^2.

        0 where no new physics is as good. Asymptotic: Cowan et al, arXiv:1007.1727, equation 52.
        """
        return float(np.sqrt(max(self.delta_chi_squared, 0.0)))

    @property
    def local_p_value(self) -> float:
        """The one-sided probability of `local_sigmas`."""
        return float(norm.sf(self.local_sigmas))


def significance(problem: Problem, point: Mapping[str, float]) -> Significance:
    """The best fit at `point` (parameters and pulls by name) against no new physics."""
    predictions = null_predictions(problem)
    pulls = refitted_pulls(problem, predictions)
    names = [n.name for n in problem.nuisances]
    without = minus_two(np.asarray(_null_terms(problem, predictions, jnp.asarray(pulls))))
    best = [minus_two(float(term[0])) for term in forward_at(problem, point).log_likelihood]
    shown = [f"{m.name}:{m.era}" for m in problem.measurements]
    gains = [Gain(name, float(a), b) for name, a, b in zip(shown, without, best, strict=True)]
    refitted = dict(zip(names, pulls.tolist(), strict=True))
    if names:
        penalties = [float(problem.penalty(values)) for values in (refitted, point)]  # type: ignore[arg-type]
        gains.append(Gain("nuisance pulls", *penalties))
    return Significance(tuple(gains), refitted)


def null_predictions(problem: Problem) -> tuple[Prediction, ...]:
    """What every measurement is predicted without new physics: no signal in any bin."""
    point = {parameter.name: jnp.asarray(parameter.low) for parameter in problem.free}
    shapes = jax.eval_shape(problem.predictions, point)
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)


def refitted_pulls(problem: Problem, predictions: tuple[Prediction, ...]) -> np.ndarray:
    """The nuisances' pulls that fit best where the predictions do not depend on the model."""
    start = np.asarray(problem.centres, dtype=float)
    if not start.size:
        return start

    def evaluate(pulls):
        value, slopes = _null_twice_nll(problem, predictions, jnp.asarray(pulls))
        return float(value), np.asarray(slopes)

    return minimize(evaluate, start, jac=True, method="BFGS", options={"gtol": 1e-6}).x


def null_twice_nll(problem: Problem, predictions: tuple[Prediction, ...], pulls: jax.Array) -> jax.Array:
    """-2 ln L without new physics, a function of the nuisances' pulls alone; it can be differentiated."""
    named = _named(problem, pulls)
    return problem.penalty(named) - 2.0 * jnp.sum(_terms(problem, predictions, named))


def _named(problem: Problem, pulls: jax.Array) -> Point:
    return dict(zip((n.name for n in problem.nuisances), pulls, strict=True))


def _terms(problem: Problem, predictions, pulls: Point):
    nuisances = problem.nuisance_values(pulls)
    pairs = zip(problem.measurements, predictions, strict=True)
    return jnp.stack([m.log_likelihood(prediction, nuisances) for m, prediction in pairs])


@jax.jit
def _null_terms(problem: Problem, predictions, pulls):
    return _terms(problem, predictions, _named(problem, pulls))


_null_twice_nll = jax.jit(jax.value_and_grad(null_twice_nll, argnums=2))


@dataclass(frozen=True)
class ProjectionFit:
    """chi^2 of one projection over its `numbers`: without new physics, at the best fit, and at posterior draws.

    posterior: 16, 50 and 84 % of the draws' chi^2, None without a posterior. The errors are statistical alone: nuisance
    parameters stand where the fit left them, those that it lacks at their centres.
    """

    name: str
    numbers: int
    null: float
    best: float
    posterior: tuple[float, float, float] | None = None


def with_projections(problem: Problem, projections: Sequence[Measurement]) -> Problem:
    """The problem's model and free parameters with these measurements; nuisances of theirs that it lacks are added."""
    nuisances = merged_nuisances(problem.model, problem.parametrisation, projections)
    return replace(problem, measurements=tuple(projections), nuisances=nuisances, centres=jnp.zeros(len(nuisances)))


def projection_fits(
    problem: Problem, point: Mapping[str, float], null_pulls: Mapping[str, float]
) -> tuple[ProjectionFit, ...]:
    """The measurements of `problem` (see `with_projections`) at the best fit `point`.

    Pulls are those of the fit, and `null_pulls` those without new physics; a nuisance that the fit lacks has pull 0.
    """
    best = forward_at(problem, point).chi_squared
    pulls = jnp.asarray([null_pulls.get(n.name, 0.0) for n in problem.nuisances])
    null = np.asarray(_null_chi_squared(problem, null_predictions(problem), pulls))
    return tuple(
        ProjectionFit(f"{m.name}:{m.era}", m.independent_numbers, float(a), float(b[0]))
        for m, a, b in zip(problem.measurements, null, best, strict=True)
    )


def with_draws(
    problem: Problem, found: Sequence[ProjectionFit], draws: Mapping[str, np.ndarray]
) -> tuple[ProjectionFit, ...]:
    """`found` with the chi^2 of posterior draws (arrays of one length by name)."""
    spread = [np.quantile(x, [0.16, 0.5, 0.84]).tolist() for x in forward(problem, draws).chi_squared]
    return tuple(replace(fit, posterior=tuple(part)) for fit, part in zip(found, spread, strict=True))


@jax.jit
def _null_chi_squared(problem: Problem, predictions, pulls):
    nuisances = problem.nuisance_values(dict(zip((n.name for n in problem.nuisances), pulls, strict=True)))
    pairs = zip(problem.measurements, predictions, strict=True)
    return jnp.stack([m.chi_squared(prediction, nuisances) for m, prediction in pairs])

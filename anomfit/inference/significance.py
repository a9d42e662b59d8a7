"""What a fit gains over no new physics: -2 ln L without any signal, nuisances refitted, against that of the best fit.

The significance is local: what one free amplitude would have to fluctuate by, all masses and ratios of couplings held
where the fit has found them best. At zero coupling masses mean nothing, so how often some point of the whole range
does as well by chance is known from toys alone (`inference.toys`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm

from anomfit.inference.evaluate import forward_at
from anomfit.measurements.base import Prediction
from anomfit.parameters import Point
from anomfit.problem import Problem
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

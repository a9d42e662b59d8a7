"""Other projections of events that were fitted: how a fit stands against what it has not been compared with.

The events are the same, so that none of this is independent of the fit: it is a check of the shape.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.inference.evaluate import forward, forward_at
from anomfit.inference.significance import null_predictions
from anomfit.measurements.base import Measurement
from anomfit.problem import Problem, merged_nuisances


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

"""What a fit is compared with beside its own data: every constraint, and other projections of the events it used."""

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from anomfit.cards.card import Card
from anomfit.catalogue import other_projections, shipped_constraints
from anomfit.constraints import Constraint
from anomfit.inference.compare.exclusions import comparable, exclusions, fault_in, with_posterior
from anomfit.inference.compare.significance import projection_fits, with_draws, with_projections
from anomfit.inference.sample.chains import Samples
from anomfit.problem import Problem
from anomfit.results.result import Result, spectra
from anomfit.user_modules import home_of

DRAWS = 400  # of the posterior that every constraint is evaluated at: a fraction of 5 % is known to 1 %
LISTED = 8  # distinct optima that every constraint is evaluated at


@dataclass(frozen=True)
class Checks:
    """The comparisons of one problem, built from one card."""

    problem: Problem
    card: Card

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """Those of the fit and all that ship, as far as the model can be compared with them."""
        return tuple(entry for entry in self._comparable if not self._faults.get(entry.name))

    @cached_property
    def _comparable(self) -> tuple[Constraint, ...]:
        return comparable(self.problem, shipped_constraints())

    @cached_property
    def _faults(self) -> dict[str, str]:
        """What a user's model fails in, by constraint; those of the fit have been looked at before it."""
        if home_of(self.problem.model) is None:
            return {}
        fitted = {m.name for m in self.problem.measurements}
        return {entry.name: fault_in(self.problem, entry) for entry in self._comparable if entry.name not in fitted}

    @cached_property
    def projections(self) -> Problem | None:
        """The problem of the other projections, or None where there is none with public data."""
        pairs = zip(self.card.measurements, self.problem.measurements, strict=True)
        found = [other for choice, m in pairs for other in other_projections(m, dict(choice.options))]
        return with_projections(self.problem, found) if found else None

    def at_best_fit(self, result: Result) -> Result:
        """The result with what constraints and projections say of its best fit and its distinct optima."""
        fit = result.fit
        assert fit is not None
        optima = [optimum.values for optimum in fit.optima[:LISTED]]
        found = exclusions(self.problem, self.constraints, fit.point, optima)
        left_out = tuple(filter(None, self._faults.values()))
        result = dataclasses.replace(result, exclusions=dataclasses.replace(found, left_out=left_out))
        if self.projections is None:
            return result
        null_pulls = result.significance.null_pulls if result.significance is not None else {}
        shown = spectra(self.projections, fit.point, fitted=False)
        compared = projection_fits(self.projections, fit.point, null_pulls)
        return dataclasses.replace(result, projections=compared, spectra=(*_fitted(result), *shown))

    def with_posterior(self, result: Result) -> Result:
        """The same with what they say of posterior draws; nothing where they were not asked at the best fit."""
        fit, samples, found = result.fit, result.samples, result.exclusions
        assert fit is not None
        assert samples is not None
        draws = _thinned(samples)
        if found is not None:
            asked = with_posterior(self.problem, self.constraints, found, draws)
            result = dataclasses.replace(result, exclusions=asked)
        if found is None or self.projections is None:
            return result
        shown = spectra(self.projections, fit.point, samples, fitted=False)
        compared = with_draws(self.projections, result.projections, draws)
        return dataclasses.replace(result, projections=compared, spectra=(*_fitted(result), *shown))


def _fitted(result: Result):
    return [spectrum for spectrum in result.spectra if spectrum.fitted]


def _thinned(samples: Samples) -> dict[str, np.ndarray]:
    """About `DRAWS` evenly spaced posterior draws, parameters and pulls by name."""
    chains, drawn = samples.z.shape[:2]
    step = max(1, -(-chains * drawn // DRAWS))
    return {name: x[:, ::step].ravel() for name, x in samples.values.items()}

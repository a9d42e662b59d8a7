"""Goodness of fit: chi^2 (or saturated deviance), degrees of freedom and p-value, for each measurement and in all."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from anomfit.inference.evaluate import forward_at
from anomfit.problem import Problem

FEW_EVENTS = 5.0


@dataclass(frozen=True)
class MeasurementFit:
    """One measurement at a point: chi^2 over its bins, the p-value for as many degrees of freedom as bins, the pulls.

    No parameter is subtracted here, since the measurements share them; `Goodness` does so for the sum.
    """

    name: str
    era: str
    chi_squared: float
    bins: int
    p_value: float
    largest_pull: float
    note: str


@dataclass(frozen=True)
class Goodness:
    """All measurements together. `chi_squared` includes the nuisance pulls squared, `pull_penalty`.

    degrees of freedom = bins - effective parameters; a nuisance counts as a datum and as a parameter. `p_value` is None
    without a positive number of degrees of freedom.
    """

    measurements: tuple[MeasurementFit, ...]
    chi_squared: float
    pull_penalty: float
    bins: int
    effective_parameters: int
    p_value: float | None
    note: str

    @property
    def degrees_of_freedom(self) -> int:
        """Bins less the effective number of free parameters."""
        return self.bins - self.effective_parameters


def goodness_of_fit(problem: Problem, point: Mapping[str, float], effective_parameters: int) -> Goodness:
    """Goodness of fit of `problem` at `point` (parameters and pulls by name).

    `effective_parameters` is the number of directions that the data constrain (`Hesse.effective_parameters`): in a
    degenerate fit it is smaller than the number of free parameters. chi^2 is the quadratic form of a Gaussian
    measurement and the saturated deviance of a Poisson one, whose chi^2 distribution is asymptotic; a measurement with
    bins of fewer than five expected events says so.
    """
    found, parts = forward_at(problem, point), []
    for i, measurement in enumerate(problem.measurements):
        bins, value = measurement.bins(), float(found.chi_squared[i][0])
        few = _few_events(bins, np.sum([component[0] for component in found.signal[i].values()], axis=0))
        note = f"p-value asymptotic: {few} of {len(bins)} bins expect fewer than {FEW_EVENTS:.0f} events" if few else ""
        largest = float(np.max(np.abs(found.pulls[i][0])))
        p_value = float(chi2.sf(value, len(bins)))
        parts.append(MeasurementFit(measurement.name, measurement.era, value, len(bins), p_value, largest, note))
    penalty = sum(float(point.get(n.name, 0.0)) ** 2 for n in problem.nuisances)
    total, bins = sum(part.chi_squared for part in parts) + penalty, sum(part.bins for part in parts)
    left = bins - effective_parameters
    note = "" if left > 0 else "no degrees of freedom are left: the fit has as many effective parameters as data"
    p_value = float(chi2.sf(total, left)) if left > 0 else None
    return Goodness(tuple(parts), total, penalty, bins, effective_parameters, p_value, note)


def _few_events(bins, signal: np.ndarray) -> int:
    """How many counting bins (those with edges) expect fewer than `FEW_EVENTS`."""
    expected = np.array([b.background for b in bins]) + signal
    counting = np.array([np.isfinite(b.low) and np.isfinite(b.high) for b in bins])
    return int(np.sum(counting & (expected < FEW_EVENTS)))

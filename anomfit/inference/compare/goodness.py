"""Goodness of fit: chi^2 (or saturated deviance), degrees of freedom and p-value, for each measurement and in all.

What counts are measured numbers. A limit is not one: it has no data, and respecting it is no success of a fit. Its
-2 ln L is reported apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from anomfit.inference.compiled import forward_at
from anomfit.problem import Problem

FEW_EVENTS = 5.0


@dataclass(frozen=True)
class MeasurementFit:
    """One measurement at a point: chi^2 over its independent `numbers`, the p-value for as many degrees of freedom.

    No parameter is subtracted here, since the measurements share them; `Goodness` does so for the sum. A limit, and
    data that are not public, have no numbers and no p-value: `chi_squared` is then -2 ln L.
    """

    name: str
    era: str
    chi_squared: float
    numbers: int
    p_value: float | None
    largest_pull: float
    note: str


@dataclass(frozen=True)
class Goodness:
    """All measurements together. `chi_squared` includes the nuisance pulls squared, `pull_penalty`, and no limit's
    -2 ln L, of which `limits` is the sum.

    degrees of freedom = numbers - effective parameters; a nuisance counts as a datum and as a parameter. `p_value` is
    None without a positive number of degrees of freedom.
    """

    measurements: tuple[MeasurementFit, ...]
    chi_squared: float
    pull_penalty: float
    limits: float
    numbers: int
    effective_parameters: int
    p_value: float | None
    note: str

    @property
    def degrees_of_freedom(self) -> int:
        """Independent numbers less the effective number of free parameters."""
        return self.numbers - self.effective_parameters


def goodness_of_fit(problem: Problem, point: Mapping[str, float], effective_parameters: int) -> Goodness:
    """Goodness of fit of `problem` at `point` (parameters and pulls by name).

    `effective_parameters` is the number of directions that the data constrain (`Hesse.effective_parameters`): in a
    degenerate fit it is smaller than the number of free parameters. chi^2 is the quadratic form of a Gaussian
    measurement and the saturated deviance of a Poisson one, whose chi^2 distribution is asymptotic; a measurement with
    bins of fewer than five expected events says so. How far that is from the truth, toys tell (`toys`).
    """
    found, parts = forward_at(problem, point), []
    for i, measurement in enumerate(problem.measurements):
        value, numbers = float(found.chi_squared[i][0]), measurement.independent_numbers
        signal = np.sum([component[0] for component in found.signal[i].values()], axis=0)
        parts.append(
            MeasurementFit(
                name=measurement.name,
                era=measurement.era,
                chi_squared=value,
                numbers=numbers,
                p_value=float(chi2.sf(value, numbers)) if numbers else None,
                largest_pull=float(np.max(np.abs(found.pulls[i][0]))),
                note=_note(measurement.bins(), signal) if numbers else "",
            )
        )
    penalty = float(problem.penalty(point))  # type: ignore[arg-type]  # numbers by name
    numbers = sum(part.numbers for part in parts)
    total = sum(part.chi_squared for part in parts if part.numbers) + penalty
    limits = sum(part.chi_squared for part in parts if not part.numbers)
    left = numbers - effective_parameters
    note = "" if left > 0 else "no degrees of freedom are left: the fit has as many effective parameters as data"
    p_value = float(chi2.sf(total, left)) if left > 0 else None
    return Goodness(tuple(parts), total, penalty, limits, numbers, effective_parameters, p_value, note)


def _note(bins, signal: np.ndarray) -> str:
    """How many counting bins (those with edges) expect fewer than `FEW_EVENTS`, where some do."""
    expected = np.array([b.background for b in bins]) + signal
    counting = np.array([np.isfinite(b.low) and np.isfinite(b.high) for b in bins])
    few = int(np.sum(counting & (expected < FEW_EVENTS)))
    return f"p-value asymptotic: {few} of {len(bins)} bins expect fewer than {FEW_EVENTS:.0f} events" if few else ""

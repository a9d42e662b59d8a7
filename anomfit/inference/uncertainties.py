"""HESSE errors of a fit from the Hessian of its exact gradients, with its flat directions in words."""

from dataclasses import dataclass

import numpy as np

from anomfit.inference import scaled
from anomfit.inference.evaluate import hessian
from anomfit.inference.minimise import Fit
from anomfit.problem import Problem

NOT_CONSTRAINED = 0.5  # a parameter whose error exceeds this part of its range
AT_BOUND = 1e-4  # distance to a bound, in ranges, that counts as being there


@dataclass(frozen=True)
class FlatDirection:
    """A combination of parameters that the data leave free: its largest components, and 1 sigma in prior ranges."""

    components: dict[str, float]
    ranges: float

    @property
    def words(self) -> str:
        """The direction in one line."""
        terms = " ".join(f"{value:+.2f} {name}" for name, value in self.components.items())
        return f"{terms} (1 sigma is {'the whole range' if self.ranges >= 1.0 else f'{self.ranges:.2f} of the range'})"


@dataclass(frozen=True)
class Hesse:
    """Symmetric errors at the minimum, in scaled coordinates: ln(value) for log-uniform parameters, else the value.

    `covariance` is (Hessian of -2 ln L / 2)^-1 over `names` (parameters, then pulls). A direction whose 1 sigma would
    exceed the prior range, or that curves downwards, is flat and counts as one range, the most that the box allows.
    `low` and `high` are one standard deviation either side in the parameter's own unit, inside its bounds;
    `effective_parameters` counts the directions that are not flat, less the nuisance pulls, which constrain themselves.
    """

    names: tuple[str, ...]
    errors: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    covariance: np.ndarray
    hessian: np.ndarray
    flat: tuple[FlatDirection, ...]
    notes: dict[str, str]
    effective_parameters: int

    @property
    def correlation(self) -> np.ndarray:
        """The correlation matrix of `covariance`."""
        sigma = np.sqrt(np.diag(self.covariance))
        return self.covariance / np.outer(sigma, sigma)


def hesse(problem: Problem, fit: Fit) -> Hesse:
    """HESSE errors of `fit` from the Hessian of exact gradients, with what the data leave free in words."""
    s, limits = scaled.to_scaled(problem, fit.point), scaled.box(problem)
    second = np.nan_to_num(hessian(problem, s))
    curvature, directions = np.linalg.eigh(0.5 * second * np.outer(limits.widths, limits.widths))
    ranges = 1.0 / np.sqrt(np.maximum(curvature, 1.0))
    unit_covariance = (directions * ranges**2) @ directions.T
    sigma = np.sqrt(np.diag(unit_covariance)) * limits.widths
    loose = np.flatnonzero(ranges > NOT_CONSTRAINED)
    return Hesse(
        names=problem.names,
        errors=dict(zip(problem.names, sigma.tolist(), strict=True)),
        low=scaled.from_scaled(problem, np.maximum(s - sigma, limits.low)),
        high=scaled.from_scaled(problem, np.minimum(s + sigma, limits.high)),
        covariance=unit_covariance * np.outer(limits.widths, limits.widths),
        hessian=second,
        flat=tuple(_flat_direction(problem.names, directions[:, k], float(ranges[k])) for k in loose),
        notes=_notes(problem, s, sigma, limits),
        effective_parameters=max(0, int(np.sum(ranges < 1.0)) - len(problem.nuisances)),
    )


def _flat_direction(names, direction, ranges) -> FlatDirection:
    order = [k for k in np.argsort(-abs(direction)) if abs(direction[k]) > 0.15]
    sign = np.sign(direction[order[0]])
    return FlatDirection({names[k]: round(float(sign * direction[k]), 3) for k in order}, ranges)


def _notes(problem: Problem, s, sigma, limits: scaled.Box) -> dict[str, str]:
    """What must be said of each parameter's error, where something must."""
    notes = {}
    for i, parameter in enumerate(problem.free):
        width, words = limits.widths[i], []
        if s[i] <= limits.low[i] + AT_BOUND * width:
            words.append("at the lower end of its range")
        if s[i] >= limits.high[i] - AT_BOUND * width:
            words.append("at the upper end of its range")
        if sigma[i] > NOT_CONSTRAINED * width:
            words.append("not constrained inside its range")
        elif s[i] - sigma[i] < limits.low[i] or s[i] + sigma[i] > limits.high[i]:
            words.append("the error reaches a bound")
        if words:
            notes[parameter.name] = "; ".join(words)
    return notes

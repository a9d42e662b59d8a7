"""How every measurement of a problem stands at points: ratio to its limit or distance in standard deviations.

A condition holds where the ratio of a limit is at most 1, a measured number is at most `WITHIN` standard deviations
away, the chi^2 of a spectrum is at most as improbable as that, and no nuisance parameter is pulled further.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm

from anomfit.inference.evaluate import forward
from anomfit.measurements.base import Limit
from anomfit.problem import Problem

WITHIN = 2.0
NUISANCES = "nuisance parameters"


@dataclass(frozen=True)
class Standings:
    """n points against m conditions (`names`; nuisance parameters, if any, are the last).

    size: ratio to the limit where `is_limit`, else standard deviations (of a single number signed: data - prediction).
    cost: -2 ln L of each.
    """

    names: tuple[str, ...]
    is_limit: np.ndarray  # (m,)
    size: np.ndarray  # (n, m)
    cost: np.ndarray  # (n, m)
    twice_nll: np.ndarray  # (n,)

    @property
    def holds(self) -> np.ndarray:
        """Which condition holds where, (n, m)."""
        return np.less_equal(abs(self.size), np.where(self.is_limit, 1.0, WITHIN))

    @property
    def all_hold(self) -> np.ndarray:
        """Where all of them hold, (n,)."""
        return np.all(self.holds, axis=1)

    def failing(self, i: int) -> tuple[str, ...]:
        """Names of the conditions that do not hold at point i."""
        return tuple(name for name, holds in zip(self.names, self.holds[i], strict=True) if not holds)

    def words(self, i: int, k: int) -> str:
        """Condition k at point i: "0.31 of the limit" or "-1.2 sigma"."""
        size = self.size[i, k]
        return f"{size:.3g} of the limit" if self.is_limit[k] else f"{size:+.2f} sigma"


def standings(problem: Problem, points: Mapping[str, np.ndarray]) -> Standings:
    """Every condition at `points`, arrays of n values by name (parameters; a pull not given is 0)."""
    found = forward(problem, points)
    n = len(found.twice_nll)
    sizes, limits = [], []
    for measurement, chi_squared, pulls, signal in zip(
        problem.measurements, found.chi_squared, found.pulls, found.signal, strict=True
    ):
        limits.append(isinstance(measurement, Limit) and measurement.predicts_ratio)
        if limits[-1]:
            sizes.append(np.sum(list(signal.values()), axis=0)[:, 0])
        elif pulls.shape[1] == 1:
            sizes.append(pulls[:, 0])
        else:
            sizes.append(norm.isf(0.5 * chi2.sf(chi_squared, measurement.independent_numbers)))
    names, costs = [m.name for m in problem.measurements], [*found.chi_squared]
    if problem.nuisances:
        given = np.stack([np.broadcast_to(points.get(x.name, 0.0), (n,)) for x in problem.nuisances], axis=1)
        names, limits = [*names, NUISANCES], [*limits, False]
        sizes, costs = [*sizes, np.max(np.abs(given), axis=1)], [*costs, np.sum(given**2, axis=1)]
    size = np.nan_to_num(np.stack(sizes, axis=1), nan=np.inf, posinf=np.inf, neginf=-np.inf)
    return Standings(tuple(names), np.array(limits), size, np.stack(costs, axis=1), found.twice_nll)

"""What holds a point in place: which terms of the likelihood and which bounds, and how far it can be moved where to.

How every measurement of a problem stands at points: ratio to its limit or distance in standard deviations.

A condition holds where the ratio of a limit is at most 1, a measured number is at most `WITHIN` standard deviations
away, the chi^2 of a spectrum is at most as improbable as that, and no nuisance parameter is pulled further.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm

from anomfit.inference import coordinates
from anomfit.inference.compiled import forward, hessian
from anomfit.inference.fit.hesse import AT_BOUND, NOT_CONSTRAINED
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


STEP = 0.05  # of a range: what a term does when one parameter moves by that says whether it matters
MATTERS = 1.0  # in -2 ln L
NAMED = 0.3  # of the largest component: what is named of a direction
STIFF = 0.1  # of the ranges: directions softer than this are neither stiff nor free


@dataclass(frozen=True)
class Active:
    """A term or bound that matters at a point: its -2 ln L there, and by how much it grows along one parameter."""

    name: str
    cost: float
    growth: float
    words: str


@dataclass(frozen=True)
class Direction:
    """A combination of free parameters, components of a unit vector in prior ranges, and its 1 sigma in ranges."""

    components: dict[str, float]
    ranges: float

    @property
    def words(self) -> str:
        """The direction in one line: "0.4 % of the prior: eta_d up with kappa down"."""
        largest = max(abs(x) for x in self.components.values())
        named = {name: x for name, x in self.components.items() if abs(x) > NAMED * largest}
        moves = [f"{name} {'up' if x > 0.0 else 'down'}" for name, x in named.items()]
        moves = moves if len(moves) > 1 else list(named)
        together = moves[0] if len(moves) == 1 else f"{moves[0]} with {' and '.join(moves[1:])}"
        if self.ranges >= NOT_CONSTRAINED:
            return f"free: {together}"
        return f"{'stiff' if self.ranges < STIFF else 'soft'} ({_per_cent(self.ranges)} of the prior): {together}"


def active_terms(problem: Problem, s: np.ndarray) -> tuple[Active, ...]:
    """Terms and bounds that matter at scaled coordinates `s`, those that grow most first, bounds last.

    A term matters if it costs at least `MATTERS` there, or grows by that when one free parameter moves by `STEP` of its
    range.
    """
    limits, free = coordinates.box(problem), len(problem.free)
    shifts = STEP * np.diag(limits.widths)[:free]
    around = np.clip(np.concatenate([s[None], s + shifts, s - shifts]), limits.low, limits.high)
    found = standings_at(problem, np.array([coordinates.project(problem, x) for x in around]))
    growth = found.cost[1:] - found.cost[0]
    terms = []
    for k, name in enumerate(found.names):
        largest = int(np.argmax(growth[:, k]))
        if found.cost[0, k] >= MATTERS or growth[largest, k] >= MATTERS:
            moved = f"{problem.free[largest % free].name} {'up' if largest < free else 'down'}"
            words = f"{name} ({found.words(0, k)}; {moved}: +{growth[largest, k]:.3g})"
            terms.append(Active(name, float(found.cost[0, k]), float(growth[largest, k]), words))
    return (*sorted(terms, key=lambda term: -term.growth), *_bounds(problem, s, limits))


def directions(problem: Problem, s: np.ndarray) -> tuple[Direction, ...]:
    """Eigenvectors of the Hessian in units of prior ranges at scaled `s`, stiffest first, nuisance pulls profiled out.

    One standard deviation is where -2 ln L grows by 1 in a quadratic approximation, at most the whole range.
    """
    free, widths = len(problem.free), coordinates.box(problem).widths
    second = np.nan_to_num(hessian(problem, s)) * np.outer(widths, widths)
    if len(widths) > free:
        cross, own = second[:free, free:], second[free:, free:]
        second = second[:free, :free] - cross @ np.linalg.pinv(own) @ cross.T
    else:
        second = second[:free, :free]
    curvature, vectors = np.linalg.eigh(0.5 * second)
    names, found = [p.name for p in problem.free], []
    for k in np.argsort(-curvature):
        vector = vectors[:, k] * np.sign(vectors[np.argmax(abs(vectors[:, k])), k])
        order = np.argsort(-abs(vector))
        components = {names[i]: float(vector[i]) for i in order}
        found.append(Direction(components, float(1.0 / np.sqrt(max(curvature[k], 1.0)))))
    return tuple(found)


def standings_at(problem: Problem, s: np.ndarray) -> Standings:
    """The conditions at scaled coordinates `s` (n, coordinates)."""
    points = [coordinates.from_scaled(problem, x) for x in s]
    return standings(problem, {name: np.array([point[name] for point in points]) for name in problem.names})


def _bounds(problem: Problem, s: np.ndarray, limits: coordinates.Box) -> tuple[Active, ...]:
    found, margin = [], AT_BOUND * limits.widths
    for i, parameter in enumerate(problem.free):
        for end, there in (("lower", s[i] <= limits.low[i] + margin[i]), ("upper", s[i] >= limits.high[i] - margin[i])):
            if there:
                found.append(f"{parameter.name} at the {end} end of its range")
        if parameter.name in problem.parametrisation.upper:
            inside = s.copy()
            inside[i] = min(s[i] + 10.0 * margin[i], limits.high[i])
            if coordinates.project(problem, inside)[i] < inside[i]:
                found.append(f"{parameter.name} at the bound that other parameters set")
    return tuple(Active(words.split(" ", 1)[0], 0.0, 0.0, words) for words in found)


def _per_cent(ranges: float) -> str:
    return f"{100.0 * ranges:.2g} %"

"""Every constraint that a model can be compared with, fitted or not, at points of a fit: what excludes them.

A fitted constraint excludes a point where its -2 ln L is above `EXCLUDED`, any other where its ratio to the 90 % CL
limit is above 1. A measured number that is as far away without new physics says nothing against a point: it is marked,
and does not count.

The best fit to the data alone, the limits left out: how much of the data's wish the limits deny, and which do.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from anomfit import interrupts
from anomfit.answers import checked_outcome
from anomfit.capabilities import offers
from anomfit.constraints.base import Constraint
from anomfit.constraints.report import AGAINST, verdict_of
from anomfit.errors import InputError
from anomfit.inference import coordinates
from anomfit.inference.compare.significance import Significance
from anomfit.inference.compiled import exact_problem, forward_at, gradients
from anomfit.inference.devices import devices_for, each, spread
from anomfit.inference.fit.descent import descend_held
from anomfit.inference.fit.minimise import Fit, FitSettings, minimise
from anomfit.inference.fit.refine import refined
from anomfit.measurements.base import is_limit
from anomfit.problem import Problem, with_measurements
from anomfit.statistics.terms import minus_two

EXCLUDED = 2.71  # -2 ln L of a fitted constraint at its 90 % CL limit
LANES = 16  # points together; with fewer, most of the time would go into lanes that nobody asked for
QUANTILES = (0.025, 0.16, 0.5, 0.84, 0.975)
OUTSIDE, INSIDE = "not in the fit", "in the fit"


@dataclass(frozen=True)
class Exclusion:
    """One constraint against a fit. predicted, limit (both in `unit`), ratio and twice_nll are those of the best fit.

    excludes: the best fit; optima: each of the fit's distinct optima; fraction: of the posterior, None without one;
    quantiles: of the ratio over the posterior, at `QUANTILES`.
    fails_without: the number disagrees with no new physics at 90 % CL already, so that nothing here counts.
    """

    name: str
    quantity: str
    unit: str
    kind: str
    era: str
    source: str
    fitted: bool
    predicted: float
    limit: float
    ratio: float
    twice_nll: float
    verdict: str
    excludes: bool
    fails_without: bool
    optima: tuple[bool, ...] = ()
    fraction: float | None = None
    quantiles: tuple[float, ...] | None = None

    @property
    def place(self) -> str:
        """Whether the fit knows of it, in words."""
        return INSIDE if self.fitted else OUTSIDE


@dataclass(frozen=True)
class Exclusions:
    """All constraints against a fit; inside, outside: fractions of the posterior that at least one constraint in the
    fit, or outside of it, excludes (None without a posterior). draws: how many were looked at. left_out: a sentence for
    each constraint in which the model fails.
    """

    rows: tuple[Exclusion, ...]
    inside: float | None = None
    outside: float | None = None
    draws: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def of_best_fit(self) -> tuple[Exclusion, ...]:
        """Those that exclude the best fit, the strongest first."""
        return tuple(sorted((row for row in self.rows if row.excludes), key=lambda row: -row.ratio))

    def of_optimum(self, i: int) -> tuple[str, ...]:
        """Names of those that exclude the i-th distinct optimum."""
        return tuple(row.name for row in self.rows if i < len(row.optima) and row.optima[i])


@dataclass(frozen=True)
class _Found:
    """n points against m constraints, arrays (n, m)."""

    predicted: np.ndarray
    limit: np.ndarray
    ratio: np.ndarray
    twice_nll: np.ndarray


def comparable(problem: Problem, shipped: Iterable[Constraint]) -> tuple[Constraint, ...]:
    """The constraints of a problem, then those of `shipped` that its model can be compared with, each name once."""
    fitted = [m for m in problem.measurements if isinstance(m, Constraint)]
    usable = [c for c in shipped if offers(problem.model, c.accepts)]
    return tuple({constraint.name: constraint for constraint in [*usable, *fitted]}.values())


def fault_in(problem: Problem, constraint: Constraint) -> str:
    """What goes wrong when a user's model is asked for a constraint, in a sentence; "" where nothing does.

    Nothing is computed. A model may offer a capability and lack a part of it that no fit has needed so far, such as the
    moment of another lepton.
    """
    point = {p.name: jnp.asarray(p.low) for p in problem.free}
    nuisances = {n.name: jnp.asarray(n.mean) for n in constraint.nuisances}
    bare = with_measurements(problem, ())

    def asked(at):
        known = {**nuisances, **bare.nuisance_values(at)}
        return checked_outcome(constraint, bare.model, bare.physical_point(at), known)

    try:
        jax.eval_shape(asked, point)
    except InputError as error:
        return f"{constraint.name} ({error})"
    return ""


def exclusions(
    problem: Problem,
    constraints: Sequence[Constraint],
    best: Mapping[str, float],
    optima: Sequence[Mapping[str, float]] = (),
) -> Exclusions:
    """`constraints` (see `comparable`) at the best fit and at each distinct optimum, all given by name with pulls."""
    if not constraints:
        return Exclusions(())
    points = [best, *optima]
    table = {name: np.array([float(point.get(name, 0.0)) for point in points]) for name in problem.names}
    found = _looked_up(problem, constraints, table)
    fitted = _fitted(problem)
    excluded = _excluded(constraints, found, fitted)
    rows = []
    for k, entry in enumerate(constraints):
        about = entry.about
        numbers = [float(getattr(found, name)[0, k]) for name in ("predicted", "limit", "ratio", "twice_nll")]
        rows.append(
            Exclusion(
                name=entry.name,
                quantity=about.quantity,
                unit=about.unit,
                kind=about.kind,
                era=entry.era,
                source=about.source,
                fitted=entry.name in fitted,
                predicted=numbers[0],
                limit=numbers[1],
                ratio=numbers[2],
                twice_nll=numbers[3],
                verdict=verdict_of(entry, *numbers[:3]),
                excludes=bool(excluded[0, k]),
                fails_without=entry.fails_without,
                optima=tuple(excluded[1:, k].tolist()),
            )
        )
    return Exclusions(tuple(rows))


def with_posterior(
    problem: Problem,
    constraints: Sequence[Constraint],
    found: Exclusions,
    draws: Mapping[str, np.ndarray],
) -> Exclusions:
    """`found` with the fractions of posterior draws (arrays of one length by name) that the constraints exclude."""
    fitted, n = _fitted(problem), len(next(iter(draws.values())))
    if not constraints:
        return replace(found, inside=0.0, outside=0.0, draws=n)
    looked_up = _looked_up(problem, constraints, draws)
    excluded = _excluded(constraints, looked_up, fitted)
    ratios = np.quantile(np.nan_to_num(looked_up.ratio), QUANTILES, axis=0)
    inside = np.array([entry.name in fitted for entry in constraints])
    names = [entry.name for entry in constraints]
    fractions = dict(zip(names, excluded.mean(axis=0).tolist(), strict=True))
    quantiles = dict(zip(names, map(tuple, ratios.T.tolist()), strict=True))
    return replace(
        found,
        rows=tuple(replace(row, fraction=fractions[row.name], quantiles=quantiles[row.name]) for row in found.rows),
        inside=float(np.mean(np.any(excluded[:, inside], axis=1))) if inside.any() else 0.0,
        outside=float(np.mean(np.any(excluded[:, ~inside], axis=1))) if not inside.all() else 0.0,
        draws=n,
    )


def ratios_at(
    problem: Problem, constraints: Sequence[Constraint], points: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Ratios to the limits, NaN where none is published, and which constraint excludes which point: (n, m) both."""
    found = _looked_up(problem, constraints, points)
    return np.where(np.isnan(found.limit), np.nan, found.ratio), _excluded(constraints, found, _fitted(problem))


def _fitted(problem: Problem) -> frozenset[str]:
    return frozenset(m.name for m in problem.measurements if isinstance(m, Constraint))


def _excluded(constraints: Sequence[Constraint], found: _Found, fitted: frozenset[str]) -> np.ndarray:
    """Which constraint excludes which point, (n, m)."""
    table = np.zeros(found.ratio.shape, dtype=bool)
    for k, entry in enumerate(constraints):
        if entry.fails_without:
            continue
        if entry.name in fitted:
            table[:, k] = found.twice_nll[:, k] > EXCLUDED
            continue
        numbers = zip(found.predicted[:, k], found.limit[:, k], found.ratio[:, k], strict=True)
        table[:, k] = [verdict_of(entry, *map(float, row)) in AGAINST for row in numbers]
    return table


def _looked_up(problem: Problem, constraints: Sequence[Constraint], points: Mapping[str, np.ndarray]) -> _Found:
    """Predictions and -2 ln L of the constraints at points, padded to whole lanes."""
    n = len(next(iter(points.values())))
    table = {name: np.asarray(points.get(name, np.zeros(n)), dtype=float) for name in problem.names}
    bare = with_measurements(problem, ())
    chunks = []
    for first in range(0, n, LANES):
        interrupts.check()
        lanes = np.minimum(np.arange(first, first + LANES), n - 1)
        part = _at_points((bare, tuple(constraints)), {name: jnp.asarray(x[lanes]) for name, x in table.items()})
        chunks.append(np.asarray(part)[: n - first])
    whole = np.concatenate(chunks)
    return _Found(*(whole[:, i] for i in range(4)))


@jax.jit
def _at_points(shared, points):
    """(points, 4, constraints): predicted, limit, ratio, -2 ln L."""

    def one(given, point):
        problem, constraints = given
        physical = problem.physical_point(point)
        own = {n.name: jnp.asarray(n.mean) for entry in constraints for n in entry.nuisances}
        nuisances = {**own, **problem.nuisance_values(point)}
        rows = []
        for entry in constraints:
            outcome = checked_outcome(entry, problem.model, physical, nuisances)
            cost = entry.chi_squared(entry.prediction_of(outcome), nuisances)
            rows.append(jnp.stack([jnp.asarray(x, dtype=float) for x in (*outcome, cost)]))
        return jnp.stack(rows, axis=-1)

    def batch(given, lanes):
        return each(lambda point: one(given, point), lanes)

    return spread(batch, devices_for(LANES))(shared, points)


SETTINGS = FitSettings(screened=512, starts=8, polished=2)
ROUNDS = 200  # gradients of the descent from the joint best fit


@dataclass(frozen=True)
class Paid:
    """-2 ln L of one measurement or limit at the best fit to the data alone, and at that of everything."""

    name: str
    without: float
    best: float


@dataclass(frozen=True)
class WithoutLimits:
    """The best fit to the data alone: `values` by name, its gain over no new physics, and what the limits say of it.

    gains: every measurement and limit at both best fits; excluded_by: -2 ln L of the limits of the fit that exclude it.
    """

    values: dict[str, float]
    delta_chi_squared: float
    gains: tuple[Paid, ...]
    excluded_by: dict[str, float]


def has_limits(problem: Problem) -> bool:
    """Whether there are data and limits, so that leaving the latter out means something."""
    found = {is_limit(m) for m in problem.measurements}
    return found == {True, False}


def without_limits(
    problem: Problem,
    point: Mapping[str, float],
    gain: Significance,
    key: jax.Array,
    progress: Callable[[str, int, int], None] | None = None,
    fast: Problem | None = None,
) -> WithoutLimits:
    """Fit the data of `problem` alone; `point` is the best fit to everything and `gain` that of it.

    fast: a likelihood close to that of `problem`, which is searched; what is found is polished with the exact one.
    """
    are_data = [i for i, m in enumerate(problem.measurements) if not is_limit(m)]
    data, searched = with_measurements(problem, are_data), with_measurements(fast or problem, are_data)
    place, twice_nll = _best(data, searched, point, minimise(searched, key, SETTINGS, progress), progress)
    there, here = (forward_at(problem, at).log_likelihood for at in (place, point))
    names = [f"{m.name}:{m.era}" for m in problem.measurements]
    pairs = zip(names, there, here, strict=True)
    gains = [Paid(name, minus_two(float(a[0])), minus_two(float(b[0]))) for name, a, b in pairs]
    limits = {m.name for m in problem.measurements if is_limit(m)}
    null = gain.null - sum(g.null for g, m in zip(gain.gains, problem.measurements, strict=False) if m.name in limits)
    costs = {m.name: paid.without for m, paid in zip(problem.measurements, gains, strict=True) if m.name in limits}
    if problem.nuisances:
        penalties = [float(problem.penalty(at)) for at in (place, point)]  # type: ignore[arg-type]
        gains.append(Paid("nuisance pulls", *penalties))
    return WithoutLimits(
        values={parameter.name: place[parameter.name] for parameter in problem.free},
        delta_chi_squared=null - twice_nll,
        gains=tuple(gains),
        excluded_by={name: cost for name, cost in costs.items() if cost > EXCLUDED},
    )


def _best(
    data: Problem,
    searched: Problem,
    point: Mapping[str, float],
    found: Fit,
    progress: Callable[[str, int, int], None] | None,
) -> tuple[Mapping[str, float], float]:
    """The lower of what a search from the prior has found and what a descent from the joint best fit finds."""
    start = coordinates.to_scaled(searched, point)[None]
    ends, _ = descend_held(searched, start, np.zeros(start.shape[1], dtype=bool), ROUNDS)
    s = coordinates.project(searched, ends[0])
    value = float(gradients(searched, s[None])[0][0])
    if value < found.twice_nll:
        found = found.moved(data, coordinates.from_scaled(searched, s), value)
    if exact_problem(searched) is not None:
        found = refined(data, found, SETTINGS, progress)
    return found.point, found.twice_nll

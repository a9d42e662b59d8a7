"""HESSE errors of a fit from the Hessian of its exact gradients, beside its profiles, with what is wrong in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anomfit.inference import coordinates
from anomfit.inference.fit.hesse import DEPENDENT, NOT_CONSTRAINED, RISE, Curvature, curvature, rises_along
from anomfit.inference.fit.minimise import Fit
from anomfit.inference.fit.minos import MinosError, minos
from anomfit.problem import Problem

DISAGREE = 2.0  # the ratio of the errors of HESSE and of a profile that calls for a sentence
NAMED = 0.15  # components of a direction below this are left out


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
    exceed the prior range, or that curves downwards, counts as one range, the most that the box allows. `low` and
    `high` are one standard deviation either side in the parameter's own unit, inside its bounds.

    A parameter `at_bound` stands at an end of its range, where a curvature says nothing of how far it may move away.
    Its error is the distance to the end of its profile (see `MinosError`), `low` and `high` that interval, it
    correlates with nothing here, and the errors of all others are those with it at the bound.

    `flat` are directions that the data leave free: loose by their curvature, and -2 ln L rises by less than 1 on the
    straight line along them to either end of the box, or over the whole range of their main parameter when the others
    follow. One along which -2 ln L rises on one side is limited by the data, and not flat.

    `effective_parameters` is the number to take off the degrees of freedom. It counts the directions in which the
    best fit answers to a small change of the data: those free to move (inside the bounds) whose 1 sigma by curvature
    is within half of the range, less the nuisance pulls, which constrain themselves. A direction into a bound at which
    the best fit stands does not count, though the data may constrain it well: the fit cannot use it to come closer to
    the data. Given which bounds are active, the minimum of chi^2 of n Gaussian numbers follows chi^2 with n less the
    parameters that are not at a bound (Kudo, Biometrika 50 (1963) 403; Gourieroux, Holly and Monfort, Econometrica 50
    (1982) 63). On a plateau the same holds of the direction along it.
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
    at_bound: tuple[str, ...] = ()

    @property
    def correlation(self) -> np.ndarray:
        """The correlation matrix of `covariance`."""
        sigma = np.sqrt(np.diag(self.covariance))
        return self.covariance / np.outer(sigma, sigma)


def hesse(
    problem: Problem,
    fit: Fit,
    intervals: Sequence[MinosError] = (),
    local: Curvature | None = None,
    fast: Problem | None = None,
) -> Hesse:
    """HESSE errors of `fit` from the Hessian of exact gradients (`local`, where it is known), with what the data leave
    free in words.

    intervals: those of `minos`, as far as they are known; `notes` say where they contradict HESSE. The ones on which
    an answer depends (of parameters at a bound, or loose by their curvature) are looked for here if they are missing,
    with `fast` as `minos` takes it.
    """
    local, limits = local or curvature(problem, coordinates.to_scaled(problem, fit.point)), coordinates.box(problem)
    unit_covariance = (local.directions * local.ranges**2) @ local.directions.T
    sigma = np.sqrt(np.maximum(np.diag(unit_covariance), 0.0)) * limits.widths
    profiles = {error.name: error for error in intervals}
    at_bound = tuple(name for name, bound in local.held.items() if bound != DEPENDENT)
    main = _main_parameters(problem, local)
    loose = [p.name for i, p in enumerate(problem.free) if sigma[i] > NOT_CONSTRAINED * limits.widths[i]]
    missing = [name for name in dict.fromkeys([*at_bound, *loose, *main.values()]) if name not in profiles]
    profiles |= {
        error.name: error for error in (minos(problem, fit, missing, local=local, fast=fast) if missing else ())
    }
    for name in at_bound:
        i = problem.names.index(name)
        sigma[i] = _one_sided(problem, profiles[name], i)
        unit_covariance[i, i] = (sigma[i] / limits.widths[i]) ** 2
    flat = [k for k, name in main.items() if profiles[name].is_free or not _rises(problem, local, k)]
    return Hesse(
        names=problem.names,
        errors=dict(zip(problem.names, sigma.tolist(), strict=True)),
        low=coordinates.from_scaled(problem, np.maximum(local.s - sigma, limits.low)),
        high=coordinates.from_scaled(problem, np.minimum(local.s + sigma, limits.high)),
        covariance=unit_covariance * np.outer(limits.widths, limits.widths),
        hessian=local.hessian,
        flat=tuple(_flat_direction(problem.names, local.directions[:, k], float(local.ranges[k])) for k in flat),
        notes=_notes(problem, fit, local, sigma, profiles),
        effective_parameters=max(0, len(local.ranges) - local.loose.size - len(problem.nuisances)),
        at_bound=at_bound,
    )


def _main_parameters(problem: Problem, local: Curvature) -> dict[int, str]:
    """For every loose direction a free parameter with a large component of it, each parameter once."""
    free, found = len(problem.free), {}
    for k in local.loose:
        order = np.argsort(-abs(local.directions[:free, k]))
        left = [problem.names[i] for i in order if problem.names[i] not in {*found.values(), *local.held}]
        found |= {int(k): left[0]} if left else {}
    return found


def _rises(problem: Problem, local: Curvature, k: int) -> bool:
    return rises_along(problem, local.s, local.directions[:, k])


def _one_sided(problem: Problem, profile: MinosError, i: int) -> float:
    """The scaled distance from a bound to the end of the profile, the whole range where there is none."""
    parameter = problem.free[i]
    ends = [end for end in (profile.low, profile.high) if end is not None]
    if not ends:
        return float(coordinates.box(problem).widths[i])
    return abs(coordinates.scale(parameter, ends[0]) - coordinates.scale(parameter, profile.value))


def _flat_direction(names, direction, ranges) -> FlatDirection:
    order = [k for k in np.argsort(-abs(direction)) if abs(direction[k]) > NAMED]
    sign = np.sign(direction[order[0]])
    return FlatDirection({names[k]: round(float(sign * direction[k]), 3) for k in order}, ranges)


def _notes(problem: Problem, fit: Fit, local: Curvature, sigma, profiles: dict[str, MinosError]) -> dict[str, str]:
    """What must be said of each parameter's error, where something must."""
    limits, notes = coordinates.box(problem), {}
    for i, parameter in enumerate(problem.free):
        name, words = parameter.name, []
        profile, bound = profiles.get(name), local.held.get(name)
        if bound == DEPENDENT:
            words.append("at the bound that other parameters set")
        elif bound is not None:
            words.append(f"at the {bound} end of its range, where HESSE's parabola means nothing")
        if not local.finite[i]:
            words.append("the gradient beside the best fit is not finite, so that HESSE does not hold")
        reaches = sigma[i] > min(local.s[i] - limits.low[i], limits.high[i] - local.s[i])
        if profile is not None:
            words += _profile_words(profile)
            words += _disagreement(problem, fit, local, i, float(sigma[i]), profile)
        elif reaches:
            words.append("the error reaches a bound")
        if words:
            notes[name] = "; ".join(words)
    return notes


def _profile_words(profile: MinosError) -> list[str]:
    """What an interval with less than two ends means."""
    if profile.is_free:
        return [f"not constrained inside its range: -2 ln L rises by less than {RISE:.0f} up to either end"]
    if not profile.only_side:
        return []
    word, end = ("above", profile.low) if profile.only_side < 0 else ("below", profile.high)
    limit = "" if profile.limit_90 is None else f", {word} {profile.limit_90:.4g} at 90 % CL"
    return [f"one-sided: {word} {end:.4g}{limit}"]


def _disagreement(problem: Problem, fit: Fit, local: Curvature, i: int, sigma: float, profile: MinosError) -> list[str]:
    """A sentence where the parabola and the profile do not describe the same interval, and one of other minima."""
    parameter, words = problem.free[i], []
    ends = [None if end is None else coordinates.scale(parameter, end) for end in (profile.low, profile.high)]
    reach = [abs(end - local.s[i]) for end in ends if end is not None]
    is_between = profile.name not in local.held and not profile.is_free
    if is_between and any(not 1.0 / DISAGREE < sigma / max(distance, 1e-300) < DISAGREE for distance in reach):
        others = [name for name in local.held if name != profile.name]
        reason = f"{' and '.join(others)} stands at a bound" if len(others) == 1 else "-2 ln L is no parabola"
        reason = f"{' and '.join(others)} stand at bounds" if len(others) > 1 else reason
        words.append(f"HESSE's parabola does not describe its profile ({reason}): take the interval of MINOS")
    low, high = (-np.inf if ends[0] is None else ends[0]), (np.inf if ends[1] is None else ends[1])
    for optimum in fit.optima:
        place = coordinates.scale(parameter, optimum.values[profile.name])
        if optimum.twice_nll < fit.twice_nll + RISE and not low <= place <= high:
            above = optimum.twice_nll - fit.twice_nll
            value = optimum.values[profile.name]
            words.append(f"another minimum, {max(above, 0.0):.2f} higher, lies outside this interval, at {value:.4g}")
            break
    return words

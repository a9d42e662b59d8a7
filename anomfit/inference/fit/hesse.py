"""The curvature of -2 ln L at a best fit, along what the bounds leave to move, in units of the parameters' ranges."""

from dataclasses import dataclass

import numpy as np

from anomfit.inference import coordinates
from anomfit.inference.compiled import gradients, hessian
from anomfit.problem import Problem

NOT_CONSTRAINED = 0.5
"""1 sigma in ranges above which a direction is loose: a parabola that wide, in the middle of its range, rises by less
than 1 up to either end."""
AT_BOUND = 1e-4  # distance to a bound, in ranges, that counts as being there
RISE = 1.0  # of -2 ln L: a direction along which it rises by less is free
LINE = 8  # points on either side of a straight line through the best fit
LOWER, UPPER, DEPENDENT = "lower", "upper", "dependent"


@dataclass(frozen=True)
class Curvature:
    """The Hessian at a best fit `s` (scaled), and its eigenvectors in ranges along what is free to move.

    `held` names the bound at which a parameter stands: LOWER or UPPER end of its own range, where it does not move, or
    DEPENDENT, a bound that other parameters set, along which it moves with them.

    `directions` are orthonormal columns over all coordinates, `ranges` their 1 sigma, at most one range, which is what
    the box allows; it also stands for a direction that curves downwards. `finite` is False for coordinates near which
    a gradient is not finite.
    """

    s: np.ndarray
    hessian: np.ndarray
    held: dict[str, str]
    directions: np.ndarray
    ranges: np.ndarray
    finite: np.ndarray

    @property
    def loose(self) -> np.ndarray:
        """Indices of the directions along which the curvature constrains nothing inside the ranges."""
        return np.flatnonzero(self.ranges > NOT_CONSTRAINED)


def curvature(problem: Problem, s: np.ndarray) -> Curvature:
    """The curvature of -2 ln L at the scaled coordinates `s` of a best fit."""
    widths, held = coordinates.box(problem).widths, held_at_bounds(problem, s)
    raw = hessian(problem, s)
    second = np.nan_to_num(raw, posinf=0.0, neginf=0.0)
    basis = np.linalg.qr(_tangent(problem, s, held))[0]
    values, vectors = np.linalg.eigh(basis.T @ (0.5 * second * np.outer(widths, widths)) @ basis)
    return Curvature(
        s=s,
        hessian=second,
        held=held,
        directions=basis @ vectors,
        ranges=1.0 / np.sqrt(np.maximum(values, 1.0)),
        finite=np.isfinite(np.diag(raw)),
    )


def held_at_bounds(problem: Problem, s: np.ndarray) -> dict[str, str]:
    """The parameters that stand at a bound at scaled coordinates `s`, and at which."""
    limits, held = coordinates.box(problem), {}
    margin = AT_BOUND * limits.widths
    for i, parameter in enumerate(problem.free):
        if s[i] <= limits.low[i] + margin[i]:
            held[parameter.name] = LOWER
        elif s[i] >= limits.high[i] - margin[i]:
            held[parameter.name] = UPPER
        elif parameter.name in problem.parametrisation.upper and s[i] >= _edge(problem, s, i) - 10.0 * margin[i]:
            held[parameter.name] = DEPENDENT
    return held


def rises_along(problem: Problem, s: np.ndarray, direction: np.ndarray) -> bool:
    """Whether -2 ln L rises by `RISE` somewhere on the straight line through `s` (scaled) inside the box.

    `direction` is given in ranges. What is not finite counts as a rise.
    """
    limits = coordinates.box(problem)
    step = direction * limits.widths
    with np.errstate(divide="ignore", invalid="ignore"):
        ahead = np.where(step > 0.0, limits.high - s, limits.low - s) / step
        behind = np.where(step > 0.0, limits.low - s, limits.high - s) / step
    reach = np.min(ahead[step != 0.0]), np.max(behind[step != 0.0])
    places = np.concatenate([end * np.arange(1, LINE + 1) / LINE for end in reach])
    points = np.clip(s + places[:, None] * step, limits.low, limits.high)
    values = gradients(problem, np.concatenate([s[None], points]))[0]
    return bool(np.any(~(values[1:] < values[0] + RISE)))


def _tangent(problem: Problem, s: np.ndarray, held: dict[str, str]) -> np.ndarray:
    """Columns, in ranges: every coordinate that moves, with the parameters that a dependent bound makes follow it."""
    widths = coordinates.box(problem).widths
    moves = np.eye(s.size)
    for i, parameter in enumerate(problem.free):
        for j in range(s.size) if held.get(parameter.name) == DEPENDENT else ():
            shift = np.where(np.arange(s.size) == j, 10.0 * AT_BOUND * widths, 0.0)
            follows = _edge(problem, s + shift, i) - _edge(problem, s - shift, i)
            moves[i, j] = follows / widths[i] / (20.0 * AT_BOUND)
    fixed = [i for i, name in enumerate(problem.names) if name in held]
    return np.delete(moves, fixed, axis=1)


def _edge(problem: Problem, s: np.ndarray, i: int) -> float:
    """The scaled place of the upper bound that the other coordinates of `s` set to parameter `i`, inside its range."""
    limits = coordinates.box(problem)
    outside = np.clip(np.where(np.arange(s.size) == i, limits.high, s), limits.low, limits.high)
    return float(coordinates.project(problem, outside)[i])

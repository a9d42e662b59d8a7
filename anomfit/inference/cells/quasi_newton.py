"""Many short descents side by side in a box, each from a Hessian that it is given: BFGS that stops by distance.

SciPy's BFGS (`descent`) is made for a start of which nothing is known. A cell of a plane starts next to its minimum,
with its neighbour's Hessian, and needs two or three gradients if nobody spends more on the length of a step. Each step
goes to the parabola's minimum in the box that is within reach (`lowest_in_box`): a parameter at an end of its range is
no different from others. The descent ends where that minimum is less than a tolerance below.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

FARTHEST = 4.0  # of the reach of the first step, to which a reach may grow
WIDER, SHORTER = 2.5, 0.3  # a reach after a step that was as good as foreseen, and after a bad one
AS_FORESEEN, NOT_AS_FORESEEN = 0.6, 0.1  # of the fall
NEAREST = 1e-7  # of the reach of the first step
REJECTED = 8  # steps in a row, after which a descent ends
TURNS_IN_BOX = 40

Evaluate = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Limits:
    """Ends of m coordinates, which may be infinite, and how far a first step may go in each."""

    low: np.ndarray
    high: np.ndarray
    reach: np.ndarray


@dataclass(frozen=True)
class Ends:
    """Where n descents ended: coordinates (n, m), -2 ln L, its distance to the minimum, whether that is below the
    tolerance, the Hessian (n, m, m), and how many gradients each took.
    """

    x: np.ndarray
    value: np.ndarray
    distance: np.ndarray
    converged: np.ndarray
    hessian: np.ndarray
    gradients: np.ndarray


def descend_from(
    evaluate: Evaluate,
    starts: np.ndarray,
    hessians: np.ndarray,
    limits: Limits,
    tolerance: float,
    rounds: int,
    report: Callable[[int], None] = lambda done: None,
) -> Ends:
    """Minimise from each of `starts` (n, m) with the positive definite `hessians` (n, m, m).

    `evaluate(which, points)` gives values (k,) and gradients (k, m) at points of the descents `which` (k,).
    A descent whose start has no finite value or gradient ends there, not converged.
    """
    n = len(starts)
    x, hessian = np.clip(starts, limits.low, limits.high), np.array(hessians, dtype=float)
    value, slope = evaluate(np.arange(n), x) if n else (np.zeros(0), np.zeros(x.shape))
    value, slope = np.array(value), np.array(slope)
    distance, share = np.full(n, np.inf), np.ones(n)
    gradients, rejected = np.ones(n, dtype=int), np.zeros(n, dtype=int)
    going, converged = np.isfinite(value) & np.isfinite(slope).all(axis=1), np.zeros(n, dtype=bool)
    while going.any():
        k = np.flatnonzero(going)
        radius = share[k, None] * limits.reach
        step = lowest_in_box(
            slope[k], hessian[k], np.maximum(limits.low - x[k], -radius), np.minimum(limits.high - x[k], radius)
        )
        bent = _times(hessian[k], step)
        foreseen = -np.sum(step * (slope[k] + 0.5 * bent), axis=1)
        is_whole = (np.abs(step) < 0.999 * radius).all(axis=1)
        distance[k] = np.where(is_whole, foreseen, np.inf)
        is_done = is_whole & (foreseen < tolerance)
        converged[k[is_done]] = True
        on = ~is_done & (gradients[k] < rounds) & (rejected[k] <= REJECTED) & (share[k] > NEAREST)
        going[k[~on]] = False
        k, step, bent, foreseen, radius = k[on], step[on], bent[on], foreseen[on], radius[on]
        if not k.size:
            continue
        trial = np.clip(x[k] + step, limits.low, limits.high)
        new_value, new_slope = evaluate(k, trial)
        gradients[k] += 1
        is_finite = np.isfinite(new_value) & np.isfinite(new_slope).all(axis=1)
        y = np.where(is_finite[:, None], new_slope - slope[k], 0.0)
        hessian[k] = _learnt(hessian[k], step, bent, y)
        fall = np.where(is_finite, value[k] - np.where(is_finite, new_value, 0.0), -np.inf)
        is_good, agreement = fall > 0.0, fall / np.maximum(foreseen, 1e-300)
        good = k[is_good]
        x[good], value[good], slope[good] = trial[is_good], new_value[is_good], new_slope[is_good]
        rejected[k] = np.where(is_good, 0, rejected[k] + 1)
        used = np.max(np.abs(step) / radius, axis=1)
        wider = np.where((agreement > AS_FORESEEN) & (used > 0.9), WIDER, 1.0)
        share[k] *= np.where(agreement < NOT_AS_FORESEEN, SHORTER * used, wider)
        share[k] = np.minimum(share[k], FARTHEST)
        report(int(n - going.sum()))
    return Ends(x, value, distance, converged, hessian, gradients)


def positive(hessians: np.ndarray, least: float) -> np.ndarray:
    """Hessians (n, m, m) with every curvature's size, and not below `least`: what a descent can begin with."""
    values, vectors = np.linalg.eigh(hessians)
    return (vectors * np.maximum(np.abs(values), least)[:, None, :]) @ vectors.transpose(0, 2, 1)


def lowest_in_box(slope: np.ndarray, hessian: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The step d (n, m) with low <= d <= high that minimises slope.d + d.hessian.d/2, hessian positive definite.

    low <= 0 <= high. The active-set method (Nocedal and Wright, Numerical Optimization, 2nd ed., section 16.5) from
    d = 0: towards the minimum of the coordinates that are not at an end, as far as the box goes, where one more is at
    an end; once none is, the one that gains most by leaving its end is let go. The parabola falls with every turn, so
    that the step is of use when `TURNS_IN_BOX` of them have not been enough.
    """
    n, m = slope.shape
    rows, step = np.arange(n), np.zeros_like(slope)
    at_end = ((low >= 0.0) & (slope > 0.0)) | ((high <= 0.0) & (slope < 0.0))
    small = 1e-9 * np.max(np.abs(slope), axis=1)
    for _ in range(TURNS_IN_BOX):
        rest = slope + _times(hessian, step)
        both_free = ~(at_end[:, :, None] | at_end[:, None, :])
        matrix = np.where(both_free, hessian, 0.0) + np.eye(m) * at_end[:, None, :]
        way = np.linalg.solve(matrix, np.where(at_end, 0.0, -rest)[..., None])[..., 0]
        room = np.where(way > 0.0, high - step, low - step) / np.where(way == 0.0, 1.0, way)
        room = np.where(at_end | (way == 0.0), np.inf, room)
        first = np.argmin(room, axis=1)
        share = np.clip(room[rows, first], 0.0, 1.0)
        step = np.clip(step + share[:, None] * way, low, high)
        is_blocked = room[rows, first] < 1.0
        blocked, which = rows[is_blocked], first[is_blocked]
        at_end[blocked, which] = True
        step[blocked, which] = np.where(way[blocked, which] > 0.0, high[blocked, which], low[blocked, which])
        rest = slope + _times(hessian, step)
        gain = np.where(at_end & (low < high), np.where(step <= low, -rest, np.where(step >= high, rest, 0.0)), 0.0)
        leaves = np.argmax(gain, axis=1)
        lets_go = ~is_blocked & (gain[rows, leaves] > small)
        at_end[rows[lets_go], leaves[lets_go]] = False
        if not (is_blocked | lets_go).any():
            break
    return step


def _learnt(hessian: np.ndarray, step: np.ndarray, bent: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The update of Broyden, Fletcher, Goldfarb and Shanno, where the curvature along the step is above 0."""
    along, before = np.sum(step * y, axis=1), np.sum(step * bent, axis=1)
    sizes = np.linalg.norm(step, axis=1) * np.linalg.norm(y, axis=1)
    use = (along > 1e-8 * sizes) & (before > 0.0)
    safe, safe_before = np.where(use, along, 1.0), np.where(use, before, 1.0)
    new = hessian - _square(bent) / safe_before[:, None, None] + _square(y) / safe[:, None, None]
    return np.where(use[:, None, None], new, hessian)


def _square(v: np.ndarray) -> np.ndarray:
    return v[:, :, None] * v[:, None, :]


def _times(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.einsum("nij,nj->ni", matrices, vectors)

"""Many descents side by side: BFGS, one batch of gradients a round, each descent at its own pace.

The libraries' minimisers call the likelihood themselves, each from a program of its own that has to be compiled; this
one is told the gradients, so that it shares the one compiled program, and descents that have ended cost nothing.
"""

from collections.abc import Callable

import numpy as np

SUFFICIENT = 1e-4  # Armijo's fraction of the expected decrease
PATIENCE = 30  # rounds in which a descent must gain NO_GAIN to go on
NO_GAIN = 1e-3
SMALLEST_STEP = 1e-8

Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def descend(
    evaluate: Evaluate, starts: np.ndarray, rounds: int, report: Callable[[int], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise from each of `starts` (n, coordinates); (points, values) where each ended.

    `evaluate` gives values and gradients at any number of points, in unbounded coordinates. BFGS with a backtracking
    line search (Nocedal and Wright, Numerical Optimization, algorithms 3.1 and 6.1): a round evaluates one trial point
    of every descent that goes on, at most `rounds` of them. A descent ends when it has gained less than `NO_GAIN` in
    `PATIENCE` rounds or no step leads down; `report` gets the number that ended.
    """
    points = np.array(starts, dtype=float)
    values, slopes = (np.array(x) for x in evaluate(points))
    n, dimension = points.shape
    inverse, scaled_once = np.tile(np.eye(dimension), (n, 1, 1)), np.zeros(n, dtype=bool)
    directions, expected = _downhill(inverse, slopes)
    steps, history = np.ones(n), [values.copy()]
    going = np.isfinite(values) & np.isfinite(slopes).all(axis=1) & (expected < 0.0)
    for _ in range(rounds):
        rows = np.flatnonzero(going)
        if not rows.size:
            break
        trials = points[rows] + steps[rows, None] * directions[rows]
        found, found_slopes = evaluate(trials)
        good = np.isfinite(found) & (found <= values[rows] + SUFFICIENT * steps[rows] * expected[rows])
        good &= np.isfinite(found_slopes).all(axis=1)
        for i, row in enumerate(rows):
            if good[i]:
                _update(inverse, scaled_once, row, trials[i] - points[row], found_slopes[i] - slopes[row])
                points[row], values[row], slopes[row], steps[row] = trials[i], found[i], found_slopes[i], 1.0
            else:
                steps[row] *= _shortening(values[row], found[i], steps[row] * expected[row])
        fresh, fresh_expected = _downhill(inverse, slopes)
        taken = rows[good]
        directions[taken], expected[taken] = fresh[taken], fresh_expected[taken]
        history.append(values.copy())
        before = history[max(0, len(history) - 1 - PATIENCE)]
        idle = (before - values < NO_GAIN) & (len(history) > PATIENCE)
        going &= ~idle & (expected < 0.0) & (steps > SMALLEST_STEP)
        report(int(np.sum(~going)))
    return points, values


def _update(inverse: np.ndarray, scaled_once: np.ndarray, row, step: np.ndarray, change: np.ndarray) -> None:
    """BFGS update of one inverse Hessian, in place; skipped where the curvature along the step is not positive."""
    curvature = step @ change
    if not curvature > 1e-10 * np.linalg.norm(step) * np.linalg.norm(change):
        return
    if not scaled_once[row]:
        inverse[row] *= curvature / (change @ change)
        scaled_once[row] = True
    left = np.eye(step.size) - np.outer(step, change) / curvature
    inverse[row] = left @ inverse[row] @ left.T + np.outer(step, step) / curvature


def _downhill(inverse: np.ndarray, slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quasi-Newton directions of length at most 1 and the decrease they promise."""
    directions = -np.einsum("nij,nj->ni", inverse, slopes)
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1.0)
    return directions, np.sum(directions * slopes, axis=1)


def _shortening(value: float, found: float, expected: float) -> float:
    """How much shorter the next trial is: the minimum of the parabola through value, slope and trial, in [0.1, 0.5]."""
    excess = found - value - expected if np.isfinite(found) else np.inf
    return float(np.clip(-expected / (2.0 * max(excess, 1e-300)), 0.1, 0.5))

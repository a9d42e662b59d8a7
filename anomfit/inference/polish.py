"""The last steps to a minimum: MIGRAD from points that a descent left."""

import numpy as np

from anomfit.inference import scaled
from anomfit.inference.evaluate import gradients
from anomfit.inference.minuit import expected_distance, minuit
from anomfit.problem import Problem

MIGRAD_CALLS = 1500


def polish(problem: Problem, s: np.ndarray, tolerance: float, rounds: int) -> tuple[np.ndarray, float, float, bool]:
    """MIGRAD, up to `rounds` times until it gains less than the tolerance; (point, -2 ln L, distance, settled).

    The distance is the smaller of MINUIT's estimate and |gradient|^2/4 per unit of prior range, which is what a step of
    at most one range along the flattest direction can gain: MINUIT's is meaningless on a plateau without curvature.
    A place without a finite gradient is not accepted.
    """
    value, slope = (x[0] for x in gradients(problem, s[None]))
    distance, settled = np.inf, False
    for _ in range(rounds):
        fitter = minuit(problem, s, tolerance)
        fitter.migrad(ncall=MIGRAD_CALLS, iterate=1)
        found = scaled.project(problem, np.array(fitter.values))
        lowest, lowest_slope = (x[0] for x in gradients(problem, found[None]))
        gained = value - lowest
        if gained > 0.0 and np.isfinite(lowest_slope).all():
            s, value, slope = found, lowest, lowest_slope
        distance = min(expected_distance(fitter), 0.25 * projected_gradient_norm(problem, s, slope) ** 2)
        settled = bool(gained < tolerance and distance < tolerance)
        if settled:
            break
    return s, float(value), float(distance), settled


def projected_gradient_norm(problem: Problem, s: np.ndarray, slope: np.ndarray) -> float:
    """Length of the gradient per unit of prior range, without components that push out of a bound."""
    limits = scaled.box(problem)
    gradient = slope * limits.widths
    at_low = (s <= limits.low + 1e-6 * limits.widths) & (gradient > 0.0)
    at_high = (s >= limits.high - 1e-6 * limits.widths) & (gradient < 0.0)
    return float(np.linalg.norm(np.where(at_low | at_high, 0.0, gradient)))


def distinct(points: np.ndarray, values: np.ndarray, apart: np.ndarray, wanted: int) -> list[int]:
    """Indices of the best points that differ by `apart` in some coordinate, or by 0.1 in value; best first given."""
    chosen: list[int] = []
    for i, (point, value) in enumerate(zip(points, values, strict=False)):
        same = any(abs(value - values[k]) < 0.1 and np.all(abs(point - points[k]) < apart) for k in chosen)
        if len(chosen) < wanted and not same and np.isfinite(value):
            chosen.append(i)
    return chosen

"""Descents side by side with some coordinates held, each at its own value, through the one compiled gradient.

A free parameter moves as s = low + width (1 + sin a)/2, so that bounds are reached at finite places; pulls and what is
held are counted as they are. What is held has gradient 0, so that no step of BFGS ever moves it.
"""

from collections.abc import Callable

import numpy as np

from anomfit.inference import scaled
from anomfit.inference.descent import Evaluate, descend
from anomfit.inference.evaluate import gradients
from anomfit.problem import Problem

INSIDE = 1e-3  # of a range: starts keep this distance to bounds, where the map has no slope


def descend_held(
    problem: Problem,
    starts: np.ndarray,
    held: np.ndarray,
    rounds: int,
    report: Callable[[int], None] | None = None,
    evaluate: Evaluate | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise -2 ln L from scaled `starts` (n, coordinates) with the coordinates `held` as they are.

    held: a mask for all starts (coordinates,) or for each (n, coordinates). `evaluate` gives values and gradients at
    scaled coordinates, by default those of `problem`; for another objective `starts` may have further columns, which
    are held. Returns points and values; a descent that gains nothing returns its start.
    """
    limits, free = scaled.box(problem), len(problem.free)
    low, width = limits.low[:free], limits.widths[:free]
    held = np.broadcast_to(held, starts.shape)
    share = np.clip((starts[:, :free] - low) / width, INSIDE, 1.0 - INSIDE)
    coordinates = np.array(starts, dtype=float)
    coordinates[:, :free] = np.where(held[:, :free], starts[:, :free], np.arcsin(2.0 * share - 1.0))

    def taken_apart(packed):
        """Scaled coordinates, their slopes by what is minimised over, and what is held."""
        a, is_held = packed[:, : starts.shape[1]], packed[:, starts.shape[1] :] > 0.5
        s, slope = a.copy(), np.where(is_held, 0.0, 1.0)
        angle, fixed = a[:, :free], is_held[:, :free]
        s[:, :free] = np.where(fixed, angle, low + 0.5 * width * (1.0 + np.sin(angle)))
        slope[:, :free] *= 0.5 * width * np.cos(angle)
        return s, slope

    def at_angles(packed):
        s, slope = taken_apart(packed)
        values, slopes = evaluate(s) if evaluate is not None else gradients(problem, s)
        return values, np.concatenate([np.where(slope == 0.0, 0.0, slopes * slope), np.zeros(s.shape)], axis=1)

    # a descent knows its own mask as further coordinates, of gradient 0: only those that go on are evaluated
    packed = np.concatenate([coordinates, held], axis=1)
    ended, values = descend(at_angles, packed, rounds, report or (lambda done: None))
    return taken_apart(ended)[0], values

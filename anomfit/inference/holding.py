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
    """Minimise -2 ln L from scaled `starts` (n, coordinates) with the coordinates `held` (a mask) as they are.

    `evaluate` gives values and gradients at scaled coordinates, by default those of `problem`; for another objective
    `starts` may have further columns, which are held. Returns points and values; a descent that gains nothing returns
    its start.
    """
    limits = scaled.box(problem)
    moving = np.flatnonzero(~held[: len(problem.free)])
    low, width = limits.low[moving], limits.widths[moving]
    share = np.clip((starts[:, moving] - low) / width, INSIDE, 1.0 - INSIDE)
    coordinates = np.array(starts, dtype=float)
    coordinates[:, moving] = np.arcsin(2.0 * share - 1.0)

    def to_scaled(a):
        s = a.copy()
        s[:, moving] = low + 0.5 * width * (1.0 + np.sin(a[:, moving]))
        return s

    def at_angles(a):
        values, slopes = evaluate(to_scaled(a)) if evaluate is not None else gradients(problem, to_scaled(a))
        slopes[:, moving] *= 0.5 * width * np.cos(a[:, moving])
        slopes[:, held] = 0.0
        return values, slopes

    ended, values = descend(at_angles, coordinates, rounds, report or (lambda done: None))
    return to_scaled(ended), values

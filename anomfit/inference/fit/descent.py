"""Many descents side by side: SciPy's BFGS, each in a thread of its own, all of them asking for gradients together.

A minimiser that calls the likelihood itself compiles a program of its own, which takes longer than the descents. Here
each one asks, and waits until all others have asked or ended; then one batch of the shared program answers them all.

Descents side by side with some coordinates held, each at its own value, through the one compiled gradient.

A free parameter moves as s = low + width (1 + sin a)/2, so that bounds are reached at finite places; pulls and what is
held are counted as they are. What is held has gradient 0, so that no step of BFGS ever moves it.
"""

import threading
import warnings
from collections.abc import Callable
from queue import SimpleQueue

import numpy as np
from scipy.optimize import minimize

from anomfit.inference import coordinates
from anomfit.inference.compiled import Evaluate, gradients
from anomfit.problem import Problem

PATIENCE = 30  # gradients in which a descent must gain NO_GAIN to go on
NO_GAIN = 1e-3
OUT_OF_REACH = 1e12  # what a line search sees where the function is not finite


def descend(
    evaluate: Evaluate, starts: np.ndarray, rounds: int, report: Callable[[int], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise from each of `starts` (n, coordinates); (points, values), the lowest that each descent met.

    `evaluate` gives values and gradients at any number of points, in unbounded coordinates; it is called from this
    thread alone. A round is one gradient of every descent that goes on, at most `rounds` of them. A descent ends where
    BFGS does, or when it has gained less than `NO_GAIN` in `PATIENCE` rounds; `report` gets the number that ended.
    """
    descents = [_Descent(start, rounds) for start in np.array(starts, dtype=float)]
    asked: SimpleQueue[_Descent] = SimpleQueue()
    threads = [threading.Thread(target=descent.run, args=(asked,), daemon=True) for descent in descents]
    with warnings.catch_warnings():
        # a line search that ends on a wall is an end like any other; SciPy's own filter does not hold across threads
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"scipy\.optimize")
        for thread in threads:
            thread.start()
        try:
            _answer(evaluate, descents, asked, report)
        finally:
            for descent, thread in zip(descents, threads, strict=True):
                descent.answers.put(None)
                thread.join()
    return np.array([d.lowest for d in descents]), np.array([d.value for d in descents])


def _answer(evaluate: Evaluate, descents: "list[_Descent]", asked: SimpleQueue, report: Callable[[int], None]) -> None:
    """Answer what the descents ask, all that go on in one batch, until the last has ended."""
    going = descents
    while going:
        for _ in going:
            asked.get()
        going = [descent for descent in going if not descent.ended]
        if going:
            for descent, *answer in zip(going, *evaluate(np.array([d.trial for d in going])), strict=True):
                descent.answers.put(answer)
        report(len(descents) - len(going))


class _Descent:
    """One descent. Its thread runs `run`; the other side reads `trial` and `ended`, and fills `answers`."""

    def __init__(self, start: np.ndarray, rounds: int):
        self.trial = self.lowest = start
        self.value, self.rounds = np.inf, rounds
        self.history: list[float] = []  # the lowest value after each gradient
        self.ended = False
        self.answers: SimpleQueue = SimpleQueue()

    def run(self, asked: SimpleQueue) -> None:
        def ask(x):
            self.trial = np.array(x)
            asked.put(self)
            return self._heard(self.answers.get())

        try:
            minimize(ask, self.trial, jac=True, method="BFGS", options={"gtol": 1e-6, "maxiter": self.rounds})
        except _Over:
            pass
        finally:
            self.ended = True
            asked.put(self)

    def _heard(self, answer) -> tuple[float, np.ndarray]:
        """The answer, made finite, once it has been noted; raises `_Over` when there is no reason to go on."""
        if answer is None:
            raise _Over
        value, slope = answer
        if not (np.isfinite(value) and np.isfinite(slope).all()):
            value, slope = OUT_OF_REACH, np.zeros_like(slope)
        elif value < self.value:
            self.lowest, self.value = self.trial, float(value)
        self.history.append(self.value)
        is_idle = len(self.history) > PATIENCE and self.history[-1 - PATIENCE] - self.value < NO_GAIN
        if is_idle or len(self.history) >= self.rounds or not np.isfinite(self.value):
            raise _Over
        return float(value), slope


class _Over(Exception):
    """A descent has nothing more to gain, has used up its gradients, or is not wanted any more."""


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
    limits, free = coordinates.box(problem), len(problem.free)
    low, width = limits.low[:free], limits.widths[:free]
    held = np.broadcast_to(held, starts.shape)
    share = np.clip((starts[:, :free] - low) / width, INSIDE, 1.0 - INSIDE)
    angles = np.array(starts, dtype=float)
    angles[:, :free] = np.where(held[:, :free], starts[:, :free], np.arcsin(2.0 * share - 1.0))

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
    packed = np.concatenate([angles, held], axis=1)
    ended, values = descend(at_angles, packed, rounds, report or (lambda done: None))
    return taken_apart(ended)[0], values

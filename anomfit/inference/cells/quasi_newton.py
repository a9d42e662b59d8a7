"""Many short descents side by side, each from an inverse Hessian that it is given: BFGS that stops by distance.

SciPy's BFGS (`descent`) is made for a start of which nothing is known. A cell of a plane starts next to its minimum,
with its neighbour's inverse Hessian, and needs two or three gradients if nobody spends more on the length of a step.
The step of length 1 is tried first, and the end is where the distance to the minimum, by the inverse Hessian, is below
a tolerance.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LONGEST = 1.0  # of a step in any angle, radian
WIDER = 8.0  # a step is at most this times as long as the last one that was good
ARMIJO = 1e-4
SLIGHT = 1.0  # of -2 ln L per radian^2, a curvature downwards
SHORTER = 8  # rejected steps in a row, after which a descent ends
FLOOR = 0.02  # |gradient|^2 times this counts as distance too: a carried curvature may be too large
NEAR_END = 0.2  # cos a, below which a parameter is at an end of its range
INWARD = 0.05  # of the range: a parameter at an end moves so far inside ...
GAIN = 5e-3  # ... if -2 ln L is to fall by this over that way
NUDGES = 3

Evaluate = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Ends:
    """Where n descents ended: angles (n, m), -2 ln L, its distance to the minimum, whether that is below the tolerance,
    the inverse Hessian (n, m, m), and how many gradients each took.
    """

    a: np.ndarray
    value: np.ndarray
    distance: np.ndarray
    converged: np.ndarray
    inverse: np.ndarray
    gradients: np.ndarray


def descend_from(
    evaluate: Evaluate,
    starts: np.ndarray,
    inverse: np.ndarray,
    angular: np.ndarray,
    tolerance: float,
    rounds: int,
    report: Callable[[int], None] = lambda done: None,
) -> Ends:
    """Minimise from each of `starts` (n, m) with the inverse Hessians `inverse` (n, m, m).

    `evaluate(which, points)` gives values (k,), gradients by the coordinates (k, m), and gradients by the fractions of
    ranges for the coordinates that are angles, the mask `angular` (m,), at points of the descents `which` (k,).
    A descent whose start has no finite value or gradient ends there, not converged.
    """
    descents = [_Descent(a, h, angular, tolerance, rounds) for a, h in zip(starts, inverse, strict=True)]
    while going := [k for k, descent in enumerate(descents) if not descent.ended]:
        answers = evaluate(np.array(going), np.array([descents[k].trial for k in going]))
        for k, *answer in zip(going, *answers, strict=True):
            descents[k].hear(*answer)
        report(sum(descent.ended for descent in descents))
    return Ends(
        np.array([d.a for d in descents]).reshape(starts.shape),
        np.array([d.value for d in descents]),
        np.array([d.distance for d in descents]),
        np.array([d.converged for d in descents], dtype=bool),
        np.array([d.inverse for d in descents]).reshape(inverse.shape),
        np.array([d.gradients for d in descents], dtype=int),
    )


def inverted(hessian: np.ndarray, least: float) -> np.ndarray:
    """The inverse with every curvature made positive and not below `least`.

    A direction that curves downwards a little counts as flat: the slope goes on, and a step along it is a long one.
    """
    values, vectors = np.linalg.eigh(hessian)
    return (vectors / np.where((values < 0.0) & (values > -SLIGHT), least, np.maximum(abs(values), least))) @ vectors.T


class _Descent:
    """One descent: asks for `trial`, is told with `hear`, until `ended`."""

    def __init__(self, start: np.ndarray, inverse: np.ndarray, angular: np.ndarray, tolerance: float, rounds: int):
        self.a, self.trial, self.inverse = start, start, inverse
        self.value = self.distance = np.inf
        self.ended = self.converged = False
        self.gradients, self._rejected, self._nudges, self._reach = 0, 0, NUDGES, np.inf
        self._angular, self._tolerance, self._rounds = angular, tolerance, rounds
        self._slope: np.ndarray | None = None  # None: whatever is heard next is a start
        self._by_fraction = self._step = np.zeros_like(start)
        self._before: tuple | None = None  # what a nudge has to be better than

    def hear(self, value: float, slope: np.ndarray, by_fraction: np.ndarray) -> None:
        """What is at `trial`; chooses the next one, or ends."""
        self.gradients += 1
        is_finite = bool(np.isfinite(value) and np.isfinite(slope).all())
        if self._slope is None:
            if not is_finite:
                return self._end(False)
            self._accept(value, slope, by_fraction)
        else:
            if is_finite and value <= self.value + ARMIJO * (self._slope @ self._step):
                self._learn(slope - self._slope)
                self._reach = WIDER * float(np.linalg.norm(self._step))
                self._accept(value, slope, by_fraction)
            else:
                return self._shorten(value if is_finite else np.inf)
        self._go_on()

    def _accept(self, value, slope, by_fraction) -> None:
        self.a, self.value, self._slope, self._by_fraction = self.trial, float(value), slope, by_fraction
        self._rejected = 0

    def _go_on(self) -> None:
        assert self._slope is not None
        newton = self.inverse @ self._slope
        fall = float(self._slope @ newton)
        self.distance = 0.5 * fall + FLOOR * float(self._slope @ self._slope)
        if self.distance < self._tolerance:
            return self._nudge()
        if self.gradients >= self._rounds:
            return self._end(False)
        longest = min(LONGEST / float(np.max(np.abs(newton))), self._reach / float(np.linalg.norm(newton)))
        self._step = -newton * min(1.0, longest)
        self.trial = self.a + self._step

    def _shorten(self, value: float) -> None:
        """The step again, to the minimum of the parabola through what is known of it."""
        assert self._slope is not None
        self._rejected += 1
        if self._rejected > SHORTER or self.gradients >= self._rounds:
            return self._end(False)
        along = float(self._slope @ self._step)
        bend = value - self.value - along
        share = -0.5 * along / bend if np.isfinite(bend) and bend > 0.0 else 0.2
        self._step = self._step * float(np.clip(share, 0.1, 0.5))
        self.trial = self.a + self._step

    def _learn(self, y: np.ndarray) -> None:
        """The update of Broyden, Fletcher, Goldfarb and Shanno, where the curvature along the step is above 0."""
        s = self._step
        along = float(s @ y)
        if along <= 1e-8 * float(np.linalg.norm(s) * np.linalg.norm(y)):
            return
        left = np.eye(len(s)) - np.outer(s, y) / along
        self.inverse = left @ self.inverse @ left.T + np.outer(s, s) / along

    def _nudge(self) -> None:
        """At an end of a range an angle has no gradient: go on from inside it where -2 ln L falls that way."""
        inward = np.where(np.sin(self.a) > 0.0, self._by_fraction, -self._by_fraction)
        at_end = self._angular & (np.abs(np.cos(self.a)) < NEAR_END) & (inward * INWARD > GAIN)
        if not at_end.any() or not self._nudges or self.gradients >= self._rounds:
            return self._end(True)
        self._nudges -= 1
        if self._before is None or self.value < self._before[1]:
            self._before = (self.a, self.value, self.distance, self.inverse)
        self.trial = np.where(at_end, np.arcsin(np.sign(np.sin(self.a)) * (1.0 - 2.0 * INWARD)), self.a)
        self._slope, self.value, self._reach = None, np.inf, np.inf

    def _end(self, converged: bool) -> None:
        if self._before is not None and not self.value < self._before[1]:
            self.a, self.value, self.distance, self.inverse = self._before
            converged = True
        self.ended, self.converged = True, converged
        self._fold()

    def _fold(self) -> None:
        """Angles between -pi/2 and pi/2, where each fraction has one."""
        folded = np.where(self._angular, np.arcsin(np.sin(self.a)), self.a)
        sign = np.where(self._angular & (np.cos(self.a) < 0.0), -1.0, 1.0)
        self.a, self.inverse = folded, self.inverse * np.outer(sign, sign)

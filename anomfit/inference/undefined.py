"""Points at which a likelihood, or its gradient alone, is not a number: counted, placed, and said with the cure.

No minimiser and no chain can enter such a region, and nothing else would show that it was left out. A likelihood that
is 0 at a finite prediction is another matter: a measurement excludes the point, as it may.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import beta

from anomfit.inference import coordinates
from anomfit.inference.compiled import Forward
from anomfit.problem import Problem

KEPT = 4096  # points whose places are remembered
UNLIKELY = 0.01  # chance below which a narrow range of a few points is no accident
NAMED = 4  # parameters in a sentence
CURE = "'A likelihood that is not a number' in docs/sampling.md"

Values = Mapping[str, np.ndarray]


def undefined_values(said: Forward) -> np.ndarray:
    """Which points have a likelihood that is not a number or infinite, or is 0 because a prediction is not finite."""
    broken = np.zeros(len(said.twice_nll), dtype=bool)
    for log_likelihood, signal in zip(said.log_likelihood, said.signal, strict=True):
        broken |= np.isnan(log_likelihood) | np.isposinf(log_likelihood)
        for counts in signal.values():
            broken |= ~np.isfinite(np.asarray(counts)).reshape(len(broken), -1).all(axis=1) & ~np.isfinite(
                log_likelihood
            )
    return broken


@dataclass
class Watch:
    """What one stage of a run met. `stage` completes "at 3 of 100 ...": "points of the prior".

    `places` turns points in the stage's coordinates (n, coordinates) into values by name.
    """

    stage: str
    places: Callable[[np.ndarray], Values]
    looked: int = 0
    without_value: int = 0
    without_gradient: int = 0
    at_value: list[np.ndarray] = field(default_factory=list)
    at_gradient: list[np.ndarray] = field(default_factory=list)
    lowest: float = np.inf

    def noted(self, points: np.ndarray, twice_nll: np.ndarray, slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """-2 ln L (n,) and its gradients (n, coordinates) at `points`, as given, once they are counted."""
        self.note(points, np.isnan(twice_nll) | np.isneginf(twice_nll))
        broken = np.isfinite(twice_nll) & ~np.isfinite(slopes).all(axis=1)
        self.without_gradient += int(broken.sum())
        if broken.any():
            self.lowest = min(self.lowest, float(twice_nll[broken].min()))
        _remember(self.at_gradient, points[broken])
        return twice_nll, slopes

    def note(self, points: np.ndarray, broken: np.ndarray) -> None:
        """Count `points`, those of the mask `broken` as without a value."""
        self.looked += len(points)
        self.note_more(points, broken)

    def note_more(self, points: np.ndarray, broken: np.ndarray) -> None:
        """`note` of points that were counted before: more is known of them now."""
        self.without_value += int(broken.sum())
        _remember(self.at_value, points[broken])

    def sentences(self, problem: Problem, best: float | None = None) -> tuple[str, ...]:
        """What must be said; nothing where all was finite. `best` is the lowest -2 ln L that the stage could reach."""
        found = []
        if self.without_value:
            where = placed(problem, self.places(np.concatenate(self.at_value)))
            found.append(
                f"the likelihood is not a number at {self.without_value} of {self.looked} {self.stage} ({where}): they "
                f"count as excluded; give the model a finite prediction there, such as no signal, see {CURE}"
            )
        if self.without_gradient:
            where = placed(problem, self.places(np.concatenate(self.at_gradient)))
            better = "" if best is None or self.lowest > best else f", though -2 ln L falls to {self.lowest:.4g} there"
            found.append(
                f"the gradient is not finite at {self.without_gradient} of {self.looked} {self.stage}, where the "
                f"likelihood is ({where}): no fit and no chain enters there{better}; use the double where, see {CURE}"
            )
        return tuple(found)


def placed(problem: Problem, values: Values) -> str:
    """Where points lie: "x from 1 to 2" for parameters that they fill a part of, or one of them if they are few."""
    points = np.array([[coordinates.scale(p, float(x)) for x in np.atleast_1d(values[p.name])] for p in problem.free])
    if not len(points):
        return "for any value of the pulls"
    if points.shape[1] < 3:
        first = {p.name: float(np.atleast_1d(values[p.name])[0]) for p in problem.free[: 2 * NAMED]}
        return "at " + ", ".join(f"{name} = {value:.4g}" for name, value in first.items())
    limits, free = coordinates.box(problem), len(problem.free)
    spans = (points.max(axis=1) - points.min(axis=1)) / limits.widths[:free]
    narrow = min(0.95, float(beta.ppf(UNLIKELY, points.shape[1] - 1, 2)))  # of uniform points, that many
    chosen = [i for i in np.argsort(spans) if spans[i] < narrow][:NAMED]
    if not chosen:
        return "anywhere in the ranges"
    words = []
    for i in chosen:
        own = np.atleast_1d(values[problem.free[i].name])
        words.append(f"{problem.free[i].name} from {own.min():.4g} to {own.max():.4g}")
    return ", ".join(words)


def _remember(kept: list[np.ndarray], points: np.ndarray) -> None:
    room = KEPT - sum(map(len, kept))
    if room > 0 and len(points):
        kept.append(np.array(points[:room]))

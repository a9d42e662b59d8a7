"""Which ends of many descents belong to one optimum, and which of them are worth a look."""

import numpy as np

from anomfit.inference import scaled
from anomfit.inference.evaluate import forward
from anomfit.problem import Problem

BARRIER = 1.0  # in -2 ln L
FAR = 9.0  # ends this far above the best are no candidates
MOST = 512  # ends looked at, the best ones
APART = 0.2  # of a range, in some parameter: points of one basin that are told apart
BETWEEN = np.linspace(0.0, 1.0, 7)[1:-1]


def basins(problem: Problem, ends: np.ndarray, values: np.ndarray, wanted: int) -> list[np.ndarray]:
    """Indices of `ends` (n, scaled coordinates; best first) by basin, the best end of each first; up to `wanted`.

    Two ends are neighbours if on the straight line between them -2 ln L rises by at most `BARRIER` above the higher
    one; a basin is what neighbours connect. An end is tried with its nearest end in the basin only, so that a valley
    that bends between sparse ends may be cut in two. Lines are straight in the coordinates in which errors are quoted.
    """
    finite = np.flatnonzero(np.isfinite(values))
    left = finite[values[finite] <= values[finite[0]] + FAR][:MOST] if finite.size else finite
    found: list[np.ndarray] = []
    while left.size and len(found) < wanted:
        joined = _connected(problem, ends[left], values[left])
        found.append(left[joined])
        left = left[~joined]
    return found


def representatives(problem: Problem, ends: np.ndarray, groups: list[np.ndarray], wanted: int) -> list[tuple[int, int]]:
    """(end, basin) of up to `wanted` points: the best of every basin, then ends far from those already chosen.

    Far: `APART` of a range or more in some parameter; the farthest first, basins taking turns as their ends allow.
    """
    cube = ends[:, : len(problem.free)] / scaled.box(problem).widths[: len(problem.free)]
    chosen = [(int(group[0]), k) for k, group in enumerate(groups)][:wanted]
    pool = [(int(i), k) for k, group in enumerate(groups) for i in group[1:]]
    while pool and len(chosen) < wanted:
        away = [min(np.max(abs(cube[i] - cube[j])) for j, _ in chosen) for i, _ in pool]
        farthest = int(np.argmax(away))
        if away[farthest] < APART:
            break
        chosen.append(pool.pop(farthest))
    return chosen


def _connected(problem: Problem, ends: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Which ends are connected with the first one."""
    widths = scaled.box(problem).widths
    joined, tried = np.arange(len(ends)) == 0, np.full(len(ends), -1)
    while not joined.all():
        outside, inside = np.flatnonzero(~joined), np.flatnonzero(joined)
        away = np.sum(((ends[outside, None] - ends[None, inside]) / widths) ** 2, axis=-1)
        nearest = inside[np.argmin(away, axis=1)]
        fresh = nearest != tried[outside]
        if not fresh.any():
            break
        outside, nearest = outside[fresh], nearest[fresh]
        tried[outside] = nearest
        higher = np.maximum(values[outside], values[nearest])
        joined[outside] = _highest_between(problem, ends[nearest], ends[outside]) <= higher + BARRIER
    return joined


def _highest_between(problem: Problem, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The largest -2 ln L at a few points on the lines between pairs of points (n, scaled coordinates)."""
    line = starts + BETWEEN[:, None, None] * (ends - starts)
    points = [scaled.from_scaled(problem, s) for s in line.reshape(-1, line.shape[-1])]
    found = forward(problem, {name: np.array([point[name] for point in points]) for name in problem.names}).twice_nll
    return np.max(found.reshape(len(BETWEEN), -1), axis=0)

"""The allowed region along two parameters: -2 ln L on a grid of them, minimised over all others in every cell."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from anomfit.errors import InputError, quoted, reject
from anomfit.inference import coordinates
from anomfit.inference.fit.descent import descend_held
from anomfit.inference.optima.search import Search
from anomfit.inference.optima.standing import standings_at
from anomfit.problem import Problem

LEVELS = (2.30, 5.99)  # -2 ln L above the minimum: 68 and 95 % for two parameters
POOL_ABOVE = 25.0  # ends that may start a cell: this far above the best
BETTER = 1.0  # a neighbour is followed when its -2 ln L is lower by this much
IMPROVED = 0.05
HOPELESS = 60.0  # above the minimum: cells that no neighbour is followed from

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class BoundarySettings:
    """`cells` of the grid along each axis; `rounds` of a descent; `sweeps` in which cells look at their neighbours."""

    cells: int = 25
    rounds: int = 60
    sweeps: int = 8

    def __post_init__(self):
        for name, least in (("cells", 2), ("rounds", 1), ("sweeps", 0)):
            if getattr(self, name) < least:
                raise reject(name, getattr(self, name), f"give a whole number, {least} or above")


@dataclass(frozen=True)
class Boundary:
    """-2 ln L of the best point of each cell (rows along `y`) and whether all conditions hold there.

    `lowest` is the smallest -2 ln L that search or grid has found. Axes in the parameters' own units.
    """

    names: tuple[str, str]
    x: np.ndarray
    y: np.ndarray
    twice_nll: np.ndarray
    all_hold: np.ndarray
    points: np.ndarray  # (y, x, coordinates), scaled
    lowest: float
    seconds: float
    interrupted: bool


def check_axes(problem: Problem, names: tuple[str, str]) -> None:
    """Raises InputError unless both are free parameters, and different ones."""
    free = [p.name for p in problem.free]
    if names[0] == names[1]:
        raise InputError(f"--boundary: {quoted(names[0])} is given twice; name two different parameters")
    for name in names:
        if name in problem.fixed:
            raise reject("--boundary", name, f"it is fixed in this problem; use two of {', '.join(free)}")
        if name not in free:
            raise reject("--boundary", name, f"it is no free parameter; use two of {', '.join(free)}")


def boundary(
    problem: Problem,
    names: tuple[str, str],
    search: Search,
    settings: BoundarySettings | None = None,
    progress: Progress | None = None,
) -> Boundary:
    """Profile -2 ln L along two free parameters, starting at what `search` found.

    Every cell starts at the nearest of the search's good ends; then cells look at their neighbours, and go on from the
    best of them as long as that helps. An interrupt (Ctrl-C) during the sweeps returns what there is.
    """
    check_axes(problem, names)
    settings, report = settings or BoundarySettings(), progress or (lambda stage, done, total: None)
    began = time.perf_counter()
    limits, axes = coordinates.box(problem), [problem.names.index(name) for name in names]
    held = np.isin(np.arange(len(problem.names)), axes)
    centres = (np.arange(settings.cells) + 0.5) / settings.cells
    x, y = (limits.low[i] + limits.widths[i] * centres for i in axes)
    grid = np.stack(np.meshgrid(x, y), axis=-1)  # (y, x, 2)

    points = _first_points(search, grid, axes, limits.widths)
    cells = settings.cells**2
    flat, values = descend_held(
        problem, points.reshape(cells, -1), held, settings.rounds, lambda done: report("boundary", done, cells)
    )
    points, values = flat.reshape(points.shape), values.reshape(points.shape[:2])
    interrupted = False
    try:
        _sweep(problem, points, values, axes, held, settings, report)
    except KeyboardInterrupt:
        interrupted = True
    lowest = min(float(np.nanmin(values)), search.optima[0].twice_nll)
    own_x, own_y = (np.exp(v) if problem.free[i].is_log else v for i, v in zip(axes, (x, y), strict=True))
    holds = standings_at(problem, points.reshape(cells, -1)).all_hold.reshape(values.shape) & _inside(problem, points)
    return Boundary(names, own_x, own_y, values, holds, points, lowest, time.perf_counter() - began, interrupted)


def _first_points(search: Search, grid, axes, widths) -> np.ndarray:
    best = np.array([optimum.s for optimum in search.optima])
    good = search.standing.twice_nll <= search.standing.twice_nll.min() + POOL_ABOVE
    pool = np.concatenate([best, search.ends[good]])
    away = (grid[:, :, None, :] - pool[None, None, :, axes]) / widths[axes]
    nearest = np.argmin(np.sum(away**2, axis=-1), axis=-1)
    points = pool[nearest]
    points[..., axes] = grid
    return points


def _sweep(problem, points, values, axes, held, settings, report) -> None:
    """Cells go on from their best neighbour, in place, as long as one gains."""
    for sweep in range(settings.sweeps):
        report("neighbours", sweep, settings.sweeps)
        source = _best_neighbours(values)
        theirs = values.ravel()[source]
        rows = np.flatnonzero((theirs < values.ravel() - BETTER) & (theirs < np.nanmin(values) + HOPELESS))
        if not rows.size:
            break
        flat = points.reshape(-1, points.shape[-1])
        starts = flat[source[rows]].copy()
        starts[:, axes] = flat[rows][:, axes]
        found, lower = descend_held(problem, starts, held, settings.rounds)
        gained = lower < values.ravel()[rows] - IMPROVED
        flat[rows[gained]] = found[gained]
        values.ravel()[rows[gained]] = lower[gained]
        if not gained.any():
            break
    report("neighbours", settings.sweeps, settings.sweeps)


def _best_neighbours(values: np.ndarray) -> np.ndarray:
    """Flat index of the best of the eight neighbours of every cell."""
    height, width = values.shape
    padded = np.pad(np.nan_to_num(values, nan=np.inf), 1, constant_values=np.inf)
    index = np.pad(np.arange(values.size).reshape(values.shape), 1)
    around = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    stack = np.stack([padded[i : i + height, j : j + width] for i, j in around])
    where = np.stack([index[i : i + height, j : j + width] for i, j in around])
    return np.take_along_axis(where, np.argmin(stack, axis=0)[None], axis=0)[0].ravel()


def _inside(problem: Problem, points: np.ndarray) -> np.ndarray:
    """Whether a cell's point lies in the open region, not outside of a bound that other parameters set."""
    flat = points.reshape(-1, points.shape[-1])
    limits = coordinates.box(problem)
    moved = np.array([coordinates.project(problem, s) for s in flat])
    return np.all(abs(moved - flat) <= 0.02 * limits.widths, axis=1).reshape(points.shape[:2])

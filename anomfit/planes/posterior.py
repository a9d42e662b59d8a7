"""The density of a result's draws over a plane, and the regions of highest density."""

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import gaussian_filter

from anomfit.errors import InputError
from anomfit.inference import coordinates
from anomfit.planes.axes import Axis, Range, axes_of
from anomfit.planes.result import CREDIBLE, Plane
from anomfit.problem import Problem
from anomfit.results.result import Result

SMOOTH = 1.0  # width in cells of the Gaussian that smooths the counts
TAIL, MARGIN = 2.5e-3, 0.08  # of the draws, of the range that is shown


def posterior_plane(
    result: Result, problem: Problem, x: str, y: str, grid: object, ranges: Mapping[str, Range] | None
) -> Plane:
    """The marginal density of the draws; axes without a range show the bulk of the draws.

    Columns: the middles of the cells, `draws` in each, `probability` after smoothing by a Gaussian of one cell, and
    `credible`, the probability of the smallest region of highest density that holds the cell. InputError for a result
    without draws, and as `axes_of`.
    """
    if result.samples is None:
        raise InputError("result: it has no posterior; sample it first: anomfit sample CARD --resume")
    given = dict(ranges or {})
    values = {name: np.asarray(draws).reshape(-1) for name, draws in result.samples.values.items()}
    axes_of(problem, x, y, given, grid)  # names first, so that a misspelt one is said
    for name in (x, y):
        if name not in values:
            raise InputError(f"--x, --y: the draws have no {name!r}; they have {', '.join(values)}")
    bulk = {name: _bulk(problem, name, values[name]) for name in (x, y) if name not in given}
    axes = axes_of(problem, x, y, {**bulk, **given}, grid)
    counts = _counts(axes, [values[a.name] for a in axes])
    if not counts.sum():
        raise InputError(f"--range: no draw of {x} and {y} lies in the plane; widen the ranges")
    smooth = gaussian_filter(counts, SMOOTH, mode="constant")
    probability = smooth / smooth.sum() * (counts.sum() / values[x].size)
    order = np.argsort(-probability, axis=None, kind="stable")
    credible = np.empty(probability.size)
    credible[order] = np.cumsum(probability.ravel()[order])
    j, i = np.divmod(np.arange(probability.size), axes[0].cells)
    table = {"cell": np.arange(probability.size), x: axes[0].values[i], y: axes[1].values[j]}
    table |= {"draws": counts.ravel().astype(int), "probability": probability.ravel(), CREDIBLE: credible}
    best = {} if result.fit is None else dict(result.fit.point)
    lowest = float("nan") if result.fit is None else result.fit.twice_nll
    return Plane(axes, "posterior", table, best, lowest, result.provenance.model, result.provenance.measurements)


def _counts(axes: tuple[Axis, Axis], draws: list[np.ndarray]) -> np.ndarray:
    """Draws in each cell (y, x)."""
    edges, places = [], []
    for axis, x in zip(axes, draws, strict=True):
        low, high = (coordinates.scale(axis.parameter, v) for v in (axis.parameter.low, axis.parameter.high))
        edges.append(np.linspace(low, high, axis.cells + 1))
        places.append(np.log(x) if axis.parameter.is_log else x)
    return np.histogram2d(places[1], places[0], bins=[edges[1], edges[0]])[0]


def _bulk(problem: Problem, name: str, draws: np.ndarray) -> Range:
    """Where nearly all draws are, with a margin, inside the parameter's range."""
    parameter = next(p for p in problem.free if p.name == name)
    s = np.log(draws) if parameter.is_log else draws
    low, high = np.quantile(s, [TAIL, 1.0 - TAIL])
    margin = MARGIN * (high - low) or 1e-3 * max(abs(high), 1.0)
    ends = [low - margin, high + margin]
    own = [float(np.exp(v)) if parameter.is_log else float(v) for v in ends]
    return max(own[0], parameter.low), min(own[1], parameter.high)

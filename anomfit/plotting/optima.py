"""Figures of a search: where it ended, the optima, the published points, and the allowed region of two parameters."""

import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomfit.inference.optima.boundary import LEVELS, Boundary
from anomfit.inference.optima.search import Search
from anomfit.parameters import Parameter
from anomfit.plotting.figures import Complain, add_note, save_each
from anomfit.plotting.style import BAND, CURVES, SIGNAL, axis_label, mathematics
from anomfit.problem import Problem

REGION = "#cfe3b4"
COLUMNS = 3
STEEP = 4.0 * LEVELS[1]  # contours are drawn as if -2 ln L never rose further: cells next to a cliff
MOST_NAMED = 8  # published points with a label of their own
NEAR = 0.06  # of an axis: labels would overlap

Points = Mapping[str, Mapping[str, float]]


def save_search_figures(
    folder: Path,
    problem: Problem,
    search: Search,
    published: Points,
    grid: Boundary | None,
    complain: Complain = warnings.warn,
) -> list[Path]:
    """optima.png, and boundary.png where there is a grid; the files. `complain` as in `save_figures`."""
    drawings = {"optima": partial(optima_figure, problem, search, published)}
    if grid is not None:
        drawings["boundary"] = partial(boundary_figure, problem, grid, search, published)
    return save_each(drawings, folder, complain)


def boundary_figure(problem: Problem, grid: Boundary, search: Search, published: Points) -> Figure:
    """The allowed region on a page of its own."""
    figure = Figure(figsize=(5.4, 4.8), layout="constrained")
    plot_boundary(problem, grid, search, published, figure.subplots())
    note = (
        f"-2 ln L minimised over all other parameters in each of {len(grid.x)} x {len(grid.y)} cells. Shaded: "
        "all conditions hold at the cell's best point."
    )
    add_note(figure, note, columns=1)
    return figure


def optima_figure(problem: Problem, search: Search, published: Points) -> Figure:
    """Neighbouring free parameters against each other, a panel a pair."""
    pairs = parameter_pairs(problem)
    columns = 2 if len(pairs) == 4 else min(len(pairs), COLUMNS)
    rows = -(-len(pairs) // columns)
    figure = Figure(figsize=(3.5 * columns, 3.2 * rows + 0.5), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for k, (x, y) in enumerate(pairs):
        plot_ends(problem, search, published, x, y, axes[k // columns, k % columns])
    for k in range(len(pairs), rows * columns):
        axes[k // columns, k % columns].set_axis_off()
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=4)
    add_note(figure, f"Model {problem.model.name}. {search.starts} starts from the prior.", columns)
    return figure


def parameter_pairs(problem: Problem) -> list[tuple[Parameter, Parameter]]:
    """First with second, third with fourth, ...; an odd last one with the first; one parameter with itself."""
    free = list(problem.free)
    pairs = [(free[i], free[i + 1]) for i in range(0, len(free) - 1, 2)]
    if len(free) % 2:
        pairs.append((free[-1], free[0]))
    return pairs


def plot_ends(problem: Problem, search: Search, published: Points, x: Parameter, y: Parameter, ax: Axes) -> Axes:
    """Ends of all starts, optima and published points in the plane of two parameters."""
    columns = [problem.names.index(p.name) for p in (x, y)]
    own = [_unscaled(p, search.ends[:, i]) for p, i in zip((x, y), columns, strict=True)]
    good = search.standing.all_hold
    ax.scatter(own[0][~good], own[1][~good], s=4, color="0.8", lw=0, label="ends", rasterized=True)
    ax.scatter(own[0][good], own[1][good], s=5, color=BAND, lw=0, label="ends, all conditions hold", rasterized=True)
    optima = [o.values for o in search.optima]
    ax.plot(
        [o[x.name] for o in optima],
        [o[y.name] for o in optima],
        "o",
        mfc="white",
        mec=SIGNAL,
        ms=6,
        mew=1.3,
        label="optima",
    )
    _plot_published(published, x, y, ax)
    return _dress(x, y, ax)


def plot_boundary(problem: Problem, grid: Boundary, search: Search, published: Points, ax: Axes) -> Axes:
    """Contours of the profiled -2 ln L, the region in which all conditions hold, optima and published points."""
    x, y = (next(p for p in problem.free if p.name == name) for name in grid.names)
    above = np.clip(np.nan_to_num(grid.twice_nll - grid.lowest, nan=STEEP, posinf=STEEP), 0.0, STEEP)
    ax.pcolormesh(
        grid.x,
        grid.y,
        np.ma.masked_where(~grid.all_hold, np.ones(above.shape)),
        shading="nearest",
        cmap=_one_colour(),
        vmin=0.0,
        vmax=1.0,
    )
    for level, colour, share in zip(LEVELS, (SIGNAL, BAND), ("68 %", "95 %"), strict=True):
        if (above < level).any():
            ax.contour(grid.x, grid.y, above, levels=[level], colors=[colour], linewidths=1.4)
            ax.plot([], [], color=colour, lw=1.4, label=rf"$-2\Delta\ln L = {level:.2f}$ ({share})")
    if grid.all_hold.any():
        ax.fill_between([], [], [], color=REGION, label="all conditions hold")
    best = search.optima[0].values
    ax.plot(best[x.name], best[y.name], "o", mfc="white", mec=SIGNAL, ms=6, mew=1.3, label="best optimum")
    _plot_published(published, x, y, ax)
    ax.legend(loc="best")
    return _dress(x, y, ax)


def _plot_published(published: Points, x: Parameter, y: Parameter, ax: Axes) -> None:
    if not published:
        return
    places = {name: (values[x.name], values[y.name]) for name, values in published.items()}
    at = zip(*places.values(), strict=True)
    ax.plot(*at, "*", color=CURVES[0], ms=8, mec="white", mew=0.5, label="published points")
    if len(published) > MOST_NAMED:
        return
    for names in neighbours({name: (_share(x, u), _share(y, v)) for name, (u, v) in places.items()}):
        ax.annotate(", ".join(names), places[names[0]], xytext=(3, 3), textcoords="offset points", fontsize=6)


def neighbours(places: Mapping[str, tuple[float, float]]) -> list[list[str]]:
    """Names in groups about the first of each: those less than `NEAR` away either way, which are written together."""
    groups: list[list[str]] = []
    for name, place in places.items():
        for group in groups:
            if np.max(np.abs(np.subtract(place, places[group[0]]))) < NEAR:
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def _share(parameter: Parameter, value: float) -> float:
    """Where a value lies along an axis, 0 to 1."""
    low, here, high = (np.log(v) if parameter.is_log else v for v in (parameter.low, value, parameter.high))
    return float((here - low) / (high - low))


def _dress(x: Parameter, y: Parameter, ax: Axes) -> Axes:
    ax.set(
        xlabel=axis_label(mathematics(x.symbol), x.unit),
        ylabel=axis_label(mathematics(y.symbol), y.unit),
        xscale="log" if x.is_log else "linear",
        yscale="log" if y.is_log else "linear",
        xlim=(x.low, x.high),
        ylim=(y.low, y.high),
    )
    return ax


def _unscaled(parameter: Parameter, s: np.ndarray) -> np.ndarray:
    return np.exp(s) if parameter.is_log else s


def _one_colour():
    from matplotlib.colors import ListedColormap

    return ListedColormap([REGION])

"""A plane of two parameters: contours of -2 ln L, of each measurement, and where each constraint begins to exclude."""

from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from anomfit.planes.result import ABOVE, CREDIBLE, LEVELS, REGIONS, Line, Plane
from anomfit.plotting.figures import add_note, save_figure
from anomfit.plotting.posterior import set_ticks
from anomfit.plotting.style import CURVES, SIGNAL, axis_label, mathematics, styled, typeset
from anomfit.results.result import FreeCoordinate

SHADES = ("#9cc4e8", "#d3e5f5")  # of 68 and 95 %
DASHES = ((0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), "solid")
DOTS = {"68 %": (0, (1, 1)), "95 %": (0, (1, 3))}  # of one parameter
MANY = 8  # entries, above which the legend stands beside the axes
STEM = "plane"
WORDS = {"fixed": "all other parameters fixed at the best fit", "profile": "minimised over all other parameters"}


def plot_lines(plane: Plane, ax: Axes) -> Axes:
    """Draw a plane into an Axes: regions of 68 and 95 % of two parameters shaded, dotted lines where one parameter has
    them, a line for each measurement and each constraint that has a contour here, the best fit as a cross.
    """
    lines, (x, y) = plane.lines(), plane.axes
    ax.set(
        xlabel=axis_label(mathematics(x.parameter.symbol), x.parameter.unit),
        ylabel=axis_label(mathematics(y.parameter.symbol), y.parameter.unit),
        xscale="log" if x.parameter.is_log else "linear",
        yscale="log" if y.parameter.is_log else "linear",
        xlim=(x.parameter.low, x.parameter.high),
        ylim=(y.parameter.low, y.parameter.high),
    )
    for axis, own in ((ax.xaxis, x), (ax.yaxis, y)):
        p = own.parameter
        set_ticks(axis, FreeCoordinate(p.name, p.symbol, p.unit, p.low, p.high, p.prior))
    entries = _posterior(plane, ax, lines) if plane.method == "posterior" else _likelihood(plane, ax, lines)
    if x.name in plane.best and y.name in plane.best:
        at = plane.best[x.name], plane.best[y.name]
        entries += ax.plot(*at, "P", color=CURVES[0], ms=8, mec="white", ls="", label="best fit", zorder=6)
    if len(entries) > MANY:
        ax.legend(handles=entries, loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=6.0, labelspacing=0.35)
    else:
        ax.legend(handles=entries, loc="best")
    return ax


def _likelihood(plane: Plane, ax: Axes, lines: list[Line]) -> list:
    above = np.nan_to_num(plane.column(ABOVE), nan=np.inf, posinf=np.inf)
    _shade(plane, ax, above, LEVELS["two parameters"])
    entries = [
        _entry(ax, color=shade, lw=6.0, label=rf"{share}, two parameters: $-2\Delta\ln L$ < {level:.2f}")
        for share, shade, level in zip(("68 %", "95 %"), SHADES, LEVELS["two parameters"], strict=True)
    ]
    colours, styles = cycle(CURVES), cycle(DASHES)
    own: dict[str, tuple] = {}
    for line in lines:
        if not line.contour.pieces:
            continue
        if line.kind == "likelihood":
            is_one = "one parameter" in line.name
            style = DOTS[line.name.partition(",")[0]] if is_one else "-"
            drawn = {"color": SIGNAL, "lw": 0.8 if is_one else 1.4, "ls": style, "zorder": 4}
            label = rf"{line.name}: $-2\Delta\ln L$ = {line.level:.2f}" if is_one else None
        elif line.kind == "measurement":
            if line.name.endswith("95 %"):
                continue  # in the table; two a measurement would fill the figure
            drawn = {"color": next(colours), "lw": 1.2, "ls": "--", "zorder": 3}
            label = typeset(line.name)
        else:
            name = line.name.partition(":")[0]
            if name not in own:
                own[name] = (next(colours), next(styles))
            inside = line.kind.endswith("in the fit")
            drawn = {"color": own[name][0], "ls": own[name][1], "lw": 0.9, "zorder": 2, "alpha": 1.0 if inside else 0.8}
            label = typeset(name if inside else f"({name})")
        for piece in line.contour.pieces:
            ax.plot(*piece.T, **drawn)
        if label is not None:
            entries.append(_entry(ax, label=label, **drawn))
    return entries


def _posterior(plane: Plane, ax: Axes, lines: list[Line]) -> list:
    _shade(plane, ax, plane.column(CREDIBLE), REGIONS)
    for line in lines:
        for piece in line.contour.pieces:
            ax.plot(*piece.T, color=SIGNAL, lw=1.2)
    return [_entry(ax, color=s, lw=6.0, label=f"{n} of the posterior") for s, n in zip(SHADES, ("68 %", "95 %"))]


def _entry(ax: Axes, **drawn: Any) -> Line2D:
    """An entry of the legend, which a later `ax.legend()` of the user's finds too."""
    return ax.plot([], [], **drawn)[0]


def _shade(plane: Plane, ax: Axes, values: np.ndarray, levels: tuple[float, float]) -> None:
    top = np.minimum(values, 4.0 * levels[1])
    if np.any(top < levels[1]):
        x, y = (axis.values for axis in plane.axes)
        ax.contourf(x, y, top, levels=[min(float(top.min()), 0.0), *levels], colors=SHADES, zorder=1)


def lines_figure(plane: Plane) -> Figure:
    """The plane on a page of its own; what excludes all of it is named below."""
    figure = Figure(figsize=(7.2, 4.8), layout="constrained")
    plot_lines(plane, figure.subplots())
    add_note(figure, _note(plane), columns=1)
    return figure


def save_lines(plane: Plane, folder: Path) -> Path:
    """Save it as plane.png in a folder that is there."""
    with styled():
        return save_figure(lines_figure(plane), folder, STEM)


def _note(plane: Plane) -> str:
    nx, ny = (axis.cells for axis in plane.axes)
    if plane.method == "posterior":
        return f"Posterior of {plane.model}: regions of highest density in {nx} x {ny} cells, smoothed by one cell."
    words = [f"{plane.model}: -2 ln L in {nx} x {ny} cells, {WORDS[plane.method]}."]
    words += ["Dashed: where a measurement's own -2 ln L is 2.30 above its lowest in the plane."]
    lines = plane.lines()
    if any(line.kind.startswith("constraint") for line in lines):
        words += ["Constraints at 90 % CL, those in brackets not in the fit."]
    everywhere = [line.name for line in lines if line.kind.startswith("constraint") and line.everywhere]
    if everywhere:
        words += [f"Exclude the whole plane: {', '.join(everywhere)}."]
    return " ".join(words)

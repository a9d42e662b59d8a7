"""The corner plot: the posterior of the free parameters (and of nuisances, if they are few), one and two at a time."""

import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import (
    LogFormatterMathtext,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    StrMethodFormatter,
)

from anomfit.plotting.style import CURVES, QUIET, SIGNAL, axis_label, mathematics, typeset
from anomfit.results.result import FreeCoordinate, Result

SHORT = 1.6  # decades
NARROW = 5.0  # a ratio, above which an axis always has two of 1, 2, 5
LEAST_DRAWS = 50  # fewer say nothing about a distribution
LONG = 8  # letters of a pull's name that stand on one line
_TAIL = 2.5e-3
MANY = 12  # coordinates, above which nuisances are left to the figure of pulls
_LEVELS = (0.68, 0.95)


def has_posterior(result: Result) -> bool:
    """Whether there are draws enough for a corner plot."""
    return result.samples is not None and result.samples.z[..., 0].size >= max(
        LEAST_DRAWS, result.samples.z.shape[-1] + 1
    )


def plot_corner(result: Result, figure: Figure) -> Figure:
    """Draw the posterior of `result` in an empty `figure`; about 1.3 inches a coordinate make it readable.

    Axes are logarithmic where the prior is; dotted lines are the prior's bounds, solid ones the best fit. Contours hold
    68 and 95 %, dashed lines stand at 16, 50 and 84 %. A result without posterior: ValueError.
    """
    import corner

    if not has_posterior(result):
        raise ValueError("the result has no posterior, or too few draws; sample it first")
    coordinates = shown_coordinates(result)
    assert result.samples is not None
    columns = [result.samples.values[c.name].reshape(-1) for c in coordinates]
    corner.corner(
        np.stack(columns, axis=-1),
        fig=figure,
        bins=24,
        range=[shown_range(c, x) for c, x in zip(coordinates, columns, strict=True)],
        axes_scale=["log" if is_log(c) else "linear" for c in coordinates],  # type: ignore[arg-type]  # one a coordinate
        labels=[coordinate_label(c) for c in coordinates],
        quantiles=[0.16, 0.5, 0.84],
        levels=_LEVELS,
        smooth=0.8,
        plot_datapoints=False,
        fill_contours=True,
        max_n_ticks=3,
        color=SIGNAL,
        hist_kwargs={"color": SIGNAL, "lw": 1.0},
        labelpad=0.18,
    )
    axes = np.array(figure.axes).reshape(len(coordinates), len(coordinates))
    for i, row in enumerate(coordinates):
        for j, column in enumerate(coordinates[: i + 1]):
            set_ticks(axes[i, j].xaxis, column, labelled=i == len(coordinates) - 1)
            _mark(axes[i, j], column, result, vertical=True)
            if i != j:
                set_ticks(axes[i, j].yaxis, row, labelled=j == 0)
                _mark(axes[i, j], row, result, vertical=False)
    return figure


def shown_coordinates(result: Result) -> tuple[FreeCoordinate, ...]:
    """Those that the corner plot shows: all, or the free parameters alone where there are many."""
    everything = tuple(result.provenance.coordinates)
    return everything if len(everything) <= MANY else tuple(c for c in everything if c.prior != "pull")


def _mark(ax, coordinate: FreeCoordinate, result: Result, vertical: bool) -> None:
    line = ax.axvline if vertical else ax.axhline
    low, high = sorted(ax.get_xlim() if vertical else ax.get_ylim())
    for bound in (coordinate.low, coordinate.high):
        if low <= bound <= high:
            line(bound, color=QUIET, lw=0.8, ls=":")
    if result.fit is not None:
        line(result.fit.point[coordinate.name], color=CURVES[0], lw=0.9)


def set_ticks(axis: Axis, coordinate: FreeCoordinate, labelled: bool = True) -> None:
    """Decades on a long logarithmic axis; 1, 2, 5 on a short one; round numbers where only one of these may fit.

    Matplotlib's own labels run into each other.
    """
    if not is_log(coordinate):
        return
    low, high = axis.get_view_interval()
    is_short, is_narrow = abs(np.log10(high / low)) < SHORT, max(high, low) < NARROW * min(high, low)
    by_decade = LogLocator(subs=(1.0, 2.0, 5.0) if is_short else (1.0,), numticks=8 if is_short else 4)
    axis.set_major_locator(MaxNLocator(2) if is_narrow else by_decade)
    if is_narrow:
        axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
    if labelled:
        axis.set_major_formatter(StrMethodFormatter("{x:g}") if is_short else LogFormatterMathtext())


def is_log(coordinate: FreeCoordinate) -> bool:
    """Whether its axis is logarithmic: where the prior is."""
    return coordinate.prior == "log-uniform"


def coordinate_label(coordinate: FreeCoordinate) -> str:
    """Its symbol with the unit, for an axis."""
    if coordinate.prior == "pull":
        words = typeset(coordinate.name).split("_") if len(coordinate.name) > LONG else [typeset(coordinate.name)]
        return "\n".join(["pull of", *words])
    return axis_label(mathematics(coordinate.symbol), coordinate.unit)


def shown_range(coordinate: FreeCoordinate, draws: np.ndarray) -> tuple[float, float]:
    """The bulk of the draws with a margin, and no more than a little beyond the prior's bounds."""
    scale, back = (np.log, np.exp) if is_log(coordinate) else (np.asarray, np.asarray)
    low, high = np.quantile(scale(draws), [_TAIL, 1.0 - _TAIL])
    margin = 0.08 * (high - low) or 1e-3 * max(abs(high), 1.0)
    low, high = low - margin, high + margin
    if np.isfinite(coordinate.low):
        first, last = scale(coordinate.low), scale(coordinate.high)
        edge = 0.03 * (last - first)
        low, high = max(low, first - edge), min(high, last + edge)
    return float(back(low)), float(back(high))

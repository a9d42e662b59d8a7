"""The posterior in the plane of two parameters: contours of 68 and 95 %, the best fit marked."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomfit.cards import card_from_text
from anomfit.errors import InputError
from anomfit.folders import made_folder
from anomfit.plotting.figures import add_note, save_figure
from anomfit.plotting.posterior import coordinate_label, has_posterior, is_log, set_ticks, shown_range
from anomfit.plotting.style import CURVES, QUIET, SIGNAL, styled
from anomfit.results.result import FreeCoordinate, Result
from anomfit.userfiles import resolve_model

LEVELS = (0.6827, 0.9545)  # probabilities that the contours enclose
GRID, SMOOTH = 40, 1.0  # cells a side; width in cells of the Gaussian that smooths the counts


def plot_plane(result: Result, x: str, y: str, ax: Axes) -> Axes:
    """Draw the posterior of two parameters as the regions of highest density that hold 68.27 and 95.45 % of it.

    `x` and `y` name free parameters, nuisance pulls, or other physical quantities of the model that the result keeps.
    Axes are logarithmic where the prior is; dotted lines are the prior's bounds. The best fit is a cross; a quantity
    that the fit does not have as a parameter has none. InputError for a result without a posterior, and for an unknown
    name.
    """
    import corner

    coordinates = [_coordinate(result, name) for name in (x, y)]
    columns = [_draws(result, name) for name in (x, y)]
    corner.hist2d(
        *columns,
        ax=ax,
        bins=GRID,
        range=[shown_range(c, drawn) for c, drawn in zip(coordinates, columns, strict=True)],
        axes_scale=["log" if is_log(c) else "linear" for c in coordinates],  # type: ignore[arg-type]  # one an axis
        levels=LEVELS,
        smooth=SMOOTH,
        plot_datapoints=False,
        plot_density=False,
        fill_contours=True,
        color=SIGNAL,
        contour_kwargs={"linewidths": 1.0},
    )
    for coordinate, axis in zip(coordinates, (ax.xaxis, ax.yaxis), strict=True):
        set_ticks(axis, coordinate)
    views = [(ax.axvline, ax.get_xlim()), (ax.axhline, ax.get_ylim())]
    for coordinate, (line, view) in zip(coordinates, views, strict=True):
        for bound in (coordinate.low, coordinate.high):
            if min(view) <= bound <= max(view):
                line(bound, color=QUIET, lw=0.8, ls=":")
    best = result.fit.point if result.fit is not None else {}
    if x in best and y in best:
        ax.plot([best[x]], [best[y]], "P", color=CURVES[0], ms=8, mec="white", label="best fit", zorder=6)
        ax.legend(loc="best")
    ax.set_xlabel(coordinate_label(coordinates[0]))
    ax.set_ylabel(coordinate_label(coordinates[1]))
    return ax


def plane_figure(result: Result, x: str, y: str) -> Figure:
    """The plane on a page of its own."""
    figure = Figure(figsize=(5.0, 4.6), layout="constrained")
    plot_plane(result, x, y, figure.subplots())
    origin = result.provenance
    note = (
        f"Posterior of {origin.model} with {', '.join(origin.measurements)}: regions of highest density that hold "
        "68 and 95 %, all other parameters integrated out."
    )
    add_note(figure, note, columns=1)
    return figure


def save_plane(result: Result, x: str, y: str, folder: str | Path) -> Path:
    """Save it as plane-X-Y.png in `folder`, which is made if need be; the file. InputError as `plot_plane`."""
    name = "".join(c if c.isalnum() or c in "-._" else "-" for c in f"plane-{x}-{y}")
    with styled():
        return save_figure(plane_figure(result, x, y), made_folder(Path(folder)), name)


def _draws(result: Result, name: str) -> np.ndarray:
    if not has_posterior(result):
        raise InputError("result: it has no posterior, or too few draws; sample it first: anomfit sample CARD --resume")
    assert result.samples is not None
    return {**result.samples.derived, **result.samples.values}[name].reshape(-1)


def _coordinate(result: Result, name: str) -> FreeCoordinate:
    """A coordinate of the fit; for another quantity of the model, its symbol, unit and scale as the model has them."""
    own = {c.name: c for c in result.provenance.coordinates}
    derived = {} if result.samples is None else result.samples.derived
    if name in own:
        return own[name]
    if name not in derived:
        known = ", ".join(dict.fromkeys([*own, *derived]))
        raise InputError(f"--parameters: the result has no {name!r}; it has {known}")
    model = resolve_model(card_from_text(result.provenance.card).model)
    for parametrisation in model.parametrisations.values():
        for p in parametrisation.parameters:
            if p.name == name:
                return FreeCoordinate(name, p.symbol, p.unit, -np.inf, np.inf, p.prior)
    return FreeCoordinate(name, rf"\mathtt{{{name}}}".replace("_", r"\_"), "1", -np.inf, np.inf, "uniform")

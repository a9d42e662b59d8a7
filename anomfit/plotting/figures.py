"""The figures of a result as files."""

import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from anomfit.errors import InputError, quoted
from anomfit.folders import claim, made_folder, spectrum_figure_name, written_whole
from anomfit.plotting.constraints import LEAST, plot_constraints, shown_constraints
from anomfit.plotting.panels import Panel, panels
from anomfit.plotting.posterior import has_posterior, plot_corner, shown_coordinates
from anomfit.plotting.pulls import plot_pulls, pull_rows
from anomfit.plotting.references import oscillation_curves
from anomfit.plotting.signals import plot_signals, signal_rows
from anomfit.plotting.spectrum import plot_excess, plot_spectrum
from anomfit.plotting.style import QUIET, styled, typeset
from anomfit.results.result import Result, Spectrum, options_of

Draw = Callable[[], Figure]
Complain = Callable[[str], None]

COLUMNS = 3  # panels side by side, at most
NOTE_WIDTH = 92  # characters of a caption note per panel


def save_figures(result: Result, folder: str | Path, complain: Complain = warnings.warn) -> list[Path]:
    """Draw what `result` has: a spectrum for each measurement with bins, the corner plot, the pulls; return the files.

    `folder` is made if need be; figures of ours that are there are replaced, each written whole. Files:
    spectrum-NAME-ERA.png, corner.png and signals.png (with a posterior of enough draws), pulls.png, and what is drawn
    for one model alone. `complain` gets a sentence for each figure that cannot be drawn or written; the others are.
    """
    folder = made_folder(Path(folder))
    return save_each(_drawings(result), folder, complain)


def save_each(drawings: Mapping[str, Draw], folder: Path, complain: Complain) -> list[Path]:
    """Save what the functions draw under their names, in the look of this package; `complain` as in `save_figures`."""
    made = []
    with styled():
        for name, draw in drawings.items():
            try:
                made.append(save_figure(draw(), folder, name))
            except InputError as error:
                complain(f"no figure {name}.png: {error}")
            except Exception as error:  # matplotlib's, of a symbol it cannot set, say: a figure never costs a result
                reason = quoted(" ".join(str(error).split()) or type(error).__name__)
                complain(f"no figure {name}.png: it cannot be drawn ({reason})")
    return made


def _drawings(result: Result) -> dict[str, Draw]:
    drawings: dict[str, Draw] = {}
    for spectrum in result.spectra:
        if any(np.isfinite(entry.low) and not np.isnan(entry.high) for entry in spectrum.bins):
            name = spectrum_figure_name(spectrum.measurement, spectrum.era)
            drawings[name] = partial(_spectrum_page, result, spectrum)
    if has_posterior(result):
        drawings["corner"] = partial(_corner_page, result)
        if signal_rows(result):
            drawings["signals"] = partial(signal_figure, result)
        drawings |= _of_the_model(result)
    if shown_constraints(result):
        drawings["constraints"] = partial(constraint_figure, result)
    if pull_rows(result):
        drawings["pulls"] = partial(pull_figure, result)
    return drawings


def _spectrum_page(result: Result, spectrum: Spectrum) -> Figure:
    return spectrum_figure(_panels(result, spectrum), typeset(spectrum.title), _note(result, spectrum))


def _corner_page(result: Result) -> Figure:
    side = 1.25 * len(shown_coordinates(result)) + 0.6
    return plot_corner(result, Figure(figsize=(side, side)))


def spectrum_figure(shown: Sequence[Panel], title: str, note: str) -> Figure:
    """Panels side by side, each with its excess below; the legend stands in the first, the note under everything."""
    columns = min(len(shown), COLUMNS)
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(4.6 * columns, 5.2 * rows), layout="constrained")
    axes = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[2.2, 1.0] * rows)
    for i, panel in enumerate(shown):
        upper, lower = axes[2 * (i // columns), i % columns], axes[2 * (i // columns) + 1, i % columns]
        plot_spectrum(panel, upper).set(xlabel="")
        upper.tick_params(labelbottom=False)
        upper.set_title(typeset(panel.title), loc="left")
        plot_excess(panel, lower)
    for empty in range(len(shown), rows * columns):
        axes[2 * (empty // columns), empty % columns].set_axis_off()
        axes[2 * (empty // columns) + 1, empty % columns].set_axis_off()
    if columns == 1:  # the legend needs room of its own
        axes[0, 0].set_ylim(0.0, 1.45 * axes[0, 0].get_ylim()[1])
        axes[0, 0].legend(loc="upper right", ncols=2)
    else:  # beside the first points, which are the highest
        axes[0, 0].legend(loc="upper right", fontsize=6.0, labelspacing=0.3)
    figure.suptitle(title, fontsize="medium")
    add_note(figure, note, columns)
    return figure


def pull_figure(result: Result) -> Figure:
    """The pull plot on a page of its own."""
    figure = Figure(figsize=(5.6, 1.3 + 0.16 * len(pull_rows(result))), layout="constrained")
    plot_pulls(result, figure.subplots())
    note = "(data - background - signal) / error at the best fit; bins can be correlated."
    add_note(figure, note, columns=1)
    return figure


def constraint_figure(result: Result) -> Figure:
    """The ratios to the limits on a page of their own."""
    figure = Figure(figsize=(6.4, 1.8 + 0.2 * len(shown_constraints(result))), layout="constrained")
    plot_constraints(result, figure.subplots())
    note = f"90 % CL limits; ratios below {LEAST:g} are not shown. Squares and labels in brackets: not in the fit."
    add_note(figure, note, columns=1)
    return figure


def signal_figure(result: Result) -> Figure:
    """The summed signals on a page of their own."""
    figure = Figure(figsize=(6.4, 2.0 + 0.25 * len(signal_rows(result))), layout="constrained")
    plot_signals(result, figure.subplots())
    note = "Errors of bins are added in quadrature, correlations left out; a limit's signal is 1.645 at 90 % CL."
    add_note(figure, note, columns=1)
    return figure


def add_note(figure: Figure, note: str, columns: int) -> None:
    """A caption in small grey type below the axes, wrapped to a figure of so many panels side by side."""
    text = "\n".join(textwrap.wrap(note, NOTE_WIDTH * columns))
    figure.supxlabel(text, fontsize=6.5, color=QUIET, x=0.02, ha="left")


def save_figure(figure: Figure, folder: Path, name: str) -> Path:
    """Write folder/name.png, no label cut off, whole; InputError where it cannot, and where another's file is there."""
    path = folder / f"{name}.png"
    claim(path)
    with written_whole(path) as part:
        figure.savefig(part, format="png", bbox_inches="tight")
    return path


def _of_the_model(result: Result) -> dict[str, Draw]:
    from anomfit.plotting import dark_scalar  # which needs this module

    return {"dark-scalar-today": partial(dark_scalar.today_figure, result)} if dark_scalar.can_show(result) else {}


def _panels(result: Result, spectrum: Spectrum) -> list[Panel]:
    draws = None if spectrum.predictive is None else spectrum.predictive.reshape(-1, len(spectrum.bins))
    label = "best fit" if spectrum.fitted else "best fit (not fitted to these data)"
    curves = oscillation_curves(spectrum.full_name, options_of(result, spectrum.measurement))
    return panels(spectrum.bins, spectrum.best_fit, draws, curves, label)


def _note(result: Result, spectrum: Spectrum) -> str:
    origin = result.provenance
    choices = "; ".join(f"{name}: {value}" for name, value in origin.choices.get(spectrum.full_name, {}).items())
    last = f" Choices: {choices}." if choices else ""
    return f"Model {origin.model}. Data and theory: {', '.join(origin.references)}.{last}"

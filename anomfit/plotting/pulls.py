"""The pull plot: how far every datum and every nuisance parameter is from what the best fit expects."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from anomfit.measurements.base import Bin
from anomfit.plotting.style import CURVES, QUIET, SIGNAL, typeset
from anomfit.results.result import Result

SINGLE = "limits and single numbers"
LEAST_RANGE = 2.6  # standard deviations shown either side


@dataclass(frozen=True)
class PullRow:
    """One line: a pull, and the error of a nuisance (None for a datum, whose error is 1 by construction)."""

    group: str
    label: str
    pull: float
    error: float | None


def pull_rows(result: Result) -> list[PullRow]:
    """Data of the fitted measurements, spectra first, then the nuisances at the best fit with their HESSE errors."""
    fitted = [spectrum for spectrum in result.spectra if spectrum.fitted]
    rows = [
        PullRow(spectrum.full_name, _bin_label(entry), float(pull), None)
        for spectrum in fitted
        if len(spectrum.bins) > 1
        for entry, pull in zip(spectrum.bins, spectrum.pulls, strict=True)
    ]
    # one colour for all of them, or a card of many limits has a legend as long as the plot
    rows += [PullRow(SINGLE, s.full_name, float(s.pulls[0]), None) for s in fitted if len(s.bins) == 1]
    if result.fit is None:
        return rows
    errors = result.hesse.errors if result.hesse is not None else {}
    return rows + [PullRow("nuisance", name, pull, errors.get(name)) for name, pull in result.fit.pulls.items()]


def plot_pulls(result: Result, ax: Axes) -> Axes:
    """Draw the pulls of `result`, one line each from top to bottom; about 0.16 inches a line make it readable.

    A datum's pull is (data - background - signal) / error; pulls of bins with a common covariance are correlated.
    """
    rows = pull_rows(result)
    places = np.arange(len(rows))[::-1]
    for width, shade in ((2.0, "0.94"), (1.0, "0.87")):
        ax.axvspan(-width, width, color=shade, lw=0.0, zorder=0)
    ax.axvline(0.0, color=QUIET, lw=0.8, zorder=1)
    for group, colour in zip(dict.fromkeys(row.group for row in rows), _colours(), strict=False):
        members = [(place, row) for place, row in zip(places, rows, strict=True) if row.group == group]
        _draw_group(ax, group, members, colour)
    ax.set_yticks(places, [typeset(row.label) for row in rows], fontsize="x-small")
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.8, len(rows) - 0.2)
    reach = max([LEAST_RANGE, *(1.12 * (abs(row.pull) + (row.error or 0.0)) for row in rows)])
    ax.set_xlim(-reach, reach)
    ax.set_xlabel("pull [standard deviations]")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return ax


def _draw_group(ax: Axes, group: str, members, colour: str) -> None:
    places, pulls = [place for place, _ in members], [row.pull for _, row in members]
    errors = [row.error for _, row in members]
    if all(error is None for error in errors):
        ax.hlines(places, 0.0, pulls, color=colour, lw=1.6, alpha=0.5)
    else:
        ax.errorbar(pulls, places, xerr=[error or 0.0 for error in errors], fmt="none", color=colour, lw=1.2)
    ax.plot(pulls, places, "o", ms=3.5, color=colour, label="nuisance parameters" if group == "nuisance" else group)
    ax.axhline(min(places) - 0.5, color=QUIET, lw=0.5)


def _colours():
    return (SIGNAL, CURVES[0], CURVES[1], CURVES[2], CURVES[4], CURVES[3], "0.3") * 8


def _bin_label(entry: Bin) -> str:
    if not np.isfinite(entry.low):
        return entry.label
    if entry.unit == "GeV":
        return f"{entry.label} {1e3 * entry.low:.0f}-{1e3 * entry.high:.0f} MeV"
    return f"{entry.label} {entry.low:g} to {entry.high:g}"

"""What a fit gives each measurement against what its data want: summed signals of the posterior, one line each."""

from collections import Counter
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from anomfit.plotting.panels import LEVELS
from anomfit.plotting.style import BAND, CURVES, DATA, QUIET, typeset
from anomfit.results.result import Result, Spectrum

LEAST_RANGE = 3.0  # standard deviations shown either side


class SignalRow(NamedTuple):
    """One measurement, everything in errors of its summed excess: the excess, the best fit, draws of the posterior."""

    name: str
    excess: float
    best_fit: float
    draws: Float[np.ndarray, "draws"]


def signal_rows(result: Result) -> list[SignalRow]:
    """Fitted measurements with public data and posterior draws. The error of a sum is that of independent bins."""
    fitted = [spectrum for spectrum in result.spectra if spectrum.fitted]
    shown = [spectrum for spectrum in fitted if spectrum.predictive is not None and _has_data(spectrum)]
    names = Counter(spectrum.measurement for spectrum in shown)
    return [_row(one, one.measurement if names[one.measurement] == 1 else one.full_name) for one in shown]


def plot_signals(result: Result, ax: Axes) -> Axes:
    """Draw for every measurement the excess of its data (point) and the signal of the posterior (bars), best fit last.

    About 0.25 inches a line make it readable. A limit counts as an excess of 0; its signal 1.645 is the limit at 90 %.
    """
    rows = signal_rows(result)
    places = np.arange(len(rows))[::-1]
    ax.axvline(0.0, color=QUIET, lw=0.8)
    for place, row in zip(places, rows, strict=True):
        for level, opacity in zip(reversed(LEVELS), (0.35, 0.8), strict=True):
            low, high = np.quantile(row.draws, [0.5 - 0.5 * level, 0.5 + 0.5 * level])
            label = f"posterior, {100 * level:.0f} %" if place == places[0] else None
            width = max(high - low, 0.02)
            ax.barh(place, width, left=low, height=0.62, color=BAND, alpha=opacity, lw=0.0, label=label)
    ax.plot([row.best_fit for row in rows], places, "|", color=CURVES[0], ms=11, mew=1.6, label="best fit")
    ax.errorbar(
        [row.excess for row in rows], places, xerr=1.0, fmt="o", ms=4, lw=1.0, color=DATA, label="data less background"
    )
    ax.set_yticks(places, [typeset(row.name) for row in rows], fontsize="small")
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.7, len(rows) - 0.3)
    shown = [abs(x) + 1.2 for row in rows for x in (row.excess, row.best_fit, *np.quantile(row.draws, [0.02, 0.98]))]
    reach = max([LEAST_RANGE, *shown])
    lowest = min([-LEAST_RANGE, *(min(row.excess, row.best_fit, row.draws.min()) - 1.2 for row in rows)])
    ax.set_xlim(max(-reach, lowest), reach)
    ax.set_xlabel("summed signal [errors of the data's summed excess]")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return ax


def _has_data(spectrum: Spectrum) -> bool:
    return all(np.isfinite(entry.data) and entry.error > 0.0 for entry in spectrum.bins)


def _row(spectrum: Spectrum, name: str) -> SignalRow:
    assert spectrum.predictive is not None
    error = float(np.sqrt(sum(entry.error**2 for entry in spectrum.bins)))
    excess = sum(entry.data - entry.background for entry in spectrum.bins)
    best = float(sum(np.sum(part) for part in spectrum.best_fit.values()))
    return SignalRow(name, excess / error, best / error, spectrum.predictive.sum(axis=-1).ravel() / error)

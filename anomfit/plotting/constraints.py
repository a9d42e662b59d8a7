"""Every constraint against a fit: predictions over the limits, at the best fit and over the posterior."""

import math

import numpy as np
from matplotlib.axes import Axes

from anomfit.constraints.base import IN_FITS
from anomfit.inference.compare.exclusions import Exclusion
from anomfit.plotting.style import BAND, CURVES, QUIET, typeset
from anomfit.results.result import Result

LEAST, MOST = 1e-4, 1e4  # ratios; what is below is left out, what is above stands at the edge
SAID = ("excluded", "in tension", "allowed")  # verdicts of what is drawn


def shown_constraints(result: Result) -> list[Exclusion]:
    """Constraints that can exclude a point and come within `LEAST` of their limits, the strongest first."""
    if result.exclusions is None:
        return []
    able = [
        row for row in result.exclusions.rows if row.kind in IN_FITS and row.verdict in SAID and not row.fails_without
    ]
    near = [row for row in able if _largest(row) >= LEAST]
    return sorted(near, key=lambda row: -row.ratio)


def plot_constraints(result: Result, ax: Axes) -> Axes:
    """Draw the ratio of each prediction to its limit, a line each; about 0.2 inches a line make it readable."""
    rows = shown_constraints(result)
    places = np.arange(len(rows))[::-1]
    ax.axvspan(1.0, MOST, color=QUIET, alpha=0.12, lw=0.0)
    ax.axvline(1.0, color=QUIET, lw=1.0)
    is_first = True
    for place, row in zip(places, rows, strict=True):
        if row.quantiles is None:
            continue
        wide, narrow = (row.quantiles[0], row.quantiles[-1]), (row.quantiles[1], row.quantiles[-2])
        for (low, high), opacity, level in ((wide, 0.35, 95), (narrow, 0.8, 68)):
            low, high = (min(max(end, LEAST), MOST) for end in (low, high))
            label = f"posterior, {level} %" if is_first else None
            ax.barh(place, high - low, left=low, height=0.62, color=BAND, alpha=opacity, lw=0.0, label=label)
        is_first = False
    for fitted, marker, label in ((True, "o", "best fit"), (False, "s", "best fit, not in the fit")):
        chosen = [(row, place) for row, place in zip(rows, places, strict=True) if row.fitted == fitted]
        if chosen:
            ratios = [min(max(row.ratio, LEAST), MOST) for row, _ in chosen]
            ax.plot(ratios, [place for _, place in chosen], marker, ms=4.5, color=CURVES[0], label=label)
    ax.set_xscale("log")
    ax.set_xlim(LEAST, MOST)
    ax.set_ylim(-0.7, len(rows) - 0.3)
    names = [row.name if row.fitted else f"({row.name})" for row in rows]
    ax.set_yticks(places, [typeset(name) for name in names], fontsize="small")
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("prediction over the limit at 90 % CL")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return ax


def _largest(row: Exclusion) -> float:
    return max(x for x in (row.ratio, *(row.quantiles or ())) if not math.isnan(x))

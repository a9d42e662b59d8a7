"""The figure of toys: chi^2 and Delta chi^2 of every toy against what is expected asymptotically, and the data."""

import warnings
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import chi2

from anomfit.inference.compare.toys import Toys
from anomfit.plotting.figures import Complain, add_note, save_each
from anomfit.plotting.style import CURVES, DATA, SIGNAL
from anomfit.results.toys import Observed

BINS = 24
CURVE = 300  # points


def save_toy_figures(
    folder: Path, toys: Toys, observed: Observed, parameters: int, complain: Complain = warnings.warn
) -> list[Path]:
    """toys.png; `complain` as in `save_figures`."""
    return save_each({"toys": partial(toy_figure, toys, observed, parameters)}, folder, complain)


def toy_figure(toys: Toys, observed: Observed, parameters: int) -> Figure:
    """Goodness of fit on the left, Delta chi^2 on the right: of the true point, or of no new physics."""
    figure = Figure(figsize=(9.2, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    goodness = observed.goodness
    plot_toys(toys.total, goodness.degrees_of_freedom, goodness.chi_squared, left)
    left.set_xlabel(r"$\chi^2$ at the best fit")
    left.legend()
    if toys.at_truth is None:
        plot_toys(toys.null - toys.twice_nll, parameters, observed.significance.delta_chi_squared, right)
        right.set_xlabel(r"$\Delta\chi^2$ of the best fit against no new physics")
        truth = "no new physics"
    else:
        plot_toys(toys.at_truth - toys.twice_nll, parameters, None, right)
        right.set_xlabel(r"$\Delta\chi^2$ of the true point")
        truth = ", ".join(f"{name} = {value:.3g}" for name, value in (toys.truth.point or {}).items())
    right.legend()
    add_note(figure, f"{len(toys.twice_nll)} toys thrown at {truth}, each fitted again.", columns=2)
    return figure


def plot_toys(values: np.ndarray, freedom: int, data: float | None, ax: Axes) -> Axes:
    """Draw the toys' values as a histogram with its errors, chi^2 of `freedom` degrees, and the value of the data."""
    top = 1.05 * max(float(np.max(values)), data or 0.0)
    edges = np.linspace(min(0.0, float(np.min(values))), top, BINS + 1)
    counts, _ = np.histogram(values, edges)
    ax.stairs(counts, edges, fill=True, color=SIGNAL, alpha=0.25)
    centres = 0.5 * (edges[1:] + edges[:-1])
    filled = counts > 0
    ax.errorbar(
        centres[filled], counts[filled], np.sqrt(counts[filled]), fmt=".", color=SIGNAL, ms=3, lw=0.8, label="toys"
    )
    if freedom > 0:
        x = np.linspace(max(edges[0], 0.02), edges[-1], CURVE)
        expected = len(values) * (edges[1] - edges[0]) * chi2.pdf(x, freedom)
        ax.plot(x, expected, color=CURVES[0], lw=1.2, label=rf"$\chi^2$ of {freedom} degrees of freedom")
        ax.set_ylim(0.0, 1.35 * max(np.max(counts + np.sqrt(counts)), float(np.median(expected))))
    if data is not None:
        ax.axvline(data, color=DATA, lw=1.2, ls="--", label="the data")
    ax.set_ylabel("toys")
    return ax

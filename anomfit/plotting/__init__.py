"""Figures: a result (or a prediction) and an Axes in, the Axes out; `save_figures` makes files of a whole result.

Importing this package imports matplotlib; nothing else in anomfit does.
"""

from anomfit.plotting.figures import save_figures, spectrum_figure
from anomfit.plotting.panels import Curve, Panel, SignalBand, panels
from anomfit.plotting.posterior import plot_corner
from anomfit.plotting.pulls import plot_pulls
from anomfit.plotting.radius import plot_births, plot_decays
from anomfit.plotting.references import oscillation_curves
from anomfit.plotting.signals import plot_signals
from anomfit.plotting.spectrum import plot_excess, plot_spectrum

__all__ = [
    "Curve",
    "Panel",
    "SignalBand",
    "oscillation_curves",
    "panels",
    "plot_births",
    "plot_corner",
    "plot_decays",
    "plot_excess",
    "plot_pulls",
    "plot_signals",
    "plot_spectrum",
    "save_figures",
    "spectrum_figure",
]

"""The figure of one prediction: at a point of a model, or of a result with the bands of its posterior."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from anomfit.errors import InputError
from anomfit.folders import written_whole
from anomfit.plotting.figures import spectrum_figure
from anomfit.plotting.panels import LEVELS, OPACITIES, SignalBand, panels
from anomfit.plotting.style import styled, typeset
from anomfit.prediction import PredictionReport
from anomfit.results.predicting import PosteriorPrediction

FORMATS = ("png", "pdf", "svg")


def check_figure_path(path: Path) -> Path:
    """The path; InputError for a format that cannot be drawn, a folder that is not there, and a folder's name."""
    if path.suffix.lstrip(".") not in FORMATS:
        raise InputError(f"--figure: '{path}' has no known format; end its name in .{', .'.join(FORMATS)}")
    if not path.absolute().parent.is_dir():
        raise InputError(f"--figure: the folder '{path.parent}' is not there; make it first")
    if path.is_dir():
        raise InputError(f"--figure: '{path}' is a folder; give the name of a file in it")
    return path


def save_prediction(path: Path, report: PredictionReport, posterior: PosteriorPrediction | None = None) -> Path:
    """Draw the prediction to a file, whole, in place of what is there; InputError without bins on an axis.

    The data with their errors over background and signal; bands: what the posterior's draws add in each bin.
    """
    check_figure_path(path)
    with styled():
        figure = prediction_figure(report, posterior)
        try:
            with written_whole(path) as part:
                figure.savefig(part, format=path.suffix.lstrip("."), bbox_inches="tight")
        except OSError as error:
            raise InputError(f"--figure: '{path}' cannot be written ({error.strerror or error})") from error
    return path


def prediction_figure(report: PredictionReport, posterior: PosteriorPrediction | None) -> Figure:
    """The panels of the measurement, each with its excess below."""
    signal = {name: np.asarray(values) for name, values in report.signal.items()}
    label = "point" if posterior is None else "best fit"
    shown = panels(report.bins, signal, bands=() if posterior is None else _bands(posterior), signal_label=label)
    if not shown:
        raise InputError(f"--figure: {report.measurement} has no bins on an axis; its numbers are in the table")
    at = ", ".join(f"{name} = {value:.4g}" for name, value in report.point.items() if value)
    note = f"Model {report.model} at {at}; parameters that are 0 are left out. The printed table has the choices."
    return spectrum_figure(shown, typeset(f"{report.measurement}:{report.era}"), note)


def _bands(posterior: PosteriorPrediction) -> tuple[SignalBand, ...]:
    ends = ((posterior.signal.low_95, posterior.signal.high_95), (posterior.signal.low_68, posterior.signal.high_68))
    return tuple(
        SignalBand(f"posterior, {100 * level:.0f} %", np.asarray(low), np.asarray(high), opacity)
        for level, opacity, (low, high) in zip(reversed(LEVELS), OPACITIES, ends, strict=True)
    )

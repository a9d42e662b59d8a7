"""The posterior in the plane of two parameters, on draws of a known distribution."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.path import Path

from anomfit.plotting.plane import plot_plane
from anomfit.results.result import FreeCoordinate

COORDINATES = (
    FreeCoordinate("m_N2", r"m_{N_2}", "GeV", 0.01, 10.0, "log-uniform"),
    FreeCoordinate("kappa", r"\kappa", "1", -8.0, 8.0, "uniform"),
)


def gaussian_result(draws: int = 40_000):
    """A correlated Gaussian in (ln m_N2, kappa), as much of a result as the figure reads."""
    x, y = np.random.default_rng(3).multivariate_normal([0.0, 1.0], [[0.04, 0.15], [0.15, 1.0]], draws).T
    values = {"m_N2": np.exp(x)[None], "kappa": y[None]}
    samples = SimpleNamespace(values=values, derived={}, z=np.stack([values["m_N2"], values["kappa"]], axis=-1))
    origin = SimpleNamespace(coordinates=COORDINATES, model="toy", measurements=("toy:1",), card="")
    fit = SimpleNamespace(point={"m_N2": 1.0, "kappa": 1.0})
    return SimpleNamespace(provenance=origin, samples=samples, fit=fit)


def test_the_contours_hold_68_and_95_per_cent_of_the_draws():
    result = gaussian_result()
    ax = plot_plane(result, "m_N2", "kappa", Figure().subplots())
    points = np.stack([result.samples.values[name][0] for name in ("m_N2", "kappa")], axis=-1)
    lines = [path for drawn in ax.collections for path in drawn.get_paths() if len(path.vertices) > 10]
    held = sorted({round(float(np.mean(Path(path.vertices).contains_points(points))), 2) for path in lines})
    assert min(abs(x - 0.68) for x in held) < 0.02, held
    assert min(abs(x - 0.95) for x in held) < 0.02, held


def test_axes_have_symbol_unit_and_scale_and_the_best_fit_is_marked():
    ax = plot_plane(gaussian_result(2_000), "m_N2", "kappa", Figure().subplots())
    assert ax.get_xlabel() == "$m_{N_2}$ [GeV]"
    assert ax.get_ylabel() == r"$\kappa$"
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    marks = [line for line in ax.lines if line.get_label() == "best fit"]
    assert [(*mark.get_xdata(), *mark.get_ydata()) for mark in marks] == [(1.0, 1.0)]


def test_a_result_without_draws_is_refused_in_a_sentence():
    result = gaussian_result()
    result.samples = None
    with pytest.raises(ValueError, match="no posterior"):
        plot_plane(result, "m_N2", "kappa", Figure().subplots())

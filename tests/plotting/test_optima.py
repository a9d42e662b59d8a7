"""Figures of a search: what stands in them, units on the axes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.figure import Figure

from anomfit.inference.optima.boundary import BoundarySettings, boundary
from anomfit.inference.optima.search import SearchSettings, optimise
from anomfit.measurements.lepton_moments import load_lepton_moment
from anomfit.parameters import Parameter, Parametrisation
from anomfit.plotting.optima import neighbours, optima_figure, parameter_pairs, plot_boundary, plot_ends
from anomfit.problem import build_problem

A = Parameter("a", r"$a$", "TeV^-1", -2.0, 2.0, "uniform", "a slope")
B = Parameter("b", r"$b$", "GeV", 0.1, 10.0, "log-uniform", "a mass")
C = Parameter("c", r"$c$", "1", 0.0, 1.0, "uniform", "a share")


class Plane:
    """Delta a_mu is 2.5e-9 (a + ln b): a valley that is straight in a and ln b."""

    name, title, references, nuisances = "plane", "a plane", (), ()
    points = {"known": {"a": 1.0, "b": 1.0, "c": 0.5}}
    parametrisations = {"own": Parametrisation("own", (A, B, C), dict, dict, {})}

    def lepton_moment(self, point, lepton):
        return 2.5e-9 * (point["a"] + jnp.log(point["b"]))


@pytest.fixture(scope="module")
def found():
    problem = build_problem(Plane(), [load_lepton_moment("muon", "papers")], "own", (A, B, C), {})
    search = optimise(problem, jax.random.key(1), SearchSettings(starts=16, batch=16, optima=3))
    return problem, search, boundary(problem, ("a", "b"), search, BoundarySettings(cells=9, rounds=20))


def labels(ax):
    return ax.get_legend_handles_labels()[1]


def test_ends_optima_and_published_points_stand_in_the_plane_of_two_parameters(found):
    problem, search, _ = found
    ax = plot_ends(problem, search, Plane.points, A, B, Figure().subplots())
    assert labels(ax) == ["ends", "ends, all conditions hold", "optima", "published points"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == (r"$a$ [TeV$^{-1}$]", r"$b$ [GeV]")
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    good = np.asarray(ax.collections[1].get_offsets())
    assert len(good) == search.successes == 16
    np.testing.assert_allclose(good[:, 0] + np.log(good[:, 1]), 2.74 / 2.5, rtol=0.05)


def test_names_of_points_that_lie_together_are_written_together():
    places = {"bp1": (0.20, 0.50), "bp2": (0.80, 0.50), "bp3": (0.21, 0.49), "bp4": (0.21, 0.70)}
    assert neighbours(places) == [["bp1", "bp3"], ["bp2"], ["bp4"]]


def test_every_parameter_is_in_a_panel(found):
    problem, search, _ = found
    assert parameter_pairs(problem) == [(A, B), (C, A)]
    figure = optima_figure(problem, search, Plane.points)
    assert sum(bool(ax.get_xlabel()) for ax in figure.axes) == 2


def test_the_region_has_its_contours_and_its_shade(found):
    problem, search, grid = found
    ax = plot_boundary(problem, grid, search, Plane.points, Figure().subplots())
    assert {"all conditions hold", "best optimum", "published points"} <= set(labels(ax))
    assert sum("Delta" in label for label in labels(ax)) == 2
    shaded = ax.collections[0].get_array()
    assert np.ma.count(shaded) == grid.all_hold.sum() > 0
    x, y = np.meshgrid(grid.x, np.log(grid.y))
    pull = (2.74 - 2.5 * (x + y)) / 0.73
    clear = abs(abs(pull) - 2.0) > 0.1
    np.testing.assert_array_equal(grid.all_hold[clear], (abs(pull) < 2.0)[clear])

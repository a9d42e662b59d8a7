"""The search for points on toys with known optima, directions and boundary."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2
from toys import ToyMeasurement, ToyModel, banana_problem, linear_parameter, linear_problem, log_parameter

from anomfit.errors import InputError
from anomfit.inference import coordinates
from anomfit.inference.fit.descent import descend_held
from anomfit.inference.optima import search as module
from anomfit.inference.optima.boundary import LEVELS, BoundarySettings, boundary, check_axes
from anomfit.inference.optima.published import published_points
from anomfit.inference.optima.search import SearchSettings, optimise
from anomfit.inference.optima.standing import NUISANCES, active_terms, directions, standings
from anomfit.measurements.base import Prediction
from anomfit.parameters import Nuisance
from anomfit.problem import build_problem

QUICK = SearchSettings(starts=48, batch=32, optima=4)
SIGMA_X, SIGMA_Y, CORRELATION = 0.2, 0.3, 0.5


@pytest.fixture(scope="module")
def gaussian():
    """x and y with errors 0.2 and 0.3, correlation one half; and its search."""
    problem = linear_problem()
    return problem, optimise(problem, jax.random.key(1), QUICK)


@dataclasses.dataclass(frozen=True)
class Component(ToyMeasurement):
    """One number of a model that predicts several."""

    index: int = 0

    def predict(self, model, point, nuisances):
        return Prediction({"all": model.numbers(point)[self.index][None]}, {})


jax.tree_util.register_dataclass(
    Component,
    data_fields=["data", "inverse"],
    meta_fields=["name", "era", "title", "samples", "accepts", "nuisances", "references", "index"],
)


def _wells(point):
    x, y = point["x"], point["y"]
    return jnp.stack([x**2 - 3.0 - 0.2 * x, y - jnp.sin(x), 0.4 * x])


@pytest.fixture(scope="module")
def wells():
    """Optima near x = -2 and x = 2; only at the positive one are all three numbers within two standard deviations."""
    parameters = (linear_parameter("x"), linear_parameter("y"))
    data = ((1.0, 2.0), (0.3, 9.0), (1.0, 2.0))
    numbers = [
        Component(jnp.array([x]), jnp.array([[w]]), name=f"n{i}", samples=frozenset({f"n{i}"}), index=i)
        for i, (x, w) in enumerate(data)
    ]
    model = ToyModel("wells", parameters, _wells)
    model.points = {"right": {"x": 2.1, "y": 1.2}, "left": {"x": -1.9, "y": -0.6}}
    problem = build_problem(model, numbers, "own", parameters, {})
    return problem, optimise(problem, jax.random.key(2), QUICK)


def test_every_start_ends_at_the_mean_of_a_gaussian(gaussian):
    _, search = gaussian
    assert search.starts == search.successes == 48
    assert search.in_the_way == {}
    (best,) = search.optima
    assert best.values == pytest.approx({"x": 0.5, "y": -1.0}, abs=1e-4)
    assert (best.basin, best.starts) == (1, 48)
    assert best.all_hold
    assert not search.interrupted


def test_directions_of_a_gaussian_are_its_principal_axes(gaussian):
    """Both ranges are 10: eigenvectors of the covariance, and the roots of its eigenvalues over 10."""
    problem, search = gaussian
    covariance = np.array([[0.04, 0.03], [0.03, 0.09]])
    variance, axes = np.linalg.eigh(covariance)
    found = directions(problem, search.optima[0].s)
    np.testing.assert_allclose([d.ranges for d in found], np.sqrt(variance) / 10.0, rtol=1e-6)
    for direction, axis in zip(found, axes.T, strict=True):
        components = np.array([direction.components["x"], direction.components["y"]])
        assert abs(components @ axis) == pytest.approx(1.0, abs=1e-9)
    assert "x up with y down" in found[0].words
    assert found[0].words.startswith(f"stiff ({10.0 * np.sqrt(variance[0]):.2g} % of the prior)")


def test_a_direction_without_data_is_free():
    model = ToyModel("half", tuple(linear_parameter(n) for n in "xy"), lambda p: p["x"][None])
    data = ToyMeasurement(jnp.array([1.0]), jnp.array([[100.0]]))
    problem = build_problem(model, [data], "own", model.parametrisations["own"].parameters, {})
    stiff, free = directions(problem, np.array([1.0, 0.3]))
    assert stiff.words == "stiff (1 % of the prior): x"
    assert free.words == "free: y"


def test_nuisances_are_profiled_out_of_the_directions():
    """x + nu measured to 0.3 with nu known to 0.4: x to 0.5 of a range of 10."""
    nuisance = Nuisance("nu", "nu", 0.0, 0.4, "a shift")
    model = ToyModel("shifted", (linear_parameter("x"),), lambda p: p["x"][None])
    data = ToyMeasurement(jnp.array([1.0]), jnp.array([[1.0 / 0.09]]), nuisances=(nuisance,))
    problem = build_problem(model, [data], "own", model.parametrisations["own"].parameters, {})
    (direction,) = directions(problem, np.array([1.0, 0.0]))
    assert direction.ranges == pytest.approx(0.05, rel=1e-6)
    found = standings(problem, {"x": np.array([1.0, 1.0]), "nu": np.array([0.5, -2.5])})
    assert found.names[-1] == NUISANCES
    assert found.holds[:, -1].tolist() == [True, False]


def test_both_optima_are_found_ranked_and_judged(wells):
    _, search = wells
    right, left = search.optima
    assert right.values["x"] > 1.5
    assert left.values["x"] < -1.5
    assert right.twice_nll < left.twice_nll
    assert (right.basin, left.basin) == (1, 2)
    assert right.starts + left.starts == search.starts
    assert right.all_hold
    assert left.standing.failing(0) == ("n2",)
    assert search.successes == right.starts
    for optimum in search.optima:  # the exact likelihood by hand
        x, y = optimum.values["x"], optimum.values["y"]
        exact = 2.0 * (x**2 - 4.0 - 0.2 * x) ** 2 + 9.0 * (y - np.sin(x) - 0.3) ** 2 + 2.0 * (0.4 * x - 1.0) ** 2
        assert optimum.twice_nll == pytest.approx(exact, abs=1e-8)
        assert optimum.distance < 1e-4


def test_published_points_are_ranked_with_what_they_fail(wells):
    problem, search = wells
    right, left = published_points(problem, search)
    assert right.failing == ()
    assert left.failing == ("n2",)
    assert right.rank == 1 + np.sum(search.standing.twice_nll < right.twice_nll)
    assert right.rank < left.rank
    assert right.remarks == ()


def test_what_is_in_the_way_is_named():
    """With x held at -2 nothing makes the third number large enough."""
    parameters = (linear_parameter("x"), linear_parameter("y"))
    number = ToyMeasurement(jnp.array([1.0]), jnp.array([[100.0]]), name="blocked")
    model = ToyModel("one", parameters, lambda p: 0.4 * p["x"][None])
    problem = build_problem(model, [number], "own", parameters[1:], {"x": -2.0})
    search = optimise(problem, jax.random.key(1), dataclasses.replace(QUICK, starts=8, batch=8))
    assert search.successes == 0
    assert search.in_the_way == {"blocked": 8}


def test_a_plateau_is_one_basin_with_points_far_apart_on_it():
    search = optimise(banana_problem(), jax.random.key(4), QUICK)
    best = search.optima[0]
    assert best.starts > 40  # the few others stopped where nothing pulls
    assert best.values["x"] * best.values["y"] == pytest.approx(2.0, rel=0.01)
    assert best.directions[0].words == "stiff (0.051 % of the prior): x up with y up"
    assert {term.name for term in best.active} == {"toy"}
    assert {optimum.basin for optimum in search.optima} == {1}
    z = np.sort([np.log(optimum.values["z"]) for optimum in search.optima])
    assert len(z) >= 2
    assert np.all(np.diff(z) > 0.19 * np.log(1e6))


def _ring(point):
    return jnp.stack([jnp.sqrt(point["x"] ** 2 + point["y"] ** 2 + 1e-6)])


def test_a_valley_that_bends_is_one_basin():
    """A ring: straight lines between its far sides cross the middle, where -2 ln L is 400."""
    parameters = (linear_parameter("x"), linear_parameter("y"))
    data = ToyMeasurement(jnp.array([2.0]), jnp.array([[100.0]]))
    problem = build_problem(ToyModel("ring", parameters, _ring), [data], "own", parameters, {})
    search = optimise(problem, jax.random.key(6), dataclasses.replace(QUICK, starts=128, batch=128, optima=3))
    assert {optimum.basin for optimum in search.optima} == {1}
    assert search.optima[0].starts == 128
    assert len(search.optima) == 3


def test_active_bounds_are_named():
    parameters = (log_parameter("x"), linear_parameter("y"))
    model = ToyModel("edge", parameters, lambda p: jnp.stack([jnp.log(p["x"]), p["y"]]))
    data = ToyMeasurement(jnp.array([20.0, 0.0]), jnp.eye(2))
    problem = build_problem(model, [data], "own", parameters, {})
    best = optimise(problem, jax.random.key(1), dataclasses.replace(QUICK, starts=8, batch=8)).optima[0]
    assert best.values["x"] == pytest.approx(1e3, rel=1e-3)
    assert [term.words for term in best.active][-1] == "x at the upper end of its range"
    assert [term.name for term in active_terms(problem, np.array([0.0, 0.0]))] == ["toy"]


def test_an_interrupt_keeps_the_batches_that_ended(interrupt):
    interrupt(module, "descend", 2)
    search = optimise(linear_problem(), jax.random.key(1), dataclasses.replace(QUICK, starts=12, batch=4))
    assert search.interrupted
    assert search.starts == 4
    assert len(search.optima) == 1


def test_the_same_key_gives_the_same_search():
    settings = dataclasses.replace(QUICK, starts=8, batch=8)
    first, second = (optimise(linear_problem(), jax.random.key(3), settings) for _ in range(2))
    np.testing.assert_array_equal(first.ends, second.ends)


@pytest.mark.parametrize("field", ["starts", "rounds", "batch", "optima", "tolerance"])
def test_settings_are_checked(field):
    with pytest.raises(InputError, match=f"{field}: 0"):
        SearchSettings(**{field: 0})


# -- the boundary ---------------------------------------------------------------------------------------------------


def test_held_coordinates_do_not_move_and_the_rest_goes_to_the_conditional_minimum():
    problem = linear_problem()
    starts = np.array([[0.1, 3.0], [0.7, -4.0], [-2.0, 0.0]])
    ended, values = descend_held(problem, starts, np.array([True, False]), 60)
    np.testing.assert_array_equal(ended[:, 0], starts[:, 0])
    expected = -1.0 + CORRELATION * SIGMA_Y / SIGMA_X * (starts[:, 0] - 0.5)
    np.testing.assert_allclose(ended[:, 1], expected, atol=1e-3)
    np.testing.assert_allclose(values, ((starts[:, 0] - 0.5) / SIGMA_X) ** 2, rtol=1e-3)


def test_the_contours_of_a_gaussian_in_three_dimensions_are_its_ellipses():
    """z is measured too and profiled away: -2 ln L of a cell is the quadratic form of the marginal covariance."""
    covariance = np.array([[0.9, 0.5, 0.3], [0.5, 1.5, -0.2], [0.3, -0.2, 0.5]])
    parameters = tuple(linear_parameter(n) for n in "xyz")
    model = ToyModel("three", parameters, lambda p: jnp.stack([p["x"], p["y"], p["z"]]))
    data = ToyMeasurement(jnp.array([0.4, -0.6, 1.0]), jnp.linalg.inv(jnp.asarray(covariance)))
    problem = build_problem(model, [data], "own", parameters, {})
    search = optimise(problem, jax.random.key(1), dataclasses.replace(QUICK, starts=8, batch=8))
    found = boundary(problem, ("x", "y"), search, BoundarySettings(cells=15))
    inverse = np.linalg.inv(covariance[:2, :2])
    dx, dy = np.meshgrid(found.x - 0.4, found.y + 0.6)
    expected = inverse[0, 0] * dx**2 + 2.0 * inverse[0, 1] * dx * dy + inverse[1, 1] * dy**2
    near = expected < 30.0
    np.testing.assert_allclose(found.twice_nll[near], expected[near], atol=2e-3)
    assert found.lowest == pytest.approx(0.0, abs=1e-4)
    deviations = chi2.isf(0.045500264, 3)  # what "within two standard deviations" is for three numbers
    clear = abs(expected - deviations) > 0.05
    np.testing.assert_array_equal(found.all_hold[clear], (expected < deviations)[clear])
    assert LEVELS == (2.30, 5.99)


def test_cells_across_a_barrier_take_over_from_their_neighbours(wells):
    """Starting from one optimum alone, the sweeps still find the lower side of every cell in (x, y)."""
    problem, search = wells
    found = boundary(problem, ("x", "y"), search, BoundarySettings(cells=11, rounds=5))
    x, y = np.meshgrid(found.x, found.y)
    exact = 2.0 * (x**2 - 4.0 - 0.2 * x) ** 2 + 9.0 * (y - np.sin(x) - 0.3) ** 2 + 2.0 * (0.4 * x - 1.0) ** 2
    np.testing.assert_allclose(found.twice_nll, exact, rtol=1e-10)  # nothing is left to minimise


def test_a_cell_outside_of_a_moving_bound_is_not_allowed():
    parameters = (linear_parameter("x"), linear_parameter("y"))
    model = ToyModel("bounded", parameters, lambda p: p["x"][None], upper={"y": lambda p: p["x"]})
    data = ToyMeasurement(jnp.array([0.0]), jnp.array([[0.1]]))
    problem = build_problem(model, [data], "own", parameters, {})
    search = optimise(problem, jax.random.key(1), dataclasses.replace(QUICK, starts=4, batch=4))
    found = boundary(problem, ("x", "y"), search, BoundarySettings(cells=10))
    x, y = np.meshgrid(found.x, found.y)
    outside = y > x + 0.5
    assert not found.all_hold[outside].any()
    assert np.all(found.twice_nll[outside] > found.lowest + 1e3)
    np.testing.assert_array_equal(found.all_hold[y < x], (abs(x) <= 2.0 * np.sqrt(10.0))[y < x])


@pytest.mark.parametrize(
    ("names", "words"), [(("x", "x"), "twice"), (("x", "offset"), "fixed"), (("q", "x"), "use two of x, y")]
)
def test_axes_are_checked(names, words):
    with pytest.raises(InputError, match=words):
        check_axes(linear_problem(), names)


def test_standing_of_a_spectrum_is_that_of_its_chi_squared(gaussian):
    problem, _ = gaussian
    found = standings(problem, {"x": np.array([0.5, 0.5 + 2.3 * SIGMA_X]), "y": np.array([-1.0, -1.0])})
    inverse = np.linalg.inv([[0.04, 0.03], [0.03, 0.09]])
    size = chi2.sf((2.3 * SIGMA_X) ** 2 * inverse[0, 0], 2)
    assert found.size[0, 0] == pytest.approx(0.0, abs=1e-9)
    assert 2.0 * (1.0 - float(jax.scipy.stats.norm.cdf(found.size[1, 0]))) == pytest.approx(size, rel=1e-6)
    assert coordinates.box(problem).widths.tolist() == [10.0, 10.0]

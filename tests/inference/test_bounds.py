"""Errors where -2 ln L is no parabola: at bounds, on plateaus, with two minima; all answers are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2, kstest
from toys import LINEAR_PARAMETERS, ToyMeasurement, ToyModel, edge_problem, linear_parameter, one_parameter_problem

from anomfit.inference.fit.minimise import FitSettings, minimise
from anomfit.inference.fit.minos import LIMIT_90, minos
from anomfit.inference.fit.uncertainties import hesse
from anomfit.problem import build_problem

QUICK = FitSettings(screened=256, starts=8)


def errors_of(problem, key=1):
    fit = minimise(problem, jax.random.key(key), QUICK)
    intervals = minos(problem, fit)
    return fit, {error.name: error for error in intervals}, hesse(problem, fit, intervals)


@pytest.mark.parametrize("data", [0.0, -1.0, -20.0], ids=["half a Gaussian", "pushed", "an exponential"])
def test_the_interval_at_a_bound_is_one_sided(data):
    """(x - data)^2 for x from 0 to 5: -2 ln L rises by (x - data)^2 - data^2, about linear for data far below 0."""
    problem = one_parameter_problem(lambda x: x, data, low=0.0)
    _, profiles, errors = errors_of(problem)
    end, limit = (np.sqrt(data**2 + level) + data for level in (1.0, LIMIT_90))
    assert profiles["x"].low is None
    assert profiles["x"].high == pytest.approx(end, rel=0.02)
    assert profiles["x"].limit_90 == pytest.approx(limit, rel=0.02)
    assert errors.at_bound == ("x",)
    assert (errors.low["x"], errors.high["x"]) == pytest.approx((0.0, end), rel=0.02, abs=1e-3)
    assert errors.flat == ()
    assert errors.effective_parameters == 0
    assert "not constrained" not in errors.notes["x"]
    assert errors.notes["x"].startswith(
        "at the lower end of its range, where HESSE's parabola means nothing; one-sided: "
    )
    assert f"below {profiles['x'].limit_90:.4g} at 90 % CL" in errors.notes["x"]
    assert hesse(problem, minimise(problem, jax.random.key(1), QUICK)).notes == errors.notes  # without MINOS before


def test_a_limit_at_the_gaussian_bound_is_that_of_feldman_and_cousins():
    """Table X of physics/9711021: a Gaussian measured at 0 with a mean above 0 gives 1.64 at 90 % CL."""
    _, profiles, _ = errors_of(one_parameter_problem(lambda x: x, 0.0, low=0.0))
    assert profiles["x"].limit_90 == pytest.approx(1.64, abs=0.02)


@pytest.mark.parametrize("rise", [0.5, 7.5])
def test_a_direction_into_a_bound_is_constrained_if_the_likelihood_falls_over_the_range(rise):
    """-2 ln L rises about linearly to `rise` at the other end: with 0.5 the data say nothing, with 7.5 they limit."""
    far = 100.0
    problem = one_parameter_problem(lambda x: x * rise / (2.0 * far), -far, low=0.0, high=1.0)
    _, profiles, errors = errors_of(problem)
    if rise < 1.0:
        assert profiles["x"].is_free
        assert "not constrained inside its range" in errors.notes["x"]
    else:
        assert profiles["x"].high == pytest.approx(1.0 / rise, rel=0.02)
        assert "not constrained" not in errors.notes["x"]


def test_another_parameter_than_the_one_at_its_bound_is_profiled():
    """x from 0, data (-1, 0) with correlation 0.8: the parabola of y with x held is narrow, its profile reaches x."""
    inverse = np.linalg.inv([[1.0, 0.8], [0.8, 1.0]])
    parameters = (linear_parameter("x", 0.0, 5.0), linear_parameter("y"))
    model = ToyModel("half plane", parameters, lambda p: jnp.stack([p["x"], p["y"]]))
    data = ToyMeasurement(jnp.array([-1.0, 0.0]), jnp.asarray(inverse))
    problem = build_problem(model, [data], "own", parameters, {})
    fit, profiles, errors = errors_of(problem)

    def profiled(y):
        def at(x):
            return (np.array([x + 1.0, y]) @ inverse @ np.array([x + 1.0, y])) - fit.twice_nll

        return minimize_scalar(at, bounds=(0.0, 5.0), method="bounded", options={"xatol": 1e-9}).fun - 1.0

    best = fit.values["y"]
    ends = brentq(profiled, best - 3.0, best), brentq(profiled, best, best + 3.0)
    assert best == pytest.approx(0.8, abs=1e-3)
    assert errors.errors["y"] == pytest.approx(np.sqrt(1.0 - 0.8**2), rel=1e-3)
    assert (profiles["y"].low, profiles["y"].high) == pytest.approx(ends, abs=0.01)
    assert errors.effective_parameters == 1
    assert errors.correlation[0, 1] == 0.0


def test_a_contradiction_with_the_profile_is_said():
    """-2 ln L = x^6: no curvature at all, and two ends at +-1 of a range of 10."""
    _, profiles, errors = errors_of(one_parameter_problem(lambda x: x**3, 0.0))
    assert (profiles["x"].low, profiles["x"].high) == pytest.approx((-1.0, 1.0), abs=0.02)
    assert errors.flat == ()
    assert errors.notes["x"] == (
        "HESSE's parabola does not describe its profile (-2 ln L is no parabola): take the interval of MINOS"
    )


def test_a_bound_that_widens_another_interval_is_named():
    """y limited by x + y alone: with x at its lower end y is known, without it free down to its own."""
    parameters = (linear_parameter("x", 0.0, 5.0), linear_parameter("y", -5.0, 5.0))
    model = ToyModel("sum", parameters, lambda p: jnp.stack([p["x"] + p["y"], p["x"]]))
    data = ToyMeasurement(jnp.array([0.0, -1.0]), jnp.diag(jnp.array([100.0, 0.1])))
    _, profiles, errors = errors_of(build_problem(model, [data], "own", parameters, {}))
    assert errors.at_bound == ("x",)
    assert errors.errors["y"] == pytest.approx(0.1, rel=0.01)
    assert profiles["y"].low < -2.0
    assert "does not describe its profile (x stands at a bound)" in errors.notes["y"]


def test_a_second_minimum_outside_the_interval_is_said():
    """x^2 = 4 +- 0.4 and x = 2 +- 10: the minimum at -2 is (4/10)^2 higher, and no profile from 2 sees it."""
    problem = one_parameter_problem(lambda x: jnp.stack([x**2, x]), [4.0, 2.0], sigma=[0.4, 10.0])
    fit, profiles, errors = errors_of(problem)
    assert fit.values["x"] == pytest.approx(2.0, abs=1e-3)
    assert (profiles["x"].low, profiles["x"].high) == pytest.approx((np.sqrt(3.6), np.sqrt(4.4)), abs=0.01)
    assert errors.notes["x"] == "another minimum, 0.16 higher, lies outside this interval, at -2"
    assert errors.effective_parameters == 1


def test_a_plateau_is_limited_on_one_side():
    """max(x, 0) = 0 +- 1: anything below 0 is as good, above it the interval ends at 1 and the limit at 1.65."""
    _, profiles, errors = errors_of(one_parameter_problem(lambda x: jnp.maximum(x, 0.0), 0.0))
    assert profiles["x"].low is None
    assert profiles["x"].high == pytest.approx(1.0, abs=0.02)
    assert profiles["x"].limit_90 == pytest.approx(np.sqrt(LIMIT_90), abs=0.02)
    assert errors.flat == ()
    assert errors.effective_parameters == 0
    assert "one-sided: below 1" in errors.notes["x"]
    assert "not constrained" not in errors.notes["x"]


def test_a_likelihood_that_says_nothing_is_flat():
    _, profiles, errors = errors_of(one_parameter_problem(lambda x: 0.0 * x, 0.0))
    assert profiles["x"].is_free
    assert [list(direction.components) for direction in errors.flat] == [["x"]]
    assert errors.effective_parameters == 0


def test_at_a_bound_that_other_parameters_set_the_fit_moves_along_it():
    """ln x = ln 2 and ln y = ln 4, both +- 0.5, y below x: both are sqrt(8) and move together, known to 0.5/sqrt(2)."""
    _, _, errors = errors_of(edge_problem(), key=5)
    assert errors.effective_parameters == 1
    assert errors.at_bound == ()
    assert errors.errors["x"] == pytest.approx(0.5 / np.sqrt(2.0), rel=0.01)
    assert errors.errors["y"] == pytest.approx(0.5 / np.sqrt(2.0), rel=0.01)
    assert errors.correlation[0, 1] == pytest.approx(1.0, abs=1e-3)
    assert errors.notes["y"].startswith("at the bound that other parameters set")


def test_degrees_of_freedom_with_the_effective_parameters_make_p_values_uniform():
    """2000 sets of 5 numbers with one mean, at least 0, whose true value is 0: half of the fits stand at the bound.

    The count of `hesse` is checked on one set of either kind; p-values with it are uniform, and with one parameter
    always taken off they are not.
    """
    rng = np.random.default_rng(5)
    data = rng.normal(size=(2000, 5))
    best = np.maximum(data.mean(axis=1), 0.0)
    chi_squared = np.sum((data - best[:, None]) ** 2, axis=1)
    counts = {}
    for row in (int(np.argmin(best)), int(np.argmax(best))):
        problem = one_parameter_problem(lambda x: x * jnp.ones(5), data[row], low=0.0)
        counts[bool(best[row] > 0.0)] = errors_of(problem)[2].effective_parameters
    assert counts == {False: 0, True: 1}
    taken = np.where(best > 0.0, counts[True], counts[False])
    assert kstest(chi2.sf(chi_squared, 5 - taken), "uniform").pvalue > 0.01
    assert kstest(chi2.sf(chi_squared, 4), "uniform").pvalue < 0.01


def test_the_ends_of_minuit_have_limits_too():
    """Parabolas without bound or plateau go through MINUIT; a range that ends inside the interval leaves one end."""
    parameters = (linear_parameter("x", -0.5, 5.0), LINEAR_PARAMETERS[1])
    model = ToyModel("plane", parameters, lambda p: jnp.stack([p["x"], p["y"]]))
    problem = build_problem(model, [ToyMeasurement(jnp.zeros(2), jnp.eye(2))], "own", parameters, {})
    _, profiles, errors = errors_of(problem)
    assert (profiles["x"].low, profiles["x"].high) == (None, pytest.approx(1.0, abs=2e-3))
    assert profiles["x"].note_high == "MINOS"
    assert profiles["x"].limit_90 == pytest.approx(np.sqrt(LIMIT_90), abs=0.02)
    assert profiles["y"].limit_90 is None
    assert errors.effective_parameters == 2

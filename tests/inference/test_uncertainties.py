import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import ToyMeasurement, ToyModel, banana_problem, linear_parameter, linear_problem, log_parameter

from anomfit.errors import InputError
from anomfit.inference import coordinates
from anomfit.inference.compiled import hessian
from anomfit.inference.fit.minimise import FitSettings, minimise
from anomfit.inference.fit.minos import minos, profile_sides
from anomfit.inference.fit.uncertainties import hesse
from anomfit.parameters import Nuisance
from anomfit.problem import build_problem

QUICK = FitSettings(screened=256, starts=8)


def test_hesse_of_a_gaussian_is_its_covariance():
    problem = linear_problem()
    errors = hesse(problem, minimise(problem, jax.random.key(1), QUICK))
    np.testing.assert_allclose(errors.covariance, [[0.04, 0.03], [0.03, 0.09]], rtol=1e-6)
    assert errors.errors["x"] == pytest.approx(0.2, rel=1e-6)
    assert (errors.low["x"], errors.high["x"]) == pytest.approx((0.3, 0.7), abs=1e-4)
    assert errors.correlation[0, 1] == pytest.approx(0.5, rel=1e-6)
    assert errors.effective_parameters == 2
    assert errors.flat == ()
    assert errors.notes == {}


def test_the_hessian_is_that_of_finite_differences():
    """Second differences of -2 ln L at a point away from the minimum, in ln(value) of the log-uniform parameters."""
    problem = banana_problem((Nuisance("shift", "s", 0.0, 0.1, "moves all numbers"),))
    at = np.log([2.0, 1.5, 4.0, np.exp(0.3)])

    def twice_nll(s):
        ln_x, ln_y, ln_z, pull = s
        numbers = np.array([ln_x + ln_y, ln_x, max(ln_z, 0.0)]) + 0.1 * pull
        residual = numbers - np.array([np.log(2.0), np.log(3.0), 0.0])
        return residual @ np.diag([1e4, 1 / 0.09, 1.0]) @ residual + pull**2

    step, unit = 1e-4, np.eye(4)
    expected = [
        [
            sum(a * b * twice_nll(at + step * (a * unit[i] + b * unit[j])) for a in (1, -1) for b in (1, -1))
            / (4 * step**2)
            for j in range(4)
        ]
        for i in range(4)
    ]
    np.testing.assert_allclose(hessian(problem, at), expected, rtol=1e-4, atol=1e-3)


def test_flat_directions_are_found_and_named():
    problem = banana_problem((Nuisance("shift", "s", 0.0, 0.1, "moves all numbers"),))
    errors = hesse(problem, minimise(problem, jax.random.key(3), QUICK))
    assert errors.effective_parameters == 2
    assert errors.flat == ()  # below 1 z is as free as can be, but above it is limited
    assert errors.errors["shift"] == pytest.approx(1.0, abs=0.01)
    parameters = tuple(log_parameter(name) for name in "xyz")
    model = ToyModel("product", parameters, lambda p: jnp.log(p["x"] * p["y"])[None] + 0.0 * p["z"])
    data = ToyMeasurement(jnp.log(jnp.array([2.0])), jnp.array([[1e4]]))
    problem = build_problem(model, [data], "own", parameters, {})
    errors = hesse(problem, minimise(problem, jax.random.key(3), QUICK))
    assert errors.effective_parameters == 1
    assert {direction.words for direction in errors.flat} == {
        "+1.00 z (1 sigma is the whole range)",
        "+0.71 x -0.71 y (1 sigma is the whole range)",
    }
    assert errors.notes["z"] == "not constrained inside its range: -2 ln L rises by less than 1 up to either end"


def _skewed(point):
    return jnp.stack([jnp.exp(point["x"]) + point["y"], point["y"]])


def _skewed_problem(high=5.0):
    """exp(x) + y = 2 +- 0.5 and y = 0 +- 0.3: the profile of x is a parabola in exp(x), of width sqrt(0.34)."""
    parameters = (linear_parameter("x", -5.0, high), linear_parameter("y"))
    model = ToyModel("skewed", parameters, lambda p: jnp.stack([jnp.exp(p["x"]) + p["y"], p["y"]]))
    data = ToyMeasurement(jnp.array([2.0, 0.0]), jnp.diag(jnp.array([4.0, 1 / 0.09])))
    return build_problem(model, [data], "own", parameters, {})


def test_minos_finds_the_ends_of_an_asymmetric_profile():
    problem = _skewed_problem()
    found = {e.name: e for e in minos(problem, minimise(problem, jax.random.key(1), QUICK))}
    width = np.sqrt(0.25 + 0.09)
    assert found["x"].low == pytest.approx(np.log(2.0 - width), abs=2e-3)
    assert found["x"].high == pytest.approx(np.log(2.0 + width), abs=2e-3)
    assert (found["y"].low, found["y"].high) == pytest.approx((-0.3, 0.3), abs=1e-3)
    assert found["x"].note_low == found["x"].note_high == "MINOS"


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_profile_agrees_with_the_analytic_one(sign):
    problem = _skewed_problem()
    fit = minimise(problem, jax.random.key(1), QUICK)
    (side,) = profile_sides(problem, coordinates.to_scaled(problem, fit.point), fit.twice_nll, [(0, sign)])
    assert side.is_done
    assert side.end == pytest.approx(np.log(2.0 + sign * np.sqrt(0.34)), abs=1e-3)
    for point, rise in zip(side.points, side.rises, strict=True):
        assert rise == pytest.approx((np.exp(point[0]) - 2.0) ** 2 / 0.34, abs=1e-3)


def test_profiles_follow_a_curved_valley():
    """x y = 2 +- 1 % within ranges of six decades: y follows x over its whole interval."""
    problem = banana_problem()
    fit = minimise(problem, jax.random.key(3), QUICK)
    wanted = [(i, sign) for i in range(3) for sign in (-1, 1)]
    sides = profile_sides(problem, coordinates.to_scaled(problem, fit.point), fit.twice_nll, wanted)
    x_low, x_high, y_low, y_high, z_low, z_high = (side.end for side in sides)
    assert (x_low, x_high) == pytest.approx((np.log(3.0) - 0.3, np.log(3.0) + 0.3), abs=4e-3)
    assert (y_low, y_high) == pytest.approx((np.log(2 / 3) - 0.3, np.log(2 / 3) + 0.3), abs=4e-3)
    assert z_low is None
    assert z_high == pytest.approx(1.0, abs=0.01)


def test_minos_says_when_a_bound_is_reached():
    problem = _skewed_problem(high=0.8)
    (error,) = minos(problem, minimise(problem, jax.random.key(1), QUICK), ["x"])
    assert error.high is None
    assert error.note_high == "no upper limit inside the range"
    assert error.low == pytest.approx(np.log(2.0 - np.sqrt(0.34)), abs=2e-3)


def test_minos_survives_a_plateau_and_finds_its_edge():
    """ln z = 0 +- 1 above 1 and anything below, -2 ln L grows by 1 at z = e."""
    problem = banana_problem()
    found = {e.name: e for e in minos(problem, minimise(problem, jax.random.key(3), QUICK))}
    assert found["z"].low is None
    assert found["z"].note_low == "no lower limit inside the range"
    assert found["z"].high == pytest.approx(np.e, rel=5e-3)
    assert (found["x"].low, found["x"].high) == pytest.approx((3.0 * np.exp(-0.3), 3.0 * np.exp(0.3)), rel=5e-3)


def test_a_parameter_at_its_bound_is_noted():
    parameters = (log_parameter("x", 0.1, 2.0),)
    model = ToyModel("bounded", parameters, lambda p: jnp.log(p["x"])[None])
    data = ToyMeasurement(jnp.log(jnp.array([3.0])), jnp.array([[25.0]]))
    problem = build_problem(model, [data], "own", parameters, {})
    fit = minimise(problem, jax.random.key(1), QUICK)
    assert fit.values["x"] == pytest.approx(2.0, rel=1e-4)
    assert fit.values["x"] <= 2.0
    errors = hesse(problem, fit)
    assert errors.at_bound == ("x",)
    assert errors.notes["x"].startswith("at the upper end of its range, where HESSE's parabola means nothing; one-")


def test_minos_of_an_unknown_parameter_is_refused():
    problem = linear_problem()
    with pytest.raises(InputError, match="'mass'"):
        minos(problem, minimise(problem, jax.random.key(1), QUICK), ["mass"])

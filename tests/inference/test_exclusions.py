"""What constraints say of a fit, and what the limits cost, against counts and parabolas written out by hand."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import Numbers, ToyMeasurement, ToyModel, linear_parameter

from anomfit.constraints.base import About, Constraint, against_measurement, against_upper_limit, measured_number
from anomfit.inference.compare.exclusions import comparable, exclusions, has_limits, with_posterior, without_limits
from anomfit.inference.compare.significance import significance
from anomfit.inference.fit.minimise import FitSettings, minimise
from anomfit.problem import build_problem

PARAMETERS = (linear_parameter("x", -5.0, 5.0),)
MODEL = ToyModel("line", PARAMETERS, lambda p: jnp.stack([p["x"]]))


def about(name, kind="upper limit", accepts=(Numbers,), without=0.0):
    return About(name, name, "x", "1", kind, "2020", "a test", "none", (), accepts=accepts, without=without)


def upper_limit(name, limit, kind="upper limit", **more):
    data = {"limit": np.asarray(limit)}
    return Constraint(
        data,
        about(name, kind, **more),
        lambda model, point, nuisances, d: against_upper_limit(point["x"], d["limit"]),
    )


def measured(name, value, sigma):
    return Constraint(
        measured_number(value, sigma),
        about(name, "measured"),
        lambda model, point, nuisances, d: against_measurement(point["x"], d),
    )


def problem(*limits):
    data = ToyMeasurement(jnp.array([3.0]), jnp.array([[4.0]]))  # x = 3.0 +- 0.5
    return build_problem(MODEL, [data, *limits], "own", PARAMETERS, {})


class Other:
    """A capability that the toy model lacks."""

    def other(self, point): ...


def test_fitted_and_other_constraints_are_compared_once_and_what_a_model_lacks_is_left_out():
    loose = upper_limit("loose", 10.0)
    stranger = upper_limit("stranger", 1.0, accepts=(Other,))
    fitted = dataclasses.replace(loose, data={"limit": np.asarray(4.0)})
    found = comparable(problem(fitted), [loose, stranger])
    assert [entry.name for entry in found] == ["loose"]
    assert found[0].data["limit"] == 4.0  # the fit's own


def test_a_point_is_excluded_by_minus_2_ln_l_inside_the_fit_and_by_the_ratio_outside():
    inside, outside = upper_limit("inside", 2.0), upper_limit("outside", 2.5)
    others = [outside, upper_limit("allowed", 4.0), upper_limit("planned", 0.1, kind="projection")]
    fit = problem(inside)
    found = exclusions(fit, comparable(fit, others), {"x": 3.0}, [{"x": 2.2}, {"x": 1.0}])
    rows = {row.name: row for row in found.rows}
    assert rows["inside"].fitted
    assert rows["inside"].twice_nll == pytest.approx((1.645 * 1.5) ** 2, rel=1e-3)
    assert rows["outside"].ratio == pytest.approx(1.2)
    assert [row.name for row in found.of_best_fit] == ["inside", "outside"]  # the strongest first
    assert rows["inside"].optima == (True, False)
    assert rows["outside"].optima == (False, False)
    assert found.of_optimum(0) == ("inside",)
    assert not rows["planned"].excludes
    assert found.inside is None


def test_a_number_that_no_new_physics_fails_does_not_count():
    fit = problem()
    found = exclusions(fit, [measured("far", 6.0, 0.5), measured("near", 0.5, 0.5)], {"x": 3.0})
    far, near = found.rows
    assert far.fails_without
    assert not far.excludes
    assert not near.fails_without
    assert near.excludes
    assert near.ratio == pytest.approx(2.5 / 0.5 / 1.645, rel=1e-3)


def test_fractions_of_the_posterior_are_counts_of_draws():
    inside, outside = upper_limit("inside", 2.0), upper_limit("outside", 2.5)
    fit = problem(inside)
    constraints = comparable(fit, [outside])
    draws = {"x": np.random.default_rng(1).normal(2.0, 1.0, 100)}  # no whole number of lanes
    found = with_posterior(fit, constraints, exclusions(fit, constraints, {"x": 2.0}), draws)
    rows = {row.name: row.fraction for row in found.rows}
    assert rows["inside"] == pytest.approx(np.mean((1.645 * np.maximum(draws["x"], 0.0) / 2.0) ** 2 > 2.71))
    assert rows["outside"] == pytest.approx(np.mean(draws["x"] > 2.5))
    assert (found.inside, found.outside, found.draws) == (rows["inside"], rows["outside"], 100)


def test_the_cost_of_limits_is_the_gain_that_they_take_away():
    """x = 3.0 +- 0.5 and x < 1 at 90 % CL: two parabolas."""
    limit = upper_limit("limit", 1.0)
    fit = problem(limit)
    assert has_limits(fit)
    assert not has_limits(problem())
    key = jax.random.key(0)
    best = minimise(fit, key, FitSettings(screened=64, starts=2))
    weights = np.array([1.0 / 0.5**2, 1.6448536**2])
    place = weights[0] * 3.0 / weights.sum()
    assert best.values["x"] == pytest.approx(place, rel=1e-4)
    gain = significance(fit, best.point)
    found = without_limits(fit, best.point, gain, key)
    assert found.values["x"] == pytest.approx(3.0, rel=1e-4)
    assert found.delta_chi_squared == pytest.approx(36.0, rel=1e-6)
    paid = {entry.name: entry.best - entry.without for entry in found.gains}
    assert paid["toy:2020"] == pytest.approx(weights[0] * (3.0 - place) ** 2, rel=1e-4)
    assert paid["limit:2020"] == pytest.approx(weights[1] * (place**2 - 9.0), rel=1e-4)
    assert found.excluded_by["limit"] == pytest.approx(weights[1] * 9.0, rel=1e-4)
    assert sum(paid.values()) == pytest.approx(best.twice_nll - weights[1] * 9.0, rel=1e-4)

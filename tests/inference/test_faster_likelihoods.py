"""Errors and comparisons with the help of a likelihood that nearly agrees: what is stated is the exact one's."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_exclusions import problem as problem_with
from test_exclusions import upper_limit
from toys import ToyMeasurement, ToyModel, linear_parameter

from anomfit.inference import coordinates
from anomfit.inference.compare.exclusions import without_limits
from anomfit.inference.compare.significance import significance
from anomfit.inference.compiled import forward
from anomfit.inference.fit.minimise import FitSettings, minimise
from anomfit.inference.fit.minos import minos, profile_sides
from anomfit.measurements.base import Prediction
from anomfit.measurements.stand_in import FromExact
from anomfit.problem import build_problem

QUICK = FitSettings(screened=64, starts=2)
OFF = 1.01  # what the fast prediction is off by


@dataclass(frozen=True)
class Near(FromExact[ToyMeasurement]):
    """The measurement with a prediction that is a hundredth off."""

    exact: ToyMeasurement

    title, choices, is_looked_up = "near", {}, True

    def predict(self, model, point, nuisances):
        found = self.exact.predict(model, point, nuisances)
        return Prediction({name: OFF * part for name, part in found.signal.items()}, {})

    def holds_at(self, model, point, nuisances):
        return jnp.array(True)


jax.tree_util.register_dataclass(Near, data_fields=["exact"], meta_fields=[])


def near(problem):
    replaced = tuple(Near(m) if isinstance(m, ToyMeasurement) else m for m in problem.measurements)
    return replace(problem, measurements=replaced)


def bent():
    """exp(x) + y = 2.0 +- 0.5 and y = 0 +- 0.3; z, which is at the lower end of its range, above 0 by 0.4 at most."""
    parameters = (linear_parameter("x", -3.0, 3.0), linear_parameter("y", -2.0, 2.0), linear_parameter("z", 0.0, 3.0))
    model = ToyModel("bent", parameters, lambda p: jnp.stack([jnp.exp(p["x"]) + p["y"], p["y"], p["z"] + 0.2]))
    data = ToyMeasurement(jnp.array([2.0, 0.0, 0.0]), jnp.diag(jnp.array([4.0, 1 / 0.09, 1 / 0.16])))
    return build_problem(model, [data], "own", parameters, {})


def test_profiles_are_those_of_the_exact_likelihood_though_a_fast_one_is_followed():
    exact = bent()
    fit = minimise(exact, jax.random.key(1), QUICK)
    s = coordinates.to_scaled(exact, fit.point)
    wanted = [(i, sign) for i in range(3) for sign in (-1, 1)]
    alone = profile_sides(exact, s, fit.twice_nll, wanted)
    helped = profile_sides(exact, s, fit.twice_nll, wanted, fast=near(exact))
    for one, other in zip(alone, helped, strict=True):
        assert (one.end is None) == (other.end is None)
        if one.end is not None:
            assert other.end == pytest.approx(one.end, abs=5e-3)
        points = [coordinates.from_scaled(exact, point) for point in other.points]
        found = forward(exact, {name: np.array([point[name] for point in points]) for name in exact.names})
        np.testing.assert_allclose(other.rises, found.twice_nll - fit.twice_nll, atol=1e-9)
    intervals = {error.name: error for error in minos(exact, fit, fast=near(exact))}
    assert intervals["y"].high == pytest.approx(0.3, abs=5e-3)
    assert intervals["z"].low is None
    assert intervals["z"].high == pytest.approx(np.sqrt(0.2**2 + 0.4**2) - 0.2, abs=5e-3)


def test_the_fit_without_limits_is_exact_though_a_fast_likelihood_is_searched():
    exact, key = problem_with(upper_limit("limit", 1.0)), jax.random.key(0)
    best = minimise(exact, key, QUICK)
    gain = significance(exact, best.point)
    alone, helped = (without_limits(exact, best.point, gain, key, fast=fast) for fast in (None, near(exact)))
    assert helped.values["x"] == pytest.approx(alone.values["x"], rel=1e-4)
    assert helped.delta_chi_squared == pytest.approx(alone.delta_chi_squared, rel=1e-6)
    assert helped.excluded_by["limit"] == pytest.approx(alone.excluded_by["limit"], rel=1e-3)

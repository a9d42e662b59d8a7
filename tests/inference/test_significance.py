"""The gain of a best fit over no new physics, against sums written out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, stats

from anomfit.cards import load_card, problem_from_card
from anomfit.catalogue import find_measurement, find_model
from anomfit.inference.compare.significance import null_predictions, null_twice_nll, significance
from anomfit.inference.compiled import forward_at
from anomfit.problem import build_problem


def test_miniboone_without_signal_is_its_null_chi_squared():
    """The best fit of the experiment's own hypothesis: Delta chi^2 = -2 ln L(0) + 2 ln L(best)."""
    problem = problem_from_card(load_card("oscillation"))
    best = {"sin2_2theta": 0.807, "delta_m2": 0.043}
    found = significance(problem, best)
    measurement = problem.measurements[0]
    covariance = np.asarray(measurement.data.covariance(jnp.zeros(22)))
    residual = np.asarray(measurement.data.residual(jnp.zeros(22)))
    assert found.null == pytest.approx(residual @ np.linalg.solve(covariance, residual), rel=1e-9)
    assert found.delta_chi_squared == pytest.approx(found.null - forward_at(problem, best).twice_nll[0], rel=1e-12)
    assert found.local_sigmas == pytest.approx(np.sqrt(found.delta_chi_squared))
    assert found.local_p_value == pytest.approx(stats.norm.sf(found.local_sigmas))


def test_nuisances_are_refitted_without_a_signal():
    """KARMEN alone: the scale of its background is the one nuisance that matters without a signal."""
    model, measurement = find_model("oscillation"), find_measurement("karmen")
    problem = build_problem(model, [measurement], "physical", model.parametrisations["physical"].parameters, {})
    found = significance(problem, {"sin2_2theta": 0.003, "delta_m2": 1.2})
    counts, background = np.asarray(measurement.counts), np.asarray(measurement.background)
    width = measurement.nuisances[1].sigma

    def by_hand(pull):
        return pull**2 - 2.0 * np.sum(stats.poisson((1.0 + width * pull) * background).logpmf(counts))

    refitted = optimize.minimize_scalar(by_hand, bounds=(-4.0, 4.0), method="bounded", options={"xatol": 1e-9})
    assert found.null == pytest.approx(refitted.fun, abs=1e-6)
    assert found.null_pulls["karmen_background"] == pytest.approx(refitted.x, abs=1e-4)
    assert found.null_pulls["karmen_signal"] == pytest.approx(0.0, abs=1e-5)
    assert [gain.name for gain in found.gains] == ["karmen:prompt-energy", "nuisance pulls"]


def test_a_number_that_does_not_vanish_without_new_physics():
    """The trident rate over the Standard Model's is 1 without new physics; a limit costs nothing."""
    model = find_model("two-higgs-doublet")
    chosen = model.parametrisations["physical"]
    limits = [find_measurement(name) for name in ("trident-ccfr", "e141")]
    problem = build_problem(model, limits, "physical", chosen.parameters, {})
    assert [float(p.total[0]) for p in null_predictions(problem)] == [0.0, 0.0]
    assert limits[0].bins()[0].background == 1.0
    first, second, *_ = significance(problem, dict(model.points["table-I"])).gains
    assert first.null == pytest.approx(((1.0 - 0.82) / 0.28) ** 2, rel=1e-12)
    assert second.null == 0.0


def test_the_null_is_a_function_of_the_nuisances_alone():
    problem = problem_from_card(load_card("oscillation"))
    predictions = null_predictions(problem)
    value, slopes = jax.value_and_grad(null_twice_nll, argnums=2)(problem, predictions, jnp.zeros(0))
    assert float(value) == pytest.approx(significance(problem, {"sin2_2theta": 0.8, "delta_m2": 0.04}).null, rel=1e-12)
    assert slopes.shape == (0,)

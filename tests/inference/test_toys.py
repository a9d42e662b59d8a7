"""Toys of linear Gaussian problems, whose distributions are known exactly; seeds are fixed."""

import dataclasses
from types import MappingProxyType

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from toys import ToyMeasurement, ToyModel, linear_parameter

from anomfit.errors import InputError
from anomfit.inference.compare.throwing import throw
from anomfit.inference.compare.toys import ToySettings, Truth, run_toys, true_point
from anomfit.measurements.base import Prediction
from anomfit.measurements.stand_in import FromExact
from anomfit.parameters import Nuisance
from anomfit.problem import build_problem
from anomfit.results.toys import calibrated

NUMBER = 160
PLACES, SIGMA = np.linspace(-1.0, 1.0, 6), 0.2
DESIGN = np.stack([np.ones(6), PLACES], axis=1)
TRUE = {"a": 0.3, "b": 0.5}
KEY = jax.random.key(0)


def line(nuisances=()):
    """Six numbers on a line a + b x: two parameters, four degrees of freedom."""
    parameters = (linear_parameter("a"), linear_parameter("b"))
    model = ToyModel("line", parameters, lambda point: point["a"] + point["b"] * jnp.asarray(PLACES))
    data = jnp.asarray(DESIGN @ [0.4, 0.6])
    measurement = ToyMeasurement(data, jnp.eye(6) / SIGMA**2, nuisances=nuisances)
    return build_problem(model, [measurement], "own", parameters, {})


@pytest.fixture(scope="module")
def toys():
    problem = line()
    settings = ToySettings(number=NUMBER, starts=2, screened=32)
    return run_toys(problem, true_point(problem, TRUE), KEY, settings, ("a", "b"))


@pytest.fixture(scope="module")
def data():
    """The same toys' data, thrown by hand: (toys, numbers)."""
    problem, key = line(), jax.random.split(KEY)[0]
    keys = jax.vmap(lambda i: jax.random.fold_in(key, i))(jnp.arange(NUMBER))
    predictions = (Prediction({"all": jnp.asarray(DESIGN @ [0.3, 0.5])}, {}),)
    return np.asarray(throw(problem, predictions, {}, keys).leaves[0])


def squares(residuals):
    return np.sum(residuals**2, axis=1) / SIGMA**2


def test_every_fit_is_the_least_squares_of_its_toy(toys, data):
    best = np.linalg.lstsq(DESIGN, data.T, rcond=None)[0].T
    np.testing.assert_allclose(np.stack([toys.best["a"], toys.best["b"]], axis=1), best, atol=1e-5)
    np.testing.assert_allclose(toys.total, squares(data - best @ DESIGN.T), atol=1e-6)
    np.testing.assert_allclose(toys.at_truth, squares(data - DESIGN @ [0.3, 0.5]), atol=1e-9)
    np.testing.assert_allclose(toys.null, squares(data), atol=1e-9)
    slope = (data - 0.3) @ PLACES / np.sum(PLACES**2)
    np.testing.assert_allclose(toys.held["a"], squares(data - 0.3 - slope[:, None] * PLACES), atol=1e-6)


def test_chi_squared_delta_and_coverage_have_their_distributions(toys):
    assert toys.numbers == 6
    assert stats.kstest(toys.total, stats.chi2(4).cdf).pvalue > 0.01
    assert stats.kstest(toys.at_truth - toys.twice_nll, stats.chi2(2).cdf).pvalue > 0.01
    assert stats.kstest(toys.held["b"] - toys.twice_nll, stats.chi2(1).cdf).pvalue > 0.01


def test_a_toy_is_the_same_whatever_the_number_of_toys(toys):
    problem = line()
    few = run_toys(problem, true_point(problem, TRUE), KEY, ToySettings(number=5, starts=2, screened=32))
    np.testing.assert_allclose(few.twice_nll, toys.twice_nll[:5], rtol=1e-6)
    np.testing.assert_allclose(few.null, toys.null[:5], rtol=1e-9)


@dataclasses.dataclass(frozen=True)
class Rough(FromExact[ToyMeasurement]):
    """A stand-in whose predictions are 3 % too large, and none below a sum of -2."""

    exact: ToyMeasurement
    choices = MappingProxyType({"predictions": "rough"})

    def predict(self, model, point, nuisances):
        total = self.exact.predict(model, point, nuisances).total
        return Prediction({"all": jnp.where(jnp.sum(total) < -2.0, jnp.nan, 1.03 * total)}, {})

    def holds_at(self, model, point, nuisances):
        return jnp.sum(self.exact.predict(model, point, nuisances).total) >= -2.0


jax.tree_util.register_dataclass(Rough, data_fields=["exact"], meta_fields=[])


def test_toys_that_are_searched_with_a_faster_copy_are_those_of_the_exact_rule(toys, data):
    """Data, best fits and every number, though the copy alone has its minima elsewhere and not everywhere a value."""
    problem = line()
    measurement = problem.measurements[0]
    assert isinstance(measurement, ToyMeasurement)
    fast = dataclasses.replace(problem, measurements=(Rough(measurement),))
    settings, truth = ToySettings(number=20, starts=3, screened=32), true_point(problem, TRUE)
    found = run_toys(problem, truth, KEY, settings, ("a",), fast=fast)
    best = np.linalg.lstsq(DESIGN, data[:20].T, rcond=None)[0].T
    np.testing.assert_allclose(np.stack([found.best["a"], found.best["b"]], axis=1), best, atol=1e-5)
    for name in ("twice_nll", "null", "at_truth", "total"):
        np.testing.assert_allclose(getattr(found, name), getattr(toys, name)[:20], atol=1e-6)
    np.testing.assert_allclose(found.held["a"], toys.held["a"][:20], atol=1e-6)
    alone = run_toys(fast, truth, KEY, settings)
    assert np.max(np.abs(alone.best["a"] - found.best["a"])) > 1e-3


def test_what_other_data_say_of_a_nuisance_is_thrown_too():
    """A common shift of 0.3 with its own datum: chi^2, that datum included, has 6 + 1 - 3 degrees of freedom."""
    problem = line((Nuisance("shift", "s", 0.0, 0.3, "of all numbers"),))
    truth = true_point(problem, {**TRUE, "shift": 1.5})
    found = run_toys(problem, truth, jax.random.key(5), ToySettings(number=NUMBER, starts=1, screened=8), ("a",))
    assert stats.kstest(found.total, stats.chi2(4).cdf).pvalue > 0.01
    assert stats.kstest(found.held["a"] - found.twice_nll, stats.chi2(1).cdf).pvalue > 0.01
    # a is known as badly as the shift: the spread of its estimate holds that of the thrown centres
    assert np.std(found.best["a"]) == pytest.approx(np.hypot(0.2 / np.sqrt(6), 0.3), rel=0.2)


def test_without_new_physics_the_gain_is_that_of_two_parameters():
    problem = line()
    found = run_toys(problem, Truth(None, {}), jax.random.key(7), ToySettings(number=NUMBER, starts=2, screened=32))
    assert found.at_truth is None
    assert stats.kstest(found.null - found.twice_nll, stats.chi2(2).cdf).pvalue > 0.01


def test_an_interrupt_keeps_the_toys_that_are_done():
    problem = line()

    def stop(stage, done, total):
        if done >= 16:
            raise KeyboardInterrupt

    truth = true_point(problem, TRUE)
    found = run_toys(problem, truth, jax.random.key(3), ToySettings(40, starts=1, screened=8), progress=stop)
    assert not found.complete
    assert len(found.twice_nll) == 16


def test_a_run_goes_on_from_its_state_with_the_same_toys(toys, tmp_path):
    problem, state = line(), tmp_path / "toys.npz"
    truth, settings = true_point(problem, TRUE), ToySettings(number=16, starts=2, screened=32)
    run_toys(problem, truth, KEY, settings, ("a", "b"), state_file=state)
    more = dataclasses.replace(settings, number=24)
    found = run_toys(problem, truth, KEY, more, ("a", "b"), state_file=state)
    np.testing.assert_allclose(found.twice_nll, toys.twice_nll[:24], rtol=1e-9)
    np.testing.assert_allclose(found.held["b"], toys.held["b"][:24], rtol=1e-9)
    fewer = run_toys(problem, truth, KEY, dataclasses.replace(settings, number=3), ("a", "b"), state_file=state)
    np.testing.assert_array_equal(fewer.twice_nll, found.twice_nll[:3])
    with pytest.raises(InputError, match="the seed has changed"):
        run_toys(problem, truth, jax.random.key(9), more, ("a", "b"), state_file=state)


def test_a_calibrated_p_value_is_never_0_and_never_1():
    assert calibrated(np.arange(9.0), 7.5).words.startswith("0.2 +- ")
    assert calibrated(np.arange(9.0), 20.0).words == "below 0.1"
    assert calibrated(np.arange(9.0), -1.0).words == "above 0.9"


def test_what_makes_no_sense_is_refused():
    problem = line()
    with pytest.raises(InputError, match="coverage is that of a free parameter: a, b"):
        run_toys(problem, true_point(problem, TRUE), jax.random.key(1), ToySettings(2), ("c",))
    with pytest.raises(InputError, match="no parameter has a true value"):
        run_toys(problem, Truth(None, {}), jax.random.key(1), ToySettings(2), ("a",))
    with pytest.raises(InputError, match="number: 0 is not usable"):
        ToySettings(number=0)

    class Silent:
        name, era, independent_numbers = "silent", "1", 2

    mute = dataclasses.replace(problem, measurements=(Silent(),))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"silent: it cannot be thrown for toys; give it a method simulate"):
        run_toys(mute, Truth(None, {}), jax.random.key(1), ToySettings(2))

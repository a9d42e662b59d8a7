"""Likelihoods and gradients that are not finite somewhere: counted, placed and said, and no chain is lost in them."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import ToyMeasurement, ToyModel, banana_problem, linear_parameter, linear_problem, one_parameter_problem

from anomfit.errors import InputError
from anomfit.inference.compiled import forward
from anomfit.inference.coordinates import values_at_normal
from anomfit.inference.fit.minimise import FitSettings, minimise
from anomfit.inference.fit.minos import minos
from anomfit.inference.fit.uncertainties import hesse
from anomfit.inference.sample import chains as module
from anomfit.inference.sample import nested
from anomfit.inference.sample.chains import SampleSettings, sample
from anomfit.inference.sample.diagnostics import still_chains
from anomfit.inference.sample.nuts import Block, Tuning
from anomfit.inference.sample.starts import finite_starts
from anomfit.inference.undefined import CURE, Watch, placed, undefined_values
from anomfit.problem import build_problem

QUICK = FitSettings(screened=256, starts=8)
SHORT = SampleSettings(chains=2, draws=40, max_draws=40, tuning=Tuning(warmup=40))


def no_gradient(x):
    """-0.2 at and below 0, with a slope that is not a number: one `where` outside of the root."""
    return jnp.where(x > 0.0, jnp.sqrt(x), -0.2)


def good(x):
    """The same with the double where; the root starts above 0, where its slope is finite."""
    is_open = x > 1e-6
    return jnp.where(is_open, jnp.sqrt(jnp.where(is_open, x, 1.0)), -0.2)


def infinite(x):
    return jnp.where(x > 0.0, jnp.inf, x)


def not_a_number(x):
    return jnp.log(-x)


@dataclass(frozen=True)
class Closed(ToyMeasurement):
    """A Gaussian that refuses predictions above 0, as a measurement may."""

    def log_likelihood(self, prediction, nuisances):
        return jnp.where(prediction.total[0] > 0.0, -jnp.inf, super().log_likelihood(prediction, nuisances))


jax.tree_util.register_dataclass(
    Closed,
    data_fields=["data", "inverse"],
    meta_fields=["name", "era", "title", "samples", "accepts", "nuisances", "references"],
)


def closed_problem():
    parameters = (linear_parameter("x"), linear_parameter("y"))
    model = ToyModel("open", parameters, lambda p: jnp.stack([p["x"], p["y"]]))
    return build_problem(model, [Closed(jnp.array([-0.5, 0.0]), jnp.eye(2))], "own", parameters, {})


def problem_of(function):
    """x through `function`, measured as 0.5 +- 1 (or as -1 below 0), and y as 0 +- 1."""
    parameters = (linear_parameter("x"), linear_parameter("y"))
    model = ToyModel(function.__name__, parameters, lambda p: jnp.stack([function(p["x"]), p["y"]]))
    return build_problem(model, [ToyMeasurement(jnp.array([-0.5, 0.0]), jnp.eye(2))], "own", parameters, {})


@pytest.mark.parametrize("function", [infinite, not_a_number])
def test_points_without_a_likelihood_are_counted_and_placed(function):
    fit = minimise(problem_of(function), jax.random.key(1), QUICK)
    assert fit.values["x"] < 0.0
    sentence = fit.problems[0]
    count = int(sentence.removeprefix("the likelihood is not a number at ").split(" of ")[0])
    assert 100 < count < 156
    assert "of 256 points of the prior (x from " in sentence
    assert " y " not in sentence.split(")")[0]
    assert CURE in sentence


def test_points_without_a_gradient_are_counted_and_placed():
    """Below 0, where the likelihood is highest, no fit can go: it says so, and that the best fit is not the best."""
    fit = minimise(problem_of(no_gradient), jax.random.key(1), QUICK)
    assert fit.values["x"] > 0.0
    (tried,) = fit.problems
    assert " points tried by gradient, where the likelihood is (x from -" in tried
    assert "use the double where" in tried
    assert "no fit and no chain enters there, though -2 ln L falls to" in tried


def test_errors_beside_a_region_without_gradient_are_not_taken_for_limits():
    """Above y = 1 the gradient along x is not a number: what -2 ln L does there with x free to follow is not known."""
    parameters = (linear_parameter("x"), linear_parameter("y"))

    def plane(point):
        x, y = point["x"], point["y"]
        return jnp.stack([jnp.where(y < 1.0, x + 0.0 * x * jnp.sqrt(1.0 - y), x), y])

    data = ToyMeasurement(jnp.array([0.0, 0.5]), jnp.eye(2))
    problem = build_problem(ToyModel("half", parameters, plane), [data], "own", parameters, {})
    x, y = minos(problem, minimise(problem, jax.random.key(1), QUICK))
    assert (x.low, x.high, y.low) == pytest.approx((-1.0, 1.0, -0.5), abs=0.02)
    assert y.remarks == ("no upper end found: the gradient is not finite there",)
    assert (y.high, y.only_side, y.limit_90) == (None, 0, None)


def test_hesse_says_that_a_gradient_beside_the_best_fit_is_not_finite():
    problem = problem_of(no_gradient)
    fit = minimise(problem, jax.random.key(1), QUICK)
    errors = hesse(problem, replace(fit, values={"x": 1e-4, "y": 0.0}))
    assert errors.notes["x"].startswith("the gradient beside the best fit is not finite, so that HESSE does not hold")


@pytest.mark.parametrize("problem", [problem_of(good), linear_problem(), banana_problem(), closed_problem()])
def test_good_models_and_regions_that_a_measurement_closes_have_no_problems(problem):
    assert minimise(problem, jax.random.key(1), QUICK).problems == ()


def test_a_prediction_that_is_not_finite_is_told_from_a_closed_region():
    points = {"x": np.array([-1.0, 1.0]), "y": np.zeros(2)}
    for problem, broken in ((closed_problem(), False), (problem_of(infinite), True), (problem_of(not_a_number), True)):
        said = forward(problem, points)
        assert np.isinf(said.twice_nll).tolist() == [False, True]
        assert undefined_values(said).tolist() == [False, broken]


def test_no_finite_point_and_no_finite_gradient_are_refused_with_the_cure():
    with pytest.raises(InputError, match=r"no point of the prior has a finite likelihood.*256 of 256 points.*docs/"):
        minimise(one_parameter_problem(lambda x: x + jnp.inf, 0.0), jax.random.key(1), QUICK)
    nowhere = one_parameter_problem(lambda x: jnp.where(x > 9.0, jnp.sqrt(x - 9.0), 0.1), 0.0)
    with pytest.raises(InputError, match=r"no start has a finite likelihood and a finite gradient.*double where"):
        minimise(nowhere, jax.random.key(1), QUICK)
    with pytest.raises(InputError, match="no start of a chain"):
        sample(nowhere, jax.random.key(1), SHORT)


def test_starts_that_are_not_finite_are_replaced():
    problem = problem_of(no_gradient)
    starts = finite_starts(problem, jax.random.key(1), np.array([[1.0, 0.0], [-1.0, 0.0], [-0.5, 1.0], [0.5, 0.5]]))
    assert np.isfinite(starts.twice_nll).all()
    assert np.isfinite(starts.slopes).all()
    np.testing.assert_array_equal(starts.z[[0, 3]], [[1.0, 0.0], [0.5, 0.5]])
    assert np.all(starts.z[:, 0] > 0.0)
    (sentence,) = starts.problems
    assert sentence.startswith("the gradient is not finite at 2 of ")


def test_chains_keep_to_where_all_is_finite_and_the_rest_is_said():
    """Above 2 there is no likelihood, below 0 no gradient: no chain ends in either, nor at -inf in the table."""
    samples = sample(problem_of(lambda x: jnp.where(x > 2.0, jnp.inf, no_gradient(x))), jax.random.key(2), SHORT)
    assert np.isfinite(samples.stats["log_posterior"]).all()
    assert np.all((samples.values["x"] > 0.0) & (samples.values["x"] < 2.0))
    assert np.all(np.ptp(samples.z, axis=1) > 0.0)
    assert samples.divergences > 0
    value, gradient = (sentence for sentence in samples.problems if "points beside the draws" in sentence)
    assert "the likelihood is not a number at " in value
    assert "(x from 2." in value
    assert "the gradient is not finite at " in gradient
    assert "(x from -" in gradient
    assert "use the double where" in gradient


def test_a_region_that_a_measurement_closes_is_left_out_without_a_word():
    samples = sample(closed_problem(), jax.random.key(2), SHORT)
    assert samples.undefined == ()
    assert np.all(samples.values["x"] <= 0.0)
    assert np.isfinite(samples.stats["log_posterior"]).all()


def test_a_chain_that_never_moved_is_an_error():
    z = np.random.default_rng(1).normal(size=(4, 100, 2))
    z[1] = 0.25
    draws = Block(z, *(np.zeros((4, 100)) for _ in Block._fields[1:]))
    with pytest.raises(InputError, match=r"chains: 1 of 4 \(chain 2\) never moved in 100 draws.*at x = .*docs/"):
        module._check_moved(linear_problem(), draws, 100)
    module._check_moved(linear_problem(), draws, 101)


def test_still_chains():
    z = np.random.default_rng(1).normal(size=(3, 50, 2))
    z[1] = z[1, :1]
    log_posterior = np.zeros((3, 50))
    log_posterior[2] = -np.inf
    assert still_chains(z, log_posterior) == (1, 2)
    assert still_chains(z[:, :1], log_posterior[:, :1]) == ()
    assert Block._fields[0] == "z"


def test_nested_sampling_counts_points_without_a_likelihood():
    problem = problem_of(not_a_number)
    watch = Watch("points of nested sampling", lambda z: values_at_normal(problem, z))
    found = nested._log_likelihoods(problem, np.random.default_rng(1).uniform(size=(100, 2)), watch)
    assert np.isfinite(found).all()
    assert (found == -1e30).sum() == watch.without_value > 30
    assert f"at {watch.without_value} of 100 points of nested sampling (x from " in watch.sentences(problem)[0]


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        ([1.0], [2.0], "at x = 1, y = 2"),
        (np.linspace(1.0, 2.0, 50), np.linspace(-5.0, 5.0, 50), "x from 1 to 2"),
        (np.linspace(-5.0, 5.0, 50), np.linspace(-5.0, 5.0, 50), "anywhere in the ranges"),
        (np.linspace(-3.0, 1.0, 3), np.linspace(-2.0, 3.0, 3), "anywhere in the ranges"),
    ],
)
def test_places_in_words(x, y, expected):
    assert placed(problem_of(good), {"x": np.asarray(x), "y": np.asarray(y)}) == expected

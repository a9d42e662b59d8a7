"""Pulls that are integrated out: Gaussians, whose integrals are known; sums over grids; the posterior that is left."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal
from toys import ToyMeasurement, ToyModel, linear_parameter

from anomfit.inference.pulls.integrated import MANY, integrated, integrated_pulls, parted, with_pulls
from anomfit.inference.pulls.laplace import around_mode, factors, integral_of_one, solved, turned_back
from anomfit.inference.pulls.together import Together
from anomfit.inference.sample.likelihoods import log_posteriors
from anomfit.inference.sample.nested import sample_nested
from anomfit.inference.sample.tempered import sample_tempered
from anomfit.measurements.base import Prediction, StandsIn
from anomfit.parameters import Nuisance
from anomfit.problem import build_problem, with_measurements


def positive(rng, size):
    turned = rng.normal(size=(size, size))
    return turned @ turned.T / size + np.eye(size)


@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_factors_are_those_of_the_matrix(size):
    matrix = positive(np.random.default_rng(size), size)
    lower, pivots = factors(jnp.asarray(matrix))
    np.testing.assert_allclose(lower @ jnp.diag(pivots) @ lower.T, matrix, atol=1e-12)
    x = jnp.asarray(np.random.default_rng(1).normal(size=size))
    np.testing.assert_allclose(matrix @ solved(lower, pivots, x), x, atol=1e-12)
    np.testing.assert_allclose(lower.T @ turned_back(lower, x), x, atol=1e-12)


def test_a_matrix_with_less_than_the_prior_has_is_given_pivots_of_one():
    lower, pivots = factors(jnp.array([[0.5, 0.0], [0.0, -3.0]]))
    assert np.asarray(pivots).tolist() == [1.0, 1.0]
    assert np.asarray(lower).tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("size", [2, 4, 8])
def test_laplace_is_exact_for_gaussians(size):
    """ln of the integral of N(q; 0, 1) N(data; A q, C), which is N(data; 0, A A^T + C)."""
    rng = np.random.default_rng(size)
    turn, covariance, data = rng.normal(size=(3, size)), positive(rng, 3), rng.normal(size=3)
    inverse = jnp.asarray(np.linalg.inv(covariance))
    norm = -0.5 * np.log(np.linalg.det(2.0 * np.pi * covariance))

    def log_likelihood(q):
        off = jnp.asarray(data) - jnp.asarray(turn) @ q
        return norm - 0.5 * off @ inverse @ off

    found = around_mode(log_likelihood, size)
    expected = multivariate_normal(np.zeros(3), turn @ turn.T + covariance).logpdf(data)
    assert float(found.log_integral) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
def test_one_pull_is_summed_over_a_grid(scale):
    """A limit on a rate that is known to a factor: exp(-max(0, r e^(scale q) - 1)^2)."""

    def log_likelihood(q):
        return -(jnp.maximum(0.0, 0.9 * jnp.exp(jnp.clip(scale * q, -9.0, 9.0)) - 1.0) ** 2)

    q = np.linspace(-9.0, 9.0, 200_001)
    dense = np.exp(np.asarray(jax.vmap(log_likelihood)(jnp.asarray(q))) - 0.5 * q**2) / np.sqrt(2.0 * np.pi)
    assert float(integral_of_one(log_likelihood)) == pytest.approx(np.log(np.trapezoid(dense, q)), abs=0.02)


@dataclass(frozen=True)
class Counted(ToyMeasurement):
    """Numbers with a covariance, multiplied by (the first nuisance) and shifted by the others; Gaussian."""

    def predict(self, model, point, nuisances):
        first, *others = (nuisances[n.name] for n in self.nuisances)
        return Prediction({"all": model.numbers(point) * first + sum(others, jnp.zeros(()))}, {})


jax.tree_util.register_dataclass(
    Counted,
    data_fields=["data", "inverse"],
    meta_fields=["name", "era", "title", "samples", "accepts", "nuisances", "references"],
)


@dataclass(frozen=True)
class Halved(Counted):
    """Stands in for `Counted` where x is below 1."""

    title: str = "Stands in"  # JAX takes classes for alike whose fields are

    @property
    def exact(self):
        return Counted(**{name: getattr(self, name) for name in ("data", "inverse", "name", "samples", "nuisances")})

    @property
    def is_looked_up(self):
        return True

    def holds_at(self, model, point, nuisances):
        return point["x"] < 1.0

    def predict(self, model, point, nuisances):
        signal = super().predict(model, point, nuisances).signal["all"]
        return Prediction({"all": jnp.where(point["x"] < 1.0, signal, jnp.nan)}, {})


jax.tree_util.register_dataclass(
    Halved,
    data_fields=["data", "inverse"],
    meta_fields=["name", "era", "title", "samples", "accepts", "nuisances", "references"],
)


def plane(point):
    return jnp.stack([point["x"], point["y"]])


def pull(name, mean=1.0, sigma=0.1):
    return Nuisance(name, name, mean, sigma, "a toy")


def problem_of(*kinds, error=0.2):
    """x and y measured three times: the first two share an efficiency, the third has its own and no other pull."""
    shared = pull("efficiency")
    each = [(shared, pull("shift", 0.0, 0.1)), (shared, pull("other", 0.0, 0.05)), (pull("third"),)]
    inverse = jnp.diag(jnp.array([1.0, 1.0])) / error**2
    data = [
        kind(jnp.array([0.5 + 0.1 * i, -1.0]), inverse, name=f"toy{i}", samples=frozenset({str(i)}), nuisances=own)
        for i, (kind, own) in enumerate(zip(kinds, each, strict=False))
    ]
    parameters = (linear_parameter("x"), linear_parameter("y"))
    return build_problem(ToyModel("sum", parameters, plane), data, "own", parameters, {})


def points(number=40, names=2):
    """About the posterior, x from 0.2 to 0.9 and y from -1.3 to -0.7, some way out on each side."""
    centre = np.pad([0.14, -0.25], (0, names - 2))
    return centre + np.random.default_rng(3).normal(size=(number, names)) * 0.04


def integrals(problem, z, number=33):
    """ln of the integral over all pulls, by sums over grids of each."""
    q = np.linspace(-5.0, 5.0, number)
    pulls = np.stack(np.meshgrid(*[q] * len(problem.nuisances), indexing="ij"), axis=-1).reshape(
        -1, len(problem.nuisances)
    )
    weight = -0.5 * np.sum(pulls**2, axis=1) - 0.5 * pulls.shape[1] * np.log(2.0 * np.pi)

    @jax.jit
    def at(x):
        def one(q):
            parameters, log_weight = problem.from_normal(jnp.concatenate([x, q]))
            return problem.measured_log_likelihood(parameters) + log_weight

        terms = jax.vmap(one)(jnp.asarray(pulls)) + weight
        return jax.nn.logsumexp(terms) + pulls.shape[1] * jnp.log(q[1] - q[0]) - 0.5 * jnp.sum(x**2)

    return np.asarray(jax.lax.map(at, jnp.asarray(z)))


def test_few_pulls_stay_coordinates():
    few = problem_of(Counted, Counted)
    assert len(few.nuisances) == MANY - 1
    assert integrated_pulls(few) == frozenset()
    assert integrated(few).names == few.names
    z = points(names=5)
    assert with_pulls(few, z, jax.random.key(1)).z is z
    np.testing.assert_allclose(
        log_posteriors(integrated(few), jnp.asarray(z)), log_posteriors(few, jnp.asarray(z)), rtol=1e-13
    )


def test_what_shares_pulls_is_integrated_together():
    problem = integrated(problem_of(Counted, Counted, Counted))
    assert problem.names == ("x", "y")
    assert [m.name for m in problem.measurements] == ["toy0+toy1", "toy2"]
    assert all(isinstance(m, Together) for m in problem.measurements)
    assert not any(isinstance(m, StandsIn) for m in problem.measurements)


def test_the_model_s_nuisances_stay_coordinates_and_come_first(monkeypatch):
    monkeypatch.setattr(ToyModel, "nuisances", (pull("form"),))
    problem = problem_of(Counted, Counted, Counted)
    assert integrated(problem).names == problem.names[:3] == ("x", "y", "form")
    z = points(4, 3)
    drawn = with_pulls(problem, z, jax.random.key(1))
    np.testing.assert_array_equal(drawn.z[:, :3], z)
    assert drawn.z.shape == (4, 7)


def test_integrals_are_those_of_sums_over_grids():
    """Where the posterior is; where an efficiency must be four standard deviations off, its power is another."""
    problem, z = problem_of(Counted, Counted, Counted), points()
    expected = integrals(problem, z)
    off = np.asarray(log_posteriors(integrated(problem), jnp.asarray(z))) - expected
    is_likely = expected > expected.max() - 3.0
    assert 20 <= is_likely.sum() < len(z)
    assert np.all(np.abs(off[is_likely]) < 0.05)
    assert np.all(np.abs(off) < 0.5)


def test_weights_of_draws_make_up_for_what_laplace_leaves():
    """By the mean weight of many draws of the pulls the integral is exact to its own scatter."""
    problem = problem_of(Counted, Counted, Counted)
    z = np.repeat(points(6), 400, axis=0)
    found = np.asarray(log_posteriors(integrated(problem), jnp.asarray(z[::400])))
    drawn = with_pulls(problem, z, jax.random.key(2))
    ratio = np.exp(drawn.log_ratio).reshape(6, 400)
    error = ratio.std(axis=1, ddof=1) / 20.0 / ratio.mean(axis=1)
    assert np.all(error < 0.02)
    off = found + np.log(ratio.mean(axis=1)) - integrals(problem, z[::400])
    assert np.all(np.abs(off) < 4.0 * error + 1e-3)
    changed = np.asarray(log_posteriors(problem, jnp.asarray(drawn.z))) + 0.5 * np.sum(drawn.z**2, axis=1)
    np.testing.assert_allclose(
        np.repeat(found, 400) + 0.5 * np.sum(z**2, axis=1) + drawn.log_change, changed, atol=1e-9
    )


def test_parts_multiply_to_the_whole_where_pulls_are_shared():
    problem, z = problem_of(Counted, Counted, Counted), jnp.asarray(points())
    first, second = parted(problem, [[0, 2], [1]])
    assert [m.name for m in first.measurements] == ["toy0", "toy2"]
    assert [m.name for m in second.measurements] == ["toy0+toy1"]
    nothing = np.asarray(log_posteriors(with_measurements(first, ()), z))
    found = np.asarray(log_posteriors(first, z)) + np.asarray(log_posteriors(second, z)) - nothing
    np.testing.assert_allclose(found, log_posteriors(integrated(problem), z), atol=1e-10)


def test_where_a_stand_in_does_not_hold_the_exact_one_is_asked():
    fast, exact = problem_of(Halved, Counted, Counted), problem_of(Counted, Counted, Counted)
    z = np.concatenate([points(), points() + np.array([1.0, 0.0])])  # x is above 3 in the second half
    np.testing.assert_allclose(
        log_posteriors(integrated(fast), jnp.asarray(z)), log_posteriors(integrated(exact), jnp.asarray(z)), rtol=1e-11
    )
    for found, expected in zip(with_pulls(fast, z, jax.random.key(4)), with_pulls(exact, z, jax.random.key(4))):
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_centres_of_toys_move_the_pulls():
    problem = problem_of(Counted, Counted, Counted)
    moved, z = replace(problem, centres=jnp.array([0.5, -1.0, 0.3, 1.0])), points(5)
    changed = np.asarray(log_posteriors(integrated(moved), jnp.asarray(z)))
    drawn = with_pulls(moved, np.repeat(z, 200, axis=0), jax.random.key(5))
    full = np.asarray(log_posteriors(moved, jnp.asarray(drawn.z))) + 0.5 * np.sum(drawn.z[:, :2] ** 2, axis=1)
    full = full + 0.5 * np.sum(drawn.z[:, 2:] ** 2, axis=1)
    expected = np.repeat(changed + 0.5 * np.sum(z**2, axis=1), 200) + drawn.log_change
    np.testing.assert_allclose(full, expected, atol=1e-9)


@pytest.mark.slow
def test_the_posterior_is_that_of_all_coordinates():
    """Tempered and nested sampling of two parameters, and what the pulls are then, against sums over grids."""
    problem = problem_of(Counted, Counted, Counted)
    side = np.linspace(-1.2, 1.2, 81)
    z = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    log_density = np.asarray(log_posteriors(integrated(problem), jnp.asarray(z)))
    weight = np.exp(log_density - log_density.max())
    mean = weight @ z / weight.sum()
    width = np.sqrt(weight @ (z - mean) ** 2 / weight.sum())
    log_evidence = np.log(weight.sum() * (side[1] - side[0]) ** 2 / (2.0 * np.pi)) + log_density.max()
    tempered = sample_tempered(problem, jax.random.key(1), populations=4, points=1000, moves=12)
    nested = sample_nested(problem, jax.random.key(2), live=500, effective=2000.0)
    assert tempered.z.shape == (4, 1000, 6)
    flat, even = tempered.z.reshape(-1, 6), np.full(4000, 1.0 / 4000)
    assert np.mean(tempered.log_evidence) == pytest.approx(log_evidence, abs=0.06)
    assert nested.log_evidence == pytest.approx(log_evidence, abs=0.06)
    log_posterior = np.asarray(log_posteriors(problem, jnp.asarray(flat)))
    np.testing.assert_allclose(
        tempered.log_likelihood.ravel() - 0.5 * np.sum(flat**2, axis=1), log_posterior, atol=1e-8
    )
    np.testing.assert_allclose(nested.log_posterior, log_posteriors(problem, jnp.asarray(nested.z)), atol=1e-8)
    assert nested.weights.sum() == pytest.approx(1.0)
    for draws, weights in ((flat, even), (nested.z, nested.weights)):
        assert weights @ draws[:, :2] == pytest.approx(mean, abs=0.1 * width.max())
        assert np.sqrt(weights @ (draws[:, :2] - mean) ** 2) == pytest.approx(width, rel=0.08)
    averages = [weights @ draws[:, 2:] for draws, weights in ((flat, even), (nested.z, nested.weights))]
    assert averages[0] == pytest.approx(averages[1], abs=0.12)

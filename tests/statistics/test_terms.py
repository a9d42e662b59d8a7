import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from scipy import optimize, stats

from anomfit.statistics.terms import (
    barlow_beeston_deviance,
    gaussian_log_likelihood,
    half_gaussian_limit,
    multivariate_gaussian,
    poisson_barlow_beeston,
    poisson_log_likelihood,
    poisson_significance,
    saturated_deviance,
)


def test_equal_errors_give_the_usual_gaussian():
    residual = np.linspace(-4.0, 4.0, 41)
    expected = stats.norm(scale=0.7).logpdf(residual) - stats.norm(scale=0.7).logpdf(0.0)
    np.testing.assert_allclose(gaussian_log_likelihood(jnp.asarray(residual), 0.7, 0.7), expected, rtol=1e-13)


def test_the_upper_error_applies_above_the_measurement():
    assert gaussian_log_likelihood(jnp.asarray(2.0), 1.0, 2.0) == pytest.approx(-0.5)
    assert gaussian_log_likelihood(jnp.asarray(-1.0), 1.0, 2.0) == pytest.approx(-0.5)
    assert jax.grad(gaussian_log_likelihood)(0.0, 1.0, 2.0) == 0.0


def test_poisson_against_scipy():
    counts, expected = np.array([0, 1, 3, 150, 0]), np.array([0.3, 2.0, 1e-3, 140.0, 12.0])
    found = poisson_log_likelihood(jnp.asarray(counts, dtype=float), jnp.asarray(expected))
    np.testing.assert_allclose(found, stats.poisson(expected).logpmf(counts), rtol=1e-12)


@pytest.mark.parametrize("expected", [1e-5, 1e-7, 0.0, -1.0])
def test_poisson_pushes_back_from_an_empty_expectation(expected):
    value, slope = jax.value_and_grad(poisson_log_likelihood, argnums=1)(3.0, expected)
    assert np.isfinite(value)
    assert np.isfinite(slope)
    assert slope > 0.0
    assert poisson_log_likelihood(3.0, expected) < poisson_log_likelihood(3.0, expected + 1e-6)


def _numerical_profile(n, s, b, e):
    """The profile by minimising over the nuisance, with SciPy, from its definition."""

    def objective(t):
        mean = s + b + e * t
        return np.inf if mean < 0 or (mean == 0 and n > 0) else -stats.poisson(mean).logpmf(n) + 0.5 * t**2

    lowest = -(s + b) / e
    found = optimize.minimize_scalar(
        objective, bounds=(lowest + 1e-12, 30.0), method="bounded", options={"xatol": 1e-11}
    )
    return -min(found.fun, objective(lowest) if n == 0 else np.inf)


@pytest.mark.parametrize("n", [0, 1, 7, 60])
@pytest.mark.parametrize(("s", "b", "e"), [(0.0, 3.0, 1.0), (4.0, 3.0, 0.2), (0.5, 0.8, 2.0), (10.0, 40.0, 6.0)])
def test_barlow_beeston_is_the_profile(n, s, b, e):
    found = float(poisson_barlow_beeston(jnp.asarray(float(n)), s, b, e))
    assert found == pytest.approx(_numerical_profile(n, s, b, e), abs=1e-8)


@pytest.mark.parametrize("n", [0.0, 5.0])
@pytest.mark.parametrize(("s", "b", "e"), [(1.0, 3.0, 1.0), (0.5, 0.8, 2.0), (3.0, 20.0, 0.0)])
def test_barlow_beeston_has_exact_first_and_second_derivatives(n, s, b, e):
    check_grads(lambda x: poisson_barlow_beeston(n, x, b, e), (s,), order=2, atol=1e-6, rtol=1e-6)


def test_barlow_beeston_without_monte_carlo_error_is_poisson():
    n, s, b = (
        jnp.array([0.0, 3.0, 9.0, 0.0, 2.0]),
        jnp.array([1.0, 0.0, 4.0, 0.0, 0.0]),
        jnp.array([1.0, 2.0, 3.0, 0, 0]),
    )
    np.testing.assert_allclose(poisson_barlow_beeston(n, s, b, 0.0), poisson_log_likelihood(n, s + b), rtol=1e-13)
    tiny = poisson_barlow_beeston(n[:3], s[:3], b[:3], 1e-6)
    np.testing.assert_allclose(tiny, poisson_log_likelihood(n, s + b)[:3], rtol=1e-9)


@pytest.mark.parametrize("n", [0.0, 2.0])
@pytest.mark.parametrize("s", [0.0, -3.0])
@pytest.mark.parametrize("b", [0.0, 1.0])
@pytest.mark.parametrize("e", [0.0, 1.0])
def test_barlow_beeston_is_finite_in_every_corner(n, s, b, e):
    value, slopes = jax.value_and_grad(poisson_barlow_beeston, argnums=(1, 2, 3))(n, s, b, e)
    assert np.isfinite(value)
    assert np.all(np.isfinite(slopes))


def test_a_large_count_makes_it_gaussian_with_both_errors_added():
    n, b, e = 1e6, 1.002e6, 1.5e3
    assert barlow_beeston_deviance(n, 0.0, b, e) == pytest.approx((n - b) ** 2 / (b + e**2), rel=2e-3)


def test_saturated_deviance_vanishes_at_the_data_and_matches_the_likelihood_ratio():
    n, mu = np.array([0.0, 4.0, 30.0]), np.array([2.0, 5.0, 25.0])
    ratio = 2.0 * (stats.poisson(np.maximum(n, 1e-300)).logpmf(n) - stats.poisson(mu).logpmf(n))
    np.testing.assert_allclose(saturated_deviance(jnp.asarray(n), jnp.asarray(mu)), ratio, rtol=1e-12)
    np.testing.assert_allclose(saturated_deviance(jnp.asarray(n), jnp.asarray(n)), 0.0, atol=1e-13)


def test_multivariate_gaussian_against_explicit_matrices():
    rng = np.random.default_rng(3)
    root, residual = rng.normal(size=(6, 6)), rng.normal(size=6)
    covariance = root @ root.T + np.eye(6)
    chi2, log_det = multivariate_gaussian(jnp.asarray(residual), jnp.asarray(covariance))
    assert chi2 == pytest.approx(residual @ np.linalg.inv(covariance) @ residual, rel=1e-12)
    assert log_det == pytest.approx(np.log(np.linalg.det(covariance)), rel=1e-12)


@pytest.mark.parametrize(("sigma", "quoted"), [(0.0, 2.47), (1.57, 2.45), (7.85, 2.08)])
def test_poisson_significance_of_the_2020_excess(sigma, quoted):
    """n = 189 on b = 157 with no, 1 % and 5 % background error: sqrt(2 (n ln(n/b) - (n - b))) and its extension."""
    assert poisson_significance(189.0, 157.0, sigma) == pytest.approx(quoted, abs=0.005)


def test_significance_is_signed_continuous_and_finite():
    assert poisson_significance(130.0, 157.0, 0.0) < 0.0
    assert poisson_significance(157.0, 157.0, 3.0) == 0.0
    assert poisson_significance(189.0, 157.0, 1e-3) == pytest.approx(
        float(poisson_significance(189.0, 157.0, 0.0)), rel=1e-5
    )
    assert np.isfinite(jax.grad(poisson_significance, argnums=1)(157.0, 157.0, 3.0))
    assert poisson_significance(0.0, 4.0, 0.0) == pytest.approx(-np.sqrt(8.0))


def test_an_upper_limit_is_a_half_gaussian():
    """90 % of a half-Gaussian lies below the limit when sigma = limit / 1.645."""
    sigma = 2.0 / 1.6448536
    assert half_gaussian_limit(2.0, 2.0) == pytest.approx(-0.5 * (2.0 / sigma) ** 2, rel=1e-6)
    assert stats.halfnorm(scale=sigma).cdf(2.0) == pytest.approx(0.90, abs=1e-6)
    assert half_gaussian_limit(2.0, 2.0, cl=0.95) == pytest.approx(-0.5 * 1.959964**2, rel=1e-6)
    value, slope = jax.value_and_grad(half_gaussian_limit)(-1.0, 2.0)
    assert value == 0.0
    assert slope == 0.0

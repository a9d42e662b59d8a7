"""Limits as likelihoods: 2.71 on the limit, smooth, nothing well inside, fading where a curve ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from anomfit.statistics import limits
from anomfit.statistics.terms import half_gaussian_limit

MASSES, LIMITS = jnp.array([0.01, 0.1, 1.0]), jnp.array([1e-3, 1e-4, 1e-4])


@pytest.mark.parametrize("penalty", [limits.rate_log_likelihood, limits.curve_log_likelihood])
def test_on_a_limit_it_costs_what_90_percent_costs(penalty):
    assert -2.0 * float(penalty(jnp.asarray(1.0))) == pytest.approx(norm.ppf(0.95) ** 2)


def test_a_rate_is_the_half_gaussian_of_the_likelihood_terms():
    ratios = jnp.array([0.0, 0.3, 1.0, 4.0])
    np.testing.assert_allclose(limits.rate_log_likelihood(ratios), half_gaussian_limit(5.0 * ratios, jnp.asarray(5.0)))


def test_a_curve_costs_nothing_below_it_and_one_width_above_it_two_sigma_and_a_half():
    assert float(limits.curve_log_likelihood(jnp.asarray(10.0**-0.17))) == 0.0
    above = -2.0 * float(limits.curve_log_likelihood(jnp.asarray(10.0**limits.CURVE_WIDTH)))
    assert np.sqrt(above) == pytest.approx(2.645, abs=1e-3)


@pytest.mark.parametrize("ratio", [0.0, 1e-300, 1e-30, 0.68, 0.7, 1.0, 1e20])
def test_the_slope_is_finite_everywhere(ratio):
    for penalty in (limits.rate_log_likelihood, limits.curve_log_likelihood):
        assert np.isfinite(jax.grad(penalty)(ratio))


def test_distance_is_in_decades_of_the_coupling_between_the_points():
    middle = float(limits.decades_above(10.0**-1.5, 1e-3, MASSES, LIMITS))
    assert middle == pytest.approx(0.5)
    assert float(limits.decades_above(0.5, 1e-5, MASSES, LIMITS)) == pytest.approx(-1.0)


def test_beyond_the_last_mass_an_exclusion_fades_over_one_width():
    at = [float(limits.decades_above(10.0**x, 1e-2, MASSES, LIMITS)) for x in (0.0, 0.05, 0.1, 0.3)]
    np.testing.assert_allclose(at, [2.0, 0.95, -0.1, -0.3], atol=1e-9)


def test_nothing_is_made_with_no_coupling():
    value, slope = jax.value_and_grad(lambda c: limits.decades_above(0.5, c, MASSES, LIMITS))(0.0)
    assert value == pytest.approx(-26.0)
    assert np.isfinite(slope)


def test_covered_means_between_the_ends():
    assert [bool(limits.is_covered(m, MASSES)) for m in (0.009, 0.01, 1.0, 1.1)] == [False, True, True, False]

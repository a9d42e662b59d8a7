"""Thrown data have the distribution that the likelihood terms assume; the seeds are fixed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from anomfit.cards import load_card, problem_from_card
from anomfit.catalogue import find_measurement
from anomfit.errors import InputError
from anomfit.inference.compare.significance import null_predictions
from anomfit.inference.compare.throwing import changing, check_throwable, throw
from anomfit.measurements.base import Prediction
from anomfit.statistics.terms import gaussian_log_likelihood, multivariate_gaussian
from anomfit.statistics.throws import correlated_gaussian, poisson_counts, poisson_counts_over, two_sided_gaussian

N = 4000
KEYS = jax.random.split(jax.random.key(11), N)


def test_poisson_counts_have_the_mean_and_variance_of_a_poisson():
    drawn = np.asarray(jax.vmap(lambda key: poisson_counts(key, jnp.array([0.3, 7.0, -1.0])))(KEYS))
    np.testing.assert_allclose(drawn.mean(axis=0), [0.3, 7.0, 0.0], atol=0.15)
    np.testing.assert_allclose(drawn.var(axis=0), [0.3, 7.0, 0.0], atol=0.5)


def test_the_error_of_a_background_widens_the_counts():
    drawn = np.asarray(jax.vmap(lambda key: poisson_counts_over(key, jnp.array(20.0), jnp.array(80.0), 15.0))(KEYS))
    assert drawn.mean() == pytest.approx(100.0, abs=4.0 * 18.0 / np.sqrt(N))
    assert drawn.std() == pytest.approx(np.sqrt(100.0 + 15.0**2), rel=0.05)


def test_asymmetric_errors_give_a_chi_squared_of_one_number():
    """-2 ln L of a thrown number at the truth is distributed as a chi^2 of one degree of freedom."""
    thrown = jax.vmap(lambda key: two_sided_gaussian(key, jnp.array(1.0), 0.3, 0.9))(KEYS)
    cost = np.asarray(-2.0 * gaussian_log_likelihood(1.0 - thrown, 0.3, 0.9))
    assert stats.kstest(cost, stats.chi2(1).cdf).pvalue > 0.01
    assert float(jnp.mean(thrown < 1.0)) == pytest.approx(0.75, abs=0.03)  # 0.9/(0.3 + 0.9)


def test_correlated_numbers_have_their_covariance():
    covariance = jnp.array([[2.0, 0.8], [0.8, 1.0]])
    thrown = jax.vmap(lambda key: correlated_gaussian(key, jnp.array([1.0, -1.0]), covariance))(KEYS)
    cost = jax.vmap(lambda x: multivariate_gaussian(x - jnp.array([1.0, -1.0]), covariance)[0])(thrown)
    assert stats.kstest(np.asarray(cost), stats.chi2(2).cdf).pvalue > 0.01


def test_miniboone_thrown_without_signal_has_a_chi_squared_of_38_numbers():
    """With 22, as once, 62 % of true data sets would have p < 0.05."""
    measurement = find_measurement("miniboone")
    nothing = Prediction({"none": jnp.zeros(22)}, {})
    thrown = jax.vmap(lambda key: measurement.simulate(nothing, {}, key).chi_squared(nothing, {}))(KEYS[:400])
    p_values = stats.chi2.sf(np.asarray(thrown), measurement.independent_numbers)
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert np.mean(stats.chi2.sf(np.asarray(thrown), 22) < 0.05) > 0.5


def test_a_throw_changes_data_and_nothing_else():
    problem = problem_from_card(load_card("two-higgs-doublet"))
    places = changing(problem, null_predictions(problem))
    leaves = jax.tree.leaves(problem.measurements)
    # lsnd, its high energies, karmen, miniboone's nu_e and nu_mu, microboone, two moments, two tridents; limits stay
    assert len(places) == 10
    assert sum(np.size(leaves[place]) for place in places) == 11 + 1 + 9 + 22 + 16 + 6 + 1 + 1 + 1 + 1
    thrown = throw(problem, null_predictions(problem), {}, KEYS[:50])
    assert thrown.centres.shape == (50, len(problem.nuisances))
    assert float(jnp.std(thrown.centres)) == pytest.approx(1.0, abs=0.1)


def test_data_without_a_way_to_throw_them_are_refused():
    class Fixed:
        name, independent_numbers = "fixed", 3

    with pytest.raises(InputError, match="fixed: it cannot be thrown for toys; give it a method simulate"):
        check_throwable([Fixed()])  # type: ignore[list-item]

"""Sums of logistic distributions: odds, their inverse, and the derivatives of both."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from anomfit.inference.sample.logistic import Terms
from anomfit.inference.sample.logistic import at_log_odds as plain_at_log_odds
from anomfit.inference.sample.logistic import log_odds as plain_log_odds

log_odds, at_log_odds = jax.jit(plain_log_odds), jax.jit(plain_at_log_odds)


def some_terms(seed: int, low=0.0, high=1.0) -> Terms:
    rng = np.random.default_rng(seed)
    numbers = rng.uniform(0.05, 1.0, 5), rng.uniform(low - 0.2, high + 0.2, 5), rng.uniform(0.02, 0.3, 5)
    return Terms(*(jnp.asarray(x) for x in numbers), low, high)


def density(terms: Terms, x: float) -> float:
    at = (x - np.asarray(terms.places)) / np.asarray(terms.widths)
    return float(np.sum(np.asarray(terms.weights / terms.widths) / (2.0 + 2.0 * np.cosh(at))))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), x=st.floats(0.01, 0.99))
def test_the_odds_are_those_of_the_integrated_density(seed, x):
    terms = some_terms(seed)
    below = integrate.quad(lambda t: density(terms, t), 0.0, x, epsabs=1e-12, limit=200)[0]
    above = integrate.quad(lambda t: density(terms, t), x, 1.0, epsabs=1e-12, limit=200)[0]
    odds, slope = log_odds(terms, jnp.asarray(x))
    np.testing.assert_allclose(odds, np.log(below / above), atol=1e-7)
    np.testing.assert_allclose(slope, density(terms, x) * (1.0 / below + 1.0 / above), rtol=1e-6)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000), odds=st.floats(-12.0, 12.0))
def test_the_inverse_gives_the_odds_back(seed, odds):
    terms = some_terms(seed)
    np.testing.assert_allclose(log_odds(terms, at_log_odds(terms, jnp.asarray(odds)))[0], odds, atol=1e-6)


def test_derivatives_of_the_inverse_are_those_of_differences():
    def x(odds, shift):
        terms = some_terms(3)
        return at_log_odds(terms._replace(places=terms.places + shift), odds)

    x = jax.jit(x)
    found = jax.jit(jax.grad(x, argnums=(0, 1)))(jnp.asarray(0.7), jnp.asarray(0.01))
    h = 1e-5
    np.testing.assert_allclose(found[0], (x(0.7 + h, 0.01) - x(0.7 - h, 0.01)) / (2 * h), rtol=1e-6)
    np.testing.assert_allclose(found[1], (x(0.7, 0.01 + h) - x(0.7, 0.01 - h)) / (2 * h), rtol=1e-6)


def test_it_stays_inside_and_finite_far_out():
    terms = some_terms(4)
    evaluate = jax.jit(jax.value_and_grad(lambda odds: at_log_odds(terms, odds)))
    for odds in (-200.0, 200.0):
        value, slope = evaluate(jnp.asarray(odds))
        assert 0.0 < value < 1.0
        assert np.isfinite(slope)

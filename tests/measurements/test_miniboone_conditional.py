"""The 22 numbers given 16 against the 38 of the released covariance: chi^2, ln det, pulls and slopes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.measurements.miniboone_covariance import load_quasi_elastic
from anomfit.statistics.terms import multivariate_gaussian


def signals():
    rng = np.random.default_rng(17)
    broad = 10.0 ** rng.uniform(-3, 6, (100, 22)) * (rng.random((100, 22)) < 0.7)
    single = [1e6 * row for row in np.eye(22)]
    return jnp.asarray([*broad, *single, np.zeros(22), np.full(22, 1e6), np.linspace(200.0, 1.0, 22)])


@pytest.fixture(scope="module", params=[("recommended", 0.0), ("flat-signal", 0.0), ("recommended", 0.05)], ids=str)
def both(request):
    """(by 22, by 38): chi^2 and ln det at signals and pulls of the flux, and the slopes of ln L."""
    data, pulls = load_quasi_elastic(*request.param), jnp.linspace(-2.0, 2.0, len(signals()))

    def by_22(signal, pull):
        return jnp.stack(data.quadratic_form(signal, pull))

    def by_38(signal, pull):
        return jnp.stack(multivariate_gaussian(data.residual(signal, pull), data.covariance(signal)))

    def found(form):
        def of_one(signal, pull):
            return form(signal, pull), jax.grad(lambda s: jnp.sum(form(s, pull)))(signal)

        return jax.tree.map(np.asarray, jax.jit(lambda x: jax.lax.map(lambda one: of_one(*one), x))((signals(), pulls)))

    return found(by_22), found(by_38)


def test_chi_squared_and_log_determinant(both):
    (new, _), (old, _) = both
    np.testing.assert_allclose(new, old, rtol=1e-9)


def test_slopes(both):
    (_, new), (_, old) = both
    assert np.isfinite(new).all()
    scale = np.abs(old).max(axis=1, keepdims=True)
    np.testing.assert_allclose(new / scale, old / scale, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("flux_error", [0.0, 0.05])
def test_pulls_are_those_of_explicit_matrices(flux_error):
    data, n, signal = load_quasi_elastic("recommended", flux_error), 22, jnp.linspace(200.0, 1.0, 22)
    residual, covariance = np.asarray(data.residual(signal, 0.7)), np.asarray(data.covariance(signal))
    gain = np.linalg.solve(covariance[n:, n:], covariance[n:, :n]).T
    errors = np.sqrt(np.diagonal(covariance[:n, :n] - gain @ covariance[n:, :n]))
    np.testing.assert_allclose(
        data.conditional_pulls(signal, 0.7), (residual[:n] - gain @ residual[n:]) / errors, rtol=1e-9
    )

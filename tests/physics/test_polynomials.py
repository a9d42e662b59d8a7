"""Values and derivatives of all degrees against numpy's and scipy's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.polynomial import chebyshev as numpy_chebyshev
from scipy.special import eval_chebyt, eval_legendre
from scipy.special import legendre as legendre_coefficients

from anomfit.physics.polynomials import chebyshev, legendre, legendre_slopes

PLACES = np.append(np.linspace(-1.0, 1.0, 31), [0.999, -0.37])


@pytest.mark.parametrize(("ours", "other"), [(legendre, eval_legendre), (chebyshev, eval_chebyt)])
@pytest.mark.parametrize("n", [1, 2, 144])
def test_values_are_those_of_scipy(ours, other, n):
    found = np.asarray(ours(jnp.asarray(PLACES), n))
    assert found == pytest.approx(other(np.arange(n)[:, None], PLACES), abs=1e-12)


def test_degrees_stand_before_the_last_axis():
    assert legendre(jnp.zeros((2, 3, 5)), 7).shape == (2, 3, 7, 5)


@pytest.mark.parametrize("n", [1, 2, 3, 30])
def test_slopes_are_those_of_the_coefficients(n):
    def slope(ours):
        return np.asarray(jax.jacfwd(lambda x: ours(x[None], n)[:, 0])(jnp.asarray(0.3)))

    expected = [legendre_coefficients(l).deriv()(0.3) for l in range(n)]
    assert slope(legendre) == pytest.approx(expected, rel=1e-7, abs=1e-10)
    expected = [numpy_chebyshev.chebval(0.3, numpy_chebyshev.chebder(np.eye(n)[l])) for l in range(n)]
    assert slope(chebyshev) == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_slopes_at_the_ends_are_finite_and_known():
    waves = legendre(jnp.asarray([1.0]), 12)
    degree = np.arange(12)
    assert np.asarray(legendre_slopes(waves))[:, 0] == pytest.approx(degree * (degree + 1) / 2)
    slopes = jax.jacrev(lambda x: chebyshev(x[None], 12)[:, 0])(jnp.asarray(1.0))
    assert np.asarray(slopes) == pytest.approx(degree**2)

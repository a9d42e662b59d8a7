"""The fixed rules: exactness up to their degree and not beyond."""

import numpy as np
import pytest

from anomfit.physics.quadrature import interpolation, interpolation_from, unit_anti_legendre, unit_legendre


@pytest.mark.parametrize("n", [2, 5, 16])
def test_legendre_is_exact_to_degree_2n_minus_1(n):
    x, w = unit_legendre(n)
    for degree in range(2 * n):
        assert np.sum(w * x**degree) == pytest.approx(1.0 / (degree + 1), rel=1e-13)
    beyond = np.sum(w * (2 * x - 1) ** (2 * n))
    assert abs(beyond - 1.0 / (2 * n + 1)) > 1e-11


@pytest.mark.parametrize("n", [2, 5, 11, 29])
def test_the_anti_gaussian_rule_has_the_opposite_error(n):
    """Laurie's definition, with Gauss-Legendre's rule of one node less; nodes of the two interlace."""
    (x, w), (own, weights) = unit_legendre(n - 1), unit_anti_legendre(n)
    for degree in range(2 * n):
        exact = 1.0 / (degree + 1)
        assert np.sum(weights * own**degree) - exact == pytest.approx(exact - np.sum(w * x**degree), abs=1e-14)
    assert np.all(own[:-1] < x)
    assert np.all(x < own[1:])
    assert 0.0 < own[0] < own[-1] < 1.0


def test_interpolation_from_any_nodes_is_exact_for_polynomials():
    nodes, fine = unit_anti_legendre(9)[0], unit_legendre(30)[0]
    matrix = interpolation_from(nodes, 30)
    for degree in range(9):
        np.testing.assert_allclose(matrix @ nodes**degree, fine**degree, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(interpolation_from(unit_legendre(7)[0], 20), interpolation(7, 20), rtol=0.0, atol=1e-12)

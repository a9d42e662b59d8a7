"""The fixed rules: exactness up to their degree and not beyond."""

import numpy as np
import pytest

from anomfit.physics.quadrature import unit_legendre


@pytest.mark.parametrize("n", [2, 5, 16])
def test_legendre_is_exact_to_degree_2n_minus_1(n):
    x, w = unit_legendre(n)
    for degree in range(2 * n):
        assert np.sum(w * x**degree) == pytest.approx(1.0 / (degree + 1), rel=1e-13)
    beyond = np.sum(w * (2 * x - 1) ** (2 * n))
    assert abs(beyond - 1.0 / (2 * n + 1)) > 1e-11

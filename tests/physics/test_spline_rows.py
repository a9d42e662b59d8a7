"""Rows of numbers between which cubic splines stand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from numpy.polynomial.chebyshev import chebvander

from anomfit.physics.spline_rows import spline_weights, splines_of_chebyshev, sums_of_rows


@pytest.mark.parametrize("is_even", [False, True])
def test_splines_are_near_the_polynomials(is_even):
    x = np.random.default_rng(1).uniform(size=400)
    found = []
    for cells in (240, 480):
        coefficients = splines_of_chebyshev(12, cells, is_even)
        first, weights, _ = spline_weights(jnp.asarray(x), cells)
        spline = sum(np.asarray(w)[:, None] * coefficients[np.asarray(first) + i] for i, w in enumerate(weights))
        found.append(np.max(np.abs(spline - chebvander(2.0 * (x**2 if is_even else x) - 1.0, 11))))
    assert found[1] < 1e-4
    assert found[1] < found[0] / 12.0  # of fourth order


def test_even_splines_have_no_slope_at_zero():
    coefficients = splines_of_chebyshev(9, 30, is_even=True)
    first, _, slopes = spline_weights(jnp.zeros(()), 30)
    slope = sum(float(s) * coefficients[int(first) + i] for i, s in enumerate(slopes))
    np.testing.assert_allclose(slope, 0.0, atol=1e-9)


def test_sums_are_those_of_the_polynomials_with_their_slopes():
    rng = np.random.default_rng(2)
    numbers = rng.normal(size=(5, 4, 3))  # of Chebyshev polynomials in both coordinates
    rows = np.einsum("pa,qj,ajn->pqn", splines_of_chebyshev(5, 60), splines_of_chebyshev(4, 50), numbers)
    factors, first, second = rng.normal(size=(2, 3, 7)), rng.uniform(size=(3, 7)), rng.uniform(size=(3, 7))
    place = [chebvander(2.0 * x - 1.0, n - 1) for x, n in ((first, 5), (second, 4))]
    expected = np.einsum("wpx,pxa,pxj,ajn->wpn", factors, *place, numbers)
    found = sums_of_rows(jnp.asarray(rows), *(jnp.asarray(x) for x in (factors, first, second)))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    check_grads(
        lambda *given: sums_of_rows(jnp.asarray(rows), *given),
        tuple(jnp.asarray(x) for x in (factors, first, second)),
        order=1,
        modes=("fwd", "rev"),
        rtol=1e-6,
        eps=1e-5,
    )


def test_a_place_beyond_the_ends_is_held_there_and_level():
    rows = jnp.asarray(np.random.default_rng(3).normal(size=(9, 8, 2)))

    def at(x):
        return sums_of_rows(rows, jnp.ones((1, 1, 1)), jnp.full((1, 1), x), jnp.full((1, 1), 0.4))

    np.testing.assert_array_equal(at(-0.3), at(0.0))
    np.testing.assert_array_equal(at(1.7), at(1.0))
    np.testing.assert_array_equal(jax.jacfwd(at)(1.7), 0.0)

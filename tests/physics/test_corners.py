"""Straight lines with rounded corners: the lines between corners, three continuous derivatives at them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomfit.physics.corners import ROUNDING, interpolate, rounded

KNOTS = np.array([0.1, 0.15, 0.3, 0.4, 0.8])
VALUES = np.array([0.0, 0.2, 0.18, 0.25, 0.0])


@settings(deadline=None)
@given(st.floats(0.0, 1.0))
def test_away_from_inner_knots_it_is_the_line(where):
    x = 0.1 + 0.7 * where
    step = np.diff(KNOTS)
    away = np.abs(x - KNOTS[1:-1]) > ROUNDING * np.minimum(step[1:], step[:-1])
    expected = np.interp(x, KNOTS, VALUES)
    tolerance = 1e-14 if away.all() else ROUNDING * np.abs(np.diff(VALUES)).sum()
    assert float(interpolate(jnp.asarray(x), KNOTS, VALUES)) == pytest.approx(expected, abs=tolerance)


def test_it_is_constant_outside():
    np.testing.assert_array_equal(interpolate(jnp.array([0.0, 2.0]), KNOTS, VALUES), VALUES[[0, -1]])


def test_corner_and_its_derivatives_vanish_at_the_edge():
    """|t| + rounded(|t|) is even and smooth at 0, and joins |t| at 1 with three derivatives."""
    whole = lambda t: t + rounded(t)  # noqa: E731
    derivatives = [whole]
    for _ in range(3):
        derivatives.append(jax.grad(derivatives[-1]))
    at_edge = [float(f(1.0 - 1e-9)) for f in derivatives]
    np.testing.assert_allclose(at_edge, [1.0, 1.0, 0.0, 0.0], atol=1e-7)
    assert float(derivatives[1](0.0)) == pytest.approx(0.0, abs=1e-15)
    assert float(derivatives[3](0.0)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("knot", KNOTS[1:-1])
def test_slope_is_continuous_through_a_corner(knot):
    slope = jax.vmap(jax.grad(lambda x: interpolate(x, KNOTS, VALUES)))
    x = knot + np.linspace(-0.003, 0.003, 601)
    jumps = np.abs(np.diff(np.asarray(slope(jnp.asarray(x)))))
    assert jumps.max() < 0.05 * np.abs(np.diff(np.diff(VALUES) / np.diff(KNOTS))).max()

"""Descents that start with an inverse Hessian: exact on a parabola, down a curved valley, off the end of a range."""

import numpy as np
import pytest

from anomfit.inference.cells.quasi_newton import descend_from, inverted

PARABOLA = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]])


def of_pulls(function):
    """A function of coordinates that are no angles: value and gradient of every point."""

    def evaluate(which, points):
        found = [function(x) for x in points]
        slopes = np.array([slope for _, slope in found])
        return np.array([value for value, _ in found]), slopes, slopes

    return evaluate


def parabola(x):
    return 0.5 * x @ PARABOLA @ x, PARABOLA @ x


def rosenbrock(x):
    a, b = x
    return (1 - a) ** 2 + 100 * (b - a * a) ** 2, np.array([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)])


def test_a_parabola_with_its_own_curvature_takes_two_gradients():
    starts = np.array([[0.3, -0.2, 0.1], [0.0, 0.4, -0.5]])
    inverse = np.repeat(np.linalg.inv(PARABOLA)[None], 2, axis=0)
    ends = descend_from(of_pulls(parabola), starts, inverse, np.zeros(3, dtype=bool), 1e-3, 30)
    assert ends.converged.all()
    assert (ends.gradients == 2).all()
    np.testing.assert_allclose(ends.a, 0.0, atol=1e-12)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_a_wrong_curvature_is_learnt(scale):
    start, inverse = np.array([[-1.2, 1.0]]), scale * np.eye(2)[None]
    ends = descend_from(of_pulls(rosenbrock), start, inverse, np.zeros(2, dtype=bool), 1e-6, 200)
    assert ends.converged[0]
    np.testing.assert_allclose(ends.a[0], 1.0, atol=5e-3)


def test_a_parameter_at_the_end_of_its_range_comes_off_it():
    """-2 ln L = 50 (f - 0.6)^2 in the fraction f of a range, from exactly f = 0, where the angle has no gradient."""

    def evaluate(which, a):
        f = 0.5 * (1.0 + np.sin(a))
        by_fraction = 100.0 * (f - 0.6)
        return 50.0 * (f[:, 0] - 0.6) ** 2, by_fraction * 0.5 * np.cos(a), by_fraction

    ends = descend_from(evaluate, np.array([[-0.5 * np.pi]]), np.ones((1, 1, 1)), np.array([True]), 1e-4, 50)
    assert ends.converged[0]
    assert 0.5 * (1.0 + np.sin(ends.a[0, 0])) == pytest.approx(0.6, abs=2e-3)


def test_what_is_not_finite_or_not_done_is_no_convergence():
    def nowhere(which, points):
        return np.full(len(points), np.nan), np.full(points.shape, np.nan), np.full(points.shape, np.nan)

    ends = descend_from(nowhere, np.zeros((2, 2)), np.repeat(np.eye(2)[None], 2, 0), np.zeros(2, dtype=bool), 1e-3, 9)
    assert not ends.converged.any()
    assert np.isinf(ends.value).all()
    short = descend_from(of_pulls(rosenbrock), np.array([[-1.2, 1.0]]), np.eye(2)[None], np.zeros(2, bool), 1e-6, 4)
    assert (short.converged[0], short.gradients[0]) == (False, 4)


def test_an_inverse_is_positive_and_bounded():
    found = inverted(np.diag([4.0, -2.0, 1e-9, -0.5]), 0.05)
    np.testing.assert_allclose(found, np.diag([0.25, 0.5, 20.0, 20.0]), atol=1e-12)

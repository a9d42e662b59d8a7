"""Descents that start with a Hessian: exact on a parabola in a box, down a curved valley, off the end of a range."""

import numpy as np
import pytest

from anomfit.inference.cells.quasi_newton import Limits, descend_from, lowest_in_box, positive

PARABOLA = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]])


def wide(m):
    return Limits(np.full(m, -np.inf), np.full(m, np.inf), np.ones(m))


def at_points(function):
    """Value and gradient of every point."""

    def evaluate(which, points):
        found = [function(x) for x in points]
        return np.array([value for value, _ in found]), np.array([slope for _, slope in found])

    return evaluate


def parabola(x):
    return 0.5 * x @ PARABOLA @ x, PARABOLA @ x


def rosenbrock(x):
    a, b = x
    return (1 - a) ** 2 + 100 * (b - a * a) ** 2, np.array([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)])


def test_a_parabola_with_its_own_curvature_takes_two_gradients():
    starts = np.array([[0.3, -0.2, 0.1], [0.0, 0.4, -0.5]])
    ends = descend_from(at_points(parabola), starts, np.repeat(PARABOLA[None], 2, 0), wide(3), 1e-3, 30)
    assert ends.converged.all()
    assert (ends.gradients == 2).all()
    np.testing.assert_allclose(ends.x, 0.0, atol=1e-12)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_a_wrong_curvature_is_learnt(scale):
    start = np.array([[-1.2, 1.0]])
    ends = descend_from(at_points(rosenbrock), start, np.eye(2)[None] / scale, wide(2), 1e-6, 200)
    assert ends.converged[0]
    np.testing.assert_allclose(ends.x[0], 1.0, atol=5e-3)


def test_a_parameter_at_the_end_of_its_range_comes_off_it_and_stays_where_it_has_to():
    limits = Limits(np.zeros(2), np.ones(2), np.full(2, 0.25))

    def function(x):
        return 50.0 * (x[0] - 0.6) ** 2 + 3.0 * (x[1] - 1.5) ** 2, np.array([100.0 * (x[0] - 0.6), 6.0 * (x[1] - 1.5)])

    ends = descend_from(at_points(function), np.array([[0.0, 0.0]]), np.eye(2)[None], limits, 1e-4, 50)
    assert ends.converged[0]
    np.testing.assert_allclose(ends.x[0], [0.6, 1.0], atol=2e-3)


def test_the_lowest_point_of_a_parabola_in_a_box_rises_every_way_that_is_free():
    chance = np.random.default_rng(1)
    root, slope = chance.normal(size=(40, 6, 6)) * np.logspace(0, 2, 6), 30.0 * chance.normal(size=(40, 6))
    hessian = root @ root.transpose(0, 2, 1) + 0.1 * np.eye(6)
    low, high = -chance.uniform(size=(40, 6)) * (chance.uniform(size=(40, 6)) > 0.2), chance.uniform(size=(40, 6))
    step = lowest_in_box(slope, hessian, low, high)
    assert ((low <= step) & (step <= high)).all()
    rest = slope + np.einsum("nij,nj->ni", hessian, step)
    at_low, at_high = step == low, step == high
    assert min(at_low.sum(), at_high.sum(), (~at_low & ~at_high).sum()) > 20
    np.testing.assert_allclose(rest[~at_low & ~at_high], 0.0, atol=1e-8)
    assert (rest[at_low] > 0.0).all()
    assert (rest[at_high] < 0.0).all()


def test_what_is_not_finite_or_not_done_is_no_convergence():
    def nowhere(which, points):
        return np.full(len(points), np.nan), np.full(points.shape, np.nan)

    ends = descend_from(nowhere, np.zeros((2, 2)), np.repeat(np.eye(2)[None], 2, 0), wide(2), 1e-3, 9)
    assert not ends.converged.any()
    assert np.isinf(ends.distance).all()
    short = descend_from(at_points(rosenbrock), np.array([[-1.2, 1.0]]), np.eye(2)[None], wide(2), 1e-6, 4)
    assert (short.converged[0], short.gradients[0]) == (False, 4)


def test_a_hessian_is_made_positive_and_bounded():
    found = positive(np.diag([4.0, -2.0, 1e-9, -0.5])[None], 0.05)
    np.testing.assert_allclose(found[0], np.diag([4.0, 2.0, 0.05, 0.5]), atol=1e-12)

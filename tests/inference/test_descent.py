"""Descents side by side: known minima, one batch a round, ends by number of rounds, and what is not finite."""

import numpy as np
import pytest

from anomfit.inference.fit.descent import descend


def bowls(x):
    """Ellipses about (1, 2): values and gradients."""
    away = (x - [1.0, 2.0]) * [1.0, 10.0]
    return np.sum(away**2, axis=1), 2.0 * away * [1.0, 10.0]


STARTS = np.array([[0.0, 0.0], [5.0, -3.0], [1.0, 2.0]])


def test_every_descent_finds_the_minimum():
    points, values = descend(bowls, STARTS, 200, lambda ended: None)
    np.testing.assert_allclose(points, [[1.0, 2.0]] * 3, atol=1e-5)
    np.testing.assert_allclose(values, 0.0, atol=1e-9)


def test_a_round_is_one_batch_of_those_that_go_on():
    sizes, ended = [], []

    def counted(x):
        sizes.append(len(x))
        return bowls(x)

    descend(counted, STARTS, 200, ended.append)
    assert sizes[0] == 3
    assert sizes == sorted(sizes, reverse=True)
    assert ended[-1] == 3
    assert ended == sorted(ended)


def test_no_more_than_the_rounds_are_used():
    rounds = []
    values = descend(lambda x: rounds.append(1) or bowls(x), STARTS[:2], 4, lambda ended: None)[1]
    assert len(rounds) == 4
    assert np.all(values < bowls(STARTS[:2])[0])


def test_a_wall_of_infinity_is_not_entered_and_an_infinite_start_stays():
    def walled(x):
        values, slopes = bowls(x)
        return np.where(x[:, 0] > 1.5, np.inf, values), slopes

    points, values = descend(walled, np.array([[1.4, 4.0], [3.0, 3.0]]), 200, lambda ended: None)
    np.testing.assert_allclose(points[0], [1.0, 2.0], atol=1e-5)
    np.testing.assert_array_equal(points[1], [3.0, 3.0])
    assert values[1] == np.inf


def test_an_error_of_the_function_is_the_callers():
    def broken(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        descend(broken, STARTS, 10, lambda ended: None)


def test_a_line_search_against_a_wall_warns_nobody():
    """Warnings are errors here; a kink at the minimum leaves a line search nowhere to go."""

    def kinked(x):
        return np.abs(x).sum(axis=1), np.sign(x)

    values = descend(kinked, np.array([[0.3, 0.7], [2.0, -1.0]]), 200, lambda ended: None)[1]
    assert np.all(values < 0.5)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from anomfit.statistics.tension import Minimum, Tension, determined_parameters


def test_two_measurements_of_one_number():
    """5 +- 0.3 and 6 +- 0.4: two standard deviations, whatever else the parts contain."""
    chi_squared = 1.0 / (0.3**2 + 0.4**2)
    found = Tension("x", Minimum(7.0 + 2.0 + chi_squared, 1), Minimum(7.0, 1), Minimum(2.0, 1))
    assert found.chi_squared == pytest.approx(4.0)
    assert found.degrees_of_freedom == 1
    assert found.p_value == pytest.approx(2.0 * norm.sf(2.0))


def test_nothing_in_common_is_no_tension():
    found = Tension("x", Minimum(9.0, 3), Minimum(7.0, 1), Minimum(2.0, 2))
    assert (found.chi_squared, found.degrees_of_freedom, found.p_value) == (0.0, 0, None)


def test_a_cost_shows_a_common_parameter_that_the_counting_missed():
    found = Tension("x", Minimum(10.0, 3), Minimum(7.0, 1), Minimum(2.0, 2))
    assert (found.chi_squared, found.degrees_of_freedom) == (1.0, 1)


@given(st.floats(0.0, 50.0), st.floats(0.0, 50.0), st.integers(1, 5))
def test_more_disagreement_is_less_probable(first, more, common):
    def p_value(chi_squared):
        return Tension("x", Minimum(chi_squared, common), Minimum(0.0, common), Minimum(0.0, common)).p_value

    assert 0.0 <= p_value(first + more) <= p_value(first) <= 1.0
    assert p_value(-0.01) == 1.0  # rounding


def test_what_is_narrow_counts_as_a_parameter_and_what_is_flat_does_not():
    """A standard deviation of 1 % of the range, one of the uniform prior's own, and a direction that is not fixed."""
    rotation, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))
    curvature = rotation @ np.diag([1e4, 12.0, 0.0, -3.0]) @ rotation.T
    assert determined_parameters(curvature) == pytest.approx(1e4 / 10012.0 + 0.5)

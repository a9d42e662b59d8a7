from decimal import Decimal, getcontext

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from anomfit.physics.neutrino_mass import (
    DELTA_M2_21_NUFIT,
    DELTA_M2_21_PAPER,
    DELTA_M2_31_NUFIT,
    DELTA_M2_31_PAPER,
    EV,
    dirac_mass,
    mass_squared_differences,
    normal_ordering,
    seesaw,
)

HEAVY = np.array([0.085, 0.130, 10.0])  # GeV: arXiv:2010.06159 Table I


@pytest.mark.parametrize(("m_D", "m_R"), [(0.3, 1.0), (1.0, 1.0), (0.02, 0.13), (5.0, 1.0)])
def test_exact_diagonalisation(m_D, m_R):
    matrix = np.array([[0.0, m_D], [m_D, m_R]])
    states = seesaw(m_D, m_R)
    np.testing.assert_allclose([states.m_light, states.m_heavy], np.linalg.eigvalsh(matrix), rtol=1e-12)
    c, s = np.cos(float(states.theta)), np.sin(float(states.theta))
    rotation = np.array([[c, -s], [s, c]])
    expected = np.diag([float(states.m_light), float(states.m_heavy)])
    np.testing.assert_allclose(rotation @ matrix @ rotation.T, expected, atol=1e-14)


def test_the_other_sign_of_theta_does_not_diagonalise():
    """Equation 22 as printed leaves an off-diagonal 2 m_D."""
    m_D, m_R = 1e-3, 1.0
    theta = float(seesaw(m_D, m_R).theta)
    printed = np.array([[np.cos(theta), np.sin(theta)], [-np.sin(theta), np.cos(theta)]])
    off_diagonal = (printed @ np.array([[0.0, m_D], [m_D, m_R]]) @ printed.T)[0, 1]
    assert off_diagonal == pytest.approx(2.0 * m_D, rel=1e-4)


def test_light_mass_keeps_its_digits():
    """Against 60 digits where float64 eigenvalues would have none left."""
    getcontext().prec = 60
    m_D, m_R = 1e-6, 10.0
    exact = (Decimal(m_R) - (Decimal(m_R) ** 2 + 4 * Decimal(m_D) ** 2).sqrt()) / 2
    np.testing.assert_allclose(seesaw(m_D, m_R).m_light, float(exact), rtol=1e-14)


def test_leading_order():
    states = seesaw(1e-5, 1.0)
    np.testing.assert_allclose(states.m_light, -1e-10, rtol=1e-9)  # equation 21
    np.testing.assert_allclose(states.theta, 1e-5, rtol=1e-9)  # below equation 22


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.floats(1e-14, 1e-8), st.floats(1e-2, 1e3))
def test_dirac_mass_is_the_inverse(m_light, m_R):
    states = seesaw(dirac_mass(m_light, m_R), m_R)
    assert float(-states.m_light) == pytest.approx(m_light, rel=1e-13)
    assert float(states.m_light + states.m_heavy) == pytest.approx(m_R, rel=1e-14)


@pytest.mark.parametrize("m_lightest", [0.0, 1e-3, 0.05])
def test_benchmark_spectrum_gives_the_oscillation_data(m_lightest):
    wanted = normal_ordering(m_lightest, DELTA_M2_21_NUFIT, DELTA_M2_31_NUFIT)
    light = seesaw(dirac_mass(wanted, HEAVY), HEAVY).m_light
    np.testing.assert_allclose(-light, wanted, rtol=1e-12)
    assert np.all(np.diff(wanted) > 0.0)
    found = mass_squared_differences(light)
    np.testing.assert_allclose(found, [DELTA_M2_21_NUFIT, DELTA_M2_31_NUFIT], rtol=1e-10)
    assert DELTA_M2_21_PAPER[0] < found[0] < DELTA_M2_21_PAPER[1]
    assert DELTA_M2_31_PAPER[0] < found[1] < DELTA_M2_31_PAPER[1]


def test_massless_lightest_neutrino_has_a_finite_gradient():
    value, slope = jax.value_and_grad(dirac_mass)(0.0, 0.085)
    assert value == 0.0
    assert slope == 0.0
    assert np.all(np.isfinite(jax.jacrev(normal_ordering)(0.0, DELTA_M2_21_NUFIT, DELTA_M2_31_NUFIT)))


def test_gradients():
    check_grads(jax.jit(seesaw), (0.3, 1.0), order=1, modes=["rev"], rtol=1e-6)
    check_grads(jax.jit(dirac_mass), (0.2, 1.0), order=1, modes=["rev"], rtol=1e-6)
    in_ev = jax.jit(lambda m: normal_ordering(m, 0.3, 0.5) / EV)
    check_grads(in_ev, (0.2,), order=1, modes=["rev"], rtol=1e-6)

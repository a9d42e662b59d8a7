import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads
from scipy import constants as codata
from scipy.integrate import quad
from scipy.special import spherical_jn

from anomfit.physics.nuclear_form_factors import B_CARBON_12, exponential, helm, helm_radius_squared

HBAR_C = codata.hbar * codata.c / codata.e * 1e6  # GeV fm
Q_SQUARED = np.array([1e-8, 1e-4, 1e-3, 0.00415, 0.0042, 0.01, 0.05, 0.2, 1.0])  # GeV^2, both sides of the series' end


@pytest.mark.parametrize("mass_number", [12, 16, 40])
def test_helm_is_the_bessel_function_times_the_skin(mass_number):
    radius = np.sqrt((1.23 * mass_number ** (1 / 3) - 0.6) ** 2 + 7 / 3 * np.pi**2 * 0.52**2 - 5 * 0.9**2)
    q = np.sqrt(Q_SQUARED) / HBAR_C
    expected = 3.0 * spherical_jn(1, q * radius) / (q * radius) * np.exp(-0.5 * (0.9 * q) ** 2)
    np.testing.assert_allclose(helm(Q_SQUARED, mass_number), expected, rtol=1e-9, atol=1e-15)


def test_helm_of_carbon_is_the_fourier_transform_of_a_smeared_sphere():
    """A uniform sphere convolved with a Gaussian of width s, transformed numerically."""
    radius, q = float(jnp.sqrt(helm_radius_squared(12))), np.sqrt(0.02) / HBAR_C
    sphere = quad(lambda r: 3.0 * r**2 / radius**3 * np.sinc(q * r / np.pi), 0.0, radius, epsrel=1e-12)[0]
    np.testing.assert_allclose(helm(0.02, 12), sphere * np.exp(-0.5 * (0.9 * q) ** 2), rtol=1e-10)


def test_helm_starts_at_one_with_the_slope_of_its_radius():
    """-(R^2/10 + s^2/2): a sixth of the mean squared radius."""
    value, slope = jax.value_and_grad(helm)(0.0, 12)
    assert value == 1.0
    expected = -(float(helm_radius_squared(12)) / 10.0 + 0.9**2 / 2.0) / HBAR_C**2
    np.testing.assert_allclose(slope, expected, rtol=1e-9)


def test_rms_radius_of_carbon():
    """5 % above the charge radius, 2.470 fm (Angeli and Marinova 2013), as the docstring says."""
    slope = jax.grad(helm)(0.0, 12)
    radius = np.sqrt(-6.0 * float(slope)) * HBAR_C
    assert radius == pytest.approx(2.58, abs=0.01)
    assert radius / 2.470 == pytest.approx(1.05, abs=0.005)


@pytest.mark.parametrize("q_squared", [0.0, 0.0041, 0.0043, 0.1])
def test_helm_gradients(q_squared):
    if q_squared > 0.0:
        scaled = jax.jit(lambda x: helm(0.01 * x, 12))
        check_grads(scaled, (100.0 * q_squared,), order=1, modes=["rev"], rtol=1e-6)
    assert np.isfinite(jax.jit(jax.grad(jax.grad(helm)))(q_squared, 12))


def test_series_and_closed_form_meet():
    edge = HBAR_C**2 / float(helm_radius_squared(12))
    slopes = jax.vmap(jax.grad(lambda x: helm(x, 12)))(edge * jnp.array([1.0 - 1e-9, 1.0 + 1e-9]))
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-7)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.floats(0.0, 3.0), st.integers(4, 208))
def test_helm_never_exceeds_one(q_squared, mass_number):
    assert abs(float(helm(q_squared, mass_number))) <= 1.0


def test_exponential_squares_to_the_papers_rate_factor():
    np.testing.assert_allclose(exponential(Q_SQUARED, B_CARBON_12) ** 2, np.exp(-50.0 * Q_SQUARED), rtol=1e-13)
    assert exponential(0.0, B_CARBON_12) == 1.0

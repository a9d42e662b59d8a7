import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads
from scipy.optimize import brentq

from anomfit.physics.two_body import is_open, kallen, two_body_energy, two_body_momentum

MASS = st.floats(1e-3, 10.0)


@pytest.mark.parametrize(("m_1", "m_2"), [(0.085, 0.017), (0.0, 0.017), (0.0, 0.0), (0.05, 0.05)])
def test_energy_is_conserved(m_1, m_2):
    momentum = brentq(lambda p: np.hypot(p, m_1) + np.hypot(p, m_2) - 0.13, 0.0, 0.13, xtol=1e-15)
    np.testing.assert_allclose(two_body_momentum(0.13, m_1, m_2), momentum, rtol=1e-12)
    np.testing.assert_allclose(two_body_energy(0.13, m_1, m_2), np.hypot(momentum, m_1), rtol=1e-12)


def test_momentum_next_to_the_threshold_keeps_its_digits():
    """2 mu (M - m_1 - m_2) to leading order, with the reduced mass mu."""
    m_1, m_2, excess = 0.0859375, 0.015625, 2.0**-40
    expected = np.sqrt(2.0 * m_1 * m_2 / (m_1 + m_2) * excess)
    np.testing.assert_allclose(two_body_momentum(m_1 + m_2 + excess, m_1, m_2), expected, rtol=1e-9)


@pytest.mark.parametrize("masses", [(0.1, 0.085, 0.017), (0.102, 0.085, 0.017), (0.0, 0.0, 0.0), (0.01, 0.03, 0.0)])
def test_closed_decays_have_no_momentum_and_no_slope(masses):
    value, slopes = jax.value_and_grad(two_body_momentum, argnums=(0, 1, 2))(*masses)
    assert value == 0.0
    assert slopes == (0.0, 0.0, 0.0)
    energy, slopes = jax.value_and_grad(two_body_energy, argnums=(0, 1, 2))(*masses)
    assert energy == masses[1]
    assert np.all(np.isfinite(slopes))


def test_energy_is_continuous_at_the_threshold():
    np.testing.assert_allclose(two_body_energy(0.102 + 1e-12, 0.085, 0.017), 0.085, rtol=1e-10)


def test_gradients_above_threshold():
    for function in (two_body_momentum, two_body_energy):
        check_grads(jax.jit(function), (0.13, 0.085, 0.017), order=1, modes=["rev"], rtol=1e-6)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(MASS, MASS, MASS)
def test_momentum_is_the_root_of_kallen_and_symmetric(m_1, m_2, extra):
    parent = m_1 + m_2 + extra
    momentum = float(two_body_momentum(parent, m_1, m_2))
    assert momentum == pytest.approx(float(two_body_momentum(parent, m_2, m_1)), rel=1e-14)
    # Källén's polynomial loses digits near the threshold, so its own rounding error is the tolerance
    assert (2.0 * parent * momentum) ** 2 == pytest.approx(
        float(kallen(parent**2, m_1**2, m_2**2)), abs=1e-14 * parent**4
    )
    energies = two_body_energy(parent, m_1, m_2) + two_body_energy(parent, m_2, m_1)
    assert float(energies) == pytest.approx(parent, rel=1e-14)


def test_kallen_is_symmetric_and_factorises():
    a, b, c = 1.7, 0.3, 0.9
    values = [float(kallen(*x)) for x in ((a, b, c), (b, c, a), (c, a, b), (b, a, c))]
    np.testing.assert_allclose(values, a**2 + b**2 + c**2 - 2 * (a * b + b * c + c * a), rtol=1e-13)


def test_batches_mix_open_and_closed():
    parents = jnp.array([0.05, 0.102, 0.13])
    np.testing.assert_array_equal(is_open(parents, 0.085, 0.017), [False, False, True])
    slopes = jax.vmap(jax.grad(lambda m: two_body_momentum(m, 0.085, 0.017)))(parents)
    assert np.all(np.isfinite(slopes))
    assert slopes[2] > 0.0

"""Kinematics against conservation of four-momentum, event by event."""

import numpy as np
import pytest

from anomfit.physics.constants import M_C12, M_E, M_N, M_P
from anomfit.physics.kinematics import (
    boosted_daughter,
    momentum_transfer_limits,
    neutrino_energy,
    quasi_elastic_energy,
    threshold_energy,
)

TARGETS = (M_P, M_C12)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("mass", [0.01, 0.13, 2.0])
def test_threshold_is_where_the_products_are_at_rest_in_their_frame(mass, target):
    e = float(threshold_energy(mass, target))
    assert np.sqrt(target**2 + 2.0 * target * e) == pytest.approx(mass + target, rel=1e-14)
    low, high = momentum_transfer_limits(e * (1 + 1e-12), mass, target)
    assert float(high - low) == pytest.approx(0.0, abs=1e-5 * mass**2 + 1e-8)
    low, high = momentum_transfer_limits(0.9 * e, mass, target)
    assert float(low) == float(high)


@pytest.mark.parametrize("target", TARGETS)
def test_energy_and_angle_give_the_neutrino_back(target):
    rng = np.random.default_rng(3)
    mass = np.exp(rng.uniform(np.log(0.01), np.log(2.0), 400))
    e_nu = (mass + mass**2 / (2 * target)) * (1.0 + np.exp(rng.uniform(-6, 3, 400)))
    low, high = (np.asarray(q) for q in momentum_transfer_limits(e_nu, mass, target))
    q_squared = low + (high - low) * rng.random(400)
    # a random scattering, built in the lab from energy conservation alone
    e_N = e_nu - q_squared / (2 * target)
    p_N = np.sqrt((e_N - mass) * (e_N + mass))
    recoil_squared = (target + e_nu - e_N) ** 2 - target**2
    cosine = (e_nu**2 + p_N**2 - recoil_squared) / (2 * e_nu * p_N)
    assert np.all(np.abs(cosine) <= 1.0 + 1e-9)
    found, recoil = neutrino_energy(e_N, p_N, np.clip(cosine, -1, 1), mass, target)
    np.testing.assert_allclose(found, e_nu, rtol=1e-6)
    assert np.all(np.asarray(recoil) > 0.0)
    beyond = high * 1.02 + 1e-6  # outside its limits the angle does not exist
    e_N = e_nu - beyond / (2 * target)
    real = e_N > mass
    p_N = np.sqrt(np.where(real, e_N**2 - mass**2, 1.0))
    cosine = (e_nu**2 + p_N**2 - ((target + e_nu - e_N) ** 2 - target**2)) / (2 * e_nu * p_N)
    assert np.all(np.abs(cosine[real]) > 1.0)


def test_no_neutrino_is_energetic_enough():
    energy, _ = neutrino_energy(1.0, np.sqrt(1.0 - 0.01), -0.9, 0.1, M_P)
    assert float(energy) == 0.0


def test_boost_keeps_the_daughter_s_mass_and_the_sum_of_momenta():
    m, m_1, m_2, e = 0.5, 0.1, 0.2, 1.7
    e_star = (m**2 + m_1**2 - m_2**2) / (2 * m)
    p_star, p, c = np.sqrt(e_star**2 - m_1**2), np.sqrt(e**2 - m**2), np.linspace(-1, 1, 11)
    e_1, along_1, across_1 = boosted_daughter(e, p, m, e_star, p_star, c)
    e_2, along_2, across_2 = boosted_daughter(e, p, m, m - e_star, p_star, -c)
    np.testing.assert_allclose(e_1**2 - along_1**2 - across_1**2, m_1**2, rtol=1e-12)
    np.testing.assert_allclose(e_1 + e_2, e, rtol=1e-14)
    np.testing.assert_allclose(along_1 + along_2, p, rtol=1e-14)
    np.testing.assert_allclose(across_1, across_2, rtol=1e-14)


def test_quasi_elastic_energy_of_quasi_elastic_events():
    """nu n -> e p with a neutron at rest: the formula returns the neutrino's energy."""
    rng = np.random.default_rng(7)
    e_nu, c_star = rng.uniform(0.2, 3.0, 200), rng.uniform(-1, 1, 200)
    s = M_N**2 + 2 * M_N * e_nu
    e_star = (s + M_E**2 - M_P**2) / (2 * np.sqrt(s))
    p_star = np.sqrt(e_star**2 - M_E**2)
    gamma, gamma_beta = (M_N + e_nu) / np.sqrt(s), e_nu / np.sqrt(s)
    e = gamma * e_star + gamma_beta * p_star * c_star
    along = gamma * p_star * c_star + gamma_beta * e_star
    cosine = along / np.sqrt(e**2 - M_E**2)
    np.testing.assert_allclose(quasi_elastic_energy(e, cosine, M_E, M_N, M_P), e_nu, rtol=1e-10)

"""Coherent scattering by a vector: amplitude against explicit matrices, the integral against SciPy and a reference."""

import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.physics import coherent_vector as physics
from anomfit.physics.constants import ALPHA, M_C12
from anomfit.physics.kinematics import momentum_transfer_limits
from anomfit.physics.nuclear_form_factors import helm
from tests.physics import dirac


def test_the_amplitude_with_the_full_propagator_against_explicit_matrices():
    rng = np.random.default_rng(2)
    m_N, mass, m_V, energy = 0.42, 11.17, 0.03, 2.5
    k, p = np.array([energy, 0.0, 0.0, energy]), np.array([mass, 0.0, 0.0, 0.0])
    low, high = (float(x) for x in momentum_transfer_limits(energy, m_N, mass))
    q_squared = rng.uniform(low, 0.2 * high)
    recoil = q_squared / (2.0 * mass)
    e_N = energy - recoil
    p_N = np.sqrt(e_N**2 - m_N**2)
    cosine = (2.0 * energy * e_N - m_N**2 - q_squared) / (2.0 * energy * p_N)
    k_prime = np.array([e_N, p_N * np.sqrt(1.0 - cosine**2), 0.0, p_N * cosine])
    p_prime = p + k - k_prime
    q, hadron = k - k_prime, 2.0 * p + k - k_prime
    assert dirac.dot(p_prime, p_prime) == pytest.approx(mass**2)
    exchanged = hadron - q * dirac.dot(q, hadron) / m_V**2
    vertex = dirac.slash(exchanged) @ dirac.P_L
    squared = sum(
        abs(dirac.bar(u) @ vertex @ v) ** 2 for u in dirac.u_spinors(k_prime, m_N) for v in dirac.u_spinors(k, 0.0)
    )
    expected = squared / (q_squared + m_V**2) ** 2
    assert float(physics.squared_amplitude(q_squared, energy, m_N, mass, m_V)) == pytest.approx(expected, rel=1e-8)


def test_the_cross_section_against_an_adaptive_integral():
    energy, m_N, m_V = 6.0, 0.42, 0.03
    low, high = (float(x) for x in momentum_transfer_limits(energy, m_N, M_C12))

    def integrand(log_q):
        q_squared = np.exp(log_q)
        value = physics.squared_amplitude(q_squared, energy, m_N, M_C12, m_V) * helm(q_squared, 12) ** 2
        return float(value) * q_squared / (64.0 * np.pi * M_C12**2 * energy**2)

    expected = 0.38937937e-27 * quad(integrand, np.log(low), np.log(min(high, 1.0)), epsrel=1e-9, limit=200)[0]
    assert float(physics.cross_section(energy, m_N, m_V, M_C12, 12)) == pytest.approx(expected, rel=1e-6)


def test_the_dark_seesaw_reference_on_carbon():
    """3.3040e-40 cm^2 at 0.8 GeV for m_N = 120 MeV, m_V = 1.25 GeV, |V|^2 = 22.2e-8, eps^2 = 4.6e-4, alpha_D 0.39."""
    couplings = 4.0 * np.pi * 0.39 * 22.2e-8 * 4.0 * np.pi * ALPHA * 4.6e-4 * 36.0
    found = couplings * float(physics.cross_section(0.8, 0.120, 1.25, M_C12, 12))
    assert found == pytest.approx(3.3040e-40, rel=5e-3)

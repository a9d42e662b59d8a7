"""Scattering by a vector, on nuclei and nucleons: amplitudes against explicit matrices, integrals against SciPy."""

import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.physics import vector_upscattering as physics
from anomfit.physics.constants import ALPHA, M_C12, M_P
from anomfit.physics.kinematics import momentum_transfer_limits
from anomfit.physics.nuclear_form_factors import helm
from tests.physics import dirac

M_HEAVY, M_VECTOR = 0.42, 0.03


def momenta(mass, energy, share):
    """(Q^2, k, p, k', p') at a share of the way from the lowest to the highest Q^2; the target at rest."""
    k, p = np.array([energy, 0.0, 0.0, energy]), np.array([mass, 0.0, 0.0, 0.0])
    low, high = (float(x) for x in momentum_transfer_limits(energy, M_HEAVY, mass))
    q_squared = low + share * (high - low)
    e_N = energy - q_squared / (2.0 * mass)
    p_N = np.sqrt(e_N**2 - M_HEAVY**2)
    cosine = (2.0 * energy * e_N - M_HEAVY**2 - q_squared) / (2.0 * energy * p_N)
    k_prime = np.array([e_N, p_N * np.sqrt(1.0 - cosine**2), 0.0, p_N * cosine])
    p_prime = p + k - k_prime
    assert dirac.dot(p_prime, p_prime) == pytest.approx(mass**2)
    return q_squared, k, p, k_prime, p_prime


def neutrino_currents(k, k_prime):
    """bar u(N) gamma^mu P_L u(nu) for every spin."""
    return [
        np.array([dirac.bar(u) @ gamma @ dirac.P_L @ v for gamma in dirac.GAMMA])
        for u in dirac.u_spinors(k_prime, M_HEAVY)
        for v in dirac.u_spinors(k, 0.0)
    ]


def test_the_amplitude_with_the_full_propagator_against_explicit_matrices():
    mass, energy = 11.17, 2.5
    q_squared, k, p, k_prime, p_prime = momenta(mass, energy, np.random.default_rng(2).uniform(0.0, 0.2))
    q, hadron = k - k_prime, p + p_prime
    exchanged = hadron - q * dirac.dot(q, hadron) / M_VECTOR**2
    vertex = dirac.slash(exchanged) @ dirac.P_L
    squared = sum(
        abs(dirac.bar(u) @ vertex @ v) ** 2 for u in dirac.u_spinors(k_prime, M_HEAVY) for v in dirac.u_spinors(k, 0.0)
    )
    expected = squared / (q_squared + M_VECTOR**2) ** 2
    found = float(physics.squared_amplitude(q_squared, energy, M_HEAVY, mass, M_VECTOR))
    assert found == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(("electric", "magnetic"), [(0.7, 1.9), (0.0, -1.1), (0.4, 0.0)])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.6, 1.0])
def test_the_amplitude_on_a_nucleon_against_explicit_matrices(electric, magnetic, share):
    """Vertex F_1 gamma^mu + i F_2 sigma^{mu nu} (p' - p)_nu / 2M, spin of the target averaged."""
    energy = 1.7
    q_squared, k, p, k_prime, p_prime = momenta(M_P, energy, share)
    tau = q_squared / (4.0 * M_P**2)
    dirac_1, pauli = (electric + tau * magnetic) / (1.0 + tau), (magnetic - electric) / (1.0 + tau)
    transfer = dirac.slash(p_prime - p)
    # i sigma^{mu nu} q_nu = -(gamma^mu qslash - qslash gamma^mu)/2
    vertices = [dirac_1 * g - pauli * (g @ transfer - transfer @ g) / (4.0 * M_P) for g in dirac.GAMMA]
    squared = 0.0
    for lepton in neutrino_currents(k, k_prime):
        for u in dirac.u_spinors(p_prime, M_P):
            for v in dirac.u_spinors(p, M_P):
                hadron = np.array([dirac.bar(u) @ vertex @ v for vertex in vertices])
                squared += 0.5 * abs(dirac.dot(lepton, hadron)) ** 2
    expected = squared / (q_squared + M_VECTOR**2) ** 2
    found = physics.squared_amplitude_nucleon(q_squared, energy, M_HEAVY, M_P, M_VECTOR, electric, magnetic)
    assert float(found) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("nucleon", ["proton", "neutron"])
def test_the_nucleons_cross_section_against_an_adaptive_integral(nucleon):
    energy = 1.3
    low, high = (float(x) for x in momentum_transfer_limits(energy, M_HEAVY, M_P))

    def integrand(log_q):
        q_squared = np.exp(log_q)
        factors = physics.sachs_form_factors(nucleon, q_squared)
        value = physics.squared_amplitude_nucleon(q_squared, energy, M_HEAVY, M_P, M_VECTOR, *factors)
        return float(value) * q_squared / (64.0 * np.pi * M_P**2 * energy**2)

    expected = 0.38937937e-27 * quad(integrand, np.log(low), np.log(high), epsrel=1e-9, limit=200)[0]
    found = physics.cross_section_nucleon(energy, M_HEAVY, M_VECTOR, M_P, nucleon)
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_nothing_is_made_below_the_threshold():
    assert float(physics.cross_section_nucleon(0.3, M_HEAVY, M_VECTOR, M_P, "proton")) == 0.0


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

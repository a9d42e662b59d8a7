import dirac
import numpy as np
import pytest

from anomfit.physics.exchange import squared_amplitude


def scattering(rng):
    """Random masses and momenta of nu(k) N(p) -> N2(k') N(p') in a random frame, with Q^2 > 0."""
    m_N, m_target = rng.uniform(0.01, 0.5), rng.uniform(0.3, 3.0)
    root_s = (m_N + m_target) * rng.uniform(1.01, 2.0)
    momentum_in = (root_s**2 - m_target**2) / (2.0 * root_s)
    energy = (root_s**2 + m_N**2 - m_target**2) / (2.0 * root_s)
    momentum_out = np.sqrt(energy**2 - m_N**2)
    n_in, n_out = dirac.random_direction(rng), dirac.random_direction(rng)
    momenta = [
        dirac.four_momentum(0.0, momentum_in * n_in),
        dirac.four_momentum(m_target, -momentum_in * n_in),
        dirac.four_momentum(m_N, momentum_out * n_out),
        dirac.four_momentum(m_target, -momentum_out * n_out),
    ]
    beta = rng.uniform(0.0, 0.9) * dirac.random_direction(rng)
    return m_N, m_target, [dirac.boost(p, beta) for p in momenta]


def lepton_sum(k, k_prime, m_N, vertex):
    """Sum over spins of |ubar(k') vertex u_L(k)|^2 for the left-handed massless neutrino alone (not averaged)."""
    left_handed = [dirac.P_L @ u for u in dirac.u_spinors(k, 0.0)]
    return sum(
        abs(dirac.bar(heavy) @ vertex @ neutrino) ** 2
        for heavy in dirac.u_spinors(k_prime, m_N)
        for neutrino in left_handed
    )


def nucleon_average(p, p_prime, mass):
    """Half the sum over spins of |ubar(p') u(p)|^2."""
    spins = [(final, initial) for final in dirac.u_spinors(p_prime, mass) for initial in dirac.u_spinors(p, mass)]
    return 0.5 * sum(abs(dirac.bar(final) @ initial) ** 2 for final, initial in spins)


# N2bar P_L nu for Dirac states; for Majorana ones nubar P_R N2 = N2bar P_R nu adds a term that a left-handed beam does
# not feel.
@pytest.mark.parametrize("vertex", [dirac.P_L, dirac.P_L + dirac.P_R], ids=["Dirac", "Majorana"])
@pytest.mark.parametrize("seed", range(8))
def test_scalar_exchange_off_a_nucleon(seed, vertex):
    rng = np.random.default_rng(seed)
    m_N, mass, (k, p, k_prime, p_prime) = scattering(rng)
    y, f = rng.normal(size=3), rng.normal(size=3)
    m_phi = rng.uniform(0.01, 1.0, size=3)
    t = dirac.dot(k - k_prime, k - k_prime)
    propagators = np.sum(y * f / (t - m_phi**2))
    expected = lepton_sum(k, k_prime, m_N, vertex) * nucleon_average(p, p_prime, mass) * propagators**2
    coupling = np.sum(y * f / (-t + m_phi**2))
    np.testing.assert_allclose(coupling**2 * squared_amplitude(-t, m_N, mass, False), expected, rtol=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_scalar_exchange_off_a_spinless_nucleus(seed):
    rng = np.random.default_rng(100 + seed)
    m_N, mass, (k, _, k_prime, _) = scattering(rng)
    t = dirac.dot(k - k_prime, k - k_prime)
    coupling = rng.normal()
    expected = lepton_sum(k, k_prime, m_N, dirac.P_L) * (2.0 * mass * coupling) ** 2  # <A|density|A> = 2 M F_A
    np.testing.assert_allclose(coupling**2 * squared_amplitude(-t, m_N, mass, True), expected, rtol=1e-10)


def test_spin_of_the_target_does_not_matter_at_rest():
    spins = [squared_amplitude(0.0, 0.13, 0.94, is_nucleus) for is_nucleus in (True, False)]
    np.testing.assert_allclose(spins[0], spins[1], rtol=1e-14)


def test_the_beam_is_not_averaged_over_neutrino_spins():
    rng = np.random.default_rng(5)
    m_N, mass, (k, p, k_prime, p_prime) = scattering(rng)
    q_squared = -dirac.dot(k - k_prime, k - k_prime)
    all_spins = np.trace(dirac.slash(k) @ dirac.P_R @ (dirac.slash(k_prime) + m_N * dirac.ONE) @ dirac.P_L).real
    hadron = np.trace((dirac.slash(p) + mass * dirac.ONE) @ (dirac.slash(p_prime) + mass * dirac.ONE)).real / 2.0
    np.testing.assert_allclose(squared_amplitude(q_squared, m_N, mass, False), all_spins * hadron, rtol=1e-10)

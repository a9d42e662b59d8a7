"""Tridents by scalar exchange: the amplitude against explicit matrices, integrals against SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import nquad, quad

from anomfit.physics import neutrino_trident as physics
from anomfit.physics.constants import ALPHA, M_MU
from anomfit.physics.nuclear_form_factors import helm
from tests.physics import dirac


def pair_by_matrices(p, pp, q):
    """-g summed |ubar [gamma S 1 + 1 S gamma] v|^2 of gamma phi* -> mu mu."""
    total = 0.0
    for mu in range(4):
        first = dirac.GAMMA[mu] @ (dirac.slash(p - q) + M_MU * dirac.ONE) / (-2.0 * dirac.dot(p, q))
        second = (dirac.slash(q - pp) + M_MU * dirac.ONE) @ dirac.GAMMA[mu] / (-2.0 * dirac.dot(pp, q))
        for u in dirac.u_spinors(p, M_MU):
            for v in dirac.v_spinors(pp, M_MU):
                total += -dirac.METRIC[mu, mu] * abs(dirac.bar(u) @ (first + second) @ v) ** 2
    return total


@pytest.mark.parametrize("seed", range(4))
def test_photon_and_scalar_to_muons_against_explicit_matrices(seed):
    rng = np.random.default_rng(seed)
    p, pp = (dirac.four_momentum(M_MU, rng.normal(size=3)) for _ in range(2))
    off_shell, whole, n = rng.uniform(0.01, 2.0), p + pp, dirac.random_direction(rng)
    w = dirac.dot(whole, whole)
    energy = 0.5 * (w + off_shell) / (whole[0] - whole[1:] @ n)
    q = np.concatenate([[energy], energy * n])
    assert dirac.dot(whole - q, whole - q) == pytest.approx(-off_shell)
    found = physics.pair_squared(w, off_shell, 2.0 * dirac.dot(q, p), 2.0 * dirac.dot(q, pp))
    assert found == pytest.approx(pair_by_matrices(p, pp, q), rel=1e-9)


@pytest.mark.parametrize(("w", "off_shell"), [(0.0447, 0.3), (0.05, 1e-6), (0.3, 0.02), (4.0, 9.0), (30.0, 0.1)])
def test_the_pairs_phase_space_against_an_adaptive_integral(w, off_shell):
    beta, half = np.sqrt(1.0 - 4.0 * M_MU**2 / w), 0.5 * (w + off_shell)

    def squared(x):
        return float(physics.pair_squared(w, off_shell, half * (1.0 - x), half * (1.0 + x)))

    expected = quad(squared, 0.0, beta, epsrel=1e-11)[0] / (8.0 * np.pi)
    assert float(physics.pair_phase_space(w, off_shell)) == pytest.approx(expected, rel=1e-8)


def test_the_neutrino_side_is_mass_squared_plus_momentum_transfer():
    rng = np.random.default_rng(7)
    k = dirac.four_momentum(0.0, rng.normal(size=3))
    k_prime = dirac.four_momentum(0.13, rng.normal(size=3))
    squared = sum(
        abs(dirac.bar(u) @ dirac.P_L @ v) ** 2 for u in dirac.u_spinors(k_prime, 0.13) for v in dirac.u_spinors(k, 0.0)
    )
    t = dirac.dot(k - k_prime, k - k_prime)
    assert squared == pytest.approx(0.13**2 - t, rel=1e-9)


def test_the_cross_section_against_an_adaptive_integral():
    s, m_N, mass, coupling = 4.0, 0.13, 0.75, 2e-5

    def integrand(c, log_transfer, w):
        transfer = np.exp(log_transfer)
        beta = np.sqrt(1.0 - 4.0 * M_MU**2 / w)
        half = 0.5 * (w + transfer)
        squared = float(physics.pair_squared(w, transfer, half * (1.0 - beta * c), half * (1.0 + beta * c)))
        exchange = (m_N**2 + transfer) * (coupling / (transfer + mass**2)) ** 2
        return transfer * exchange * squared * beta / (16.0 * np.pi)

    def limits(w):
        energy = s + m_N**2 - w
        momentum = np.sqrt(energy**2 - 4.0 * s * m_N**2)
        return [np.log(max(0.5 * (energy - momentum) - m_N**2, 1e-12)), np.log(0.5 * (energy + momentum) - m_N**2)]

    accurate = {"epsrel": 1e-5, "limit": 60}
    area = nquad(
        integrand,
        [lambda _, w: [-1.0, 1.0], limits, [4.0 * M_MU**2, (2.0 - m_N) ** 2 * (1.0 - 1e-9)]],
        opts=[accurate, accurate, accurate],
    )[0]
    expected = area * 4.0 * np.pi * ALPHA / (16.0 * np.pi**2 * s) / (4.0 * s)
    found = physics.scalar_photon_cross_section(jnp.array([s]), m_N, jnp.array([mass]), jnp.array([coupling]))
    assert float(found[0]) == pytest.approx(expected, rel=2e-3)


def test_the_standard_model_against_the_published_rates():
    """Altmannshofer et al: sigma(nu mu mu)/E on iron at 160 GeV; here only its scale: 1e-5 of the CC cross section."""
    per_nucleus = 26**2 * ALPHA / np.pi * physics._photons(160.0, 56.0).standard * 0.38937937e-27
    charged_current = 56 * 0.677e-38 * 160.0
    assert 5e-6 < per_nucleus / charged_current < 5e-5


@pytest.mark.parametrize(
    ("energy", "mass_number", "m_N"), [(160.0, 56.0, 0.02), (160.0, 56.0, 1.2), (20.0, 20.7, 0.13)]
)
def test_the_excess_against_an_adaptive_integral_over_photons(energy, mass_number, m_N):
    masses, couplings = jnp.array([0.017, 0.75]), jnp.array([1e-5, 2e-5])
    highest = 2.0 * energy * physics.LARGEST_Q

    @jax.jit
    def cross_section(s):
        return physics.scalar_photon_cross_section(jnp.array([s]), m_N, masses, couplings, (24, 24))[0]

    def photons(s):
        def by_transfer(log_q_squared):
            return float(helm(np.exp(log_q_squared), mass_number)) ** 2

        ends = 2.0 * np.log(0.5 * s / energy), 2.0 * np.log(physics.LARGEST_Q)
        return quad(by_transfer, *ends, epsrel=1e-6)[0]

    def integrated(of, start):
        return quad(lambda log_s: photons(np.exp(log_s)) * float(of(np.exp(log_s))), np.log(start), np.log(highest))[0]

    standard = integrated(physics.standard_model_photon_cross_section, M_MU**2 * np.exp(19.0 / 6.0))
    expected = integrated(cross_section, (2.0 * M_MU + m_N) ** 2) / standard
    found = physics.trident_excess(energy, mass_number, m_N, masses, couplings)
    assert float(found) == pytest.approx(expected, rel=2e-4)


def test_a_heavy_neutrino_beyond_the_beams_reach_makes_no_trident():
    def excess(m_N):
        return physics.trident_excess(20.0, 20.7, m_N, jnp.array([0.75]), jnp.array([2e-5]))

    assert [float(x) for x in jax.value_and_grad(excess)(6.0)] == [0.0, 0.0]
    step = 1e-5
    found, slope = float(jax.grad(excess)(0.4)), (excess(0.4 + step) - excess(0.4 - step)) / (2.0 * step)
    assert found == pytest.approx(float(slope), rel=1e-6)


def test_nothing_is_made_below_threshold_and_slopes_are_finite():
    def cross_section(m_N, s):
        return physics.scalar_photon_cross_section(jnp.array([s]), m_N, jnp.array([0.75]), jnp.array([2e-5]))[0]

    value, slope = jax.value_and_grad(cross_section)(1.0, 1.4)
    assert (float(value), float(slope)) == (0.0, 0.0)
    assert np.isfinite(jax.grad(cross_section)(0.13, 4.0))


def test_it_goes_as_the_square_of_the_couplings_and_has_converged():
    one = physics.trident_excess(20.0, 20.7, 0.13, jnp.array([0.75]), jnp.array([2e-5]))
    two = physics.trident_excess(20.0, 20.7, 0.13, jnp.array([0.75]), jnp.array([4e-5]))
    fine = physics.trident_excess(20.0, 20.7, 0.13, jnp.array([0.75]), jnp.array([2e-5]), 64)
    assert float(two / one) == pytest.approx(4.0)
    assert float(one) == pytest.approx(float(fine), rel=2e-3)

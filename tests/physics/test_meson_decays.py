"""Meson decays to a scalar: amplitudes against explicit matrices, widths against independent integrals and numbers."""

import jax
import numpy as np
import pytest
from scipy.integrate import dblquad, quad

from anomfit.physics import meson_constants as meson
from anomfit.physics import meson_decays as decays
from anomfit.physics.constants import G_F, M_MU
from tests.physics import dirac


def amplitude_squared(nu, p, q, m_phi):
    """Sum |ubar(nu) Pslash_K (1 - g5) (-(pslash + qslash) + m)/((p+q)^2 - m^2) v(p)|^2."""
    kaon, total = nu + p + q, p + q
    propagator = (M_MU * dirac.ONE - dirac.slash(total)) / (dirac.dot(total, total) - M_MU**2)
    matrix = dirac.slash(kaon) @ (dirac.ONE - dirac.GAMMA_5) @ propagator
    return sum(abs(dirac.bar(u) @ matrix @ v) ** 2 for u in dirac.u_spinors(nu, 0.0) for v in dirac.v_spinors(p, M_MU))


@pytest.mark.parametrize("seed", range(4))
def test_kaon_to_muon_neutrino_scalar_against_explicit_matrices(seed):
    rng = np.random.default_rng(seed)
    m_phi = rng.uniform(0.01, 0.3)
    nu, p, q = (dirac.four_momentum(m, rng.uniform(0.02, 0.3) * dirac.random_direction(rng)) for m in (0, M_MU, m_phi))
    s = dirac.dot(p + q, p + q)
    found = decays.muon_neutrino_scalar_squared(dirac.dot(nu, p), dirac.dot(nu, q), dirac.dot(p, q), s, m_phi)
    np.testing.assert_allclose(found, amplitude_squared(nu, p, q, m_phi), rtol=1e-9)


@pytest.mark.parametrize("m_phi", [0.017, 0.15, 0.3])
def test_kaon_to_muon_neutrino_scalar_against_the_dalitz_plot(m_phi):
    mass, y = meson.M_CHARGED_KAON, 1e-3

    def integrand(nu_p_squared, s):  # m^2(nu phi) at fixed m^2(mu phi)
        p_q = 0.5 * (s - M_MU**2 - m_phi**2)
        nu_q = 0.5 * (nu_p_squared - m_phi**2)
        nu_p = 0.5 * (mass**2 - s) - nu_q
        return decays.muon_neutrino_scalar_squared(nu_p, nu_q, p_q, s, m_phi)

    def edge(s, sign):
        root_s = np.sqrt(s)
        e_phi, e_nu = (s - M_MU**2 + m_phi**2) / (2 * root_s), (mass**2 - s) / (2 * root_s)
        return (e_phi + e_nu) ** 2 - (np.sqrt(max(e_phi**2 - m_phi**2, 0.0)) - sign * e_nu) ** 2

    area = dblquad(integrand, (M_MU + m_phi) ** 2, mass**2, lambda s: edge(s, -1), lambda s: edge(s, 1), epsrel=1e-8)[0]
    constant = (G_F * meson.V_US * meson.F_KAON * y) ** 2 / 2.0
    expected = constant * area / ((2 * np.pi) ** 3 * 32.0 * mass**3) / meson.WIDTH_CHARGED_KAON
    np.testing.assert_allclose(decays.kaon_to_muon_neutrino_scalar(m_phi, y), expected, rtol=1e-6)


def test_the_constant_gives_the_measured_kaon_to_muon_neutrino():
    """B(K+ -> mu nu) = 63.56 % (PDG) with the same constant: Gamma = G^2 V^2 f^2 M m^2 (1 - m^2/M^2)^2/(8 pi)."""
    mass = meson.M_CHARGED_KAON
    width = (G_F * meson.V_US * meson.F_KAON) ** 2 * mass * M_MU**2 * (1 - M_MU**2 / mass**2) ** 2 / (8 * np.pi)
    assert width / meson.WIDTH_CHARGED_KAON == pytest.approx(0.6356, rel=0.02)


def test_kaon_to_pion_scalar_at_the_published_benchmark_and_its_zero():
    """4e-10 from u and d, 9e-11 from u alone at y = 8e-7; no decay for couplings in proportion to the masses."""
    assert float(decays.kaon_to_pion_scalar(0.017, 8e-7, 8e-7)) == pytest.approx(4e-10, rel=0.2)
    assert float(decays.kaon_to_pion_scalar(0.017, 8e-7, 0.0)) == pytest.approx(9e-11, rel=0.2)
    strange = 8e-7 * 2.0 * meson.M_CHARGED_KAON**2 / meson.M_CHARGED_PION**2 - 8e-7  # m_K^2/m_pi^2 = (m + m_s)/2m
    assert float(decays.kaon_to_pion_scalar(0.017, 8e-7, 8e-7, strange)) == pytest.approx(0.0, abs=1e-25)


def test_closed_channels_have_no_width_and_no_slope():
    for function in (
        lambda m: decays.kaon_to_pion_scalar(m, 1e-6, 1e-6),
        lambda m: decays.kaon_to_muon_neutrino_scalar(m, 1e-3),
    ):
        value, slope = jax.value_and_grad(function)(0.75)
        assert (float(value), float(slope)) == (0.0, 0.0)
        assert np.isfinite(jax.grad(function)(0.017))


# -- a scalar off the neutrino -----------------------------------------------------------------------------------------


def off_neutrino_squared(p_N, p, q, m_N):
    """Sum |ubar(N) P_L (kslash/k^2) Pslash (1 - g5) v(p)|^2, k = p_N + q, P = k + p: no equation of motion used."""
    k = p_N + q
    matrix = dirac.P_L @ dirac.slash(k) / dirac.dot(k, k) @ dirac.slash(k + p) @ (dirac.ONE - dirac.GAMMA_5)
    return sum(abs(dirac.bar(u) @ matrix @ v) ** 2 for u in dirac.u_spinors(p_N, m_N) for v in dirac.v_spinors(p, M_MU))


@pytest.mark.parametrize("seed", range(4))
def test_a_scalar_off_the_neutrino_against_explicit_matrices(seed):
    rng = np.random.default_rng(seed)
    masses = (rng.uniform(0.01, 0.2), M_MU, rng.uniform(0.001, 0.1))
    p_N, p, q = (dirac.four_momentum(m, rng.uniform(0.02, 0.3) * dirac.random_direction(rng)) for m in masses)
    k = p_N + q
    found = decays.heavy_neutrino_scalar_squared(dirac.dot(p_N, p), dirac.dot(p_N, k), dirac.dot(p, k), dirac.dot(k, k))
    np.testing.assert_allclose(found, off_neutrino_squared(p_N, p, q, masses[0]), rtol=1e-9)


@pytest.mark.parametrize(
    ("mass", "m_N", "m_phi"),
    [(meson.M_CHARGED_KAON, 0.13, 0.017), (meson.M_CHARGED_KAON, 0.02, 0.005), (meson.M_CHARGED_PION, 0.02, 0.005)],
)
def test_the_rate_off_the_neutrino_against_random_momenta(mass, m_N, m_phi):
    """Three-body phase space thrown in the meson's frame, explicit matrices for each point."""
    rng = np.random.default_rng(7)
    low, high = (m_N + m_phi) ** 2, (mass - M_MU) ** 2
    values = []
    for s in rng.uniform(low, high, 1500):
        p_muon, p_star = (momentum(mass, M_MU, np.sqrt(s)), momentum(np.sqrt(s), m_N, m_phi))
        muon = dirac.four_momentum(M_MU, np.array([0.0, 0.0, -p_muon]))
        pair = dirac.four_momentum(np.sqrt(s), np.array([0.0, 0.0, p_muon]))
        direction = p_star * dirac.random_direction(rng)
        velocity = pair[1:] / pair[0]
        p_N, q = (dirac.boost(dirac.four_momentum(m, x), velocity) for m, x in ((m_N, direction), (m_phi, -direction)))
        phase = p_muon / (4 * np.pi * mass) * p_star / (4 * np.pi * np.sqrt(s))
        values.append(phase * off_neutrino_squared(p_N, muon, q, m_N) * (high - low) / (2 * np.pi))
    to_muon = mass * M_MU**2 * (1 - (M_MU / mass) ** 2) ** 2 / (4 * np.pi)
    expected = np.mean(values) / (2 * mass) / to_muon
    error = np.std(values) / np.sqrt(len(values)) / (2 * mass) / to_muon
    assert float(decays.scalar_off_neutrino(mass, m_N, m_phi, 1.0)) == pytest.approx(expected, abs=4 * error)
    assert error < 0.05 * expected


def momentum(parent, m_1, m_2):
    return np.sqrt((parent**2 - (m_1 + m_2) ** 2) * (parent**2 - (m_1 - m_2) ** 2)) / (2 * parent)


def test_the_rate_off_the_neutrino_has_no_helicity_suppression_and_closes_smoothly():
    """A massless N: y^2/(16 pi^2) M^2/m^2 times an integral by hand; 0 with gradient 0 above threshold."""
    kaon, m_phi = meson.M_CHARGED_KAON, 0.010
    x, start = (M_MU / kaon) ** 2, (m_phi / kaon) ** 2

    def integrand(z):  # z = s/M^2
        muon = np.sqrt((1 - x - z) ** 2 - 4 * x * z)
        return muon * (1 - start / z) ** 2 * ((1 - z - x) * (1 + x / z) / 2 + 2 * x)

    total, _ = quad(integrand, start, (1 - np.sqrt(x)) ** 2, epsrel=1e-10)
    expected = total / (16 * np.pi**2 * x * (1 - x) ** 2)
    assert float(decays.scalar_off_neutrino(kaon, 1e-9, m_phi, 1.0)) == pytest.approx(expected, rel=1e-4)
    value, slope = jax.value_and_grad(lambda m: decays.scalar_off_neutrino(kaon, m, 0.017, 1.0))(0.40)
    assert (float(value), float(slope)) == (0.0, 0.0)
    assert np.isfinite(jax.grad(lambda m: decays.scalar_off_neutrino(kaon, m, 0.017, 1.0))(kaon - M_MU - 0.0170001))


def test_the_muon_s_rate_of_the_pion_is_that_of_the_kaon_at_its_mass():
    kaon = decays.scalar_off_muon(meson.M_CHARGED_KAON, 0.017, 1e-3)
    to_muon = decays.kaon_to_muon_neutrino_scalar(0.017, 1e-3) / kaon
    assert float(to_muon) == pytest.approx(0.6356, rel=0.02)  # B(K+ -> mu+ nu) of the PDG
    assert float(decays.scalar_off_muon(meson.M_CHARGED_PION, 0.040, 1e-3)) == 0.0
    assert 0.0 < float(decays.scalar_off_muon(meson.M_CHARGED_PION, 0.005, 1e-3)) < float(kaon)

"""Meson decays to a scalar: amplitudes against explicit matrices, widths against independent integrals and numbers."""

import jax
import numpy as np
import pytest
from scipy.integrate import dblquad

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

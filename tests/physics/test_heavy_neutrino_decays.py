"""Weak decays of a heavy neutrino with pions and unlike leptons: Dirac matrices, a Dalitz integral, limits, slopes."""

import jax
import numpy as np
import pytest
from scipy.integrate import dblquad

from anomfit.physics.constants import G_F, M_E, M_MU
from anomfit.physics.heavy_neutrino_decays import (
    F_PI,
    V_UD,
    meson_to_lepton_neutrino,
    weak_widths,
    width_to_lepton_pion,
    width_to_neutrino_pion,
    width_to_unlike_leptons,
)
from anomfit.physics.meson_constants import M_CHARGED_KAON, M_CHARGED_PION, M_NEUTRAL_PION
from anomfit.physics.weak_decays import width_to_three_neutrinos
from tests.physics.dirac import P_L, bar, four_momentum, slash, u_spinors, v_spinors


def momentum_of(M, m_1, m_2):
    return np.sqrt((M**2 - (m_1 + m_2) ** 2) * (M**2 - (m_1 - m_2) ** 2)) / (2.0 * M)


def squared_current(m_N, m_lepton, m_meson):
    """Sum over spins of |ubar(l) p-slash P_L u(N)|^2 in the decay of N, and the momentum."""
    p = momentum_of(m_N, m_lepton, m_meson)
    lepton, meson = four_momentum(m_lepton, np.array([0.0, 0.0, p])), four_momentum(m_meson, np.array([0.0, 0.0, -p]))
    at_rest = np.array([m_N, 0.0, 0.0, 0.0])
    amplitudes = [bar(l) @ slash(meson) @ P_L @ n for l in u_spinors(lepton, m_lepton) for n in u_spinors(at_rest, m_N)]
    return sum(abs(amplitude) ** 2 for amplitude in amplitudes), p


@pytest.mark.parametrize(("m_N", "m_lepton"), [(0.15, M_E), (0.26, M_MU), (0.4, M_MU), (1.5, M_MU)])
def test_lepton_and_pion_from_dirac_matrices(m_N, m_lepton):
    """Amplitude sqrt2 G_F V f U ubar p-slash P_L u, averaged over the spins of N."""
    squared, p = squared_current(m_N, m_lepton, M_CHARGED_PION)
    width = 2.0 * (G_F * V_UD * F_PI) ** 2 * 1e-6 * 0.5 * squared * p / (8.0 * np.pi * m_N**2)
    assert float(width_to_lepton_pion(m_N, 1e-6, m_lepton)) == pytest.approx(width, rel=1e-10)


def test_neutral_pion_from_dirac_matrices():
    """The neutral current: G_F f U ubar p-slash P_L u, 1/sqrt2 of the charged one without V_ud."""
    squared, p = squared_current(0.3, 1e-9, M_NEUTRAL_PION)
    width = (G_F * F_PI) ** 2 * 1e-6 * 0.5 * squared * p / (8.0 * np.pi * 0.3**2)
    assert float(width_to_neutrino_pion(0.3, 1e-6)) == pytest.approx(width, rel=1e-8)


def test_pion_decay_constant():
    """pi+ -> mu nu: the same constants give its measured width, 2.5e-17 GeV, up to radiative corrections."""
    width = (G_F * V_UD * F_PI * M_MU * (1.0 - (M_MU / M_CHARGED_PION) ** 2)) ** 2 * M_CHARGED_PION / (8.0 * np.pi)
    assert width == pytest.approx(2.528e-17, rel=0.02)


@pytest.mark.parametrize(("m_lepton", "m_N"), [(M_MU, 0.1), (M_MU, 0.35), (M_E, 0.2), (M_E, 0.45)])
def test_kaons_to_heavy_neutrinos_from_dirac_matrices(m_lepton, m_N):
    def rate(mass):
        p = momentum_of(M_CHARGED_KAON, m_lepton, mass)
        lepton = four_momentum(m_lepton, np.array([0.0, 0.0, p]))
        other = four_momentum(mass, np.array([0.0, 0.0, -p]))
        kaon = slash(lepton + other)
        amplitudes = [bar(n) @ kaon @ P_L @ l for n in u_spinors(other, mass) for l in v_spinors(lepton, m_lepton)]
        return p * sum(abs(amplitude) ** 2 for amplitude in amplitudes)

    found = float(meson_to_lepton_neutrino(M_CHARGED_KAON, m_lepton, m_N))
    assert found == pytest.approx(rate(m_N) / rate(1e-9), rel=1e-6)


def test_unlike_leptons_against_a_dalitz_integral():
    """|M|^2 = 128 G_F^2 |U|^2 (N.e)(mu.nu), as muon decay has it, over the Dalitz plot and for one spin of N."""
    m = 0.2

    def amplitude(s_mu_nu, s_mu_e):
        """s of mu and nu, of mu and e."""
        s_e_nu = m**2 + M_MU**2 + M_E**2 - s_mu_nu - s_mu_e
        n_e = 0.5 * (m**2 + M_E**2 - s_mu_nu)
        return 64.0 * G_F**2 * n_e * 0.5 * (s_mu_nu - M_MU**2) if s_e_nu > 0.0 else 0.0

    def limits(s_mu_e, sign):
        root = np.sqrt(s_mu_e)
        muon = (s_mu_e + M_MU**2 - M_E**2) / (2.0 * root)
        neutrino = (m**2 - s_mu_e) / (2.0 * root)
        return M_MU**2 + 2.0 * neutrino * (muon + sign * np.sqrt(max(muon**2 - M_MU**2, 0.0)))

    low, high = (M_MU + M_E) ** 2, m**2
    total, _ = dblquad(amplitude, low, high, lambda s: limits(s, -1.0), lambda s: limits(s, 1.0), epsrel=1e-9)
    width = total / ((2.0 * np.pi) ** 3 * 32.0 * m**3)
    assert float(width_to_unlike_leptons(m, 1.0)) == pytest.approx(width, rel=1e-6)


@pytest.mark.parametrize("m", [0.12, 0.3, 2.0])
def test_unlike_leptons_without_the_electrons_mass(m):
    """1 - 8x^2 + 8x^6 - x^8 - 24 x^4 ln x, the function of muon decay, which is the same for any one massive lepton."""
    x = M_MU / m
    closed = 1.0 - 8.0 * x**2 + 8.0 * x**6 - x**8 - 24.0 * x**4 * np.log(x)
    found = float(width_to_unlike_leptons(m, 1.0) / width_to_three_neutrinos(m, 1.0, majorana=False))
    assert found == pytest.approx(closed, rel=1e-2 if m < 0.2 else 1e-3)  # m_e counts next to the threshold


def test_majorana_states_have_twice_as_many_and_channels_sum():
    dirac = weak_widths(0.4, 1e-7, 2e-7, 3e-7, majorana=False)
    majorana = weak_widths(0.4, 1e-7, 2e-7, 3e-7, majorana=True)
    np.testing.assert_allclose(majorana, 2.0 * np.asarray(dirac), rtol=1e-12)
    pion = float(width_to_lepton_pion(0.4, 2e-7, M_MU))
    assert float(dirac.to_muon_pion) == pytest.approx(pion, rel=1e-12)
    assert float(dirac.total) == pytest.approx(float(sum(dirac[:4])), rel=1e-12)


FUNCTIONS = {
    "lepton and pion": lambda m: width_to_lepton_pion(m, 1.0, M_MU),
    "neutrino and pion": lambda m: width_to_neutrino_pion(m, 1.0),
    "unlike leptons": lambda m: width_to_unlike_leptons(m, 1.0),
    "kaon": lambda m: meson_to_lepton_neutrino(M_CHARGED_KAON, M_MU, m),
}
EDGES = {"lepton and pion": M_MU + M_CHARGED_PION, "neutrino and pion": M_NEUTRAL_PION, "unlike leptons": M_MU + M_E}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_and_thresholds(name):
    both = jax.jit(jax.value_and_grad(FUNCTIONS[name]))
    value, slope = both(0.33)
    difference = (both(0.33 + 1e-6)[0] - both(0.33 - 1e-6)[0]) / 2e-6
    assert float(slope) == pytest.approx(float(difference), rel=1e-6)
    assert value > 0.0
    for closed in (0.0, EDGES[name]) if name in EDGES else (M_CHARGED_KAON - M_MU, 0.45):
        np.testing.assert_array_equal(both(closed), 0.0)
    near = EDGES.get(name, M_CHARGED_KAON - M_MU - 2e-9) + 1e-9
    assert np.all(np.isfinite(both(near)))

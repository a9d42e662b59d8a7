"""Penguin decays to a scalar: reference values, other authors' formulas, an amplitude put together by hand."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomfit.errors import InputError
from anomfit.physics import meson_constants as meson
from anomfit.physics.constants import HBAR, V_EW
from anomfit.physics.penguin_decays import (
    IM_LAMBDA_T,
    LAMBDA_T,
    M_TOP_POLE,
    MODES,
    RE_LAMBDA_T,
    penguin_branching_ratio,
)

M_PHI = 0.120
REFERENCE = {"B+ -> K+": 0.50, "B+ -> K*+": 0.56, "K+ -> pi+": 1.72e-3}


@pytest.mark.parametrize("mode", REFERENCE)
def test_reference_values_and_the_fourth_power_of_the_top_mass(mode):
    """Over eta_u^2 at 120 MeV, m_t = 173 GeV: computed apart with the same form factors and PDG 2018 CKM elements."""
    pole = float(penguin_branching_ratio(mode, M_PHI, 1.0, M_TOP_POLE))
    assert pole == pytest.approx(REFERENCE[mode], rel=0.015)
    assert float(penguin_branching_ratio(mode, M_PHI, 1.0)) == pytest.approx(pole * (163.0 / 173.0) ** 4, rel=1e-12)


def test_long_kaon_by_real_part_and_by_absolute_value():
    """6.3e-3 (173 GeV) and 5.0e-3 (163 GeV); |lambda_t| gives the Grossman-Nir maximum, 4.3 times K+."""
    assert float(penguin_branching_ratio("K_L -> pi0", M_PHI, 1.0)) == pytest.approx(5.0e-3, rel=0.015)
    assert float(penguin_branching_ratio("K_L -> pi0", M_PHI, 1.0, M_TOP_POLE)) == pytest.approx(6.3e-3, rel=0.015)
    absolute = float(penguin_branching_ratio("K_L -> pi0", M_PHI, 1.0, long_kaon="absolute"))
    assert absolute / float(penguin_branching_ratio("K+ -> pi+", M_PHI, 1.0)) == pytest.approx(4.3, rel=0.03)


def test_short_kaon_has_the_imaginary_part():
    """Same amplitude but for CKM, so that widths are as Im^2 to Re^2."""
    long, short = (float(penguin_branching_ratio(f"K_{x} -> pi0", M_PHI, 1.0)) for x in "LS")
    widths = short * meson.WIDTH_KAON_SHORT / (long * meson.WIDTH_KAON_LONG)
    assert widths == pytest.approx((IM_LAMBDA_T / RE_LAMBDA_T) ** 2, rel=1e-12)
    assert pytest.approx(1.45e-4, rel=0.02) == IM_LAMBDA_T  # PDG 2018: A^2 lambda^5 eta


def test_other_authors_round_numbers():
    """Higgs portal: B(B -> K phi) = 4e-7 (theta/1e-3)^2 (Batell, Pospelov, Ritz 2011) and B(K+ -> pi+ phi) =
    2e-3 (2 p/m_K) theta^2 (Bezrukov, Gorbunov 2010, top quarks alone): each good to its one digit.
    """
    assert float(penguin_branching_ratio("B+ -> K+", 0.01, 1.0)) == pytest.approx(0.4, rel=0.15)
    assert float(penguin_branching_ratio("K+ -> pi+", 0.01, 1.0)) == pytest.approx(2e-3 * 0.92, rel=0.35)


def test_kaon_amplitude_by_hand():
    """Everything written out in numbers: masses, lives and CKM of the PDG; life 12.38 ns."""
    m_K, m_pi, m_s, m_d, m_t = 0.493677, 0.13957039, 0.093, 0.00467, 163.0
    h = 3 * m_t**2 / (16 * np.pi**2 * V_EW**2) * LAMBDA_T * m_s / V_EW
    amplitude = 0.5 * h * 0.9677 * (1 + 0.015 * M_PHI**2 / m_pi**2) * (m_K**2 - m_pi**2) / (m_s - m_d)
    energy = (m_K**2 + M_PHI**2 - m_pi**2) / (2 * m_K)
    width = amplitude**2 * np.sqrt(energy**2 - M_PHI**2) / (8 * np.pi * m_K**2)
    assert float(penguin_branching_ratio("K+ -> pi+", M_PHI, 1.0)) == pytest.approx(width * 1.238e-8 / HBAR, rel=1e-3)


def test_a_vector_meson_at_rest_cannot_balance_spin():
    """B -> K* phi is a P wave: the rate vanishes as p^3 at the end, that of B -> K phi as p."""
    ends = {"B0 -> K*0": 3.0, "B0 -> K0": 1.0}
    for mode, power in ends.items():
        last = MODES[mode].parent - MODES[mode].daughter
        near, nearer = (float(penguin_branching_ratio(mode, last - gap, 1.0)) for gap in (4e-6, 1e-6))
        assert near / nearer == pytest.approx(2.0**power, rel=1e-2)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(MODES)), st.floats(1e-3, 0.3), st.floats(1e-4, 1.0))
def test_goes_as_the_square_of_the_coupling_and_has_the_slope_of_its_differences(mode, m_phi, eta_u):
    value = float(penguin_branching_ratio(mode, m_phi, eta_u))
    assert value == pytest.approx(eta_u**2 * float(penguin_branching_ratio(mode, m_phi, 1.0)), rel=1e-12)
    slope = float(jax.grad(lambda m: penguin_branching_ratio(mode, m, eta_u))(m_phi))
    step = 1e-6 * m_phi
    above, below = (float(penguin_branching_ratio(mode, m_phi + sign * step, eta_u)) for sign in (1, -1))
    assert slope == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-6 * value / m_phi)


@pytest.mark.parametrize("mode", MODES)
def test_closed_modes_have_no_rate_and_no_slope(mode):
    closed = MODES[mode].parent - MODES[mode].daughter + np.array([0.0, 0.01])
    for m_phi in closed:
        value, slope = jax.value_and_grad(lambda m: penguin_branching_ratio(mode, m, 1.0))(m_phi)
        assert (float(value), float(slope)) == (0.0, 0.0)


def test_unknown_words_are_refused():
    with pytest.raises(InputError, match="K\\+ -> pi\\+"):
        penguin_branching_ratio("K -> pi", M_PHI, 1.0)
    with pytest.raises(InputError, match="absolute"):
        penguin_branching_ratio("K_L -> pi0", M_PHI, 1.0, long_kaon="imaginary")  # type: ignore[arg-type]

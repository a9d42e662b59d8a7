"""nu N -> nu N by the Z: limits, the difference of neutrinos and antineutrinos, the charged current's formula."""

import numpy as np
import pytest

from anomfit.physics import quasi_elastic
from anomfit.physics.constants import G_F, M_P
from anomfit.physics.neutral_current_elastic import d_sigma_d_q_squared, form_factors


def test_at_no_momentum_transfer_the_charges_of_the_nucleons_are_left():
    """F_1 = 1/2 - 2 s_W^2 and -1/2, F_A = +-g_A/2: d sigma/dQ^2 = G_F^2 (F_1^2 + F_A^2)/(2 pi)."""
    for nucleon, charge in (("proton", 0.5 - 2 * 0.2387), ("neutron", -0.5)):
        f_1, _, f_a = form_factors(nucleon, np.array(1e-9), 1.014)
        assert float(f_1) == pytest.approx(charge, abs=1e-6)
        assert abs(float(f_a)) == pytest.approx(0.5 * 1.2754, rel=1e-6)
        found = float(d_sigma_d_q_squared(nucleon, np.array(1.0), np.array(1e-9), "neutrino", 1.014))
        assert found == pytest.approx(G_F**2 * (f_1**2 + f_a**2) / (2.0 * np.pi), rel=1e-6)


def test_antineutrinos_have_the_smaller_cross_section_and_nothing_is_left_beyond_the_limit():
    q_squared = np.linspace(0.05, 1.0, 30)
    found = {
        way: d_sigma_d_q_squared("proton", np.array(1.0), q_squared, way, 1.014) for way in ("neutrino", "antineutrino")
    }
    beyond = q_squared > 4.0 * M_P / (M_P + 2.0)
    assert np.all(found["neutrino"][~beyond] > found["antineutrino"][~beyond])
    assert np.all(found["neutrino"][beyond] == 0.0)


def test_ratios_to_the_charged_current_of_bnl_e734():
    """BNL E734, PRD 35 (1987) 785, 0.5 < Q^2 < 1 GeV^2, 1.3 GeV: 0.153 +- 0.018, antineutrinos 0.218 +- 0.026."""
    q_squared, energy = np.linspace(0.5, 1.0, 501), np.array(1.3)
    for incoming, measured, error in (("neutrino", 0.153, 0.018), ("antineutrino", 0.218, 0.026)):
        neutral = np.trapezoid(d_sigma_d_q_squared("proton", energy, q_squared, incoming, 1.06), q_squared)
        charged = np.trapezoid(quasi_elastic.d_sigma_d_q_squared(energy, q_squared, incoming, 1.06), q_squared)
        assert abs(neutral / charged - measured) < 1.5 * error

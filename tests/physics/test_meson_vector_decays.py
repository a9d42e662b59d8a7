"""Mesons to light vectors: against the decays to pairs that a virtual photon makes, which are measured."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.physics import meson_vector_decays as physics
from anomfit.physics.constants import ALPHA, E_CHARGE, M_E, M_MU
from anomfit.physics.meson_constants import M_CHARGED_KAON, M_CHARGED_PION, M_NEUTRAL_KAON, M_NEUTRAL_PION

UP, DOWN = 2.0 / 3.0 * E_CHARGE, -E_CHARGE / 3.0  # quarks of a dark photon with eps = 1


def with_a_pair(branching_ratio, m_lepton, lowest, highest):
    """B(P -> X l+ l-) = int B(P -> X gamma*(s)) alpha/(3 pi s) (1 + 2r) sqrt(1 - 4r) ds, r = m_l^2/s."""

    def integrand(log_s):
        s = np.exp(log_s)
        r = m_lepton**2 / s
        return float(branching_ratio(np.sqrt(s))) * ALPHA / (3.0 * np.pi) * (1.0 + 2.0 * r) * np.sqrt(1.0 - 4.0 * r)

    return quad(integrand, 2.0 * np.log(lowest), 2.0 * np.log(highest), epsrel=1e-6)[0]


def test_the_dark_photon_has_its_own_epsilon():
    assert float(physics.squared_epsilon(1e-3 * UP, 1e-3 * DOWN)) == pytest.approx(1e-6, rel=1e-12)


@pytest.mark.parametrize(
    ("kaon", "m_lepton", "lowest", "highest", "measured", "within"),
    [
        ("K+", M_E, 0.14, M_CHARGED_KAON - M_CHARGED_PION, 2.28e-7, 0.05),  # NA48/2 above 140 MeV
        ("K+", M_MU, 2.0001 * M_MU, M_CHARGED_KAON - M_CHARGED_PION, 9.15e-8, 0.1),  # NA62
        ("K_S", M_E, 0.165, M_NEUTRAL_KAON - M_NEUTRAL_PION, 3.0e-9, 0.3),  # NA48/1, +- 50 per cent
    ],
)
def test_kaons_make_pairs_as_often_as_measured(kaon, m_lepton, lowest, highest, measured, within):
    found = with_a_pair(lambda m: physics.kaon_to_pion_vector(kaon, m, UP, DOWN), m_lepton, lowest, highest)
    assert found == pytest.approx(measured, rel=within)


def test_closed_decays_have_no_rate_and_no_gradient():
    rate = jax.value_and_grad(lambda m: physics.kaon_to_pion_vector("K+", m, UP, DOWN))
    value, slope = rate(jnp.asarray(0.5))
    assert (float(value), float(slope)) == (0.0, 0.0)

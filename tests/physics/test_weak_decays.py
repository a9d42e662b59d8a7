"""Weak decays of a heavy neutrino: the closed form in 60 digits, the massless limit, thresholds, gradients."""

from decimal import Decimal, localcontext

import jax
import numpy as np
import pytest

from anomfit.physics.constants import G_F, M_E, M_MU
from anomfit.physics.weak_decays import SIN2_THETA_W, width_to_neutrino_leptons, width_to_three_neutrinos


def closed_form(m_N, m_lepton, left, right):
    """Width over that of three neutrinos, arXiv:1805.08567, section 3.1.2: 60 digits, for it cancels."""
    with localcontext() as context:
        context.prec = 60
        x, left, right = Decimal(m_lepton) / Decimal(m_N), Decimal(left), Decimal(right)
        beta = (1 - 4 * x**2).sqrt()
        log = ((1 - 3 * x**2 - (1 - x**2) * beta) / (x**2 * (1 + beta))).ln()
        kept = (1 - 14 * x**2 - 2 * x**4 - 12 * x**6) * beta + 12 * x**4 * (x**4 - 1) * log
        flipped = x**2 * (2 + 10 * x**2 - 12 * x**4) * beta + 6 * x**4 * (1 - 2 * x**2 + 2 * x**4) * log
        return float((left**2 + right**2) * kept + 4 * left * right * flipped)


@pytest.mark.parametrize("charged_current", [False, True])
@pytest.mark.parametrize(
    ("m_N", "m_lepton"), [(0.003, M_E), (0.03525, M_E), (0.3, M_E), (0.212, M_MU), (0.3, M_MU), (2.0, M_MU)]
)
def test_leptons_with_their_mass(m_N, m_lepton, charged_current):
    left = SIN2_THETA_W - 0.5 + charged_current
    found = width_to_neutrino_leptons(m_N, 1e-7, m_lepton, charged_current=charged_current, majorana=False)
    found /= width_to_three_neutrinos(m_N, 1e-7, majorana=False)
    assert float(found) == pytest.approx(closed_form(m_N, m_lepton, left, SIN2_THETA_W), rel=3e-8)


def test_massless_leptons_and_counting():
    """Section 6.5 of the library's physics reference, for Majorana N; half of it for Dirac N."""
    unit = 2.0 * G_F**2 * 0.05**5 * 1e-8 / (192.0 * np.pi**3)
    assert float(width_to_three_neutrinos(0.05, 1e-8, majorana=True)) == pytest.approx(unit, rel=1e-12)
    assert float(width_to_three_neutrinos(0.05, 1e-8, majorana=False)) == pytest.approx(0.5 * unit, rel=1e-12)
    for charged_current, left in ((False, SIN2_THETA_W - 0.5), (True, SIN2_THETA_W + 0.5)):
        for majorana, share in ((True, 1.0), (False, 0.5)):
            found = width_to_neutrino_leptons(0.05, 1e-8, 1e-9, charged_current=charged_current, majorana=majorana)
            assert float(found) == pytest.approx(share * unit * (left**2 + SIN2_THETA_W**2), rel=1e-7)


def test_threshold_and_gradients():
    def width(m_N):
        return width_to_neutrino_leptons(m_N, 1.0, M_MU, charged_current=False, majorana=True)

    both = jax.jit(jax.value_and_grad(width))
    for mass in (0.0, 0.1, 2.0 * M_MU):
        np.testing.assert_array_equal(both(mass), 0.0)
    value, slope = both(2.0 * M_MU + 1e-9)
    assert float(value) > 0.0
    assert np.isfinite(slope)
    difference = (both(0.3 + 1e-6)[0] - both(0.3 - 1e-6)[0]) / 2e-6
    assert float(both(0.3)[1]) == pytest.approx(float(difference), rel=1e-8)

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomfit.errors import InputError
from anomfit.physics.constants import M_P
from anomfit.physics.nucleon_scalar import (
    M_D,
    M_U,
    SCALAR_DIPOLE_MASS,
    SIGMA_FRACTIONS,
    SIGMA_TERM_SCALE,
    dipole,
    mass_proportional_coupling,
    nucleon_coupling,
)


@pytest.mark.parametrize(
    ("fractions", "nucleon", "y", "expected"),
    [  # the library's physics reference, section 3.3, for the benchmark of arXiv:2010.06159
        ("agr1", "proton", 8e-6, 1.354e-4),
        ("agr1", "neutron", 8e-6, 1.384e-4),
        ("agr1", "proton", 8e-7, 1.354e-5),
        ("dkm", "proton", 8e-6, 1.383e-4),
    ],
)
def test_benchmark_coupling(fractions, nucleon, y, expected):
    f_u, f_d = SIGMA_FRACTIONS[fractions].of(nucleon)
    coupling = nucleon_coupling(nucleon, y, y, f_u, f_d, M_U, M_D)
    assert float(coupling) == pytest.approx(expected, rel=4e-4)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0), st.floats(0.1, 10.0))
def test_coupling_is_linear_and_depends_on_the_ratio_to_the_quark_masses(y_u, y_d, factor):
    def coupling(y_u, y_d, m_u=M_U, m_d=M_D):
        return float(nucleon_coupling("proton", y_u, y_d, 0.02, 0.04, m_u, m_d))

    total = coupling(y_u, y_d)
    assert coupling(y_u, 0.0) + coupling(0.0, y_d) == pytest.approx(total, abs=1e-12)
    assert coupling(factor * y_u, factor * y_d, factor * M_U, factor * M_D) == pytest.approx(total, abs=1e-12)


def test_couplings_proportional_to_mass_add_up_to_the_sigma_term():
    """y_q = m_q/v gives F_N = (f_u + f_d) M_N/v."""
    coupling = nucleon_coupling("neutron", M_U, M_D, 0.0189, 0.0451, M_U, M_D)
    assert float(coupling) == pytest.approx(0.064 * 0.9395654, rel=1e-6)


@pytest.mark.parametrize(
    "call", [lambda: nucleon_coupling("carbon", 1, 1, 1, 1, 1, 1), lambda: SIGMA_FRACTIONS["dkm"].of("n")]
)
def test_unknown_nucleon_is_refused(call):
    with pytest.raises(InputError, match=r"nucleon: .* use 'proton' or 'neutron'"):
        call()


def test_dipole():
    assert dipole(0.0, 0.84) == 1.0
    np.testing.assert_allclose(dipole(0.7056, 0.84), 0.25, rtol=1e-14)
    np.testing.assert_allclose(dipole(1.0, 1e8), 1.0, rtol=1e-14)
    slope = jax.grad(dipole)(0.0, 0.54)  # minus a sixth of the squared radius
    assert float(-6.0 * slope) * 0.1973269804**2 == pytest.approx(1.6, rel=0.01)  # fm^2, pion-nucleon scalar radius


def test_nuisances_cover_the_range_they_quote():
    assert SIGMA_TERM_SCALE.value(-2.0) <= 41.9 / 59.1 <= SIGMA_TERM_SCALE.value(-1.0)
    assert SCALAR_DIPOLE_MASS.mean == pytest.approx((0.55 + 1.0) / 2.0)
    assert SCALAR_DIPOLE_MASS.sigma == pytest.approx((1.0 - 0.55) / np.sqrt(12.0), abs=5e-4)


def test_couplings_of_a_standard_model_higgs_are_the_known_sum():
    """eta_u = eta_d = 1 (arXiv:2005.08920 equation 16): (M/v) [2/9 + 7/9 (f_u + f_d + f_s)], Shifman et al. 1978."""
    f = (0.0208, 0.0411, 0.043)
    found = mass_proportional_coupling("proton", 1.0, 1.0, *f, 246.22)
    np.testing.assert_allclose(found, M_P / 246.22 * (2.0 / 9.0 + 7.0 / 9.0 * sum(f)), rtol=1e-13)


def test_mass_proportional_coupling_agrees_with_the_light_quarks_own():
    """Without gluons (f_G = 0) and strange quarks it is equation 27 of arXiv:2010.06159 with y_q = eta m_q/v."""
    v, m_u, m_d = 246.22, 2.16e-3, 4.67e-3
    found = mass_proportional_coupling("neutron", 0.3, 0.7, 0.4, 0.6, 0.0, v)
    expected = nucleon_coupling("neutron", 0.3 * m_u / v, 0.7 * m_d / v, 0.4, 0.6, m_u, m_d)
    np.testing.assert_allclose(found, expected, rtol=1e-12)

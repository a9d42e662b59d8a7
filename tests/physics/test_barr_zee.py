"""The logarithm of the two-photon coupling against the full two-loop function of a heavy fermion."""

import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.physics.barr_zee import photon_coupling_moment
from anomfit.physics.constants import ALPHA, M_MU
from anomfit.physics.scalar_decays import photon_coupling


def full_barr_zee(y, y_F, m_F, m_scalar):
    """alpha m_mu y/(8 pi^3) (y_F/m_F) z int dx [2x(1-x) - 1]/[x(1-x) - z] ln[x(1-x)/z], z = m_F^2/m_S^2, Q = N_c = 1.

    Two-loop moment of a CP-even scalar with a photon and a fermion loop: Chang, Chang, Chou, Keung, PRD 63 (2001)
    091301; the muon's mass is neglected.
    """
    z = (m_F / m_scalar) ** 2

    def integrand(x):
        p = x * (1 - x)
        return (2 * p - 1) / (p - z) * np.log(p / z)

    return ALPHA * M_MU * y / (8 * np.pi**3) * y_F / m_F * z * quad(integrand, 0, 1, epsabs=0, epsrel=1e-10)[0]


@pytest.mark.parametrize("y_F", [0.3, -0.1])
def test_a_heavy_fermion_is_its_photon_coupling_with_its_mass_as_cutoff(y_F):
    """Sign and size: between two masses the moment grows as the logarithm says, at fixed y_F/m_F."""
    m_scalar, y, ratio = 0.13, 2.4e-4, y_F / 500.0
    kappa = float(np.real(photon_coupling(m_scalar, 0.0, np.array([ratio * 500.0]), np.array([500.0]), np.ones(1))))
    full = [full_barr_zee(y, ratio * m_F, m_F, m_scalar) for m_F in (500.0, 4000.0)]
    logs = [float(photon_coupling_moment(M_MU, m_scalar, y, kappa, m_F)) for m_F in (500.0, 4000.0)]
    assert full[1] - full[0] == pytest.approx(logs[1] - logs[0], rel=1e-4)
    assert logs[0] == pytest.approx(full[0], rel=0.2)  # what the logarithm leaves out: a constant of order 1


def test_a_positive_product_of_couplings_raises_the_moment():
    assert float(photon_coupling_moment(M_MU, 0.133, 2.4e-4, 4.2e-4, 2000.0)) > 0.0

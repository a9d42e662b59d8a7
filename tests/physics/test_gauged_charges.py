"""A vector of baryon and lepton numbers: anomalies, published lines of anomalous decays, interactions in matter."""

import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.physics.gauged_charges import (
    ALPHA_AT_Z,
    M_Z,
    SIN2_THETA_W,
    GaugedCharges,
    matter_potential,
    z_to_photon_width,
)


def vector(m=0.8, g=1e-3, electron=0.0, muon=0.0, tau=0.0, baryon=1.0):
    return GaugedCharges(*map(jnp.asarray, (m, g, baryon, electron, muon, tau, 1.0)))


def test_anomalies_cancel_where_the_leptons_make_up_for_the_baryons():
    assert float(vector().anomaly) == 1.5
    for leptons in ({"tau": -3.0}, {"muon": -3.0}, {"electron": -1.0, "muon": -1.0, "tau": -1.0}):
        assert float(vector(**leptons).anomaly) == 0.0


def test_z_to_photon_is_the_width_of_a_particle_of_spin_0():
    """Gamma = g_{a gamma Z}^2 m_Z^3/(384 pi), L = -(g/4) a F Z~, of the longitudinal mode, from W and B one by one."""
    m, g = 0.1, 2e-4
    e_squared = 4.0 * np.pi * ALPHA_AT_Z
    s, c = np.sqrt(SIN2_THETA_W), np.sqrt(1.0 - SIN2_THETA_W)
    weak, hyper = e_squared / s**2, e_squared / c**2
    mixed = 2.0 * s * c * weak + 2.0 * s * c * hyper  # of Z and photon in g_2^2 W3 W3~ - g_Y^2 B B~
    coupling = 4.0 * g * 1.5 / (16.0 * np.pi**2 * m) * mixed
    expected = coupling**2 * M_Z**3 / (384.0 * np.pi)
    assert float(z_to_photon_width(vector(m, g))) == pytest.approx(expected, rel=1e-4)
    assert float(z_to_photon_width(vector(95.0, g))) == 0.0


def test_matter_knows_the_difference_of_lepton_numbers():
    found = matter_potential(vector(m=0.8, g=3e-4, tau=-3.0), 1.0)
    expected = -3.0 * 2.0 * (3e-4 / 0.8) ** 2 / (2.0 * np.sqrt(2.0) * 1.1663788e-5)
    assert float(found["tau"]) == pytest.approx(expected, rel=1e-9)
    assert float(found["muon"]) == 0.0
    lepton_minus = matter_potential(vector(electron=-1.0, muon=-1.0, tau=-1.0), 1.0)
    assert float(lepton_minus["tau"]) == float(lepton_minus["electron"])

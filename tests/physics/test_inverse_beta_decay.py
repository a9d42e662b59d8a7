import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.physics import inverse_beta_decay as ibd
from anomfit.physics.constants import M_E, M_MU, M_N, M_P
from anomfit.physics.muon_decay_at_rest import ENDPOINT, muon_antineutrino_spectrum


def test_near_threshold_the_cross_section_follows_from_the_neutrons_lifetime():
    """sigma = 2 pi^2 / (m_e^5 f tau) E_e p_e with f = 1.7152: Vogel and Beacom, hep-ph/9903554, eqs 8 and 9."""
    lifetime = 878.4 / 6.582119569e-25  # 1/GeV, PDG 2024
    for e_nu in (2.5e-3, 3.5e-3):
        energy = e_nu - (M_N - M_P)
        sigma = 2 * np.pi**2 / (M_E**5 * 1.7152 * lifetime) * energy * np.sqrt(energy**2 - M_E**2)
        recoil = 1.0 - 7.0 * e_nu / M_P  # leading correction, same paper, eq 13: some 2 %
        assert float(ibd.cross_section(e_nu)) == pytest.approx(sigma * 0.38937937e-27 * recoil, rel=0.012)


def test_nothing_below_threshold():
    assert pytest.approx(1.806e-3, abs=1e-6) == ibd.THRESHOLD
    assert float(ibd.cross_section(1.80e-3)) == 0.0
    assert float(ibd.cross_section(1.82e-3)) > 0.0


@pytest.mark.parametrize("e_nu", [5e-3, 30e-3, 52e-3])
@pytest.mark.parametrize("cosine", [-1.0, -0.2, 0.7, 1.0])
def test_the_positron_leaves_a_neutron_on_its_mass_shell(e_nu, cosine):
    energy = float(ibd.positron_energy(e_nu, cosine))
    momentum = np.sqrt(energy**2 - M_E**2)
    left_energy = e_nu + M_P - energy
    left_squared = e_nu**2 + momentum**2 - 2 * e_nu * momentum * cosine
    assert left_energy**2 - left_squared == pytest.approx(M_N**2, rel=1e-12)


def test_positrons_lean_backwards_below_13_mev_and_forwards_above():
    assert ibd.mean_cosine(np.array(8e-3)) < 0.0 < ibd.mean_cosine(np.array(30e-3))


def test_the_spectrum_of_muon_decay_is_normalised_and_ends_where_it_is_largest():
    total, _ = quad(lambda e: float(muon_antineutrino_spectrum(np.asarray(e))), 0.0, ENDPOINT)
    mean, _ = quad(lambda e: e * float(muon_antineutrino_spectrum(np.asarray(e))), 0.0, ENDPOINT)
    assert total == pytest.approx(1.0, rel=1e-9)
    assert mean == pytest.approx(7.0 / 20.0 * M_MU, rel=1e-9)
    assert float(muon_antineutrino_spectrum(np.asarray(ENDPOINT * 1.0001))) == 0.0

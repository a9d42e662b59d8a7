import pytest
from particle import Particle
from scipy import constants as codata

from anomfit.physics import constants


def gev(name):
    """A CODATA mass energy equivalent, GeV."""
    return 1e-3 * codata.physical_constants[f"{name} mass energy equivalent in MeV"][0]


@pytest.mark.parametrize(
    ("value", "expected", "rtol"),
    [
        (constants.ALPHA, codata.fine_structure, 1e-9),
        (constants.HBAR, codata.hbar / codata.e * 1e-9, 1e-14),
        (constants.HBAR_C_M, codata.hbar * codata.c / codata.e * 1e-9, 1e-14),
        (constants.HBAR_C_CM, 1.973269804e-14, 1e-9),
        (constants.HBAR_C_FM, 0.1973269804, 1e-9),
        (constants.GEV2_TO_CM2, 0.38937937e-27, 1e-8),
        (constants.V_EW, 246.22, 1e-5),
        (constants.M_E, gev("electron"), 1e-8),
        (constants.M_MU, gev("muon"), 1e-7),
        (constants.M_TAU, gev("tau"), 1e-3),
        (constants.M_P, gev("proton"), 1e-8),
        (constants.M_N, gev("neutron"), 1e-8),
        (
            constants.ATOMIC_MASS_UNIT,
            1e-3 * codata.physical_constants["atomic mass constant energy equivalent in MeV"][0],
            1e-8,
        ),
        (constants.M_C12, 11.17486, 1e-6),
    ],
)
def test_value(value, expected, rtol):
    assert isinstance(value, float)
    assert value == pytest.approx(expected, rel=rtol)


def test_carbon_is_the_nucleus_not_the_atom():
    atom = 1e-3 * Particle.from_pdgid(1000060120).mass
    assert atom - constants.M_C12 == pytest.approx(6.0 * constants.M_E, rel=1e-3)


def test_electroweak_vev_gives_the_fermi_constant():
    assert pytest.approx(constants.G_F, rel=1e-14) == 1.0 / (2.0**0.5 * constants.V_EW**2)

"""The rows on LSND and KARMEN: by hand, against the independent integral, and that they come from model and data."""

import math

import numpy as np
import pytest
from oracles import recoil
from oracles.upscattering import physics
from scipy.integrate import quad

from anomfit.models.two_higgs_doublet_parameters import TABLE_I
from anomfit.reproduce.statements import load_statements
from anomfit.reproduce.two_higgs_doublet import benchmark
from anomfit.reproduce.two_higgs_doublet_lsnd import pairs, stopped_pions

MOLECULES = 3.7e30


@pytest.fixture(scope="module")
def known():
    return {name: computed.value for name, computed in stopped_pions(benchmark()).items()}


@pytest.fixture(scope="module")
def model():
    return pairs(benchmark())


@pytest.mark.slow
def test_each_row_is_a_statement(known, model):
    assert set(known) | set(model) <= set(load_statements("2010.06159"))
    assert all(math.isfinite(value) for value in [*known.values(), *(found.value for found in model.values())])


def test_numbers_of_the_experiments_by_hand(known):
    assert known["lsnd_excess_R10"] == pytest.approx(86 - 36.9 - 16.9)
    assert known["lsnd_significance"] == pytest.approx(87.9 / math.sqrt(22.4**2 + 6.0**2))
    assert known["lsnd_high_energy_excess"] == pytest.approx(40 - 21.9)
    assert known["karmen_size"] == pytest.approx(56 / 167)
    assert known["lsnd_excess"] == pytest.approx(2.64e-3 * known["lsnd_full_transmutation"])


def test_known_physics_by_hand(known):
    """An averaged cross section of 0.93e-40 cm^2 and sharp windows, 20 to 60 MeV in LSND and 16 to 52 MeV in KARMEN.

    The shape is anti-nu_mu of mu+ at rest times E_e p_e, less 7 E/M of recoil and weak magnetism.
    """
    end = 52.83  # MeV

    def shape(e):
        x, positron = e / end, e - 1.293
        spectrum = x**2 * (3.0 - 2.0 * x)
        return spectrum * positron * math.sqrt(max(positron**2 - 0.511**2, 0.0)) * (1.0 - 7.0 * e / 938.9)

    def inside(low):
        return quad(shape, low, end)[0] / quad(shape, 1.8, end)[0]

    spread = 4.15**2 / 29.8**2 / 3.0  # 1/L^2 over the tank
    full = 0.42 * 7.4e30 * 1.26e14 * 0.93e-40 * (1 + spread)
    assert known["lsnd_full_transmutation"] == pytest.approx(full * inside(21.8), rel=0.06)
    mixed = 0.5 * 0.192 * 4.5e30 * 2.71e21 / (4 * math.pi * 1770.0**2) * 0.93e-40
    assert known["karmen_full_mixing"] == pytest.approx(mixed * inside(16.8), rel=0.06)


@pytest.mark.slow
def test_the_papers_numbers_against_the_independent_integral(model):
    given = physics(TABLE_I, as_published=True)
    low, high = (
        recoil.counts(
            "neutron",
            given,
            recoil.in_flight_flux(),
            MOLECULES,
            recoil.lsnd_energy(np.array([a]), np.array([b])),
        )[0]
        for a, b in ((0.02, 0.06), (0.06, 0.2))
    )
    assert model["lsnd_R10"].value == pytest.approx(0.42 * 0.39 * low, rel=1e-3)
    assert model["lsnd_high_energy"].value == pytest.approx(high, rel=1e-3)
    assert model["lsnd_high_energy_neutron"].value == pytest.approx(0.42 * 0.39 * high, rel=1e-3)
    assert model["lsnd_high_energy_selected"].value == pytest.approx(0.5 * 0.084 * (1 - 0.39) * high, rel=1e-3)


@pytest.mark.slow
def test_the_default_adds_targets_and_says_so(model):
    assert "coherent" in model["lsnd_R10"].detail
    without = float(model["lsnd_high_energy_selected"].detail.split("default model has ")[1].split()[0])
    assert without > model["lsnd_high_energy"].value  # coherent scattering
    with_neutron = float(model["lsnd_high_energy_neutron"].detail.split("default model has ")[1].split()[0])
    assert with_neutron < model["lsnd_high_energy_neutron"].value  # the dipole
    assert model["lsnd_ring_high"].value < 1.0


@pytest.mark.slow
def test_slopes_in_couplings_and_nuisances_by_hand(model):
    """A count goes as y_nu^2, but for the 7e-5 of N_2 that go to nu h', and as the efficiencies; flux: 20 per cent."""
    found = model["lsnd_high_energy_neutron"]
    assert found.slopes["y_nu"] == pytest.approx(2.0 * found.value / 1.25e-2, rel=5e-4)
    assert found.slopes["lsnd_efficiency"] == pytest.approx(found.value, rel=1e-9)
    assert found.slopes["lsnd_photon"] == pytest.approx(found.value, rel=1e-9)
    assert found.slopes["lsnd_flux"] == pytest.approx(0.2 * found.value, rel=1e-6)
    assert "lsnd_efficiency" not in model["lsnd_high_energy"].slopes  # before any efficiency
    assert "lsnd_flux" not in model["lsnd_ring_middle"].slopes  # a ratio


@pytest.mark.slow
def test_another_point_gives_other_numbers(model):
    given = benchmark()
    moved = given._replace(point={name: 1.1 * value for name, value in given.point.items()})
    there = pairs(moved)
    for name, found in model.items():
        assert found.value != pytest.approx(there[name].value, rel=1e-4), name

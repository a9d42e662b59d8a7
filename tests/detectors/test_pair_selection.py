"""Acceptance of e+e- pairs against decays thrown one by one, and the sharp fractions known for light pairs."""

import jax.numpy as jnp
import numpy as np
import pytest
from oracles import shower_table

from anomfit.data import load_record
from anomfit.detectors.miniboone import quasi_elastic_edge, single_shower_efficiency
from anomfit.detectors.pairs import find_selection, see_pairs
from anomfit.physics.constants import M_E, M_N, M_P
from anomfit.physics.kinematics import quasi_elastic_energy


def thrown(energy, mass, n=400_000):
    """Leading and other energy, opening angle, for isotropic decays in the pair's rest frame boosted to `energy`."""
    x = np.random.default_rng(8).uniform(0.0, 1.0, n)
    return shower_table._leptons(energy, mass, x)[:3]


@pytest.mark.parametrize("name", ["overlap-13-mass", "overlap-13", "overlap-8", "overlap-5", "light-or-5"])
@pytest.mark.parametrize(("energy", "mass"), [(0.3, 0.017), (0.3, 0.1), (0.15, 0.03), (1.2, 0.06), (0.5, 0.0015)])
def test_acceptance_against_thrown_decays(name, energy, mass):
    seen = see_pairs(jnp.array([energy]), mass, find_selection(name), lambda e, whole: jnp.ones_like(e))
    ways = shower_table._recipe(name, *thrown(energy, mass), mass)
    accepted = ways[0] + ways[1]
    error = accepted.std() / np.sqrt(accepted.size)
    assert float(seen.weight.sum()) == pytest.approx(accepted.mean(), abs=4.5 * error + 2e-4)
    assert float(seen.weight[0, 0]) == pytest.approx(ways[0].mean(), abs=4.5 * ways[0].std() / 632 + 2e-4)


@pytest.mark.parametrize("alignment", [-1.0, 0.5])
def test_aligned_leptons_against_weighted_decays(alignment):
    """Leptons with 1 + A P_2(cos) to the pair's flight: the thrown ones are weighted with it."""
    seen = see_pairs(jnp.array([0.6]), 0.06, find_selection("overlap-13"), lambda e, whole: jnp.ones_like(e), True)
    lead, other, opening = thrown(0.6, 0.06)
    reach = np.sqrt(1.0 - (2.0 * M_E / 0.06) ** 2) * np.sqrt(0.6**2 - 0.06**2) / 0.6
    cosine = (lead - other) / 0.6 / reach
    weight = 1.0 + alignment * (1.5 * cosine**2 - 0.5)
    ways = np.stack(shower_table._recipe("overlap-13", lead, other, opening, 0.06))
    whole = seen.weight[0] + alignment * seen.quadrupole[0]
    found = [float(whole[0]), float(jnp.sum(whole[1:]))]
    np.testing.assert_allclose(found, np.mean(weight * ways, axis=1), atol=3e-3)
    unaligned = np.mean(ways, axis=1)
    assert np.all(np.abs(np.asarray(found) - unaligned) > 0.01)


def test_visible_energy_is_the_sum_or_the_leading_lepton():
    def relative(visible, whole):
        return single_shower_efficiency(visible) / single_shower_efficiency(whole)

    seen = see_pairs(jnp.array([0.3]), 0.1, find_selection("overlap-13"), relative)
    lead, other, opening = thrown(0.3, 0.1)
    whole, alone = shower_table._recipe("overlap-13", lead, other, opening, 0.1)
    expected = np.mean(whole * 0.3 + alone * shower_table.efficiency(lead) / shower_table.efficiency(0.3) * lead)
    assert float(jnp.sum(seen.weight * seen.energy)) == pytest.approx(expected, rel=3e-3)


def test_sharp_fractions_for_17_MeV_at_300_MeV():
    """1.00 (13 degrees, light), 0.46 (the pi0-tuned cut), 0.20 (5 degrees): sharp cuts on isotropic decays."""
    lead, other, opening = thrown(0.3, 0.017)
    degrees = np.rad2deg(opening)
    asymmetric = (other < 0.030) & (lead > 0.030)
    assert np.mean((degrees < 13) | asymmetric) == pytest.approx(1.0, abs=5e-3)
    assert np.mean((degrees < 5) | asymmetric) == pytest.approx(0.20, abs=6e-3)
    table = load_record("miniboone/two_shower_cut_2210.08021").columns
    cut = table["r_circle1_a"][np.searchsorted(table["Evis_lo_GeV"], 0.3 + 1e-9) - 1]  # the bin that begins at 0.3
    radius = np.sqrt(0.25 * (1 - np.cos(opening)) ** 2 + (other / 0.3) ** 2)
    assert np.mean(radius < cut) == pytest.approx(0.46, abs=8e-3)


def test_smoothing_keeps_the_fractions_of_light_pairs():
    def accepted(name):
        return float(
            see_pairs(jnp.array([0.3]), 0.017, find_selection(name), lambda e, whole: jnp.ones_like(e)).weight.sum()
        )

    assert accepted("overlap-13") == pytest.approx(0.97, abs=5e-3)  # the smeared edge at 13 degrees
    assert accepted("light-or-5") == pytest.approx(1.0, abs=0.01)
    assert accepted("kelly-kopp") == pytest.approx(0.48, abs=0.03)  # interpolated between the bins


def test_edges_of_the_quasi_elastic_energy_invert_its_formula():
    cosine = np.linspace(-1.0, 1.0, 41)
    for edge in (0.2, 0.475, 1.25, 3.0):
        visible = quasi_elastic_edge(edge, cosine)
        np.testing.assert_allclose(quasi_elastic_energy(visible + M_E, cosine, M_E, M_N, M_P), edge, rtol=1e-7)


def test_efficiency_of_the_release():
    """Straight lines between bin centres; a centre itself is moved by its rounded corner, 0.25 % at most."""
    knots, values = shower_table.efficiency_knots()
    energies = np.concatenate([0.5 * (knots[1:] + knots[:-1]), [0.05, 0.0999, 2.1001, 5.0]])
    expected = np.interp(energies, knots, values, left=0.0, right=0.0)
    np.testing.assert_allclose(single_shower_efficiency(energies), expected, atol=1e-15)
    np.testing.assert_allclose(single_shower_efficiency(knots), values, rtol=2.5e-3)

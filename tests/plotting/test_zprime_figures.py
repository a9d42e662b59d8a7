"""Figures 2 and 4 to 9 of arXiv:2006.01948: the numbers behind their lines and stars."""

import numpy as np
import pytest

from anomfit.constraints import gauged_charges, lepton_colliders
from anomfit.data import load_record
from anomfit.detectors.pairs import LIGHT_OR_8
from anomfit.models.zprime_two_higgs_doublet import as_published, zprime_two_higgs_doublet
from anomfit.physics.constants import G_F
from anomfit.plotting import papers, zprime, zprime_spectra

TABLE_I = zprime_two_higgs_doublet.points["table-I"]


def test_all_seven_figures_are_there_by_the_alias_of_the_model():
    assert list(papers.FIGURES["2006.01948"]) == [f"figure-{number}-2006.01948" for number in (2, *range(4, 10))]


def test_the_stars_of_figures_4_and_5_lie_on_the_printed_numbers():
    """2.74e-9 and -8.7e-13."""
    muon = np.sum(zprime.moments_over("muon", {"sin_delta": np.array([0.28])}))
    assert muon == pytest.approx(2.74e-9, rel=0.01)
    root = np.sqrt(np.array([5.6e-7]))
    assert np.sum(zprime.moments_over("electron", {"y_etau": root, "y_taue": -root})) == pytest.approx(
        -8.7e-13, rel=0.01
    )


def test_the_ends_of_the_mixing_have_one_scalar_alone():
    ends = zprime.moments_over("muon", {"sin_delta": np.array([1e-6, 1.0 - 1e-12])})
    assert ends[0, 1] < 1e-6 * ends[0, 0]
    assert ends[1, 0] < 1e-6 * ends[1, 1]


def test_a_limit_on_a_rate_goes_as_the_mass_over_the_coupling():
    """Oscillations see g^2/m^2: 0.33 = 3 x 2.03 g^2/(2 sqrt2 G_F m^2)."""
    row = next(entry for entry in gauged_charges.constraints() if entry.name == "oscillation-matter")
    masses = np.array([0.1, 0.8])
    found = zprime.coupling_limit(zprime_two_higgs_doublet, row, masses)
    expected = masses * np.sqrt(0.17 / 2.575829 * 1.644854 * 3.06 * 2.0 * np.sqrt(2.0) * G_F / (3.0 * 2.03))
    assert found == pytest.approx(expected, rel=1e-6)
    assert TABLE_I["g_B"] < found[1]


def test_the_muons_of_the_benchmark_are_out_of_reach_of_babar():
    row = next(entry for entry in lepton_colliders.constraints() if entry.name == "babar-muons")
    found = zprime.exclusion("muon", row, np.array([0.106, 0.5]), np.array([6e-4, 1e-1]))
    assert np.isnan(found[0, 0])
    assert found[1, 1] > 0.0 > found[0, 1]


@pytest.mark.parametrize("draw", [zprime.muon_figure, zprime.electron_figure])
def test_moments_are_drawn_with_a_band_a_star_and_what_is_printed(draw):
    (ax,) = draw().axes
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert any("printed" in label for label in labels)
    assert ax.get_xlabel()


@pytest.fixture(scope="module")
def as_printed():
    """Events of all four histograms of figure 2 by the paper's formulas."""
    return zprime_spectra.spectra(as_published, zprime_spectra.AS_PAPER, TABLE_I, LIGHT_OR_8)


@pytest.mark.slow
def test_energies_and_angles_of_one_mode_are_the_same_events(as_printed):
    """Within 3 %: E_vis ends at 2 GeV where cos(theta) has all energies."""
    totals = {era: sum(np.sum(events) for events in found.values()) for era, found in as_printed.items()}
    assert totals["evis"] == pytest.approx(totals["costheta"], rel=0.03)
    assert totals["evis-antineutrino"] == pytest.approx(totals["costheta-antineutrino"], rel=0.03)
    for found in as_printed.values():
        assert all(np.all(events > -1e-6 * np.sum(events)) for events in found.values())
        assert 0.0 < np.sum(found["H"]) < 0.1 * np.sum(found["h'"])


@pytest.mark.slow
@pytest.mark.parametrize("era", zprime_spectra.SHOWN)
def test_a_histogram_says_how_many_events_it_has_and_stacks_published_backgrounds(era, as_printed):
    panel = zprime_spectra.histogram(era, as_printed, as_printed)
    table = load_record(zprime_spectra.DISTRIBUTIONS[era].record).columns
    np.testing.assert_allclose(panel.background, table["bkg_total"], atol=0.01 * np.max(table["bkg_total"]))
    total = sum(np.sum(events) for events in as_printed[era].values())
    assert f"({total:.0f} events" in panel.signal_label
    published, scaled, _ = panel.curves
    assert np.sum(published.signal) == pytest.approx(total)
    assert np.sum(scaled.signal) == pytest.approx(np.sum(panel.data - panel.background))
    assert "560.6" in panel.title or "79.3" in panel.title

import numpy as np
import pytest

from anomfit.catalogue import find_measurement
from anomfit.data import load_record
from anomfit.measurements.base import Bin
from anomfit.plotting.panels import MOST, Curve, panels, poisson_errors

PANELS = [("lsnd", 1), ("lsnd:high-energy", 2), ("lsnd:cos-theta", 1), ("karmen", 1)]


@pytest.fixture(scope="module")
def bins():
    return find_measurement("miniboone").bins()


def entry(label="E_vis", low=0.1, high=0.2, unit="GeV", data=9.0, background=4.0, error=2.5):
    return Bin(label, low, high, unit, data, background, error)


def test_poisson_errors_are_those_of_gehrels():
    """Single-sided limits of one sigma: Gehrels, ApJ 303 (1986) 336, tables 1 and 2."""
    counts = np.array([0.0, 1.0, 3.0, 10.0, 100.0])
    below, above = poisson_errors(counts)
    np.testing.assert_allclose(counts + above, [1.841, 3.300, 5.918, 14.27, 111.0], rtol=4e-4)
    np.testing.assert_allclose(counts - below, [0.0, 0.1727, 1.367, 6.891, 90.02], rtol=4e-4)


def test_the_modes_of_miniboone_are_two_panels(bins):
    neutrino, antineutrino = panels(bins, {"pairs": np.arange(22.0)})
    assert (neutrino.title, antineutrino.title) == ("neutrino mode", "antineutrino mode")
    assert neutrino.quantity == "E_nu^QE"
    assert neutrino.data.sum() == 3202.0  # counts of the release, all eleven bins
    assert antineutrino.data.sum() == 551.0
    np.testing.assert_array_equal(antineutrino.total_signal, np.arange(11.0, 22.0))
    np.testing.assert_allclose(neutrino.per[:2], [100.0, 75.0])


def test_the_error_of_the_background_leaves_out_the_poisson_error_of_the_counts(bins):
    panel = panels(bins, {})[0]
    released = load_record("miniboone/nu_enuqe_2020").columns
    total = released["bkg_constrained_err"]
    np.testing.assert_allclose(np.hypot(panel.background_error, np.sqrt(panel.background)), total, rtol=1e-12)
    assert panels([entry(error=1.0)], {})[0].background_error == 0.0


def test_a_very_wide_last_bin_is_drawn_nearer(bins):
    panel = panels(bins, {})[0]
    np.testing.assert_array_equal(panel.positions[:-1], panel.edges[:-1])
    assert panel.edges[-1] == 3.0
    assert 1.5 < panel.positions[-1] < 2.0
    even = panels([entry(low=0.1 * i, high=0.1 * i + 0.1) for i in range(5)], {})[0]
    np.testing.assert_array_equal(even.positions, even.edges)


def test_bands_hold_the_stated_share_of_the_draws():
    draws = np.random.default_rng(1).normal(100.0, 10.0, size=(20000, 1))
    outer, inner = panels([entry()], {}, draws)[0].bands
    inside = [np.mean((draws > band.low) & (draws < band.high)) for band in (inner, outer)]
    np.testing.assert_allclose(inside, [0.6827, 0.9545], atol=1e-3)
    np.testing.assert_allclose([inner.low, inner.high], [[90.0], [110.0]], atol=0.4)


def test_axes_reach_above_the_bands():
    draws = np.random.default_rng(1).normal(100.0, 10.0, size=(200, 1))
    panel = panels([entry()], {"pairs": np.array([60.0])}, draws)[0]
    np.testing.assert_array_equal(panel.highest_signal, panel.bands[0].high)


def test_a_number_without_edges_has_no_panel():
    assert panels(find_measurement("g-2-muon").bins(), {}) == []


def test_a_gap_or_another_label_begins_a_new_panel():
    rows = [entry(low=0.1, high=0.2), entry(low=0.3, high=0.4), entry("cos theta", 0.4, 0.5, "1")]
    curve = Curve("c", np.array([1.0, 2.0, 3.0]))
    shown = panels(rows, {}, curves=[curve])
    assert [float(panel.curves[0].signal[0]) for panel in shown] == [1.0, 2.0, 3.0]
    assert [panel.unit for panel in shown] == ["GeV", "GeV", "1"]


def test_a_plane_of_many_rows_becomes_one_row_of_numbered_bins():
    rows = [entry(f"row {i}, E_vis", data=float(i)) for i in range(MOST + 1)]
    (panel,) = panels(rows, {"pairs": np.ones(MOST + 1)})
    assert panel.quantity == "bin number"
    np.testing.assert_array_equal(panel.edges, np.arange(MOST + 2) + 0.5)
    np.testing.assert_array_equal(panel.data, np.arange(MOST + 1))
    np.testing.assert_array_equal(panel.per, 1.0)


def test_numbers_that_are_no_counts_keep_their_stated_error():
    panel = panels([entry(data=8.5, error=3.0)], {})[0]
    np.testing.assert_array_equal(panel.data_errors, [[3.0], [3.0]])
    assert "no counts" in panel.data_label
    assert panel.background_error == 0.0
    assert "Poisson" in panels([entry()], {})[0].data_label


def test_what_is_not_public_is_no_data():
    row = entry("cos theta", 0.0, 0.5, "1", np.nan, np.nan, np.nan)
    nothing = [row, row._replace(low=0.5, high=1.0)]
    panel = panels(nothing, {"pairs": np.array([1.0, 2.0])})[0]
    assert not panel.has_data
    np.testing.assert_array_equal(panel.background, 0.0)
    np.testing.assert_array_equal(panel.highest_signal, [1.0, 2.0])


def test_bins_open_to_infinity_are_named():
    (panel,) = panels(find_measurement("lsnd:r-gamma").bins(), {})
    assert panel.tick_labels == ("1 to 10", "10 to 100", "> 100")
    np.testing.assert_array_equal(panel.edges, [0.0, 1.0, 2.0, 3.0])
    np.testing.assert_array_equal(panel.per, 1.0)


@pytest.mark.parametrize(
    ("name", "count"), [("lsnd", 1), ("lsnd:high-energy", 2), ("lsnd:cos-theta", 1), ("karmen", 1)]
)
def test_every_projection_of_lsnd_and_karmen_has_its_panels(name, count):
    assert len(panels(find_measurement(name).bins(), {})) == count

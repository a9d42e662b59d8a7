import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from anomfit.catalogue import find_measurement
from anomfit.plotting import Curve, oscillation_curves, panels, plot_excess, plot_spectrum
from anomfit.plotting.style import typeset

SIGNAL = {"coherent": np.full(22, 30.0), "incoherent": np.full(22, 12.0)}
STOPPED_PIONS = ["lsnd", "lsnd:r-gamma", "lsnd:high-energy", "lsnd:energy", "lsnd:cos-theta", "karmen"]
WIDTHS = 1e3 * np.diff([0.2, 0.3, 0.375, 0.475, 0.55, 0.675, 0.8, 0.95, 1.1, 1.25, 1.5, 3.0])


@pytest.fixture
def panel():
    bins = find_measurement("miniboone").bins()
    curves = [Curve("reference", np.full(22, 7.0))]
    draws = np.stack([np.full(22, 40.0), np.full(22, 44.0)])
    return panels(bins, SIGNAL, draws, curves)[0]


@pytest.fixture
def ax():
    return Figure().subplots()


def steps(ax, label):
    (found,) = [p for p in ax.patches if isinstance(p, StepPatch) and p.get_label() == label]
    return found.get_data()


def test_the_stack_ends_at_background_plus_signal(panel, ax):
    assert plot_spectrum(panel, ax) is ax
    np.testing.assert_allclose(steps(ax, "best fit").values, (panel.background + 42.0) / WIDTHS)
    coherent = steps(ax, "best fit, coherent")
    np.testing.assert_allclose(coherent.baseline, panel.background / WIDTHS)
    np.testing.assert_allclose(coherent.values, (panel.background + 30.0) / WIDTHS)
    np.testing.assert_allclose(steps(ax, "best fit, incoherent").baseline, coherent.values)
    np.testing.assert_allclose(steps(ax, "reference").values, (panel.background + 7.0) / WIDTHS)
    assert ax.get_ylabel() == "events / MeV"
    assert ax.get_xlabel() == r"$E_\nu^{\rm QE}$ [GeV]"


def test_data_stand_over_their_bins_with_both_errors(panel, ax):
    plot_spectrum(panel, ax)
    (bars,) = ax.containers
    np.testing.assert_allclose(bars.lines[0].get_ydata(), panel.data / WIDTHS)
    horizontal, vertical = bars.lines[2]
    np.testing.assert_allclose(horizontal.get_segments()[0][:, 0], [0.2, 0.3])
    low, high = vertical.get_segments()[0][:, 1]
    np.testing.assert_allclose(high - low, (2 * np.sqrt(732.0) + 1.0) / 100.0, rtol=1e-3)


def test_the_excess_is_what_is_left_without_background(panel, ax):
    plot_excess(panel, ax)
    np.testing.assert_allclose(steps(ax, "best fit").values, 42.0 / WIDTHS)
    np.testing.assert_allclose(ax.containers[0].lines[0].get_ydata(), (panel.data - panel.background) / WIDTHS)
    error = steps(ax, "error of the background")
    np.testing.assert_allclose(error.values, panel.background_error / WIDTHS)
    np.testing.assert_allclose(error.baseline, -error.values)
    low, high = ax.get_ylim()
    assert low < -error.values[0]
    assert high > (732.0 - panel.background[0] + 27.0) / 100.0


def test_the_end_of_the_compressed_bin_is_named(panel, ax):
    plot_spectrum(panel, ax)
    labels = {text.get_text(): tick for tick, text in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)}
    assert labels["3"] == panel.positions[-1]
    assert labels["1.5"] == 1.5


def test_nothing_global_is_touched(panel, ax):
    before = dict(matplotlib.rcParams)
    plot_spectrum(panel, ax)
    plot_excess(panel, ax)
    assert dict(matplotlib.rcParams) == before


def test_the_oscillation_curve_is_the_published_best_fit():
    """The released full-transmutation sample at sin^2 2 theta = 0.807, Delta m^2 = 0.043 eV^2, summed by hand."""
    from anomfit.data import load_record

    (curve,) = oscillation_curves("miniboone:enuqe")
    table = load_record("miniboone/fullosc_nu").columns
    energy = 0.5e-3 * (table["Etrue_lo_MeV"] + table["Etrue_hi_MeV"])
    probability = 0.807 * np.sin(1.266933 * 0.043 * table["L_mean_m"] * 1e-3 / energy) ** 2
    by_hand = [np.sum(probability * table[f"reco_{i}"]) for i in range(1, 12)]
    np.testing.assert_allclose(curve.signal[:11], by_hand, rtol=1e-5)
    assert "arXiv:2006.16883" in curve.label


def test_what_knows_no_appearance_has_no_oscillation_curve():
    assert oscillation_curves("g-2-muon:wp2025") == ()
    assert oscillation_curves("my_measurement.py:load:default") == ()


def test_words_become_mathematics():
    assert typeset(r"intrinsic $\nu_e$ and nu_e") == r"intrinsic $\nu_e$ and $\nu_e$"
    assert typeset("E_nu^QE, 18.75e20 POT") == r"$E_\nu^{\rm QE}$, $18.75\times 10^{20}$ POT"


@pytest.mark.parametrize("draw", [plot_spectrum, plot_excess])
@pytest.mark.parametrize(
    "name", ["lsnd", "lsnd:r-gamma", "lsnd:high-energy", "lsnd:energy", "lsnd:cos-theta", "karmen"]
)
def test_lsnd_and_karmen_are_drawn(draw, name, ax):
    bins = find_measurement(name).bins()
    panel = panels(bins, {"pairs": np.full(len(bins), 2.0)})[0]
    assert draw(panel, ax) is ax
    low, high = ax.get_ylim()
    assert np.isfinite([low, high]).all()
    assert high > 0.0
    words = [text.get_text() for text in ax.texts]
    assert ("no public data" in words) == (name == "lsnd:cos-theta")
    if name == "lsnd:r-gamma":
        assert [label.get_text() for label in ax.get_xticklabels()] == ["1 to 10", "10 to 100", "> 100"]


def test_lsnds_own_oscillation_fit_stands_beside_lsnd_and_karmen():
    (lsnd,), (karmen,) = oscillation_curves("lsnd"), oscillation_curves("karmen")
    assert "hep-ex/0104049" in lsnd.label
    assert lsnd.signal.sum() == pytest.approx(32.2, abs=3.0)  # the excess with R_gamma > 10
    assert karmen.signal.sum() == pytest.approx(5.0, abs=2.0)  # what KARMEN did not see
    assert oscillation_curves("lsnd:high-energy") == ()

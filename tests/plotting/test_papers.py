import numpy as np
import pytest
from matplotlib.figure import Figure

from anomfit.catalogue import find_measurement
from anomfit.detectors.pairs import SELECTIONS
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.plotting.lsnd import lsnd_backgrounds, lsnd_panel
from anomfit.plotting.moments import moments_by_mixing, plot_muon_moment
from anomfit.plotting.panels import panels
from anomfit.plotting.papers import ZPRIME_SCALARS, benchmark_panel, moment_figure, other_choices, theory_spread

POINT = two_higgs_doublet.points["table-I"]


@pytest.mark.parametrize(
    ("point", "published"),
    [(POINT, 2.24), ({**POINT, **ZPRIME_SCALARS}, 2.73)],  # arXiv:2010.06159 section V.B; arXiv:2006.01948 has 2.74
)
def test_the_star_stands_at_the_published_moment(point, published):
    ax = plot_muon_moment(two_higgs_doublet, point, Figure().subplots())
    (star,) = [line for line in ax.lines if line.get_marker() == "*"]
    assert star.get_xdata()[0] == point["sin_delta"]
    np.testing.assert_allclose(star.get_ydata()[0], published, atol=0.006)


def test_bands_are_the_measured_moments():
    ax = plot_muon_moment(two_higgs_doublet, POINT, Figure().subplots(), eras=("papers", "wp2025"))
    bands = [(patch.get_y(), patch.get_y() + patch.get_height()) for patch in ax.patches]
    np.testing.assert_allclose(bands, [(2.01, 3.47), (-0.25, 1.01)], atol=1e-9)
    labels = [text.get_text() for text in ax.legend().get_texts()]
    assert "arXiv:2505.21476" in labels[1]


def test_without_mixing_there_is_only_H_and_with_all_of_it_only_the_singlet():
    ends = moments_by_mixing(two_higgs_doublet, POINT, np.array([0.0, 1.0]))
    assert ends[0, 1] == ends[1, 0] == 0.0
    assert np.all(np.diag(ends) > 0.0)


def test_variations_scale_with_the_coupling_squared():
    ax = plot_muon_moment(two_higgs_doublet, POINT, Figure().subplots(), {"doubled": {"y_mu": 2 * POINT["y_mu"]}})
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(lines["doubled"], 4.0 * lines["$H + h'$, benchmark"], rtol=1e-12)


def test_the_moment_figure_has_both_papers():
    titles = [ax.get_title() for ax in moment_figure().axes]
    assert len(titles) == 3
    assert "2010.06159" in titles[0]
    assert "2006.01948" in titles[2]


def test_the_spread_changes_every_choice_once():
    choices = other_choices(find_measurement("miniboone:evis").choices)
    assert choices.pop("form factors as published")[0].targets.nucleon == "constant"
    options = [options for _, options in choices.values()]
    assert all(len(changed) == 1 for changed in options)
    assert {changed["selection"] for changed in options if "selection" in changed} == set(SELECTIONS) - {
        "overlap-13-mass"
    }
    assert {changed["resolution"] for changed in options if "resolution" in changed} == {"stochastic"}


@pytest.mark.slow
def test_the_benchmark_panel_states_the_factor_to_the_excess():
    spread = theory_spread("evis", ["form factors as published"])
    panel = benchmark_panel("evis", spread)
    assert panel.data.sum() == 2881.0  # the plotted sample of arXiv:2006.16883
    np.testing.assert_allclose(panel.background.sum(), 2318.3, atol=0.2)
    published, scaled, appearance = panel.curves
    assert "oscillation" in appearance.label
    np.testing.assert_allclose(scaled.signal.sum(), (panel.data - panel.background).sum())
    np.testing.assert_allclose(scaled.signal / scaled.signal.sum(), panel.total_signal / panel.total_signal.sum())
    assert f"x {scaled.signal.sum() / panel.total_signal.sum():.3g}" in scaled.label
    theory, paper = panel.bands
    assert np.all(theory.low <= panel.total_signal)
    assert np.all(theory.high >= panel.total_signal)
    np.testing.assert_allclose(paper.high - paper.low, 0.3 * panel.total_signal)
    assert published.signal.sum() > 2.0 * panel.total_signal.sum()  # the nucleon's dipole takes that much


@pytest.mark.slow
def test_the_panel_of_lsnds_angles_has_every_hypothesis():
    panel = lsnd_panel("cos-theta")
    assert not panel.has_data
    published, fitted, appearance = panel.curves
    assert "as published" in published.label
    assert "joint fit" in fitted.label
    assert "oscillation" in appearance.label
    for curve in (published, fitted, appearance):
        assert f"({curve.signal.sum():.1f} events)" in curve.label
    (band,) = panel.bands
    assert np.all((band.low <= panel.total_signal) & (band.high >= panel.total_signal))
    assert np.all((band.low <= published.signal) & (band.high >= published.signal))


def test_backgrounds_by_process_close_on_the_published_totals():
    (panel,) = panels(find_measurement("lsnd:l-over-e").bins(), {})
    parts = lsnd_backgrounds("l-over-e", panel)
    np.testing.assert_allclose(sum(parts.values()), panel.background)
    assert parts["beam off"].sum() == pytest.approx(36.9, rel=0.03)
    assert lsnd_backgrounds("cos-theta", panel) == {}

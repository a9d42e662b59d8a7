import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from anomfit.plotting import plot_corner, plot_pulls, plot_signals, save_figures
from anomfit.plotting.pulls import pull_rows
from anomfit.plotting.signals import signal_rows
from anomfit.results.files import load_result

PROJECTIONS = ("evis-costheta", "evis", "costheta", "evis-antineutrino", "costheta-antineutrino")
NAMES = {f"spectrum-miniboone-{era}.png" for era in ("enuqe", *PROJECTIONS)} | {
    "corner.png",
    "pulls.png",
    "signals.png",
}
pytestmark = pytest.mark.slow  # a fit stands behind each


def test_a_fit_leaves_its_figures_and_nothing_half_written(result, folder):
    assert {path.name for path in folder.glob("*.png")} == NAMES
    assert not list(folder.glob(".*.part"))


def test_figures_are_drawn_again_from_the_file(result, folder, tmp_path):
    before = dict(matplotlib.rcParams)
    made = save_figures(load_result(folder / "result.nc"), str(tmp_path / "new" / "folder"))
    assert {path.name for path in made} == NAMES
    for path in made:
        image = matplotlib.image.imread(path)
        assert image.shape[0] > 400
        assert image[..., :3].std() > 0.05  # not a blank page
    assert dict(matplotlib.rcParams) == before


def test_the_corner_plot_shows_draws_bounds_and_best_fit(result):
    figure = plot_corner(result, Figure(figsize=(4, 4)))
    mixing, _, lower, mass = figure.axes
    assert mixing.get_xscale() == mass.get_xscale() == lower.get_yscale() == "log"
    drawn = np.sort([line.get_xdata()[0] for line in mass.lines if line.get_color() == "#d55e00"])
    np.testing.assert_allclose(drawn, [result.fit.values["delta_m2"]])
    low, high = mixing.get_xlim()
    draws = result.samples.values["sin2_2theta"]
    assert low < np.quantile(draws, 0.01)
    assert high > np.quantile(draws, 0.99)
    assert low > 0.7e-4
    assert high < 1.0 / 0.7  # a little beyond the prior's bound and no more
    dotted = [line.get_xdata()[0] for line in mixing.lines if line.get_linestyle() == ":"]
    assert dotted == [bound for bound in (1e-4, 1.0) if low <= bound <= high]


def test_a_result_without_draws_has_no_corner_plot(result, tmp_path):
    import dataclasses

    unsampled = dataclasses.replace(result, samples=None)
    with pytest.raises(ValueError, match="no posterior"):
        plot_corner(unsampled, Figure())
    assert {path.name for path in save_figures(unsampled, tmp_path)} == NAMES - {"corner.png", "signals.png"}


def test_the_pull_plot_has_a_line_for_every_datum(result):
    rows = pull_rows(result)
    assert len(rows) == 22
    ax = plot_pulls(result, Figure().subplots())
    (points,) = [line for line in ax.lines if line.get_label() == "miniboone:enuqe"]
    np.testing.assert_allclose(points.get_xdata(), result.spectra[0].pulls)
    assert ax.get_yticklabels()[0].get_text() == r"neutrino mode, $E_\nu^{\rm QE}$ 200-300 MeV"
    places = points.get_ydata()
    assert np.all(np.diff(places) < 0.0)  # from top to bottom


def test_single_numbers_share_a_group_and_carry_their_measurements_names(result):
    import dataclasses

    (spectrum,) = (shown for shown in result.spectra if shown.fitted)
    limits = [
        dataclasses.replace(spectrum, measurement=name, bins=spectrum.bins[:1], pulls=spectrum.pulls[:1])
        for name in ("one", "two")
    ]
    rows = pull_rows(dataclasses.replace(result, spectra=[limits[0], spectrum, limits[1]]))
    assert [row.label for row in rows[-2:]] == ["one:enuqe", "two:enuqe"]
    assert rows[-1].group == rows[-2].group != rows[0].group


def test_nuisances_stand_below_the_data_with_their_errors(result):
    import dataclasses

    fit = dataclasses.replace(result.fit, pulls={"scale": -0.7})
    hesse = dataclasses.replace(result.hesse, errors={**result.hesse.errors, "scale": 0.9})
    last = pull_rows(dataclasses.replace(result, fit=fit, hesse=hesse))[-1]
    assert (last.group, last.label, last.pull, last.error) == ("nuisance", "scale", -0.7, 0.9)


def test_summed_signals_stand_in_errors_of_the_summed_excess(result):
    (row,) = signal_rows(result)
    (spectrum,) = (shown for shown in result.spectra if shown.fitted)
    error = np.sqrt(sum(b.error**2 for b in spectrum.bins))
    assert row.excess * error == pytest.approx(sum(b.data - b.background for b in spectrum.bins))
    assert row.best_fit * error == pytest.approx(spectrum.best_fit["appearance"].sum())
    assert row.draws.shape == (spectrum.predictive.shape[0] * spectrum.predictive.shape[1],)
    ax = plot_signals(result, Figure().subplots())
    assert [label.get_text() for label in ax.get_yticklabels()] == ["miniboone"]
    wide, narrow = ax.patches
    assert wide.get_width() > narrow.get_width() > 0.0
    assert wide.get_x() <= np.median(row.draws) <= wide.get_x() + wide.get_width()


def test_two_eras_of_a_measurement_are_told_apart(result):
    import dataclasses

    other = dataclasses.replace(result.spectra[0], era="another")
    rows = signal_rows(dataclasses.replace(result, spectra=(*result.spectra, other)))
    assert [row.name for row in rows] == ["miniboone:enuqe", "miniboone:another"]

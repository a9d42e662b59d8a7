"""The figure of all constraints: what is drawn, in which order, and where it stands."""

from types import SimpleNamespace

import numpy as np
from matplotlib.figure import Figure

from anomfit.inference.compare.exclusions import Exclusion, Exclusions
from anomfit.plotting.constraints import LEAST, MOST, plot_constraints, shown_constraints


def row(name, ratio, *, fitted=True, verdict="allowed", fails=False, quantiles=None, kind="curve"):
    return Exclusion(
        name, "x", "1", kind, "2020", "s", fitted, 1.0, 1.0, ratio, 0.0, verdict, False, fails, (), None, quantiles
    )


def result():
    rows = (
        row("weak", 1e-7),  # too far from its limit
        row("wakes", 1e-7, quantiles=(1e-6, 1e-5, 1e-4, 1e-3, 1e-2)),
        row("near", 0.5, fitted=False),
        row("far", 1e9, verdict="excluded"),
        row("old", 3.0, fails=True),
        row("argued", 0.3, kind="argument"),
        row("planned", 3.0, verdict="would be seen"),
        row("unknown", float("nan"), verdict="beyond the table"),
    )
    return SimpleNamespace(exclusions=Exclusions(rows))


def test_what_can_exclude_and_comes_near_is_drawn_the_strongest_first():
    assert [entry.name for entry in shown_constraints(result())] == ["far", "near", "wakes"]


def test_markers_stay_in_the_frame_and_what_was_not_fitted_is_in_brackets():
    ax = plot_constraints(result(), Figure().subplots())
    assert ax.get_xlim() == (LEAST, MOST)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["far", "(near)", "wakes"]
    places = np.concatenate([line.get_xdata() for line in ax.lines if line.get_marker() in ("o", "s")])
    assert places.min() >= LEAST
    assert places.max() <= MOST
    assert ax.get_xlabel().startswith("prediction over the limit")


def test_nothing_to_compare_is_no_figure():
    assert shown_constraints(SimpleNamespace(exclusions=None)) == []

"""Lines of constraints in a plane where they are known in closed form: circles, straight lines, none at all."""

import sys
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.figure import Figure

import anomfit
from anomfit.constraints.base import (
    NOT_IN_TABLE,
    About,
    Constraint,
    Outcome,
    against_measurement,
    against_upper_limit,
    measured_number,
)
from anomfit.planes import compute
from anomfit.problem import build_problem

TOYS = Path(__file__).parents[1] / "inference"
sys.path.insert(0, str(TOYS))
from toys import Numbers, ToyMeasurement, ToyModel, linear_parameter  # noqa: E402


def square(model, point, nuisances, data):
    """x^2 + y^2 below a limit."""
    return against_upper_limit(point["x"] ** 2 + point["y"] ** 2, data["limit"])


def own_x(model, point, nuisances, data):
    """x, measured."""
    return against_measurement(point["x"], data)


def right_half(model, point, nuisances, data):
    """y^2 below a limit that is published for x above 0 alone."""
    found = against_upper_limit(point["y"] ** 2, data["limit"])
    return Outcome(found.predicted, jnp.where(point["x"] > 0.0, found.limit, NOT_IN_TABLE), found.ratio)


def constraint(name, kind, physics, data):
    about = About(name, name, name, "1", kind, "2020", "a toy", "none", ("toy",), accepts=(Numbers,))
    return Constraint({key: np.asarray(x, dtype=float) for key, x in data.items()}, about, physics)


DISC = constraint("disc", "upper limit", square, {"limit": 4.0})
ALL = constraint("all", "upper limit", square, {"limit": 1e-9})
NONE = constraint("none", "upper limit", square, {"limit": 1e9})
HALF = constraint("half", "upper limit", right_half, {"limit": 1.0})
HINT = constraint("a-hint", "hint", square, {"limit": 4.0})
STRIP = constraint("strip", "measured", own_x, measured_number(0.0, 1.0))
BROKEN = constraint("broken", "measured", own_x, measured_number(2.0, 1.0))


@pytest.fixture(scope="module")
def plane():
    parameters = tuple(linear_parameter(name, -3.0, 3.0) for name in "xy")
    model = ToyModel("numbers", parameters, lambda p: jnp.stack([p["x"], p["y"]]))
    measured = ToyMeasurement(jnp.array([0.3, 0.2]), jnp.eye(2))
    problem = build_problem(model, [measured, STRIP], "own", parameters, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compute, "shipped_constraints", lambda: (DISC, ALL, NONE, HALF, HINT, BROKEN, STRIP))
        return anomfit.plane(problem, "x", "y", (60, 60), start={"x": 0.15, "y": 0.2})


def test_lines_stand_where_constraints_begin_to_exclude(plane):
    lines = {line.name: line for line in plane.lines() if line.kind.startswith("constraint")}
    assert sorted(lines) == ["all", "disc", "half", "none", "strip:2020"]  # no hint, and nothing that fails already
    assert plane.fails == ("broken",)
    (circle,) = lines["disc"].contour.pieces
    np.testing.assert_allclose(np.hypot(*circle.T), 2.0, atol=2e-3)
    assert len(circle) > 50
    assert (lines["disc"].kind, lines["disc"].level) == ("constraint outside of the fit", 1.0)
    sides = np.concatenate(lines["strip:2020"].contour.pieces)
    np.testing.assert_allclose(np.abs(sides[:, 0]), np.sqrt(2.71), atol=2e-3)
    assert set(np.sign(sides[:, 0])) == {-1.0, 1.0}
    assert (lines["strip:2020"].kind, lines["strip:2020"].level) == ("constraint in the fit", 2.71)
    published = np.concatenate(lines["half"].contour.pieces)
    np.testing.assert_allclose(np.abs(published[:, 1]), 1.0, atol=2e-3)
    assert published[:, 0].min() > 0.0
    assert (lines["all"].contour.pieces, lines["all"].everywhere) == ((), True)
    assert (lines["none"].contour.pieces, lines["none"].everywhere) == ((), False)


def test_the_table_names_what_excludes_each_cell(plane):
    x, y = (plane.table[name] for name in "xy")
    named = [set(words.split()) for words in plane.table["excluded_by"]]
    for name, expected in (
        ("disc", x**2 + y**2 > 4.0),
        ("all", x**2 + y**2 > 1e-9),
        ("half", (x > 0.0) & (y**2 > 1.0)),
        ("none", np.zeros(len(x), dtype=bool)),
    ):
        np.testing.assert_array_equal([name in words for words in named], expected, err_msg=name)
    assert not any("broken" in words for words in named)
    np.testing.assert_allclose(plane.table["ratio.disc"], (x**2 + y**2) / 4.0, rtol=1e-12)
    assert np.isnan(plane.table["ratio.half"][x < 0.0]).all()


def test_every_line_is_drawn_and_named(plane):
    ax = plane.plot(Figure().subplots())
    drawn = [np.asarray(line.get_xydata()) for line in ax.lines]
    for line in plane.lines():
        if line.kind.startswith("constraint"):
            for piece in line.contour.pieces:
                assert any(len(one) == len(piece) and np.array_equal(one, piece) for one in drawn), line.name
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {"(disc)", "strip", "(half)"} <= set(words)
    assert not {"(none)", "(all)", "(broken)", "(a-hint)"} & set(words)
    assert set(words) == set(ax.get_legend_handles_labels()[1])  # a user who adds a point asks for the legend again


def test_no_line_runs_where_the_prior_has_no_point(plane):
    x = plane.table["x"]
    status = np.where(x > 1.0, "outside", plane.table["status"])
    cut = replace(plane, table={**plane.table, "status": status, "twice_nll": np.where(x > 1.0, np.inf, x)})
    lines = {line.name: line for line in cut.lines() if line.kind != "likelihood"}
    assert lines["disc"].contour.pieces
    for name, line in lines.items():
        assert all(piece[:, 0].max() < 1.0 for piece in line.contour.pieces), name


def test_a_line_is_straight_where_a_ratio_falls_by_decades(plane):
    """As at the edge of a beam dump: ratio and -2 ln L fall exponentially across a line that no axis is along."""
    x, y = plane.table["x"], plane.table["y"]
    decades = 6.0 * (y - 0.4 * x)
    columns = {"ratio.disc": 10.0**decades, "twice_nll.strip:2020": 2.71 * 10.0 ** (2.0 * decades)}
    lines = {line.name: line for line in replace(plane, table=plane.table | columns).lines()}
    for name in ("disc", "strip:2020"):
        vertices = np.concatenate(lines[name].contour.pieces)
        assert np.ptp(vertices[:, 0]) > 5.0
        np.testing.assert_allclose(vertices[:, 1], 0.4 * vertices[:, 0], atol=1e-9, err_msg=name)

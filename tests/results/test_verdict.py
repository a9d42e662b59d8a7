"""The first sentences of a report."""

from types import SimpleNamespace

import pytest

from anomfit.inference.compare.exclusions import Exclusion, Exclusions, Paid, WithoutLimits
from anomfit.inference.compare.significance import Gain, ProjectionFit, Significance
from anomfit.results.result import FreeCoordinate
from anomfit.results.verdict import cost_table, exclusion_table, projection_table, verdict


def row(name, ratio, *, fitted=True, excludes=False, kind="upper limit", **more):
    words = "excluded" if excludes else "allowed"
    more = {"fails_without": False, "optima": (), "fraction": None} | more
    return Exclusion(name, "x", "1", kind, "2020", "source", fitted, ratio, 1.0, ratio, 0.1, words, excludes, **more)


def result(rows, **more):
    fields = {"exclusions": Exclusions(tuple(rows)), "significance": None, "without_limits": None, "projections": ()}
    return SimpleNamespace(**fields | {"hesse": None, "fit": None, "failed": ()} | more)


def test_an_excluded_fit_says_so_first_the_strongest_constraint_first():
    rows = [
        row("mild", 1.5, excludes=True),
        row("strong", 2e5, excludes=True, fitted=False),
        row("number", 2.0, kind="measured", excludes=True),
        row("fine", 0.2),
    ]
    first = verdict(result(rows))[0]
    assert first == (
        "THE BEST FIT IS EXCLUDED at 90 % CL by strong (2e+05 times its limit, not in the fit), number (3.29 standard "
        "deviations off, in the fit), mild (1.5 times its limit, in the fit)."
    )


def test_more_constraints_than_a_sentence_holds_are_counted():
    first = verdict(result([row(f"c{i}", 2.0 + i, excludes=True) for i in range(9)]))[0]
    assert first.endswith("and 3 more.")


def test_an_allowed_fit_says_how_many_constraints_were_asked():
    first = verdict(result([row("a", 0.1), row("b", 0.2, fitted=False)]))[0]
    assert first == "No constraint excludes the best fit at 90 % CL: 2 were compared with it, 1 of them in the fit."
    assert "no constraint that this model" in verdict(result([]))[0]


def test_gain_cost_bounds_posterior_and_what_fails_anyway_follow():
    rows = [row("out", 0.5, fitted=False, fraction=0.02), row("old", 3.0, fails_without=True, fraction=0.0)]
    rows.append(row("limit", 0.6))
    gain = Significance((Gain("data:1", 60.0, 40.0), Gain("limit:1", 0.0, 1.0)), {})
    alone = WithoutLimits({"x": 3.0}, 30.0, (Paid("data:1", 30.0, 40.0), Paid("limit:1", 25.0, 1.0)), {"limit": 25.0})
    found = verdict(
        result(
            rows,
            exclusions=Exclusions(tuple(rows), inside=0.125, outside=0.02, draws=400),
            significance=gain,
            without_limits=alone,
            hesse=SimpleNamespace(at_bound=("x", "shift")),
            fit=SimpleNamespace(point={"x": 5.0, "shift": 0.0}),
            provenance=SimpleNamespace(coordinates=(FreeCoordinate("x", "x", "GeV", 0.1, 5.0, "uniform"),)),
        )
    )
    text = "\n".join(found)
    assert "Delta chi^2 = 19.00 against no new physics" in text
    assert "Without the limits the data would gain 30.00: the limits cost them 10.00 in -2 ln L." in text
    assert "excluded by limits of the fit, -2 ln L in brackets: limit (25)." in text
    assert "in -2 ln L: data:1 +10.00." in text
    assert "At a bound of its range stands x (5 GeV, the high end)." in text
    assert (
        "exclude 12.5% of the posterior at 90 % CL, constraints outside of it 2.0% (out 2.0%), from 400 draws." in text
    )
    assert found[-1] == "Without new physics these disagree already, and do not count: old."


def test_checks_that_failed_are_said_first():
    failed = ("MINOS failed, ValueError: no end (anomfit/inference/fit/minos.py, line 1)",)
    assert verdict(result([row("fine", 0.2)], failed=failed))[0] == f"NOT ALL CHECKS WERE MADE: {failed[0]}."


def test_tables_put_what_excludes_first_and_say_what_a_projection_is():
    rows = [row("fine", 0.2), row("bad", 3.0, excludes=True, optima=(True, False, True)), row("next", 0.9)]
    table = exclusion_table(result(rows))
    assert [cells[0] for cells in table.rows] == ["bad", "next", "fine"]
    assert table.rows[0][-1] == "1, 3"
    shape = projection_table(result([], projections=(ProjectionFit("a:b", 20, 20.0, 109.0, (100.0, 110.0, 120.0)),)))
    assert "the best fit is worse than no new physics by 89.0" in shape.markdown()
    assert "Statistical errors only" in shape.markdown()
    assert cost_table(result([])) is None


@pytest.mark.parametrize(("value", "end"), [(0.1, "low"), (5.0, "high")])
def test_the_end_at_which_a_parameter_stands_is_named(value, end):
    found = verdict(
        result(
            [],
            hesse=SimpleNamespace(at_bound=("x",)),
            fit=SimpleNamespace(point={"x": value}),
            provenance=SimpleNamespace(coordinates=(FreeCoordinate("x", "x", "1", 0.1, 5.0, "uniform"),)),
        )
    )
    assert f"x ({value:g}, the {end} end)" in found[1]

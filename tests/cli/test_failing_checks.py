"""A check that ends with an error, once the best fit is found, costs neither the fit nor the other checks."""

import pytest
from test_fit import EXAMPLES, SMALL

from anomfit import best_fit
from anomfit.checks import Checks
from anomfit.results.files import load_result


def broken(*given, **words):
    raise ZeroDivisionError("division of a check by zero")


@pytest.mark.parametrize(
    ("holder", "part", "named"),
    [(best_fit, "significance", "the fit without new physics"), (best_fit, "hesse", "HESSE")],
)
def test_what_was_found_is_kept_and_the_failure_is_said(anomfit, tmp_path, monkeypatch, holder, part, named):
    card = tmp_path / "small.toml"
    card.write_text(SMALL.format(folder=EXAMPLES))
    monkeypatch.setattr(Checks, "at_best_fit", lambda self, result: result)  # all constraints take long to compile
    with monkeypatch.context() as breaking:
        breaking.setattr(holder, part, broken)
        outcome = anomfit("fit", card, "--out", "result", "--no-sample")
    assert outcome.status == 1
    assert "Traceback" not in outcome.err
    assert "1 of the checks failed" in outcome.err
    said = f"{named} failed, ZeroDivisionError: division of a check by zero"
    assert said in (tmp_path / "result" / "report.md").read_text()
    found = load_result(tmp_path / "result" / "result.nc")
    assert found.failed[0].startswith(said)
    assert found.fit is not None
    assert (found.hesse is None) == (named == "HESSE")
    assert (found.significance is None) == (named != "HESSE")
    outcome = anomfit("fit", card, "--out", "result", "--no-sample", "--resume")
    assert (outcome.status, outcome.err) == (0, "")
    again = load_result(tmp_path / "result" / "result.nc")
    assert again.failed == ()
    assert again.hesse is not None
    assert again.significance is not None
    assert again.fit == found.fit
    assert "NOT ALL CHECKS" not in (tmp_path / "result" / "report.md").read_text()


def test_constraints_that_fail_leave_errors_and_goodness(anomfit, tmp_path, monkeypatch):
    card = tmp_path / "small.toml"
    card.write_text(SMALL.format(folder=EXAMPLES))
    monkeypatch.setattr(Checks, "at_best_fit", broken)
    assert anomfit("fit", card, "--out", "result", "--no-sample").status == 1
    found = load_result(tmp_path / "result" / "result.nc")
    assert found.exclusions is None
    assert found.goodness is not None
    assert len(found.failed) == 1

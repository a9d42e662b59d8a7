"""Verbs that take a result: the best fit, the posterior's bands, the plane of two parameters, the table for a paper."""

import json
import re
import shutil
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.cards import card_from_text, load_card
from anomfit.cli import main
from anomfit.results.files import load_result
from anomfit.results.opened import named_result
from anomfit.userfiles import resolve_model

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
CARD = f"""
model = "{EXAMPLES}/my_model.py:dark_photon"
[free]
epsilon = [1e-4, 1e-2]
m_dark = {{mean = "30MeV", sigma = "5MeV"}}
[measurements]
"{EXAMPLES}/my_measurement.py:load" = {{scale = "1.1"}}
"{EXAMPLES}/my_limits.py:limit" = "default"
[fit]
screened = 64
starts = 2
[sampling]
chains = 1
warmup = 60
draws = 200
max_draws = 200
"""
LEVELS = {"low_95": 0.02275, "low_68": 0.15865, "median": 0.5, "high_68": 0.84135, "high_95": 0.97725}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory) -> Path:
    """A quick fit of a user's dark photon to one number and one limit."""
    folder = tmp_path_factory.mktemp("fitted")
    (folder / "card.toml").write_text(CARD)
    out = folder / "result"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANOMFIT_CACHE", "off")
        assert main(["fit", str(folder / "card.toml"), "--out", str(out)]) == 0
    return out


def moments(fitted: Path, lepton: str, values) -> np.ndarray:
    """The model's own shift of a moment at arrays of its parameters."""
    model = resolve_model(load_card(fitted / "card.toml").model)
    rows = zip(*(np.ravel(values[name]) for name in ("m_dark", "epsilon")), strict=True)
    points = [{"m_dark": jnp.asarray(m), "epsilon": jnp.asarray(e)} for m, e in rows]
    return np.array([float(model.lepton_moment(point, lepton)) for point in points])


def test_predict_takes_a_result_and_gives_the_posteriors_bands(anomfit, fitted):
    outcome = anomfit("predict", fitted, "my-muon", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    found, result = json.loads(outcome.out), load_result(fitted / "result.nc")
    assert found["bins"][0]["data"] == pytest.approx(1.1 * 2.5e-9)  # the measurement with the options of the card
    assert found["total_signal"] == pytest.approx(moments(fitted, "muon", result.fit.values)[0], rel=1e-12)
    drawn = moments(fitted, "muon", result.samples.values)
    assert found["posterior"]["draws"] == len(drawn)
    for name, level in LEVELS.items():
        assert found["posterior"]["signal"][name] == pytest.approx([np.quantile(drawn, level)], rel=1e-9)
    # The posterior predictive is data: the error of 0.6e-9 comes on top of the spread of the signal.
    data = {name: x[0] for name, x in found["posterior"]["data"].items()}
    expected = np.hypot(np.std(drawn), 0.6e-9)
    assert 0.5 * (data["high_68"] - data["low_68"]) == pytest.approx(expected, rel=0.25)
    assert data["median"] == pytest.approx(np.median(drawn), abs=0.25 * expected)


def test_predict_takes_a_measurement_that_was_not_fitted(anomfit, fitted):
    outcome = anomfit("predict", fitted, "g-2-electron")
    assert (outcome.status, outcome.err) == (0, "")
    for words in ("at the best fit", "posterior, 200 draws: the signal alone", "data thrown", "median", "95 % to"):
        assert words in outcome.out
    expected = moments(fitted, "electron", load_result(fitted / "result.nc").fit.values)[0]
    assert float(re.search(r"total signal: (\S+)", outcome.out)[1]) == pytest.approx(expected, rel=1e-5)
    outcome = anomfit("predict", fitted, "my-mixing", "--json")
    assert json.loads(outcome.out)["posterior"]["data"] is None  # a limit has no data


def test_an_option_that_moves_the_point_is_refused_beside_a_result(anomfit, fitted):
    for arguments in (("--set", "epsilon=1"), ("--point", "x"), ("--parametrisation", "physical"), ("--target", "a=b")):
        outcome = anomfit("predict", fitted, "my-muon", *arguments)
        assert (outcome.status, outcome.out) == (2, "")
        assert f"leave {arguments[0]} out" in outcome.err
    assert anomfit("constraints", fitted, "--point", "example").status == 2


def test_the_plane_holds_the_parameters_and_an_unknown_one_is_refused(anomfit, fitted, tmp_path):
    outcome = anomfit("plot", fitted, "--parameters", "m_dark", "epsilon", "--out", "figures")
    assert (outcome.status, outcome.out) == (0, "figures/plane-m_dark-epsilon.png\n")
    assert (tmp_path / "figures" / "plane-m_dark-epsilon.png").stat().st_size > 10_000
    outcome = anomfit("plot", fitted, "--parameters", "m_dark", "m_N2", "--out", "figures")
    assert outcome.status == 2
    assert "the result has no 'm_N2'; it has m_dark, epsilon" in outcome.err


def test_the_table_is_plain_markdown_or_latex(anomfit, fitted):
    fit = load_result(fitted / "result.nc").fit
    plain, markdown, latex = (anomfit("table", fitted, *option).out for option in ([], ["--markdown"], ["--latex"]))
    assert "| parameter | unit | best fit |" in markdown
    for text in (plain, markdown):
        row = next(line for line in text.splitlines() if "epsilon" in line).replace("|", " ").split()
        assert float(row[2]) == pytest.approx(fit.values["epsilon"], rel=0.2)
    assert latex.startswith("\\begin{tabular}")
    assert latex.rstrip().endswith("\\end{tabular}")
    assert "$m_{A'}$ [GeV] & $" in latex
    assert "m_dark" not in latex
    assert anomfit("table", fitted, "--latex", "--markdown").status == 2


def test_constraints_are_asked_at_the_best_fit_with_those_of_its_card(anomfit, fitted):
    rows = {row["name"]: row for row in json.loads(anomfit("constraints", fitted, "--json").out)}
    best = load_result(fitted / "result.nc").fit.values["epsilon"]
    assert rows["my-mixing"]["predicted"] == pytest.approx(best, rel=1e-12)
    assert rows["my-mixing"]["ratio"] == pytest.approx(best / 3e-3, rel=1e-12)


def test_a_shipped_name_comes_before_a_folder_and_a_path_before_a_name(fitted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(fitted, "oscillation")
    shutil.copytree(fitted, "mine")
    assert named_result("oscillation") is None
    assert named_result("./oscillation") == Path("oscillation/result.nc")
    assert named_result("mine") == Path("mine/result.nc")
    assert named_result("mine/result.nc") == Path("mine/result.nc")
    for name in ("dark-scalar", "mine/card.toml", "mine/my_model.py:model", "unknown"):
        assert named_result(name) is None


def test_fit_takes_fixed_parameters_in_place_of_the_cards_lines(anomfit, tmp_path):
    (tmp_path / "card.toml").write_text(CARD)
    arguments = ("--set", "m_dark=20MeV", "--no-sample", "--out", "one")
    assert anomfit("fit", "card.toml", *arguments).status == 0
    result = load_result(tmp_path / "one" / "result.nc")
    assert result.provenance.fixed == {"m_dark": pytest.approx(0.02)}
    assert [entry.name for entry in card_from_text(result.provenance.card).free] == ["epsilon"]
    outcome = anomfit("fit", "card.toml", "--set", "m_drak=1", "--out", "two")
    assert outcome.status == 2
    assert "'m_drak'" in outcome.err
    assert "'m_dark'" in outcome.err


def test_choices_about_targets_reach_the_model_and_survive_in_the_card(anomfit):
    from anomfit.cards import card_text, problem_from_card, with_target_choices

    card = with_target_choices(load_card("two-higgs-doublet-miniboone"), {"bound": "none"})
    assert card_from_text(card_text(card)) == card
    assert problem_from_card(card).model.targets.bound == "none"
    outcome = anomfit("predict", "two-higgs-doublet", "g-2-muon", "--target", "bond=none")
    assert outcome.status == 2
    assert "use one of nucleon, nucleus, bound" in outcome.err

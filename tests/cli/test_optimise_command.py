"""`anomfit optimise` on a small problem whose answer is known: a user's dark photon and one number."""

from pathlib import Path

import pytest
from test_fit import EXAMPLES, SMALL

from anomfit.cards import load_card
from anomfit.inference.optima import search as module


@pytest.fixture
def card(tmp_path) -> Path:
    path = tmp_path / "small.toml"
    text = SMALL.format(folder=EXAMPLES).replace('[fixed]\nm_dark = "30MeV"', 'm_dark = ["10MeV", "100MeV"]\n[fixed]')
    path.write_text(text)
    return path


def table(path: Path) -> list[dict[str, str]]:
    import csv

    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_search_writes_its_folder_and_says_what_it_found(anomfit, card, tmp_path):
    outcome = anomfit("optimise", card, "--starts", "16", "--out", "found", "--boundary", "epsilon", "m_dark")
    assert outcome.status == 0
    assert "16 of 16 starts (100.0 %) end in a point where the one condition holds." in outcome.out
    folder = tmp_path / "found"
    names = {"optima.csv", "ends.csv", "boundary.csv", "report.md", "card.toml", "optima.png", "boundary.png"}
    assert {path.name for path in folder.iterdir()} == {".anomfit", *names}
    optima, ends, cells = (table(folder / name) for name in ("optima.csv", "ends.csv", "boundary.csv"))
    assert float(optima[0]["twice_nll"]) == pytest.approx(0.0, abs=1e-4)
    assert optima[0]["all_hold"] == "True"
    assert len(ends) == 16
    assert len(cells) == 625
    assert {"epsilon", "m_dark", "above_minimum", "all_hold"} <= set(cells[0])
    report = (folder / "report.md").read_text()
    for words in ("## Optima", "## Conditions at the optima", "stiff (", "## Boundary", "## Card"):
        assert words in report, words
    again = anomfit("optimise", card, "--starts", "4", "--out", "found")
    assert (again.status, again.err.count("\n")) == (2, 1)
    assert "--overwrite" in again.err
    once_more = anomfit("optimise", card, "--starts", "4", "--out", "found", "--overwrite", "--set", "m_dark=30MeV")
    assert once_more.status == 0
    assert {path.name for path in folder.iterdir()} == {".anomfit", *names} - {"boundary.csv", "boundary.png"}
    assert dict(load_card(folder / "card.toml").fixed)["m_dark"] == pytest.approx(0.03)
    assert "m_dark" not in table(folder / "ends.csv")[0]


def test_ctrl_c_keeps_what_is_found_so_far(anomfit, card, tmp_path, interrupt):
    interrupt(module, "descend", 2)
    outcome = anomfit("optimise", card, "--starts", "300", "--out", "cut", "--set", "m_dark=30MeV")
    assert outcome.status == 130
    assert len(table(tmp_path / "cut" / "ends.csv")) == 256
    assert "Interrupted: what was found so far." in (tmp_path / "cut" / "report.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--starts", "0"], ["--starts", "'0'", "from 1 to"]),
        (["--starts", "many"], ["--starts", "'many'"]),
        (["--seed", "-1"], ["--seed", "'-1'"]),
        (["--set", "m_dirk=1"], ["m_dirk", "'m_dark'"]),
        (["--set", "m_dark=1e9"], ["m_dark", "within the bounds"]),
        (["--set", "m_dark"], ["--set", "NAME=VALUE"]),
        (["--set", "m_dark=30MeV", "--set", "m_dark=20MeV"], ["m_dark", "twice"]),
        (["--boundary", "m_dark", "m_dark"], ["m_dark", "twice"]),
        (["--boundary", "m_dark", "q"], ["'q'", "m_dark, epsilon"]),
        (["--boundary", "m_dark", "epsilon", "--set", "m_dark=30MeV"], ["m_dark", "fixed"]),
        (["--set", "m_dark=30MeV", "--set", "epsilon=1e-3"], ["free", "at least one"]),
    ],
)
def test_bad_input_is_one_sentence_and_writes_nothing(anomfit, card, tmp_path, arguments, words):
    before = sorted(tmp_path.iterdir())
    outcome = anomfit("optimise", card, "--out", "refused", *arguments)
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert all(word in outcome.err for word in words), outcome.err
    assert sorted(tmp_path.iterdir()) == before


def test_an_unknown_card_is_refused_with_the_nearest(anomfit):
    outcome = anomfit("optimise", "dark-scalar-2018")
    assert outcome.status == 2
    assert "'dark-scalar-2019'" in outcome.err

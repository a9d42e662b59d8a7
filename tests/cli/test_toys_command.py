"""`anomfit toys` on a small problem: a user's dark photon and one number, from a card and from a result."""

import csv
from pathlib import Path

import pytest
from test_fit import EXAMPLES, SMALL


@pytest.fixture
def card(tmp_path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL.format(folder=EXAMPLES))
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_toys_of_a_card_and_of_its_result(anomfit, card, tmp_path):
    assert anomfit("fit", card, "--no-sample", "--out", "fit").status == 0
    of_card = anomfit("toys", card, "--number", "20", "--out", "first", "--parameter", "epsilon", "--starts", "2")
    assert (of_card.status, of_card.err.count("Traceback")) == (0, 0)
    folder = tmp_path / "first"
    names = {"toys.csv", "report.md", "card.toml", "toys.png", "toys.npz", "toys.before.npz"}
    assert {path.name for path in folder.iterdir()} == {".anomfit", *names}
    table = rows(folder / "toys.csv")
    assert len(table) == 20
    assert all(float(row["twice_nll"]) <= float(row["twice_nll_true_epsilon"]) + 1e-9 for row in table)
    report = (folder / "report.md").read_text()
    for words in ("20 toys were thrown at epsilon = ", "calibrated p", "## Coverage", "## Delta chi^2 of the true"):
        assert words in report, words
    again = ("toys", card, "--number", "24", "--out", "first", "--starts", "2", "--resume")
    assert anomfit(*again, "--parameter", "epsilon").status == 0
    assert rows(folder / "toys.csv")[:20] == table
    other = anomfit(*again)
    assert (other.status, "the setting parameters" in other.err) == (2, True)
    of_result = anomfit("toys", "fit", "--number", "20", "--out", "second", "--starts", "2")
    assert of_result.status == 0
    for row, other in zip(table, rows(tmp_path / "second" / "toys.csv"), strict=True):
        assert float(row["twice_nll"]) == pytest.approx(float(other["twice_nll"]), abs=1e-4)
    without = anomfit("toys", "fit", "--number", "20", "--no-new-physics", "--out", "null", "--starts", "2")
    assert without.status == 0
    assert "global significance" in without.out
    assert "local significance" in without.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--number", "0"), "--number: '0' is not usable; give a whole number from 1"),
        (("--number", "9" * 5000), "--number: "),
        (("--parameter", "m_dark"), "coverage is that of a free parameter: epsilon"),
        (("--parameter", "epsilon", "--no-new-physics"), "without new physics no parameter has a true value"),
        (("--point", "nowhere"), "point: 'nowhere' is not usable"),
        (("--point", "example", "--no-new-physics"), "toys are thrown at one place"),
        (("--tables",), "leave the tables out"),
        (("--out", ""), "--out: '' is not usable"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(anomfit, card, tmp_path, arguments, words):
    outcome = anomfit("toys", card, "--out", "toys", *arguments)
    assert (outcome.status, outcome.err.count("\n")) == (2, 1)
    assert words in outcome.err
    assert not (tmp_path / "toys").exists()

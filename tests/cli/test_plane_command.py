"""`anomfit plane` on the shipped oscillation card, and what it refuses."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

AXES = ("--x", "sin2_2theta", "--y", "delta_m2")
SMALL = (*AXES, "--grid", "6x5", "--fit-only", "--set", "sin2_2theta=0.01", "--range", "sin2_2theta=1e-3:1e-1")


def test_a_plane_is_a_table_contours_and_a_figure(anomfit, tmp_path):
    outcome = anomfit("plane", "oscillation", *SMALL, "--profile", "--out", "one")
    assert outcome.status == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[-8].startswith("lowest -2 ln L = ")
    assert lines[-7].startswith("sin2_2theta: 68 % ")
    assert lines[-5:] == [f"one/{x}" for x in FILES]
    folder = tmp_path / "one"
    more = [".anomfit", "card.toml", "plane.json", "plane.log", "points"]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*more, *(name for name in FILES)])
    manifest = json.loads((folder / "plane.json").read_text())
    assert (manifest["method"], manifest["x"][1:]) == ("profile", [1e-3, 1e-1, 6])
    table = pq.read_table(folder / "plane.parquet")
    names = ["cell", "sin2_2theta", "delta_m2", "twice_nll", "delta_twice_nll", "status", "distance", "gradients"]
    assert table.column_names[:8] == names
    assert table.num_rows == 30
    x = np.unique(table["sin2_2theta"].to_numpy())
    np.testing.assert_allclose(x, 1e-3 * 100.0 ** ((np.arange(6) + 0.5) / 6), rtol=1e-12)
    assert table["delta_twice_nll"].to_numpy().min() >= 0.0
    again = anomfit("plane", "oscillation", *SMALL, "--profile", "--out", "one")
    assert (again.status, "add --overwrite, or --resume" in again.err) == (2, True)
    before = {path.name: path.read_bytes() for path in folder.glob("*.parquet")}
    assert anomfit("plane", "oscillation", *SMALL, "--profile", "--out", "one", "--resume").status == 0
    assert {path.name: path.read_bytes() for path in folder.glob("*.parquet")} == before
    kind = anomfit("plane", "oscillation", *SMALL, "--grid", "6x4", "--out", "one", "--resume")
    assert (kind.status, "it belongs to another run: the setting y was" in kind.err) == (2, True)
    scan = anomfit("scan", "oscillation", "--number", "10", "--out", "one")
    assert (scan.status, "it holds other results" in scan.err) == (2, True)


FILES = ("plane.parquet", "plane.csv", "contours.parquet", "contours.csv", "plane.png")


def test_the_verb_is_in_the_help_and_has_examples(anomfit):
    assert "\n  plane " in anomfit("--help").out
    outcome = anomfit("plane", "--help")
    assert outcome.out.count("\n    anomfit plane ") == 6
    assert "docs/planes.md" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--x", "delta_m2", "--y", "delta_m2"), "--x, --y: 'delta_m2' is given twice"),
        (("--x", "m_N2", "--y", "delta_m2"), "--x: 'm_N2' is not usable; it is no parameter of"),
        ((*AXES, "--grid", "60"), "--grid: '60' is not usable; write the cells along x and y, 2 to 2000 each"),
        ((*AXES, "--grid", "1x9"), "--grid: '1x9' is not usable"),
        ((*AXES, "--range", "delta_m2"), "--range: 'delta_m2' is not usable; write NAME=LOW:HIGH"),
        ((*AXES, "--range", "delta_m2=2:1"), "the lower end must be below the upper one"),
        ((*AXES, "--range", "delta_m2=nan:1"), "--range delta_m2: 'nan' is not usable"),
        ((*AXES, "--range", "delta_m2=1e-9:1"), "stay within what the model allows, 0.01 to 100 eV^2"),
        ((*AXES, "--range", "delta_m2=1:2", "--range", "delta_m2=1:3"), "delta_m2 has a range already"),
        ((*AXES, "--range", "other=1:2"), "--range: 'other' is not usable; it is no axis of this plane"),
        ((*AXES, "--set", "delta_m2=1"), "--y: 'delta_m2' is not usable; it is fixed in this card; give its range"),
        ((*AXES, "--profile", "--posterior"), "give one of the two"),
        ((*AXES, "--posterior"), "a card has no draws; name the folder of a fit"),
        ((*AXES, "--result", "nowhere"), "result: 'nowhere' is not usable; there is no such file"),
        ((*AXES, "--chunk", "0"), "--chunk: '0' is not usable"),
        ((*AXES, "--resume"), "there is no plane to go on with"),
        (("--x", "delta_m2"), "Missing option '--y'"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(anomfit, tmp_path, arguments, words):
    outcome = anomfit("plane", "oscillation", "--out", "plane", "--fit-only", *arguments)
    assert (outcome.status, outcome.err.count("\n")) == (2, 1), outcome.err
    assert words in outcome.err
    assert not (tmp_path / "plane").exists()

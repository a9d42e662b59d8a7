"""`anomfit scan` on small problems: a user's dark photon and one number, and two-flavour oscillation."""

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from test_fit import EXAMPLES, SMALL

import anomfit as package
from anomfit.cards import load_card
from anomfit.inference.scan import ScanRows
from anomfit.scanning import ScanSettings


@pytest.fixture
def card(tmp_path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL.format(folder=EXAMPLES))
    return path


def table(folder: Path) -> dict[str, np.ndarray]:
    found = pq.read_table(folder / "points")
    return {name: found[name].to_numpy() for name in found.column_names}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "points").iterdir())}


def test_a_scan_is_a_table_of_the_likelihood(anomfit, card, tmp_path):
    outcome = anomfit(
        "scan", card, "--number", "1e2", "--from", "sobol", "--chunk", "40", "--keep", "all", "--out", "one"
    )
    assert outcome.status == 0, outcome.err
    assert outcome.out.startswith("100 points in one/points, 0 of them undefined\nlowest -2 ln L = ")
    assert re.match(r"points: 40 of 100, [0-9:]+ left\n", outcome.err)
    folder = tmp_path / "one"
    assert sorted(path.name for path in folder.iterdir()) == [".anomfit", "card.toml", "points", "scan.json"]
    assert load_card(folder / "card.toml") == load_card(card)
    manifest = json.loads((folder / "scan.json").read_text())
    assert [manifest[name] for name in ("number", "chunk", "from", "seed")] == [100, 40, "sobol", 1]
    found = table(folder)
    name = "my-muon:example"
    assert list(found) == [
        *("index", "epsilon", "physical.m_dark", "ln_prior", "ln_weight", "twice_nll"),
        *(f"twice_nll.{name}", f"chi_squared.{name}", f"signal.{name}"),
    ]
    np.testing.assert_array_equal(found["index"], np.arange(100))
    assert set(found["physical.m_dark"]) == {0.030}
    np.testing.assert_allclose(found["chi_squared.my-muon:example"], found["twice_nll"], rtol=1e-12)
    pull = (1.1 * 2.5e-9 - found["signal.my-muon:example"]) / 0.6e-9
    np.testing.assert_allclose(found["twice_nll"], pull**2, rtol=1e-9)
    np.testing.assert_allclose(found["ln_prior"], -np.log(np.log(100.0)) - np.log(found["epsilon"]), rtol=1e-12)
    np.testing.assert_allclose(found["ln_weight"], 0.0, atol=1e-14)
    signal = found["signal.my-muon:example"] / found["epsilon"] ** 2  # a moment goes as the coupling squared
    np.testing.assert_allclose(signal, signal[0], rtol=1e-10)
    lowest = re.search(r"-2 ln L = ([0-9.]+)", outcome.out)
    assert lowest is not None
    assert float(lowest[1]) == pytest.approx(found["twice_nll"].min(), abs=1e-4)


def test_the_verb_is_in_the_help_and_has_examples(anomfit):
    assert "\n  scan " in anomfit("--help").out
    outcome = anomfit("scan", "--help")
    assert outcome.out.count("\n    anomfit scan ") == 7
    assert "docs/scans.md" in outcome.out


def test_parts_an_interrupt_and_python_give_the_same_table(anomfit, tmp_path, monkeypatch):
    options = ("--number", "100", "--chunk", "16", "--seed", "7")
    assert anomfit("scan", "oscillation", *options, "--out", "whole").status == 0
    whole = contents(tmp_path / "whole")
    assert len(whole) == 7
    first = anomfit("scan", "oscillation", *options, "--out", "parts", "--part", "2/2")
    assert first.out.startswith("48 of 100 points in parts/points")
    assert anomfit("scan", "oscillation", *options, "--out", "parts", "--part", "1/2").out.startswith("100 points")
    assert contents(tmp_path / "parts") == whole
    with monkeypatch.context() as patch:
        real, calls = ScanRows.columns, []

        def interrupted(self, first, last):
            calls.append(first)
            if len(calls) > 3:
                raise KeyboardInterrupt
            return real(self, first, last)

        patch.setattr(ScanRows, "columns", interrupted)
        stopped = anomfit("scan", "oscillation", *options, "--out", "stopped")
    assert stopped.status == 130
    assert "interrupted; the chunks that are done are in stopped/points, --resume goes on" in stopped.err
    assert len(contents(tmp_path / "stopped")) == 3
    again = anomfit("scan", "oscillation", *options, "--out", "stopped")
    assert (again.status, "add --overwrite, or --resume" in again.err) == (2, True)
    assert anomfit("scan", "oscillation", *options, "--out", "stopped", "--resume").status == 0
    assert contents(tmp_path / "stopped") == whole
    found = package.scan("oscillation", tmp_path / "python", ScanSettings(100, "prior", 7, 16))
    assert (found.rows, found.complete, found.undefined) == (100, True, 0)
    assert list(found.at or {}) == ["sin2_2theta", "delta_m2"]
    assert contents(tmp_path / "python") == whole


def test_a_lattice_and_a_longer_scan(anomfit, tmp_path):
    assert anomfit("scan", "oscillation", "--from", "lattice", "--number", "8x5", "--out", "lattice").status == 0
    found = table(tmp_path / "lattice")
    assert [len(set(found[name])) for name in ("sin2_2theta", "delta_m2")] == [8, 5]
    low, high = 1e-2, 1e2  # eV^2, of the model, log-uniform
    middles = low * (high / low) ** ((np.arange(5) + 0.5) / 5)
    np.testing.assert_allclose(sorted(set(found["delta_m2"])), middles, rtol=1e-12)
    assert anomfit("scan", "oscillation", "--number", "40", "--chunk", "16", "--out", "grown").status == 0
    grown = anomfit("scan", "oscillation", "--number", "60", "--chunk", "16", "--out", "grown", "--resume")
    assert grown.out.startswith("60 points")
    assert anomfit("scan", "oscillation", "--number", "60", "--chunk", "16", "--out", "straight").status == 0
    assert contents(tmp_path / "grown") == contents(tmp_path / "straight")
    other = anomfit(
        "scan", "oscillation", "--number", "60", "--chunk", "16", "--out", "grown", "--resume", "--seed", "2"
    )
    assert (other.status, "it belongs to another run: the seed has changed" in other.err) == (2, True)
    assert other.err.count("\n") == 1


def test_points_without_a_likelihood_are_nan_and_said(anomfit, card, tmp_path):
    text = (EXAMPLES / "my_model.py").read_text()
    broken = text.replace(
        "        return ALPHA * point",
        '        bad = jnp.where(point["epsilon"] > 1e-3, jnp.nan, 1.0)\n        return bad * ALPHA * point',
    )
    assert broken != text
    (tmp_path / "broken.py").write_text(broken)
    card.write_text(SMALL.format(folder=EXAMPLES).replace(f"{EXAMPLES}/my_model.py", str(tmp_path / "broken.py")))
    outcome = anomfit("scan", card, "--from", "lattice", "--number", "50", "--out", "broken")
    assert outcome.status == 0, outcome.err
    assert "50 points in broken/points, 25 of them undefined" in outcome.out
    assert "the likelihood is not a number at 25 of 50 points (epsilon from 0.00104" in outcome.out
    found = table(tmp_path / "broken")
    np.testing.assert_array_equal(np.isnan(found["twice_nll"]), found["epsilon"] > 1e-3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--number", "0"), "--number: '0' is not usable; give a whole number from 1"),
        (("--number", "1.5"), "--number: '1.5' is not usable"),
        (("--number", "9" * 5000), "--number: "),
        (("--number", "1e99"), "--number: '1e99' is not usable"),
        (("--number", "1e12"), "--number: 1000000000000 is not usable; give at most 4294967296 points from prior"),
        (("--number", "3x4"), "only a lattice has sides"),
        (("--number", "3x4x5", "--from", "lattice"), "give as many sides as there are free parameters, 2"),
        (("--from", "grid"), "--from: 'grid' is not usable; use one of prior, sobol, lattice"),
        (("--from", "lattice", "--seed", "2"), "a lattice has nothing random"),
        (("--chunk", "0"), "--chunk: '0' is not usable"),
        (("--chunk", "1e3"), "--chunk: '1e3' is not usable"),
        (("--keep", "lsnd"), "--keep: 'lsnd' is not usable; the card has miniboone:enuqe"),
        (("--part", "3/2"), "--part: '3/2' is not usable; write i/n"),
        (("--part", "1/2", "--overwrite"), "it would remove what other parts have made"),
        (("--part", "1/2", "--scheduler", "tcp://127.0.0.1:9"), "a scheduler shares the chunks out itself"),
        (("--resume",), "there is no scan to go on with"),
        (("--resume", "--overwrite"), "give one of the two"),
        (("--set", "sin2_2theta=0.1", "--set", "delta_m2=1"), "leave at least one parameter free"),
        (("--out", ""), "--out: '' is not usable"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(anomfit, tmp_path, arguments, words):
    outcome = anomfit("scan", "oscillation", "--out", "scan", "--number", "10", *arguments)
    assert (outcome.status, outcome.err.count("\n")) == (2, 1)
    assert words in outcome.err
    assert not (tmp_path / "scan").exists()


def test_the_folder_of_a_fit_is_left_alone(anomfit, tmp_path):
    (tmp_path / "fit").mkdir()
    for name in (".anomfit", "card.toml", "result.nc"):
        (tmp_path / "fit" / name).write_text("card.toml\nresult.nc\n")
    for more in ((), ("--overwrite",)):
        outcome = anomfit("scan", "oscillation", "--number", "10", "--out", "fit", *more)
        assert (outcome.status, "it holds other results (result.nc)" in outcome.err) == (2, True)
    assert (tmp_path / "fit/card.toml").read_text() == "card.toml\nresult.nc\n"


def test_a_scan_that_fails_before_its_first_chunk_leaves_nothing(anomfit, tmp_path, monkeypatch):
    def full(self, first, last):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ScanRows, "columns", full)
    assert anomfit("scan", "oscillation", "--number", "10", "--out", "scan").status == 2
    assert not (tmp_path / "scan").exists()

"""Some hundred damaged cards, command lines and results: one sentence or a good result each (benchmarks/fuzz.py)."""

import importlib
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SMALL = """
model = "my_model.py:dark_photon"
[free]
m_dark = "default"
epsilon = "default"
[measurements]
"my_measurement.py:load" = {}
[fit]
screened = 16
starts = 1
"""


@pytest.fixture
def faults(monkeypatch, tmp_path):
    """faults(kind, number): what ends neither in one sentence nor in a good result, of the first cases of a kind."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ANOMFIT_CACHE", "off")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "worker").mkdir()
    (tmp_path / "shared").mkdir()

    def tried(kind: str, number: int, prepare=lambda module, shared: None) -> list:
        module, workers = importlib.import_module(f"fuzzing.{kind}"), importlib.import_module("fuzzing.workers")
        outcomes = importlib.import_module("fuzzing.outcomes")
        prepare(module, tmp_path / "shared")
        module.start(monkeypatch.setattr)
        found = []
        for index in range(number):
            found.append(outcomes.judged(workers.one_case(kind, 1, index, tmp_path / "worker")))
            monkeypatch.chdir(tmp_path)
        verdicts = {outcome.verdict for outcome in found}
        assert {outcomes.REFUSED, outcomes.ACCEPTED} <= verdicts
        return [(index, outcome) for index, outcome in enumerate(found) if outcome.verdict in outcomes.FAULTS]

    yield tried
    for name in [name for name in sys.modules if name.partition(".")[0] == "fuzzing"]:
        del sys.modules[name]


def test_a_damaged_card_is_refused_in_one_sentence_or_is_a_good_one(faults):
    assert faults("cards", 200) == []


def test_an_odd_command_line_is_refused_in_one_line_and_leaves_no_file(faults):
    assert faults("command_lines", 100) == []


def test_a_damaged_result_is_refused_in_one_sentence_or_cited_drawn_and_resumed(faults):
    assert faults("results", 15, lambda module, shared: module.prepare(shared, {"small": SMALL}, sample=False)) == []

"""`anomfit constraints`."""

import json

import pytest

from anomfit.constraints import find_constraint

NAMES = ("e141", "babar-visible", "KL-pi0-ee", "Kplus-piplus-na62", "perturbativity")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """A few constraints stand for all: what the command does with one does not depend on the others."""
    chosen = tuple(find_constraint(name) for name in NAMES)
    monkeypatch.setattr("anomfit.constraints.shipped_constraints", lambda: chosen)


def test_the_table_and_its_json_name_every_constraint(anomfit):
    outcome = anomfit("constraints", "two-higgs-doublet", "--point", "table-I")
    assert (outcome.status, outcome.err) == (0, "")
    rows = json.loads(anomfit("constraints", "two-higgs-doublet", "--json").out)
    assert [row["name"] for row in rows] == list(NAMES)
    for row in rows:
        assert f"\n{row['name']} " in outcome.out
        assert row["source"]
        assert row["era"]
        assert row["assumption"]
    assert "excluded or in tension at 90 % CL: " in outcome.out


def test_a_changed_parameter_changes_the_verdict(anomfit):
    arguments = ("constraints", "two-higgs-doublet", "--set", "m_hprime=10MeV", "--json")
    rows = {row["name"]: row for row in json.loads(anomfit(*arguments).out)}
    assert rows["e141"]["verdict"] == "excluded"


def test_bad_input_is_one_line(anomfit):
    for arguments in (("--point", "table-II"), ("--set", "m_hprime=-1"), ("--set", "mh=1")):
        outcome = anomfit("constraints", "two-higgs-doublet", *arguments)
        assert (outcome.status, outcome.out) == (2, "")
        assert outcome.err.count("\n") == 1


def test_a_model_without_light_scalars_is_refused(anomfit):
    outcome = anomfit("constraints", "oscillation")
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1

"""`anomfit constraints`."""

import dataclasses
import json

import jax.numpy as jnp
import pytest

from anomfit.catalogue import find_constraint
from anomfit.constraints import Outcome

MEASURED = find_constraint("pi0-ee-ktev")
NAMES = ("e141", "babar-visible", "KL-pi0-ee", "Kplus-piplus-na62", "perturbativity")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """A few constraints stand for all: what the command does with one does not depend on the others."""
    chosen = tuple(find_constraint(name) for name in NAMES)
    monkeypatch.setattr("anomfit.catalogue.shipped_constraints", lambda: chosen)


def test_what_was_not_asked_stands_at_the_end_by_reason(anomfit, monkeypatch):
    reasons = {"a": "needs `x(point)`", "b": "a vector is not a scalar", "c": "needs `x(point)`"}
    monkeypatch.setattr("anomfit.constraints.refusals.refused", lambda model, constraints: reasons)
    end = anomfit("constraints", "two-higgs-doublet").out.split("not asked of two-higgs-doublet, 3 constraints:")[1]
    assert end == "\n  needs `x(point)`:\n    a, c\n  a vector is not a scalar:\n    b\n"
    assert "not asked" not in anomfit("constraints", "two-higgs-doublet", "--json").out


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


def test_what_fails_without_new_physics_does_not_count(anomfit, monkeypatch):
    monkeypatch.setattr("anomfit.catalogue.shipped_constraints", lambda: (MEASURED,))
    outcome = anomfit("constraints", "two-higgs-doublet")
    assert "excluded or in tension at 90 % CL: none\n" in outcome.out
    assert (
        "in tension without new physics already, which says nothing against two-higgs-doublet: pi0-ee-ktev"
        in outcome.out
    )


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


def test_a_prediction_that_is_no_number_decides_nothing(anomfit, monkeypatch):
    """As a user's model has it: "in tension" or "allowed" would be made up."""
    entries = tuple(
        dataclasses.replace(find_constraint(name), physics=physics)
        for name, physics in [
            ("e141", lambda *_: Outcome(jnp.nan, jnp.asarray(1.0), jnp.nan)),
            ("KL-pi0-ee", lambda *_: Outcome(jnp.asarray(1.0), jnp.nan, jnp.nan)),
            ("perturbativity", lambda *_: Outcome(jnp.asarray(1.0), jnp.asarray(2.0), jnp.asarray(0.5))),
            ("Kplus-piplus-na62", lambda *_: Outcome(jnp.inf, jnp.asarray(1.0), jnp.inf)),
        ]
    )
    assert MEASURED.about.kind == "measured"
    entries += (dataclasses.replace(MEASURED, physics=lambda *_: Outcome(jnp.nan, jnp.nan, jnp.nan)),)
    monkeypatch.setattr("anomfit.catalogue.shipped_constraints", lambda: entries)
    outcome = anomfit("constraints", "two-higgs-doublet")
    assert outcome.status == 0
    assert "nan" not in outcome.out.replace("resonance", "")
    assert "excluded or in tension at 90 % CL: Kplus-piplus-na62\n" in outcome.out
    assert "gives no number there: e141, KL-pi0-ee, pi0-ee-ktev" in outcome.out

    def unknown(name):
        raise ValueError(name)

    rows = json.loads(anomfit("constraints", "two-higgs-doublet", "--json").out, parse_constant=unknown)
    assert [row["verdict"] for row in rows] == [
        "not a number", "not a number", "allowed", "excluded", "not a number",
    ]  # fmt: skip
    assert [row["predicted"] is None for row in rows] == [True, False, False, True, True]
    assert all(row["ratio"] is None and row["decades"] is None for row in rows if row["verdict"] == "not a number")

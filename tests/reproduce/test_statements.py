import json
import math

import pytest

from anomfit.data import data_folder, load_record
from anomfit.errors import InputError
from anomfit.reproduce import Row, Statement, paper_names, reproduce
from anomfit.reproduce.statements import load_statements

KEYS = ["paper", "quantity", "reference", "quoted", "computed", "unit", "relative_difference", "verdict", "note"]
ALL = [(paper, name) for paper in paper_names() for name in load_statements(paper)]


def statement(**changes) -> Statement:
    settings = {
        "id": "mass",
        "quantity": "mass of the new particle",
        "reference": "Table I",
        "quoted": -2.0,
        "unit": "GeV",
        "tolerance": 0.1,
        "basis": "last printed digit",
        "comparison": "equal",
        "reading": "meant",
        "note": "",
    }
    return Statement(**(settings | changes))


def verdict(computed: float, **changes) -> str:
    return Row("1234.56789", statement(**changes), computed, "").verdict


def test_every_data_file_belongs_to_a_paper():
    files = (data_folder() / "reproduce").glob("*.toml")
    assert sorted(path.name.removesuffix(".toml") for path in files) == sorted(paper_names())


@pytest.mark.parametrize(("paper", "name"), ALL)
def test_every_statement_has_place_unit_and_a_tolerance_that_follows_its_basis(paper, name):
    record = load_record(f"reproduce/{paper}")
    found = load_statements(paper)[name]
    assert found.reference == record.value_sources[name] != record.source
    assert found.quoted == record.values[name] != 0.0
    assert found.unit == record.units[name] != ""
    assert found.quantity
    assert found.comparison in ("equal", "at most", "at least")
    assert found.reading in ("meant", "literal")
    size = abs(found.quoted)
    if found.basis == "2 %":
        assert found.tolerance == pytest.approx(0.02 * size, rel=1e-9)
    elif found.basis == "printed range":
        assert 0.0 < found.tolerance < 0.1 * size
        assert "range" in found.note or "As for" in found.note
    elif found.basis == "published errors":
        assert 0.0 < found.tolerance < 0.2 * size
        assert "error" in found.note
    else:
        assert found.basis == "last printed digit"
        assert math.log10(found.tolerance) == pytest.approx(round(math.log10(found.tolerance)), abs=1e-9)
        assert size / found.tolerance == pytest.approx(round(size / found.tolerance), abs=1e-6)


@pytest.mark.parametrize(("paper", "name"), ALL)
def test_a_literal_reading_and_a_derived_number_explain_themselves(paper, name):
    found = load_statements(paper)[name]
    if found.reading == "literal":
        assert found.note
    if load_record(f"reproduce/{paper}").value_statuses[name] == "derived":
        assert "not printed" in found.reference or "printed" in found.reference


def test_quantities_are_told_apart():
    for paper in paper_names():
        quantities = [found.quantity for found in load_statements(paper).values()]
        assert len(set(quantities)) == len(quantities)


@pytest.mark.parametrize(
    ("computed", "expected"),
    [(-2.0, "agrees"), (-2.0999, "agrees"), (-1.9001, "agrees"), (-1.89, "differs"), (2.0, "differs")],
)
def test_verdict_is_the_tolerance(computed, expected):
    assert verdict(computed) == expected


@pytest.mark.parametrize(
    ("comparison", "computed", "expected"),
    [
        ("at most", -5.0, "agrees"),
        ("at most", -1.95, "agrees"),
        ("at most", -1.8, "differs"),
        ("at least", 5.0, "agrees"),
        ("at least", -2.05, "agrees"),
        ("at least", -2.2, "differs"),
    ],
)
def test_a_limit_is_one_sided(comparison, computed, expected):
    assert verdict(computed, comparison=comparison) == expected


def test_a_literal_reading_is_inconsistent_only_where_it_fails():
    assert verdict(-3.0, reading="literal") == "paper inconsistent"
    assert verdict(-2.0, reading="literal") == "agrees"


def test_the_json_object_has_the_documented_fields():
    row = Row("1234.56789", statement(note="From the record."), -1.5, "From the calculation.")
    assert list(row.as_json()) == KEYS
    assert json.loads(json.dumps(row.as_json())) == {
        "paper": "1234.56789",
        "quantity": "mass of the new particle",
        "reference": "Table I",
        "quoted": -2.0,
        "computed": -1.5,
        "unit": "GeV",
        "relative_difference": 0.25,
        "verdict": "differs",
        "note": "From the record. From the calculation.",
    }


def test_the_line_shows_the_note_only_where_it_explains_something():
    differs = Row("1234.56789", statement(note="Because."), -1.5, "")
    assert differs.line.splitlines()[0].startswith("differs")
    assert "quoted -2 GeV, computed -1.5 GeV (+25 %)  [Table I]" in differs.line
    assert differs.line.splitlines()[1].strip() == "Because."
    assert "\n" not in Row("1234.56789", statement(note="Because."), -2.0, "").line


@pytest.mark.parametrize("name", ["1234.56789", "", "2010.0615", "oscillation"])
def test_an_unknown_paper_is_refused_at_once_with_the_known(name):
    with pytest.raises(InputError, match=r"2010\.06159.*two-higgs-doublet") as refused:
        reproduce(name)
    assert repr(name) in str(refused.value)


@pytest.mark.parametrize("name", [None, "2010.06159", "two-higgs-doublet", "arXiv:2010.06159"])
def test_a_paper_is_known_by_number_and_alias(name):
    first = next(iter(reproduce(name)))
    assert first.paper == "2010.06159"
    assert first.statement.id == next(iter(load_statements("2010.06159")))

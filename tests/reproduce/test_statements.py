import json
import math

import pytest

from anomfit.data import data_folder, load_record
from anomfit.errors import InputError
from anomfit.reproduce import Row, Statement, count_lines, counts, not_computed, paper_names, reproduce
from anomfit.reproduce.statements import KINDS, load_statements

KEYS = ["paper", "quantity", "reference", "kind", "quoted", "computed", "unit", "relative_difference"]
KEYS += ["tolerance", "basis", "inputs_leave", "verdict", "note"]
STATED = {paper: load_statements(paper) for paper in paper_names()}  # read once, and not for every test of one
RECORDS = {paper: load_record(f"reproduce/{paper}") for paper in paper_names()}
ALL = [(paper, name) for paper, found in STATED.items() for name in found]


def statement(**changes) -> Statement:
    settings = {
        "id": "mass",
        "quantity": "mass of the new particle",
        "reference": "Table I",
        "quoted": -2.0,
        "unit": "GeV",
        "tolerance": 0.1,
        "basis": "half a unit of the last printed digit",
        "kind": "prediction",
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
    record, found = RECORDS[paper], STATED[paper][name]
    assert found.reference == record.value_sources[name] != record.source
    assert found.quoted == record.values[name] != 0.0
    assert found.unit == record.units[name] != ""
    assert found.quantity
    orders = ("order of magnitude", "order of magnitude at most")
    assert found.comparison in ("equal", "at most", "at least", *orders)
    assert found.reading in ("meant", "literal")
    assert found.kind in KINDS
    size = abs(found.quoted)
    if found.basis == "exact":
        assert found.tolerance == 0.0
        assert found.comparison in ("at most", "at least")
    elif found.basis == "printed range":
        assert 0.0 < found.tolerance < 0.5 * size
        assert "range" in found.note or "As for" in found.note
    elif found.basis == "half a unit of the printed exponent":
        assert found.tolerance == 0.5
        assert found.comparison in orders
        assert math.log10(size) == pytest.approx(round(math.log10(size)), abs=1e-9)  # a bare power of ten
    else:
        assert found.basis == "half a unit of the last printed digit"
        unit = 2.0 * found.tolerance
        assert math.log10(unit) == pytest.approx(round(math.log10(unit)), abs=1e-9)
        assert size / unit == pytest.approx(round(size / unit), abs=1e-6)


@pytest.mark.parametrize(("paper", "name"), ALL)
def test_a_literal_reading_and_a_derived_number_explain_themselves(paper, name):
    found = STATED[paper][name]
    if found.reading == "literal":
        assert found.note
    if RECORDS[paper].value_statuses[name] == "derived":
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


@pytest.mark.parametrize(
    ("computed", "comparison", "expected"),
    [
        (3.1e-5, "order of magnitude", "agrees"),
        (3.3e-5, "order of magnitude", "differs"),
        (3.3e-6, "order of magnitude", "agrees"),
        (3.1e-6, "order of magnitude", "differs"),
        (3.1e-6, "order of magnitude at most", "agrees"),
        (3.3e-5, "order of magnitude at most", "differs"),
    ],
)
def test_a_bare_power_of_ten_is_half_a_unit_of_its_exponent(computed, comparison, expected):
    assert verdict(computed, quoted=1e-5, tolerance=0.5, comparison=comparison) == expected


@pytest.mark.parametrize(
    ("computed", "allowance", "shift", "expected"),
    [
        (-1.95, 5.0, 5.0, "agrees"),  # whatever the inputs may do
        (-1.5, 0.41, 0.0, "within the inputs' digits"),
        (-1.5, 0.39, 0.0, "differs"),
        (-1.5, 0.0, -0.45, "within the inputs' digits"),  # the flux alone
        (-1.5, 0.2, 0.45, "differs"),  # the flux that the other rows want goes the other way
    ],
)
def test_what_the_inputs_leave_comes_after_the_tolerance(computed, allowance, shift, expected):
    assert Row("1234.56789", statement(), computed, "", allowance, shift).verdict == expected


def test_what_the_inputs_leave_is_asked_before_the_paper_is_called_inconsistent():
    literal = statement(reading="literal")
    assert Row("1234.56789", literal, -1.5, "", 0.5).verdict == "within the inputs' digits"
    assert Row("1234.56789", literal, -1.5, "", 0.1).verdict == "paper inconsistent"


def test_the_json_object_has_the_documented_fields():
    row = Row("1234.56789", statement(note="From the record."), -1.5, "From the calculation.", 0.3, 0.0, "Of the flux.")
    assert list(row.as_json()) == KEYS
    assert json.loads(json.dumps(row.as_json())) == {
        "paper": "1234.56789",
        "quantity": "mass of the new particle",
        "reference": "Table I",
        "kind": "prediction",
        "quoted": -2.0,
        "computed": -1.5,
        "unit": "GeV",
        "relative_difference": 0.25,
        "tolerance": 0.1,
        "basis": "half a unit of the last printed digit",
        "inputs_leave": 0.3,
        "verdict": "differs",
        "note": "From the record. From the calculation. The inputs leave +- 0.3 GeV (20 %). Of the flux.",
    }


def test_what_is_not_computed_has_the_same_fields_and_a_reason():
    for paper in paper_names():
        for entry in not_computed(paper):
            assert list(entry.as_json()) == KEYS
            assert entry.as_json()["verdict"] == "not computed"
            assert entry.as_json()["computed"] is None
            assert entry.reason.endswith(".")
            assert entry.reason in entry.line
    assert len(not_computed()) == sum(len(not_computed(paper)) for paper in paper_names())


def test_counts_by_verdict_and_kind():
    rows = [
        Row("1234.56789", statement(), -2.0, ""),
        Row("1234.56789", statement(kind="datum"), -1.5, "", 1.0),
        Row("9876.54321", statement(kind="datum"), -1.5, ""),
    ]
    found = counts(rows)
    assert found["1234.56789"]["agrees"] == {"input read back": 0, "datum": 0, "prediction": 1}
    assert found["1234.56789"]["within the inputs' digits"]["datum"] == 1
    assert found["9876.54321"]["differs"]["datum"] == 1
    assert sum(n for table in found.values() for kinds in table.values() for n in kinds.values()) == len(rows)
    lines = count_lines(rows)
    assert [line.split()[-1] for line in lines if line.startswith("all")] == ["2", "1"]


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

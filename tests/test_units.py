"""Quantities as users write them: conversions against plain arithmetic, and every kind of refusal."""

import pytest

from anomfit.errors import InputError
from anomfit.units import parse_quantity


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("130MeV", "GeV", 0.130),
        ("130 MeV", "GeV", 0.130),
        (" 1.5e2MeV ", "GeV", 0.150),
        ("511keV", "GeV", 511e-6),
        ("2eV", "GeV", 2e-9),
        ("1.2TeV", "GeV", 1200.0),
        ("0.13", "GeV", 0.13),
        (0.13, "GeV", 0.13),
        (3, "GeV", 3.0),
        ("-1e-3", "1", -1e-3),
        (".5", "1", 0.5),
        ("1", "1", 1.0),
        ("4e-2eV^2", "eV^2", 0.04),
        ("2keV^2", "eV^2", 2e6),
        ("3TeV^-2", "GeV^-2", 3e-6),
        ("7m", "m", 7.0),
    ],
)
def test_a_quantity_is_converted_to_the_parameters_unit(text, unit, expected):
    assert parse_quantity(text, unit) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [
        ("130MeV", "1"),  # a unit on a pure number
        ("130MeV", "eV^2"),  # another power
        ("130MeV", "m"),  # another kind
        ("130mev", "GeV"),  # prefixes are case sensitive: milli and mega differ
        ("5m", "GeV"),
        ("nan", "GeV"),
        (float("nan"), "GeV"),
        ("inf", "GeV"),
        (float("-inf"), "1"),
        ("1e400", "1"),
        ("", "GeV"),
        ("GeV", "GeV"),
        ("1 2", "GeV"),
        ("1,5", "GeV"),
        ("0x10", "1"),
        ("1_000", "1"),
        (True, "1"),
        (None, "GeV"),
        ([1.0], "GeV"),
    ],
)
def test_anything_else_is_refused_in_one_sentence_that_names_field_value_and_remedy(quantity, unit):
    with pytest.raises(InputError) as caught:
        parse_quantity(quantity, unit, field="m_N2")
    sentence = str(caught.value)
    assert sentence.startswith(f"m_N2: {quantity!r} ")
    assert "give a finite number" in sentence
    assert "\n" not in sentence

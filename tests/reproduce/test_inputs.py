"""What the inputs leave open: sums of slopes by hand, the pull that rows of a flux share, digits of the tables."""

import math

import jax.numpy as jnp
import pytest

from anomfit.models.dark_scalar import as_published as dark_scalar
from anomfit.models.two_higgs_doublet import as_published as two_higgs_doublet
from anomfit.reproduce.inputs import Flux, Input, Moved, Room, common_pull, flux_of, linearised, load_inputs, room_of
from anomfit.reproduce.statements import Statement

INPUTS = {
    "digit": Input(2.0, 0.1, "last printed digit"),
    "other_digit": Input(2.0, 0.2, "last printed digit"),
    "range": Input(1.0, 0.5, "stated range"),
    "error": Input(1.0, 0.3, "stated error"),
    "other_error": Input(1.0, 0.4, "stated error"),
    "flux": Input(0.0, 0.2, "flux"),
}


def statement(quoted=10.0, tolerance=0.0, reading="meant") -> Statement:
    return Statement("a", "a", "a", quoted, "1", tolerance, "a", "prediction", "equal", reading, "")


def test_digits_and_ranges_add_up_and_errors_do_in_quadrature():
    slopes = {"digit": -3.0, "other_digit": 1.0, "range": 2.0, "error": 10.0, "other_error": -10.0, "flux": 5.0}
    room = room_of(slopes, INPUTS)
    assert room == pytest.approx(Room(0.3 + 0.2 + 1.0, 5.0))
    assert room.at(0.0) == pytest.approx(6.5)
    assert room.at(-0.6) == pytest.approx(1.5 + 0.8 * 5.0)  # the flux has taken 0.6 of the one standard deviation
    assert flux_of(slopes, INPUTS) == Flux("flux", 1.0)
    assert flux_of({"digit": 1.0}, INPUTS) is None


def test_rows_of_a_flux_share_the_smallest_pull_with_which_most_hold():
    low, high = Moved(statement(), 9.0, Room(0.5), 1.0), Moved(statement(), 11.0, Room(0.2), 1.0)
    assert common_pull([low]) == pytest.approx(0.5)
    assert common_pull([high]) == pytest.approx(-0.8)
    assert common_pull([low, low, high]) == pytest.approx(0.5)  # no row has a flux of its own
    far = Moved(statement(), 5.0, Room(0.5), 1.0)
    assert common_pull([far]) == 0.0  # more than one standard deviation is not asked of a flux
    assert common_pull([Moved(statement(reading="literal"), 9.0, Room(0.5), 1.0)]) == 0.0
    sharp = Moved(statement(), 9.123456, Room(), 1.0)
    assert common_pull([sharp]) == pytest.approx(1.0 - 0.123456)


def _powers(model, point, data):
    return {"cube": data * point["x"] ** 3, "mixed": point["x"] * point["y"]}, {"other": point["z"]}


def test_slopes_are_derivatives():
    found = linearised(_powers, None, {"x": 2.0, "y": 5.0, "z": 7.0}, ("x", "y"), jnp.asarray(0.5))
    assert found.numbers == pytest.approx({"cube": 4.0, "mixed": 10.0})
    assert found.slopes["cube"] == pytest.approx({"x": 6.0})
    assert found.slopes["mixed"] == pytest.approx({"x": 5.0, "y": 2.0})
    assert float(found.others["other"]) == 7.0
    assert found.computed("mixed", "words").slopes == found.slopes["mixed"]


def test_the_inputs_are_the_points_that_ship():
    given = load_inputs("2010.06159")
    table = two_higgs_doublet.points["table-I"]
    assert {name: given[name].value for name in given if name in table} == {n: table[n] for n in table if n in given}
    for label, point in dark_scalar.points.items():
        digits = load_inputs("2005.08920", f"inputs_{label}")
        assert {name: entry.value for name, entry in digits.items()} == {name: point[name] for name in digits}


@pytest.mark.parametrize("label", dark_scalar.points)
def test_table_one_prints_two_digits_of_a_coupling_and_whole_mev(label):
    for name, entry in load_inputs("2005.08920", f"inputs_{label}").items():
        if name.startswith("m_"):
            assert entry.half_width == 0.5e-3
        elif entry.value == 0.0:
            assert entry.half_width == 0.0
        else:
            assert entry.half_width == pytest.approx(0.5 * 10.0 ** (math.floor(math.log10(entry.value)) - 1))

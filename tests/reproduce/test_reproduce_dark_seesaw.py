"""The rows of arXiv:2007.11813: complete, computed from the points and not from what is quoted, by hand and twice."""

import ast
import inspect
import json
import math
from collections import Counter

import numpy as np
import pytest

from anomfit.models.dark_seesaw import dark_seesaw as model
from anomfit.physics.weak_decays import width_to_neutrino_leptons, width_to_three_neutrinos
from anomfit.reproduce import (
    dark_seesaw,
    dark_seesaw_decays,
    dark_seesaw_electrons,
    dark_seesaw_electroweak,
    dark_seesaw_rates,
    reproduce,
)
from anomfit.reproduce import dark_seesaw_second as second
from anomfit.reproduce.inputs import load_inputs
from anomfit.reproduce.statements import KINDS, load_statements
from tests.physics import many_digits

PAPER = "2007.11813"
MODULES = (dark_seesaw, dark_seesaw_decays, dark_seesaw_electrons, dark_seesaw_electroweak, dark_seesaw_rates)
COLLIDERS = ("babar_", "quarkonium_", "upsilon_", "higgsstrahlung_")


@pytest.fixture(scope="module")
def given():
    return dark_seesaw.benchmarks()


@pytest.fixture(scope="module")
def rows():
    return {row.statement.id: row for row in reproduce("dark-seesaw")}


@pytest.fixture(scope="module")
def states(given):
    return dark_seesaw.states_at_points(given)


@pytest.fixture(scope="module")
def decays(given):
    return dark_seesaw_decays.decays_at_points(given)


# -- the rows -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_statement_is_computed_once_in_order_and_finite(rows):
    assert list(rows) == list(load_statements(PAPER))
    for row in rows.values():
        record = json.loads(json.dumps(row.as_json(), allow_nan=False))
        assert math.isfinite(record["computed"])
        assert math.isfinite(record["inputs_leave"])
        assert row.verdict == "agrees" or row.note, row.statement.id


@pytest.mark.slow
def test_counts_by_kind_and_verdict(rows):
    kinds = Counter(row.statement.kind for row in rows.values())
    assert kinds == {"input read back": 54, "datum": 5, "prediction": 331}
    assert set(kinds) == set(KINDS)
    verdicts = Counter(row.verdict for row in rows.values())
    assert verdicts == {"agrees": 193, "within the inputs' digits": 82, "differs": 41, "paper inconsistent": 74}


@pytest.mark.slow
def test_what_differs(rows):
    found = {name for name, row in rows.items() if row.verdict == "differs"}
    rates = {f"{name}_{label}" for label in "AB" for name in ("uboone_5", "uboone_coherent", "miniboone_efficiency")}
    others = {name for name in found if not name.startswith(COLLIDERS)}
    assert others == rates | {"uboone_6_B", "na62_A", "V_53_D", "flight_6_D", "m_betabeta", "ps191_factor"}
    assert len(found - others) == 29


@pytest.mark.slow
def test_what_is_inconsistent(rows):
    """Half of it are the 38 rows of phi', of which four agree, and what contradicts the CP parities of the matrix."""
    found = {name for name, row in rows.items() if row.verdict == "paper inconsistent"}
    scalars = {name for name in rows if name.startswith("S_") and name[2].isdigit()}
    assert scalars - found == {"S_45_B", "S_46_B", "S_56_B", "S_46_D"}
    parities = {name for name in found if "_parities_" in name}
    assert {f"ctau_{j}_parities_{label}" for j in (5, 6) for label in "ABCD"} - parities == {"ctau_5_parities_D"}
    assert found - scalars - parities == {
        *("m_phi_table", "ctau_4_text", "light_vertex_6_B", "v_Phi_all", "m_7_text", "S_sum", "U_e6"),
        *("lighter_coupling", "S_oblique_literal", "Z_to_pair", "Z_to_scalar", "h_invisible", "h_to_pair_vertex"),
        *("h_to_pair_dark", "h_to_Zprimes", "line_masses", "na62_life"),
    }


@pytest.mark.slow
def test_every_miss_has_a_second_computation(rows):
    """But for what is a definition, an arithmetic sentence or a sum of what has one.

    Numbers of colliders and the factor of B18 are computed again in tests of their own: spinors, thrown events, hand.
    """
    plain = {"m_phi_table", "v_Phi_all", "S_oblique_literal", "line_masses", "na62_life", "ps191_factor"}
    plain |= {f"miniboone_efficiency_{label}" for label in "AB"}
    for name, row in rows.items():
        if row.verdict in ("differs", "paper inconsistent") and name not in plain and not name.startswith(COLLIDERS):
            assert "second computation" in row.note, name


@pytest.mark.slow
def test_printed_lifetimes_and_branching_ratios_follow_from_equal_parities(rows):
    for name, row in rows.items():
        if name.startswith(("ctau_", "B_")) and "_parities" not in name and name != "ctau_4_text":
            assert row.verdict in ("agrees", "within the inputs' digits"), name


def test_no_calculation_contains_a_quoted_number():
    """Plain factors aside, no literal of the modules is the value of a statement."""
    plain = {0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 10.0}
    statements = load_statements(PAPER).items()
    quoted = {statement.quoted for name, statement in statements if not name.startswith(COLLIDERS)} - plain
    for module in (*MODULES, second):
        literals = {
            node.value
            for node in ast.walk(ast.parse(inspect.getsource(module)))
            if isinstance(node, ast.Constant) and isinstance(node.value, float)
        }
        assert not literals & quoted, module.__name__


@pytest.mark.parametrize("label", dark_seesaw.LABELS)
def test_the_inputs_are_the_points_that_ship(label):
    point = model.points[f"BP-{label}"]
    shared = load_inputs(PAPER)
    own = load_inputs(PAPER, f"inputs_{label}")
    assert {name: entry.value for name, entry in own.items()} == pytest.approx({name: point[name] for name in own})
    assert {name: shared[name].value for name in ("epsilon", "m_Zprime")} == pytest.approx(
        {name: point[name] for name in ("epsilon", "m_Zprime")}
    )
    missing = set(dark_seesaw.OF_A_POINT) - set(own)
    assert missing == ({f"Lambda_R{k}" for k in (1, 2, 3)} if label == "A" else set())
    for name, entry in own.items():
        if name in dark_seesaw.MATRIX and entry.value != 0.0:  # three digits
            unit = 10.0 ** (math.floor(math.log10(abs(entry.value)) + 1e-9) - 2)
            assert entry.half_width == pytest.approx(0.5 * unit, rel=1e-9), name


# -- numbers twice --------------------------------------------------------------------------------------------------


def test_states_twice(states):
    """Jacobi's rotations against LAPACK: masses, mixings and vertices, what a symmetry forbids aside."""
    for label, at in states.found.items():
        for name, value in states.again[label].items():
            if name in at.numbers:
                assert value == pytest.approx(at.numbers[name], rel=1e-7, abs=1e-20), (label, name)


def test_decays_twice(decays):
    """Integrated formulas against traces on a grid; the grid knows no pions, and no masses in weak decays."""
    for label, at in decays.found.items():
        for name, value in decays.again[label].items():
            assert value == pytest.approx(at.numbers[name], rel=1e-3, abs=1e-18), (label, name)


def test_electrons_and_bosons_twice(given):
    """Their details hold both numbers; the mixings' ratio is that of the Dirac masses."""
    found = dark_seesaw_electrons.mixings(given)
    again = dark_seesaw_electrons._again(given.points["D"])
    for name, computed in found.items():
        assert computed.value == pytest.approx(again[name], rel=1e-6)
    electroweak = dark_seesaw_electroweak.numbers(given)
    again = dark_seesaw_electroweak._again(given.points["A"])
    for name in ("lighter_coupling", "h_invisible", "h_to_pair_vertex"):
        assert electroweak[name].value == pytest.approx(again[name], rel=1e-9), name
    heavy = again["lighter_epsilon_squared"]  # the limit of a heavy vector, from which 1 GeV is some per cent away
    assert electroweak["lighter_epsilon_squared"].value == pytest.approx(heavy, rel=0.03)
    assert again["moment"] == pytest.approx(2.54e-9, rel=0.01)
    # at alpha_D epsilon^2 = 4.6e-4: 4.2 and 1.05 MeV; h -> Z' Z' as phi' phi' of the same mixing
    assert again["meant_Z_to_pair"] == pytest.approx(4.2e-3, rel=0.02)
    assert again["meant_Z_to_scalar"] == pytest.approx(1.05e-3, rel=0.02)
    assert again["meant_h_to_Zprimes"] == pytest.approx(0.51e-3, rel=0.02)


@pytest.mark.slow
def test_rates_twice(given):
    """Fixed nodes in the beam against traces at the middle of its bins; kaons by Shrock's formula and by a trace."""
    at = dark_seesaw_rates.rates_at_points(given)
    for label, again in at.again.items():
        for name, value in again.items():
            tolerance = 1e-6 if name == "na62" else 0.02
            assert value == pytest.approx(at.found[label].numbers[name], rel=tolerance, abs=1e-12), (label, name)


@pytest.mark.parametrize("label", dark_seesaw.LABELS)
def test_the_second_states_against_100_digits(label, given):
    point = given.points[label]
    matrix = second.matrix_of(point, label in dark_seesaw.SYMMETRIC)
    masses, products = many_digits.solve(matrix)
    squared = many_digits.vertices_squared(products, [0, 0, 0, 0, 1, -1]).astype(float)
    found = second.of_matrix(point, label in dark_seesaw.SYMMETRIC)
    for j in (4, 5, 6):
        assert found[f"m_{j}"] == pytest.approx(1e3 * abs(float(masses[j - 3])), rel=1e-12)
        for k in range(3, j + 1):
            assert found[f"V_{j}{k}"] == pytest.approx(squared[j - 3, k - 3], rel=1e-8, abs=1e-22)


# -- the second computations by hand --------------------------------------------------------------------------------


def test_traces_give_the_known_limits():
    """Massless daughters: g^2 m^5/(384 pi^3 M^4), whatever eta; Z' g^2 M/(12 pi); a scalar g^2 m/(8 pi)."""
    for eta in (-1.0, 1.0):
        width = second.three_body_width(0.1, 0.0, 50.0, 1.0, eta, 1e-6)
        assert width == pytest.approx(0.1**5 / (384.0 * np.pi**3 * 50.0**4), rel=1e-4)
    assert second.zprime_width(1.25, 0.0, 0.0, 0.3, 1.0) == pytest.approx(0.3**2 * 1.25 / (12.0 * np.pi), rel=1e-12)
    assert second.scalar_width(125.0, 0.3) == pytest.approx(0.3**2 * 125.0 / (8.0 * np.pi), rel=1e-12)
    assert second.width_to_scalars(91.0, 0.3) == pytest.approx(0.3**2 * 91.0 / (48.0 * np.pi), rel=1e-12)
    light = second.width_to_vectors(125.0, 1e-3, 246.0)  # the Goldstone bosons' width
    assert light == pytest.approx(125.0**3 / (32.0 * np.pi * 246.0**2), rel=1e-6)


def test_closed_decays_have_no_width():
    assert second.three_body_width(0.1, 0.0999, 1.25, 1.0, 1.0, 0.511e-3) == 0.0
    assert second.cross_section(0.01, 0.2, "proton", 1.0, 1.25) == 0.0


def test_the_second_weak_width():
    """The library's with the electron's mass, at a mass where this hardly counts."""
    ours = float(
        width_to_three_neutrinos(0.1, 1e-6, majorana=True)
        + width_to_neutrino_leptons(0.1, 1e-6, second.M_ELECTRON, charged_current=False, majorana=True)
    )
    assert second.weak_width(0.1, 1e-6) == pytest.approx(ours, rel=1e-3)


# -- slopes ---------------------------------------------------------------------------------------------------------


def test_slopes_by_hand(states, decays):
    """|S|^2 goes as alpha_D and as m_Z'^-2, N_5's life as 1/(alpha_D epsilon^2); M_X is the mass of N_5 at BP-A."""
    scalar = states.computed("B", "S_45")
    assert scalar.slopes["B.alpha_D"] == pytest.approx(scalar.value / 0.32, rel=1e-9)
    assert scalar.slopes["m_Zprime"] == pytest.approx(-2.0 * scalar.value / 1.25, rel=1e-9)
    mass = states.computed("A", "m_5")
    assert mass.slopes == pytest.approx({"A.M_X": -1e3}, rel=1e-9)
    life = decays.computed("B", "ctau_5")
    assert life.slopes["B.alpha_D"] == pytest.approx(-life.value / 0.32, rel=1e-5)
    assert life.slopes["epsilon"] == pytest.approx(-2.0 * life.value / math.sqrt(4.6e-4), rel=1e-5)


@pytest.mark.parametrize("name", ["ctau_6", "ctau_6_parities", "B_45_parities"])
def test_slopes_in_the_matrix_are_differences_of_the_second_computation(name, given, decays):
    found, point = decays.computed("C", name), given.points["C"]
    for entry in ("M_X", "Lambda_L2", "M_1"):
        step = 1e-5 * abs(point[entry])
        up, down = (dark_seesaw_decays._again({**point, entry: point[entry] + s * step}, False)[name] for s in (1, -1))
        assert found.slopes[f"C.{entry}"] == pytest.approx((up - down) / (2.0 * step), rel=5e-3)


def test_a_symmetric_point_moves_both_sides_at_once(states):
    slopes = states.computed("A", "V_45").slopes
    assert "A.Lambda_L2" in slopes
    assert not any(name.startswith("A.Lambda_R") for name in slopes)


def test_numbers_follow_the_points(given, states, decays):
    """At other entries and couplings every number of the tables that is not a sum rule is another one."""
    moved = {
        label: {**point, "M_X": 1.1 * point["M_X"], "alpha_D": 0.9 * point["alpha_D"]}
        for label, point in given.points.items()
    }
    elsewhere = given._replace(points=moved)
    fixed = {"V_sum", "S_sum"} | {f"M_{k}" for k in (1, 2, 3)} | {f"M_D{k}" for k in (1, 2, 3)}
    # at BP-B N_3 has no Lambda: M_X moves the heaviest state through nu alone, by 3e-22 of its mass (100 digits)
    fixed |= {"m_8_heavy", "sterile_8"}
    for before, after in (
        (states, dark_seesaw.states_at_points(elsewhere)),
        (decays, dark_seesaw_decays.decays_at_points(elsewhere)),
    ):
        changed = {name for name, value in before.found["B"].numbers.items() if after.found["B"].numbers[name] != value}
        same = set(before.found["B"].numbers) - changed
        assert not {name for name in same if not name.startswith("Lambda")} - fixed


# -- the poster -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_poster():
    """KOTO's three events of 6.9e-10 over 2.94e-11; the third heavy neutrino of the paper's points."""
    rows = {row.statement.id: row for row in reproduce("dark-seesaw-poster")}
    assert list(rows) == list(load_statements("dark-seesaw-poster"))
    assert rows["koto_over_standard_model"].computed == pytest.approx(3.0 * 6.9e-10 / 2.94e-11, rel=1e-12)
    differs = {name for name, row in rows.items() if row.verdict != "agrees"}
    assert differs == {"third_heaviest", "third_life"}

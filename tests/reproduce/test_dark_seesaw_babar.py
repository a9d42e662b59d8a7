"""The rows of arXiv:2007.11813 on BaBar: every statement has one, and what agrees agrees."""

import pytest

from anomfit.reproduce.dark_seesaw import benchmarks
from anomfit.reproduce.dark_seesaw_babar import at_colliders
from anomfit.reproduce.statements import Row, load_statements

STATEMENTS = "2007.11813"


@pytest.fixture(scope="module")
def found():
    computed, statements = at_colliders(benchmarks()), load_statements(STATEMENTS)
    return {key: Row(STATEMENTS, statements[key], one.value, one.detail) for key, one in computed.items()}


def test_what_agrees(found):
    names = [f"babar_calorimeter_{x}" for x in "ABC"]
    names += [f"upsilon_misidentified_{x}" for x in "ACD"]
    names += ["higgsstrahlung_A", "higgsstrahlung_B", "babar_invisible", "quarkonium_escape"]
    assert {name: found[name].verdict for name in names} == dict.fromkeys(names, "agrees")


def test_equation_5_follows_from_interchanged_couplings(found):
    """4.4e4 and 7.8e4 where 3.6e4 and 9.6e4 are printed, which follow with alpha_D of the other point."""
    assert found["babar_pairs_A"].computed == pytest.approx(4.416e4, rel=1e-3)
    assert found["babar_pairs_B"].computed == pytest.approx(7.819e4, rel=1e-3)
    assert found["babar_pairs_A"].computed * 0.32 / 0.39 == pytest.approx(3.6e4, rel=0.01)
    assert found["babar_pairs_B"].computed * 0.39 / 0.32 == pytest.approx(9.6e4, rel=0.01)


def test_the_fit_is_near_the_published_one(found):
    assert found["babar_significance_1"].computed == pytest.approx(2.66, abs=0.02)
    assert found["babar_significance_5"].computed == pytest.approx(2.35, abs=0.02)
    assert found["babar_events"].computed == pytest.approx(56.5, abs=1.0)

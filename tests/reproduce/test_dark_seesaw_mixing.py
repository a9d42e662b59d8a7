"""Rows of arXiv:2007.11813 on mixing: by hand where a hand can, and that each is a statement."""

import math

import pytest

from anomfit.reproduce.dark_seesaw import benchmarks
from anomfit.reproduce.dark_seesaw_mixing import limits_on_mixings
from anomfit.reproduce.statements import load_statements


@pytest.fixture(scope="module")
def found():
    return limits_on_mixings(benchmarks())


def test_each_row_is_a_statement(found):
    statements = load_statements("2007.11813")
    assert set(found) <= set(statements)
    assert all(math.isfinite(computed.value) for computed in found.values())


def test_equation_b18_by_hand(found):
    """BP-B: |U_mu4|^2 |V_43|^2 over |U_e U_mu|^2 (sqrt2 G_F M^2/(e eps g_X))^2 3.17, limit 8.72e-7 at 74.2 MeV."""
    coupling = 0.302822 * math.sqrt(4.6e-4) * math.sqrt(4.0 * math.pi * 0.32)
    right = (8.72e-7 * math.sqrt(2.0) * 1.16638e-5 * 1.25**2 / coupling) ** 2 * 3.17
    left = 2.948e-11 * 1.361e-7
    assert found["ps191_condition_B"].value == pytest.approx(left / right, rel=0.02)


def test_the_factor_of_b18_is_1(found):
    """G_F^2 m^5/(192 pi^3) for N by W, g^2 m^5/(384 pi^3 M^4) for Z': B18 with F = 1; m_e and m/M are 0.2 %."""
    assert found["ps191_factor"].value == pytest.approx(1.0, abs=3e-3)


def test_lives_and_vetoes_by_hand(found):
    """c tau = 4.04 cm; 1/0.005; exp(150/lambda) with E = 75/0.494 times 0.368 GeV at 5 ns."""
    assert found["na62_life"].value == pytest.approx(4.035e-2 / 2.99792458e8 * 1e9, rel=1e-3)
    assert found["line_weakening"].value == pytest.approx(200.0, rel=1e-3)
    kaon, mass = 0.493677, 0.346
    energy = (kaon**2 + mass**2) / (2.0 * kaon) * math.sqrt(75.0**2 + kaon**2) / kaon
    flight = 5e-9 * 2.99792458e8 * math.sqrt(energy**2 - mass**2) / mass
    unseen = 0.005 + 0.995 * math.exp(-150.0 / flight)
    assert found["na62_weakening"].value == pytest.approx(1.0 / unseen, rel=1e-4)

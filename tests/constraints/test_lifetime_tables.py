"""Limits by mass and life: the table's own numbers, its continuation to short lives, its gaps."""

import numpy as np
import pytest

from anomfit.constraints.lifetime_tables import NO_LIMIT, PICOSECOND, has_mass, lifetime_table, log_limit_at
from anomfit.data import load_record

TABLE = lifetime_table(load_record("kaon/e949_kplus_piplus_X"))


@pytest.mark.parametrize(
    ("m", "life", "limit"), [(0.0163, 100, 4.47e-9), (0.0163, 500, 2.47e-10), (0.0906, 1000, 4.46e-10)]
)
def test_the_published_numbers_come_back(m, life, limit):
    assert np.exp(float(log_limit_at(TABLE, m, life * PICOSECOND))) == pytest.approx(limit, rel=1e-9)


def test_longer_lives_than_the_longest_do_not_change_the_limit():
    assert float(log_limit_at(TABLE, 0.0163, 1e-6)) == pytest.approx(np.log(1.2e-10), abs=1e-9)


def test_short_lives_weaken_the_limit_as_decays_in_the_detector_do():
    """exp(d m/(p c tau)) with p = 226 MeV: d of 1.3 to 1.8 m is the size of the detector of E787 and E949."""
    short, shorter = (float(log_limit_at(TABLE, 0.0174, life * PICOSECOND)) for life in (50.0, 25.0))
    size = (shorter - short) / (1 / 25.0 - 1 / 50.0) * PICOSECOND * 2.99792458e8 * 0.2263 / 0.0174
    assert 1.3 < size < 1.8
    assert float(log_limit_at(TABLE, 0.0174, 1.85 * PICOSECOND)) == NO_LIMIT


def test_there_is_no_limit_in_the_gap_of_the_neutral_pion_and_beyond_the_last_mass():
    for m in (0.135, 0.30):
        assert float(log_limit_at(TABLE, m, 1e-8)) == NO_LIMIT
        assert not has_mass(TABLE, m)
    assert bool(np.all(has_mass(TABLE, np.array([0.0, 0.0163, 0.2]))))


def test_lives_without_a_number_are_weaker_than_those_with():
    at = [float(log_limit_at(TABLE, 0.0906, life * PICOSECOND)) for life in (100.0, 200.0, 500.0)]
    assert at[0] > at[1] > at[2] == pytest.approx(np.log(3.62e-9))


@pytest.mark.parametrize(
    "name", ["e949_kplus_piplus_X", "na62_2016_2018_kplus_piplus_X", "na62_2016_2022_kplus_piplus_X"]
)
@pytest.mark.parametrize("m", [0.0011, 0.0015, 0.003])
def test_a_light_boson_that_decays_early_is_seen_and_one_that_lives_is_not(name, m):
    """Flight before the end of the detector: 1.3 to 1.8 m at 227 MeV, 60 to 200 m at 37 GeV, half a kaon's momentum."""
    table = lifetime_table(load_record(f"kaon/{name}"))
    early, later, never = (float(log_limit_at(table, m, life)) for life in (2e-12, 4e-12, 1e-8))
    momentum, shortest, longest = (0.2268, 1.3, 1.8) if name.startswith("e949") else (37.0, 60.0, 200.0)
    size = (early - later) / (1 / 2e-12 - 1 / 4e-12) * 2.99792458e8 * momentum / m
    assert shortest < size < longest
    assert early > later > never
    assert 2e-11 < np.exp(never) < 3e-10

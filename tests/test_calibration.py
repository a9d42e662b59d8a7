"""Calibrated p-values of independent toys are uniform, on real data; benchmarks/toys.py does it with 200."""

import runpy
from pathlib import Path

import pytest

BENCHMARK = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "toys.py"))


@pytest.mark.slow
@pytest.mark.parametrize("case", BENCHMARK["CASES"])
def test_calibrated_p_values_are_uniform(case):
    _, _, uniform = BENCHMARK["held_against"](BENCHMARK["CASES"][case], 20, seed=1)
    assert uniform > 0.01

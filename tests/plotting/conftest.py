"""A result of a real fit that is quick: oscillation to the E_nu^QE spectra, few starts and few draws."""

import pytest

from anomfit.cards import card_from_text
from anomfit.run import run_fit

CARD = """
model = "oscillation"
[free]
sin2_2theta = "default"
delta_m2 = "default"
[measurements]
miniboone = "enuqe"
[fit]
screened = 64
starts = 2
seed = 1
[sampling]
chains = 1
warmup = 60
draws = 60
max_draws = 60
target_accept = 0.9
seed = 2
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fit")


@pytest.fixture(scope="session")
def result(folder):
    return run_fit(card_from_text(CARD), str(folder))

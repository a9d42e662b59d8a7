"""`--resume` after something has changed: refused with a sentence that names it, before anything is computed."""

import shutil
from pathlib import Path

import pytest

from anomfit import identity
from anomfit.results.files import load_result

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
CARD = """
model = "my_model.py:dark_photon"
[free]
epsilon = [1e-4, 1e-2]
[fixed]
m_dark = "30MeV"
[measurements]
"my_measurement.py:load" = {scale = "1.1"}
[fit]
screened = 64
starts = 2
[sampling]
chains = 2
warmup = 60
draws = 40
max_draws = 40
"""


@pytest.fixture
def fitted(anomfit, tmp_path) -> Path:
    for file in EXAMPLES.glob("*.py"):
        shutil.copy(file, tmp_path)
    (tmp_path / "card.toml").write_text(CARD)
    assert anomfit("fit", "card.toml", "--out", "result", "--no-sample").status == 0
    return tmp_path / "result"


@pytest.mark.parametrize("name", ["my_model.py", "my_measurement.py"])
def test_a_users_file_that_was_edited_is_named(anomfit, fitted, tmp_path, name):
    before = (fitted / "result.nc").read_bytes()
    with (tmp_path / name).open("a") as file:
        file.write("\nANOTHER = 1\n")
    outcome = anomfit("fit", "card.toml", "--out", "result", "--resume")
    assert outcome.status == 2
    assert f"result/result.nc: it belongs to another run: {name} has changed; undo this" in outcome.err
    assert outcome.err.count("\n") == 1
    assert (fitted / "result.nc").read_bytes() == before


def test_an_upgrade_is_named(anomfit, fitted, monkeypatch):
    was = load_result(fitted / "result.nc").provenance.identity
    assert was["anomfit"] == identity.__version__
    monkeypatch.setattr(identity, "__version__", "99.0")
    outcome = anomfit("sample", "card.toml", "--out", "result", "--resume")
    assert outcome.status == 2
    assert f"another run: anomfit was {was['anomfit']} and is 99.0; undo this" in outcome.err

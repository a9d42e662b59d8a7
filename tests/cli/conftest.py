"""The command line in this process, with what it printed."""

from pathlib import Path
from typing import NamedTuple

import pytest

from anomfit.cli import main

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def anomfit(capsys, monkeypatch, tmp_path):
    """Run the command line in an empty folder, with no cache of compiled programs, and return status and output."""
    monkeypatch.setenv("ANOMFIT_CACHE", "off")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run


@pytest.fixture
def model() -> str:
    """The example of a user's model, a dark photon."""
    return f"{EXAMPLES}/my_model.py:dark_photon"


@pytest.fixture
def measurement() -> str:
    """The example of a user's measurement, a shift of the muon's moment."""
    return f"{EXAMPLES}/my_measurement.py:load"

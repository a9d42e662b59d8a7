"""Double precision, whatever JAX_ENABLE_X64 says and in whatever order things are imported; single is refused."""

import os
import subprocess
import sys

import jax
import pytest

from anomfit.cards import load_card
from anomfit.catalogue import find_measurement, find_model
from anomfit.constraints import constraint_table
from anomfit.errors import InputError
from anomfit.optimising import run_optimise
from anomfit.precision import require_double_precision
from anomfit.prediction import predict
from anomfit.problem import build_problem
from anomfit.reproduce import reproduce
from anomfit.run import run_fit

PROGRAM = """
import os, sys
first, command = sys.argv[1:]
if first == "jax":
    import jax.numpy
import anomfit
import jax.numpy as jnp
print(jnp.ones(1).dtype, flush=True)
from anomfit.cli import main
sys.exit(main(command.split()))
"""


def run(first: str, setting: str | None, command: str = "--version") -> tuple[int, str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "JAX_ENABLE_X64"}
    environment |= {"ANOMFIT_CACHE": "off"} | ({} if setting is None else {"JAX_ENABLE_X64": setting})
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, first, command], capture_output=True, text=True, env=environment
    )
    return finished.returncode, finished.stdout.partition("\n")[0], finished.stderr


@pytest.mark.parametrize("first", ["jax", "anomfit"])
@pytest.mark.parametrize("setting", [None, "yes"])
def test_importing_anomfit_never_switches_double_precision_off(first, setting):
    assert run(first, setting) == (0, "float64", "")


@pytest.mark.parametrize(("first", "setting"), [("anomfit", "0"), ("jax", "no"), ("anomfit", "Off")])
def test_single_precision_that_the_user_asks_for_is_refused_in_one_sentence(first, setting):
    status, kind, complaint = run(first, setting, "predict oscillation lsnd --no-cache")
    assert (status, kind) == (2, "float32")
    assert complaint.startswith("anomfit: precision: ")
    assert "JAX_ENABLE_X64" in complaint
    assert complaint.count("\n") == 1


@pytest.mark.parametrize("setting", ["perhaps", "2"])
def test_a_setting_that_jax_cannot_read_is_one_sentence(setting):
    environment = {**os.environ, "JAX_ENABLE_X64": setting, "ANOMFIT_CACHE": "off"}
    command = [sys.executable, "-m", "anomfit", "predict", "oscillation", "lsnd"]
    finished = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "JAX_ENABLE_X64" in finished.stderr
    assert finished.stderr.count("\n") == 1


def test_everything_that_computes_asks_jax(tmp_path):
    card, model = load_card("oscillation"), find_model("oscillation")
    calls = {
        "run_fit": lambda: run_fit(card, tmp_path / "out"),
        "run_optimise": lambda: run_optimise(card, tmp_path / "out"),
        "predict": lambda: predict(model, find_measurement("lsnd"), model.parametrisations["physical"], []),
        "build_problem": lambda: build_problem(model, [], "physical", [], {}),
        "constraint_table": lambda: constraint_table(model, {}, []),
        "reproduce": lambda: reproduce(),
    }
    require_double_precision()
    with jax.enable_x64(False):
        for call in calls.values():
            with pytest.raises(InputError, match="single precision"):
                call()
    assert list(tmp_path.iterdir()) == []

"""What anomfit tells XLA's compiler, and what it leaves to the user."""

import subprocess
import sys

import pytest

from anomfit import compiling


@pytest.fixture
def unset(monkeypatch):
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    return monkeypatch


def test_the_flags_are_known_to_the_jaxlib_of_these_tests():
    """Another jaxlib has to be tried first, and then belongs to `TRIED`."""
    program = "import anomfit, os, jax; print(os.environ['XLA_FLAGS'], jax.jit(lambda x: x + 1.0)(1.0))"
    clean = {"PATH": "", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=clean, check=True)
    assert done.stdout.split("\n")[0] == f"{compiling.FLAGS} 2.0"


def test_flags_of_the_user_stay(unset):
    for said in ("", "--xla_cpu_multi_thread_eigen=false"):
        unset.setenv("XLA_FLAGS", said)
        compiling.compile_quickly()
        assert compiling.os.environ["XLA_FLAGS"] == said


def test_another_jaxlib_and_an_accelerator_are_left_alone(unset):
    unset.setattr(compiling, "version", lambda name: "0.99.0")
    compiling.compile_quickly()
    assert "XLA_FLAGS" not in compiling.os.environ
    unset.undo()
    unset.delenv("XLA_FLAGS", raising=False)
    unset.delenv("JAX_PLATFORMS", raising=False)
    unset.setattr(compiling, "find_spec", lambda name: name == "jax_cuda13_plugin")
    compiling.compile_quickly()
    assert "XLA_FLAGS" not in compiling.os.environ

"""Compiled programs in the user's cache: used again, switched off, and silent when damaged or not writable."""

import os
import pwd
import subprocess
import sys

import pytest

from anomfit.cli.compile_cache import cache_folder, use_compile_cache

PROGRAM = """
import sys, time
from anomfit.cli.compile_cache import use_compile_cache
folder = use_compile_cache()
import jax, jax.numpy as jnp
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
print("result", float(jax.jit(lambda x: jnp.sum(jnp.sin(x) ** 2))(jnp.arange(7.0))), folder is not None)
"""


def run(**environment: str) -> subprocess.CompletedProcess:
    finished = subprocess.run(
        [sys.executable, "-W", "default", "-c", PROGRAM],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )
    assert finished.returncode == 0, finished.stderr
    return finished


def entries(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*-cache")}


def test_programs_are_kept_used_again_and_replaced_silently_when_damaged(tmp_path):
    first = run(XDG_CACHE_HOME=str(tmp_path))
    kept = entries(tmp_path / "anomfit" / "xla")
    assert kept
    second = run(XDG_CACHE_HOME=str(tmp_path))
    assert entries(tmp_path / "anomfit" / "xla") == kept
    for path in kept:
        path.write_bytes(b"damaged")
    third = run(XDG_CACHE_HOME=str(tmp_path))
    for finished in (first, second, third):
        assert finished.stdout == first.stdout
        assert finished.stderr == ""


def test_off_means_no_folder(tmp_path, monkeypatch):
    finished = run(XDG_CACHE_HOME=str(tmp_path), ANOMFIT_CACHE="off")
    assert finished.stdout.endswith("False\n")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("ANOMFIT_CACHE", "off")
    assert cache_folder() is None


@pytest.mark.parametrize("kind", ["file in the way", "no such device"])
def test_a_folder_that_cannot_be_written_is_silently_done_without(tmp_path, kind):
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" if kind == "file in the way" else "/proc/nowhere"
    finished = run(ANOMFIT_CACHE=str(place))
    assert finished.stdout.endswith("False\n")
    assert finished.stderr == ""


def test_a_folder_of_ones_own_is_used(tmp_path):
    assert run(ANOMFIT_CACHE=str(tmp_path / "mine")).stdout.endswith("True\n")
    assert entries(tmp_path / "mine")


@pytest.mark.parametrize(
    "environment",
    [
        {"HOME": None},  # and no entry in the list of users: a container, a batch system
        {"HOME": "not/absolute"},
        {"HOME": "/nonexistent/home"},
        {"ANOMFIT_CACHE": "~nouser/x"},
        {"ANOMFIT_CACHE": "caf\udcff"},  # bytes that are no text
        {"ANOMFIT_CACHE": "x" * 5000},
        {"XDG_CACHE_HOME": "~/x", "HOME": None},  # not absolute: the standard ignores it
    ],
)
def test_an_environment_without_a_place_for_the_cache_is_done_without_it(tmp_path, monkeypatch, anomfit, environment):
    def unknown(number):
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("XDG_CACHE_HOME", "ANOMFIT_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert use_compile_cache() is None
    outcome = anomfit("measurements")
    assert (outcome.status, outcome.err) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_arviz_is_imported_without_a_home(tmp_path):
    code = (
        "import pwd\ndef unknown(number):\n    raise KeyError(number)\npwd.getpwuid = unknown\n"
        "from anomfit.environment import import_arviz\nprint(import_arviz().__name__)"
    )
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CONFIG_HOME")}
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path, check=True
    )
    assert finished.stdout == "arviz\n"
    assert list(tmp_path.iterdir()) == []

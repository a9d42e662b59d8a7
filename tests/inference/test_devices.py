"""Points one after the other on a processor, many at once on an accelerator: the same values."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.inference.devices import ACCELERATED, each


def steps() -> list[int]:
    """Lengths of the loops in the program for as many points as an accelerator takes together."""
    program = jax.make_jaxpr(lambda x: each(jnp.sin, x))(jnp.zeros(ACCELERATED))
    return [equation.params["length"] for equation in program.eqns if equation.primitive.name == "scan"]


@pytest.mark.parametrize("backend", ["cpu", "gpu"])
@pytest.mark.parametrize("points", [1, 4, 7, 65, ACCELERATED + 1])
def test_the_values_do_not_depend_on_the_batches(backend, points, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    x = jnp.linspace(0.0, 1.0, points)
    np.testing.assert_allclose(np.asarray(each(jnp.sin, x)), np.sin(np.asarray(x)), rtol=1e-14)


def test_an_accelerator_gets_them_all_together(monkeypatch):
    assert steps() == [ACCELERATED]
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert steps() == [1]


def test_nothing_starts_jax_before_a_run_has_chosen_its_devices():
    """An array made at import would leave a fit with one device for all cores, silently."""
    program = """
import anomfit.cards, anomfit.run, anomfit.optimising, anomfit.toying
from anomfit.inference.devices import prepare_devices
import jax
from jax._src import xla_bridge
assert not xla_bridge.backends_are_initialized()
wanted = prepare_devices(2)
print(wanted, jax.local_device_count())
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    wanted, devices = found.stdout.split()
    assert wanted == devices

"""`anomfit.batched`: the values of vmap in the memory of a chunk, one trace, gradients, several devices."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit import batched
from anomfit.errors import InputError

NODES = jnp.linspace(0.1, 3.0, 2000)


def heavy(point, scale):
    """A number and an array from some ten thousand intermediate numbers, which a sort keeps apart."""
    table = jnp.sort(jnp.sin(NODES * point["x"] * scale)[:, None] + point["y"], axis=0)
    return {"sum": jnp.sum(table * NODES[:, None]), "y": point["y"]}


def points(n: int):
    return {"x": jnp.linspace(0.5, 2.0, n), "y": jnp.linspace(0.0, 1.0, 4 * n).reshape(n, 4)}, jnp.linspace(1.0, 2.0, n)


@pytest.mark.parametrize("batch_size", [1, 7, 22, 23, 1000])
def test_the_values_are_those_of_vmap_whatever_the_last_chunk(batch_size):
    arguments = points(23)
    found, expected = jax.jit(batched(heavy, batch_size))(*arguments), jax.vmap(heavy)(*arguments)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-13), found, expected)


def test_the_function_is_traced_once_a_length_and_compiled_as_one_program():
    traces = []

    def noted(x):
        traces.append(1)
        return jnp.sin(x)

    run = jax.jit(batched(noted, 8))
    for shift in (0.0, 1.0):
        run(jnp.arange(30.0) + shift)
    assert len(traces) == 1
    assert run._cache_size() == 1


def test_gradients_go_through_what_is_mapped_and_through_what_is_around_it():
    arguments, theta = points(23), 1.1

    def total(theta, mapped):
        return jnp.sum(mapped(lambda point, scale: heavy(point, theta * scale)["sum"])(*arguments))

    found = jax.grad(total)(theta, lambda f: batched(f, 5))
    assert float(found) == pytest.approx(float(jax.grad(total)(theta, jax.vmap)), rel=1e-12)
    slope = jax.grad(lambda x: jnp.sum(batched(jnp.sin, 5)(x)))(NODES[:23])
    np.testing.assert_allclose(slope, jnp.cos(NODES[:23]), rtol=1e-13)


def memory(function, *arguments) -> int:
    """Bytes that a compiled program needs beside its arguments and values."""
    return jax.jit(function).lower(*arguments).compile().memory_analysis().temp_size_in_bytes


def test_memory_is_that_of_a_chunk_for_values_and_for_gradients():
    one_chunk = memory(jax.vmap(heavy), *points(16))
    for n in (64, 512):
        assert memory(batched(heavy, 16), *points(n)) < 2.0 * one_chunk
    assert memory(jax.vmap(heavy), *points(512)) > 10.0 * one_chunk

    def slope(mapped):
        return jax.grad(lambda x, y, s: jnp.sum(mapped(heavy)({"x": x, "y": y}, s)["sum"]))

    flat = {n: (p["x"], p["y"], s) for n, (p, s) in ((n, points(n)) for n in (16, 512))}
    bound = memory(slope(jax.vmap), *flat[16])
    assert memory(slope(lambda f: batched(f, 16)), *flat[512]) < 2.0 * bound
    assert memory(slope(jax.vmap), *flat[512]) > 10.0 * bound


ON_DEVICES = """
import anomfit, jax, jax.numpy as jnp, numpy as np
jax.config.update("jax_num_cpu_devices", 3)
x = jnp.linspace(0.0, 2.0, 23)
for size in (2, 5, 100):
    np.testing.assert_allclose(jax.jit(anomfit.batched(jnp.sin, size))(x), jnp.sin(x), rtol=1e-13)
total = lambda theta: jnp.sum(anomfit.batched(lambda x: jnp.sin(theta * x), 2)(x))
np.testing.assert_allclose(jax.grad(total)(1.5), jnp.sum(x * jnp.cos(1.5 * x)), rtol=1e-13)
print(len(jax.jit(anomfit.batched(jnp.sin, 2)).lower(x).compile().as_text().split("num_partitions=3")) - 1)
"""


def test_chunks_are_spread_over_the_devices():
    run = subprocess.run(
        [sys.executable, "-c", ON_DEVICES], env={**os.environ, "JAX_PLATFORMS": "cpu"}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) >= 1


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "8"])
def test_a_size_that_is_no_number_of_points_is_refused(size):
    with pytest.raises(InputError, match="batch_size"):
        batched(jnp.sin, size)


@pytest.mark.parametrize("arguments", [(), (jnp.asarray(1.0),), (jnp.zeros(3), jnp.zeros(4))])
def test_arguments_without_a_common_leading_axis_are_refused(arguments):
    with pytest.raises(InputError, match="leading axis"):
        batched(lambda *x: x, 8)(*arguments)


def test_no_points_give_no_values():
    assert batched(jnp.sin, 8)(jnp.zeros((0, 2))).shape == (0, 2)

"""The largest and the smallest of computed numbers: values and derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.physics.extremes import largest, smallest


@pytest.mark.parametrize(("ours", "of_jax"), [(largest, jnp.max), (smallest, jnp.min)])
@pytest.mark.parametrize("seed", range(3))
def test_values_and_derivatives_of_different_numbers_are_those_of_jax(ours, of_jax, seed):
    values = jnp.asarray(np.random.default_rng(seed).normal(size=5))
    assert float(ours(values)) == float(of_jax(values))
    np.testing.assert_array_equal(jax.grad(ours)(values), jax.grad(of_jax)(values))


def test_of_equal_numbers_the_first_one_counts():
    np.testing.assert_array_equal(jax.grad(largest)(jnp.ones(3)), [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(jax.grad(smallest)(jnp.ones(3)), [1.0, 0.0, 0.0])

"""Slopes worked out forwards are the slopes, in every mode of differentiation."""

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.statistics.forward import apart, with_forward_slopes

AT = {"a": jnp.asarray(0.3), "b": jnp.asarray([1.2, -0.7])}


def plain(at):
    return jnp.sin(at["a"]) * at["b"][0] ** 3 + jnp.exp(at["b"][1] * at["a"])


def forward(at):
    return with_forward_slopes(plain, at)


def same(found, expected):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-13, atol=1e-14), found, expected)


def test_value_gradient_and_hessian_are_those_of_the_function():
    same(forward(AT), plain(AT))
    same(jax.grad(forward)(AT), jax.grad(plain)(AT))
    same(jax.jacfwd(jax.grad(forward))(AT), jax.hessian(plain)(AT))
    same(jax.jvp(forward, (AT,), (AT,)), jax.jvp(plain, (AT,), (AT,)))


def test_in_a_compiled_batch_with_numbers_from_outside():
    def total(scale, at):
        return with_forward_slopes(lambda at: scale * plain(at), at)

    batch = jax.tree.map(lambda x: jnp.stack([x, 1.1 * x, 0.9 * x]), AT)
    run = jax.jit(lambda scale, batch: jax.lax.map(jax.grad(lambda at: total(scale, at)), batch, batch_size=2))
    same(run(2.0, batch), jax.vmap(jax.grad(lambda at: 2.0 * plain(at)))(batch))


def test_apart_changes_nothing():
    value, slope = jax.value_and_grad(apart)(jnp.asarray(0.1))
    assert (float(value), float(slope)) == (0.1, 1.0)
    assert float(apart(jnp.asarray(-jnp.inf))) == -np.inf

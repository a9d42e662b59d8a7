"""Slopes of one number of a few others, worked out forwards: with the number, one direction beside the other."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float


def with_forward_slopes(function: Callable[..., Float[Array, ""]], at) -> Float[Array, ""]:
    """function(at) for a pytree of numbers `at`; whoever asks for its derivative gets the vector of forward slopes.

    For a sum of many cheap terms of a few numbers. Worked out backwards, the chains of all terms end in one expression
    for each number, which the compiler takes minutes over.
    """
    flat, restore = ravel_pytree(at)

    def of(x):
        return function(restore(x))

    with_slopes = jax.custom_jvp(of)

    @with_slopes.defjvp
    def _(primals, tangents):
        value, slopes = _value_and_slopes(of, *primals)
        return value, slopes @ tangents[0]

    return with_slopes(flat)


def apart(x: Float[Array, ""]) -> Float[Array, ""]:
    """`x`, through a product of two vectors, which the compiler does not draw into the expressions around it.

    A sum of many terms is otherwise compiled as one expression with all that leads to each, in minutes.
    """
    return jnp.stack([x, x]) @ jnp.array([0.5, 0.5])


def _value_and_slopes(of: Callable, x):
    along = jax.vmap(lambda direction: jax.jvp(of, (x,), (direction,)), out_axes=(None, 0))
    return along(jnp.eye(x.shape[0], dtype=x.dtype))

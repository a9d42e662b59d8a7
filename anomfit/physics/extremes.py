"""The largest and the smallest of some computed numbers, with the derivative of that one alone.

Not `jnp.max` and `jnp.min`: their derivatives divide by how many numbers equal the extreme one, and a compiler that
computes the numbers twice, rounded differently, finds that none does; the slope is then infinite. Of equal numbers the
first one counts.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float


def largest(values: Float[Array, " n"]) -> Float[Array, ""]:
    """The largest of n numbers."""
    return values[jnp.argmax(values)]


def smallest(values: Float[Array, " n"]) -> Float[Array, ""]:
    """The smallest of n numbers."""
    return values[jnp.argmin(values)]

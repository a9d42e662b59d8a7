"""Small dense networks, and what they are trained with: optax's L-BFGS."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float

Layers = tuple[tuple[Float[Array, "..."], Float[Array, "..."]], ...]


def network(layers: Layers, x: Float[Array, "... inputs"]) -> Float[Array, "... outputs"]:
    """Dense layers with tanh between them."""
    for matrix, offset in layers[:-1]:
        x = jnp.tanh(x @ matrix + offset)
    matrix, offset = layers[-1]
    return x @ matrix + offset


def first_layers(key: Array, known: Bool[np.ndarray, "inputs"], hidden: tuple[int, ...], outputs: int) -> Layers:
    """Random layers, blind to inputs that are not `known`; the last one gives zeros."""
    sizes = (known.size, *hidden)
    keys = jax.random.split(key, len(hidden))
    layers = [
        (jax.random.normal(k, (i, o)) / np.sqrt(i), jnp.zeros(o))
        for k, i, o in zip(keys, sizes[:-1], hidden, strict=True)
    ]
    layers[0] = (layers[0][0] * known[:, None], layers[0][1])
    return (*layers, (jnp.zeros((hidden[-1], outputs)), jnp.zeros(outputs)))


@partial(jax.jit, static_argnames=("loss", "rounds"))
def train(loss: Callable[..., Float[Array, ""]], layers: Any, data: Any, rounds: int) -> Any:
    """Layers after `rounds` of L-BFGS on loss(layers, *data). Inputs that the layers must not see are 0 in `data`."""
    here = partial(_with_data, loss, data)
    optimiser = optax.lbfgs(memory_size=20)
    value_and_slope = optax.value_and_grad_from_state(here)

    def step(carry, _):
        layers, state = carry
        value, slope = value_and_slope(layers, state=state)
        update, state = optimiser.update(slope, state, layers, value=value, grad=slope, value_fn=here)
        return (optax.apply_updates(layers, update), state), None

    return jax.lax.scan(step, (layers, optimiser.init(layers)), length=rounds)[0][0]


def size_squared(layers: Any) -> Float[Array, ""]:
    """The sum of the squares of all matrices, for a penalty."""
    return sum((jnp.sum(leaf**2) for leaf in jax.tree.leaves(layers) if leaf.ndim > 1), jnp.zeros(()))


def _with_data(loss, data, layers):
    return loss(layers, *data)

"""Learning the distribution of each coordinate given those before it (see `conditional`) from weighted points."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from anomfit.inference.sample.conditional import PLACES, Conditional, log_density
from anomfit.inference.sample.network import first_layers, size_squared, train
from anomfit.inference.sample.points import Points
from anomfit.inference.sample.straight import stack

HIDDEN = (16,)  # units of a network
ROUNDS = 150  # of L-BFGS


def learn_conditionals(points: Points, indices: list[int], rows: int, key: Array) -> Conditional:
    """Maximum likelihood for the coordinates `indices`, stacked in order; `rows` as for `learn_amplitudes`."""
    more = rows - len(points.z)
    z, weight = np.pad(points.z, ((0, more), (0, 0))), np.pad(points.posterior, (0, more))
    known = np.array([[k in indices[:n] for k in range(z.shape[1])] for n in range(len(indices))])
    keys = jax.random.split(key, len(indices))
    layers = [first_layers(k, seen, HIDDEN, PLACES.size) for k, seen in zip(keys, known, strict=True)]
    stacked = stack(layers)
    inputs = jnp.asarray(np.where(known[:, None, :], z, 0.0))
    data = (inputs, jnp.asarray(z[:, indices].T), jnp.asarray(weight), jnp.asarray(0.5 / points.effective))
    return Conditional(train(_surprise, stacked, data, ROUNDS), jnp.asarray(indices))


def _surprise(stacked, inputs, targets, weights, penalty):
    """-ln likelihood of all coordinates' networks, and a penalty as of a normal prior for their matrices."""
    densities = jax.vmap(lambda layers, x, z: log_density(layers, x, z[:, None]))(stacked, inputs, targets)
    return -jnp.sum(densities * weights) + penalty * size_squared(stacked)

"""Learning the distribution of each coordinate given those before it (see `conditional`) from weighted points."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from anomfit.inference.conditional import PLACES, Conditional, log_density
from anomfit.inference.network import first_layers, size_squared, train
from anomfit.inference.points import Points
from anomfit.inference.straight import stack
from anomfit.inference.trend import Trend, features, fit_trend, from_trend

HIDDEN = (16,)  # units of a network
ROUNDS = 150  # of L-BFGS


def learn_conditionals(points: Points, indices: list[int], rows: int, key: Array) -> Conditional:
    """Maximum likelihood for the coordinates `indices`, stacked in order; `rows` as for `learn_amplitudes`."""
    known = [np.isin(np.arange(points.z.shape[1]), indices[:n]) for n in range(len(indices))]
    trends = [
        fit_trend(points.z, points.posterior, points.effective, i, seen) for i, seen in zip(indices, known, strict=True)
    ]
    more = rows - len(points.z)
    z, weight = jnp.asarray(np.pad(points.z, ((0, more), (0, 0)))), jnp.asarray(np.pad(points.posterior, (0, more)))
    stacked, index = Trend(*map(jnp.stack, zip(*trends, strict=True))), jnp.asarray(indices)
    inputs, targets = _about(stacked, index, jnp.asarray(np.array(known)), z)
    keys = jax.random.split(key, len(indices))
    layers = stack([first_layers(k, seen, HIDDEN, PLACES.size) for k, seen in zip(keys, known, strict=True)])
    data = (inputs, targets, weight, jnp.asarray(0.5 / points.effective))
    return Conditional(train(_surprise, layers, data, ROUNDS), stacked, index)


@jax.jit
def _about(trends: Trend, indices, known, z):
    """What the networks see of the points, and their targets: (step, points, coordinates) and (step, points)."""

    def one(trend, index, seen):
        return jnp.where(seen, features(trend, z), 0.0), jax.vmap(lambda x: from_trend(trend, index, x))(z)

    return jax.vmap(one)(trends, indices, known)


def _surprise(stacked, inputs, targets, weights, penalty):
    """-ln likelihood of all coordinates' networks, and a penalty as of a normal prior for their matrices."""
    densities = jax.vmap(lambda layers, x, v: log_density(layers, x, v[:, None]))(stacked, inputs, targets)
    return -jnp.sum(densities * weights) + penalty * size_squared(stacked)

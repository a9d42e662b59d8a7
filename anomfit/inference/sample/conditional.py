"""One coordinate's distribution given the others, as a sum of fixed logistic terms whose weights a network sets."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.stats import norm

from anomfit.inference.sample.logistic import BASE, Terms, at_log_odds, log_odds
from anomfit.inference.sample.network import Layers, network

PLACES = np.linspace(-3.5, 3.5, 19)
WIDTH = 0.25  # of each term
FARTHEST = 12.0  # normal coordinates stay below
PRIOR = norm.logpdf(PLACES)  # log weights whose sum is nearly the normal distribution; NumPy's: JAX has not started


@dataclass(frozen=True)
class Conditional:
    """The change of the coordinate `index` from a nearly normal w to z; the network is blind to those changed later."""

    layers: Layers
    index: Int[Array, ""]

    def to_normal(self, w: Float[Array, "coordinates"]) -> tuple[Float[Array, "coordinates"], Float[Array, ""]]:
        """The coordinates with z in the place of w, and ln |dz/dw|."""
        terms = self._terms(w)
        z = at_log_odds(terms, BASE * w[self.index])
        return w.at[self.index].set(z), jnp.log(BASE) - jnp.log(log_odds(terms, z)[1])

    def from_normal(self, z: Float[Array, "coordinates"]) -> Float[Array, "coordinates"]:
        """The inverse of `to_normal`."""
        return z.at[self.index].set(log_odds(self._terms(z), z[self.index])[0] / BASE)

    def _terms(self, others) -> Terms:
        weights = jnp.exp(log_weights(self.layers, others))
        return Terms(weights, jnp.asarray(PLACES), jnp.full(PLACES.size, WIDTH), -FARTHEST, FARTHEST)


jax.tree_util.register_dataclass(Conditional, data_fields=["layers", "index"], meta_fields=[])


def log_weights(layers: Layers, others: Float[Array, "... coordinates"]) -> Float[Array, "... terms"]:
    """Logarithms of the terms' weights, which add up to 1; a network of zeros gives the prior."""
    return jax.nn.log_softmax(PRIOR + network(layers, others), axis=-1)


def log_density(layers: Layers, others: Float[Array, "... coordinates"], z: Float[Array, "... 1"]):
    """ln of the density of z (last axis 1) given the others; the cut at `FARTHEST` is not felt."""
    at = (z - PLACES) / WIDTH
    each = jax.nn.log_sigmoid(at) + jax.nn.log_sigmoid(-at) - jnp.log(WIDTH)
    return jax.nn.logsumexp(log_weights(layers, others) + each, axis=-1)

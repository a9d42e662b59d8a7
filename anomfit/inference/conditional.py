"""One coordinate's distribution given the others: fixed logistic terms about a trend, whose weights a network sets."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm
from jaxtyping import Array, Float, Int

from anomfit.inference.logistic import BASE, Terms, at_log_odds, log_odds
from anomfit.inference.network import Layers, network
from anomfit.inference.trend import Trend, features, from_trend, to_trend

PLACES = np.linspace(-3.5, 3.5, 19)
WIDTH = 0.25  # of each term
FARTHEST = 18.0  # scatters (`trend`), which grow on the way to hundreds
PRIOR = norm.logpdf(PLACES)  # log weights whose sum is nearly the normal distribution


@dataclass(frozen=True)
class Conditional:
    """The change of the coordinate `index` from a nearly normal w to z; network and trend are blind to those changed
    later.
    """

    layers: Layers
    trend: Trend
    index: Int[Array, ""]

    def to_normal(self, w: Float[Array, "coordinates"]) -> tuple[Float[Array, "coordinates"], Float[Array, ""]]:
        """The coordinates with z in the place of w, and ln |dz/dw|."""
        terms = self._terms(w)
        v = at_log_odds(terms, BASE * w[self.index])
        z, log_slope = to_trend(self.trend, self.index, w, v)
        return w.at[self.index].set(z), log_slope + jnp.log(BASE) - jnp.log(log_odds(terms, v)[1])

    def from_normal(self, z: Float[Array, "coordinates"]) -> Float[Array, "coordinates"]:
        """The inverse of `to_normal`."""
        v = from_trend(self.trend, self.index, z)
        return z.at[self.index].set(log_odds(self._terms(z), v)[0] / BASE)

    def _terms(self, others) -> Terms:
        weights = jnp.exp(log_weights(self.layers, features(self.trend, others)))
        return Terms(weights, jnp.asarray(PLACES), jnp.full(PLACES.size, WIDTH), -FARTHEST, FARTHEST)


jax.tree_util.register_dataclass(Conditional, data_fields=["layers", "trend", "index"], meta_fields=[])


def log_weights(layers: Layers, others: Float[Array, "... coordinates"]) -> Float[Array, "... terms"]:
    """Logarithms of the terms' weights, which add up to 1, given features; a network of zeros gives a normal one."""
    return jax.nn.log_softmax(PRIOR + network(layers, others), axis=-1)


def log_density(layers: Layers, others: Float[Array, "... coordinates"], v: Float[Array, "... 1"]):
    """ln of the density of v (last axis 1) given the others' features; the cut at `FARTHEST` is not felt."""
    at = (v - PLACES) / WIDTH
    each = jax.nn.log_sigmoid(at) + jax.nn.log_sigmoid(-at) - jnp.log(WIDTH)
    return jax.nn.logsumexp(log_weights(layers, others) + each, axis=-1)

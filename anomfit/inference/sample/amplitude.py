"""One coordinate counted from where a rate is right, given the others.

A measured rate leaves a parameter to whose square it is proportional free only within a band, or below a wall, whose
place depends on the other parameters. A small network predicts that place; the distribution about it is the same
everywhere.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm
from jaxtyping import Array, Float, Int

from anomfit.inference.sample.logistic import BASE, Terms, at_log_odds, log_odds
from anomfit.inference.sample.network import Layers, network

CENTRES = (-0.3, 1.3)  # where the place may be, in quantiles: outside, the rate is right nowhere in the prior
SOFT = 0.02  # width over which these bounds act


@dataclass(frozen=True)
class Amplitude:
    """The change of the coordinate `index` from a nearly normal w to the prior's normal quantile z.

    layers: of the network, blind to this coordinate and those changed later; weights, places, widths: of the logistic
    terms of the density of the prior's quantile less the predicted place.
    """

    layers: Layers
    weights: Float[Array, "terms"]
    places: Float[Array, "terms"]
    widths: Float[Array, "terms"]
    index: Int[Array, ""]

    def to_normal(self, w: Float[Array, "coordinates"]) -> tuple[Float[Array, "coordinates"], Float[Array, ""]]:
        """The coordinates with z in the place of w, and ln |dz/dw|."""
        terms = self._terms(w)
        u = at_log_odds(terms, BASE * w[self.index])
        z = norm.ppf(u)
        return w.at[self.index].set(z), jnp.log(BASE) - jnp.log(log_odds(terms, u)[1]) - norm.logpdf(z)

    def from_normal(self, z: Float[Array, "coordinates"]) -> Float[Array, "coordinates"]:
        """The inverse of `to_normal`."""
        u = jnp.clip(norm.cdf(z[self.index]), 1e-12, 1.0 - 1e-12)
        return z.at[self.index].set(log_odds(self._terms(z), u)[0] / BASE)

    def _terms(self, others) -> Terms:
        low, high = CENTRES
        place = network(self.layers, others)[0]
        place = low + SOFT * (jax.nn.softplus((place - low) / SOFT) - jax.nn.softplus((place - high) / SOFT))
        return Terms(self.weights, place + self.places, self.widths, 0.0, 1.0)


jax.tree_util.register_dataclass(
    Amplitude, data_fields=["layers", "weights", "places", "widths", "index"], meta_fields=[]
)

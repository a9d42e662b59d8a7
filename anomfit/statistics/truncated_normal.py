"""The standard normal distribution between two ends, exact in both tails, with finite gradients everywhere."""

from typing import NamedTuple

import jax.numpy as jnp
from jax.scipy.special import ndtri
from jax.scipy.stats import norm
from jaxtyping import Array, ArrayLike, Float

FARTHEST = 30.0  # standard deviations: an end that is farther away is taken there, where the probability is 1e-197
NARROWEST = 1e-9  # of an interval, in standard deviations


class Truncated(NamedTuple):
    """A standard normal distribution between the ends `low` <= 0 and `high`, in standard deviations from the mean.

    An interval that is empty keeps a width of `NARROWEST`, so that its probability is tiny and not 0.
    """

    low: Float[Array, ""]
    high: Float[Array, ""]

    @property
    def probability(self) -> Float[Array, ""]:
        """What the normal distribution without ends has between them."""
        return norm.cdf(self.high) - norm.cdf(self.low)

    def at_quantile(self, below: Float[Array, ""], above: Float[Array, ""]) -> Float[Array, ""]:
        """The place with the fractions `below` and `above` = 1 - `below` of the probability on its two sides."""
        left = norm.cdf(self.low) + below * self.probability
        right = norm.cdf(-self.high) + above * self.probability
        is_left = left < 0.5
        tail = ndtri(jnp.where(is_left, left, jnp.minimum(right, 0.5)))
        return jnp.clip(jnp.where(is_left, tail, -tail), self.low, self.high)

    def quantile(self, place: Float[Array, ""]) -> Float[Array, ""]:
        """The fraction of the probability below a place between the ends."""
        return (norm.cdf(place) - norm.cdf(self.low)) / self.probability


def truncated(low: ArrayLike, high: ArrayLike) -> Truncated:
    """The distribution between two ends in standard deviations, of which the lower one is at most 0."""
    start = jnp.clip(low, -FARTHEST, 0.0)
    return Truncated(start, jnp.maximum(jnp.minimum(high, FARTHEST), start + NARROWEST))

"""Sums of logistic distributions, cut to an interval: exact odds of being below a number, and their inverse.

The building block of the sampler's changes of coordinates: a variable with such a distribution becomes nearly normal
as its log-odds over `BASE`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

BASE = 1.7  # a logistic variable this much narrower is nearly a normal one
HALVINGS = 40  # of the interval; a Newton step squares what is left


class Terms(NamedTuple):
    """Weights (any norm), centres and widths of the terms, and the interval to which their sum is cut."""

    weights: Float[Array, "terms"]
    places: Float[Array, "terms"]
    widths: Float[Array, "terms"]
    low: float
    high: float


def log_odds(terms: Terms, x: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """ln of the probability below x over that above, and its derivative with respect to x."""
    at, below, above = ((edge - terms.places) / terms.widths for edge in (x, terms.low, terms.high))
    lower = jnp.sum(terms.weights * _rise(below, at))
    upper = jnp.sum(terms.weights * _rise(at, above))
    density = jnp.sum(terms.weights / terms.widths * jax.nn.sigmoid(at) * jax.nn.sigmoid(-at))
    return jnp.log(lower) - jnp.log(upper), density * (1.0 / lower + 1.0 / upper)


def at_log_odds(terms: Terms, odds: Float[Array, ""]) -> Float[Array, ""]:
    """The x with these `log_odds`, inside the interval; differentiable."""
    terms_now, odds_now = jax.lax.stop_gradient((terms, odds))

    def halve(_, bounds):
        low, high = bounds
        middle = 0.5 * (low + high)
        is_below = log_odds(terms_now, middle)[0] < odds_now
        return jnp.where(is_below, middle, low), jnp.where(is_below, high, middle)

    margin = 1e-12 * (terms.high - terms.low)
    first, last = jnp.asarray(terms.low + margin), jnp.asarray(terms.high - margin)
    low, high = jax.lax.fori_loop(0, HALVINGS, halve, (first, last))
    rough = 0.5 * (low + high)
    # one Newton step: exact to its square, and with the derivatives of the solution
    found, slope = log_odds(terms, rough)
    return jnp.clip(rough - (found - odds) / jax.lax.stop_gradient(slope), first, last)


def _rise(a, b):
    """sigmoid(b) - sigmoid(a) for b > a, to full relative precision in both tails."""
    return jax.nn.sigmoid(b) * jax.nn.sigmoid(-a) * -jnp.expm1(a - b)

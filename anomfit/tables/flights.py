"""The share of pairs that decay in sight, a smooth function of their momentum, by its values at a few momenta.

Kernels of masses know nothing of lifetimes: they have one number for each of these momenta, which multiplies the share
there. Between them stand Lagrange's polynomials in the logarithm.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial.chebyshev import chebpts1

from anomfit.rates.pair_events import Nodes

FLIGHTS = 9  # momenta at which the share that decays in sight is asked for
SOFT = 0.05  # GeV: momenta above it lie evenly in their logarithm


def flight_momenta(pair: Float[Array, ""], nodes: Nodes, number: int = FLIGHTS) -> Float[Array, "flights"]:
    """Momenta (GeV) of the pair at which its flight is asked for: Chebyshev's points in ln(p + SOFT)."""
    low, high = _momentum_range(pair, nodes)
    return jnp.exp(0.5 * (low + high) + 0.5 * (high - low) * chebpts1(number)) - SOFT


def lagrange(
    momentum: Float[Array, "*energies"], pair: Float[Array, ""], nodes: Nodes, number: int = FLIGHTS
) -> Float[Array, "*energies flights"]:
    """Lagrange's polynomials of those momenta."""
    low, high = _momentum_range(pair, nodes)
    place = jnp.clip((2.0 * jnp.log(momentum + SOFT) - low - high) / (high - low), -1.0, 1.0)
    at = chebpts1(number)
    own = np.eye(number, dtype=bool)
    factors = jnp.where(own, 1.0, place[..., None, None] - at) / np.where(own, 1.0, at[:, None] - at)
    return jnp.prod(factors, axis=-1)


def _momentum_range(pair, nodes: Nodes):
    """Logarithms of momenta + SOFT between which pairs are seen; smooth in the mass of the pair, unlike the momentum at
    the lowest energy seen.
    """
    low = nodes.lowest * jnp.exp(-2.0 * (pair / nodes.lowest) ** 2)
    return jnp.log(low + SOFT), jnp.log(nodes.highest + SOFT)

"""Tables joined by straight lines with rounded corners: a rate that is computed from them has a derivative everywhere.

Nodes of a quadrature move with the parameters and pass the knots of a table; at a corner the rate's slope would jump.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

ROUNDING = 0.02  # half-width of a rounded corner, in steps between knots


def rounded(t: Float[Array, "..."]) -> Float[Array, "..."]:
    """What turns the corner |t| into a polynomial for t < 1, three derivatives continuous there; 0 beyond; t >= 0."""
    left = jnp.maximum(1.0 - t, 0.0)
    return left**4 * (t**2 + 4.0 * t + 5.0) / 16.0


def interpolate(x: Float[Array, "..."], knots: np.ndarray, values: np.ndarray) -> Float[Array, "..."]:
    """Straight lines through (knots, values), constant outside, the corners at inner knots rounded.

    knots: increasing. The value at a corner moves by 0.3 % of a step times the change of slope.
    """
    step = np.diff(knots)
    bend = np.concatenate([[0.0], np.diff(np.diff(values) / step), [0.0]])
    reach = ROUNDING * np.concatenate([step[:1], np.minimum(step[1:], step[:-1]), step[-1:]])
    nearest = jnp.searchsorted(0.5 * (knots[1:] + knots[:-1]), x)
    at, bends, half = (jnp.asarray(part)[nearest] for part in (knots, bend, reach))
    return jnp.interp(x, knots, values) + 0.5 * bends * half * rounded(jnp.abs(x - at) / half)

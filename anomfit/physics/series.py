"""A smooth function of one variable as a Chebyshev series, with a slope of its own: sums of products, no look-up."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


@lru_cache
def chebyshev_places(n: int) -> np.ndarray:
    """The n places on (-1, 1) at which `chebyshev_series` wants values."""
    return np.cos(np.pi * (np.arange(n) + 0.5) / n)


@lru_cache
def _onto_series(n: int) -> np.ndarray:
    """Coefficients from values at the places, (coefficient, place)."""
    table = 2.0 / n * np.cos(np.arange(n)[:, None] * np.pi * (np.arange(n) + 0.5) / n)
    table[0] *= 0.5
    return table


@lru_cache
def _onto_slope(n: int) -> np.ndarray:
    """Coefficients of the derivative from coefficients: T_k' = 2k (T_{k-1} + T_{k-3} + ...), T_0 counts half."""
    k = np.arange(n)
    table = np.where((k[:, None] < k) & ((k - k[:, None]) % 2 == 1), 2.0 * k, 0.0)
    table[0] *= 0.5
    return table


def chebyshev_series(values: Float[Array, " n"]) -> Float[Array, " n"]:
    """Coefficients of the polynomial that has these values at `chebyshev_places`."""
    return jnp.asarray(_onto_series(len(values))) @ values


@jax.custom_jvp
def evaluate_series(coefficients: Float[Array, " n"], x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The sum of coefficients times T_k(x), by Clenshaw's recurrence."""
    one, two = jnp.zeros_like(x), jnp.zeros_like(x)
    for k in range(len(coefficients) - 1, 0, -1):
        one, two = coefficients[k] + 2.0 * x * one - two, one
    return coefficients[0] + x * one - two


@evaluate_series.defjvp
def _evaluate_series_jvp(primals, tangents):
    coefficients, x = primals
    slope = evaluate_series(jnp.asarray(_onto_slope(len(coefficients))) @ coefficients, x)
    slope = jax.lax.optimization_barrier(slope)  # else it is worked out again for each tangent
    return evaluate_series(coefficients, x), slope * tangents[1] + evaluate_series(tangents[0], x)

"""Legendre and Chebyshev polynomials of all degrees below n at once, with slopes of their own.

Both follow from p_{l+1} = a_l x p_l - b_l p_{l-1}, and their derivatives from sums over every other degree:
p'_{l+1} = k_l (w_l p_l + w_{l-2} p_{l-2} + ...). Abramowitz and Stegun, chapter 22.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


class _Recurrence(NamedTuple):
    """a, b, k and w above, by degree."""

    rise: np.ndarray
    fall: np.ndarray
    scale: np.ndarray
    weight: np.ndarray


def _of_legendre(n: int) -> _Recurrence:
    l = np.arange(float(n))
    return _Recurrence((2 * l + 1) / (l + 1), l / (l + 1), np.ones(n), 2 * l + 1)


def _of_chebyshev(n: int) -> _Recurrence:
    l = np.arange(n)
    return _Recurrence(np.where(l > 0, 2.0, 1.0), np.where(l > 0, 1.0, 0.0), l + 1.0, np.where(l > 0, 2.0, 1.0))


FAMILIES = {"legendre": _of_legendre, "chebyshev": _of_chebyshev}


def legendre(x: Float[Array, "... x"], n: int) -> Float[Array, "... n x"]:
    """P_0 ... P_{n-1} at x, on a new last axis but one."""
    return _polynomials(x, n, "legendre")


def legendre_slopes(waves: Float[Array, "... n x"]) -> Float[Array, "... n x"]:
    """P_0' ... P_{n-1}' from P_0 ... P_{n-1}, laid out alike."""
    return _slopes(waves, "legendre")


def chebyshev(x: Float[Array, "... x"], n: int) -> Float[Array, "... n x"]:
    """T_0 ... T_{n-1} at x, on a new last axis but one."""
    return _polynomials(x, n, "chebyshev")


@partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def _polynomials(x, n: int, family: str):
    given = FAMILIES[family](n)

    def upwards(last_two, factors):
        before, here = last_two
        return (here, factors[0] * x * here - factors[1] * before), here

    # a loop: written out, it is compiled to loops that begin again at degree 0 for every degree
    start = (jnp.zeros_like(x), jnp.ones_like(x))
    _, rows = jax.lax.scan(upwards, start, (jnp.asarray(given.rise), jnp.asarray(given.fall)))
    return jnp.moveaxis(rows, 0, -2)


@_polynomials.defjvp
def _polynomials_jvp(n, family, primals, tangents):
    rows = _polynomials(primals[0], n, family)
    return rows, _slopes(rows, family) * tangents[0][..., None, :]


def _slopes(rows, family: str):
    rows = jnp.moveaxis(rows, -2, 0)
    given = FAMILIES[family](len(rows))

    def upwards(last_two, terms):
        row, weight, scale = terms
        before, here = last_two
        return (here, before + weight * row), scale * here

    start = (jnp.zeros_like(rows[0]), jnp.zeros_like(rows[0]))
    scale = np.append(0.0, given.scale[:-1])  # of the degree above the sum's
    _, slopes = jax.lax.scan(upwards, start, (rows, jnp.asarray(given.weight), jnp.asarray(scale)))
    return jnp.moveaxis(slopes, 0, -2)

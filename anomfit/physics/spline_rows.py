"""Rows of numbers on an even grid in two coordinates, with cubic B-splines between them and slopes of their own.

A function of two coordinates with many values, such as all its projections on a third coordinate, is looked up as 16
rows times weights: a sum over global polynomials would touch every number of the table for each place.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from numpy.polynomial.chebyshev import chebvander
from scipy.interpolate import BSpline

SAMPLES = 8  # places in each cell at which splines are fitted to polynomials


def spline_weights(
    place: Float[Array, "..."], cells: int
) -> tuple[Int[Array, "..."], list[Float[Array, "..."]], list[Float[Array, "..."]]]:
    """The first of four coefficients that matter at a place from 0 to 1, held there; their weights; slopes of those."""
    along = cells * jnp.clip(place, 0.0, 1.0)
    first = jnp.clip(jnp.floor(along).astype(int), 0, cells - 1)
    u = along - first
    v = 1.0 - u
    weights = [v**3, 3.0 * u**3 - 6.0 * u**2 + 4.0, 3.0 * v**3 - 6.0 * v**2 + 4.0, u**3]
    slopes = [-(v**2), 3.0 * u**2 - 4.0 * u, 4.0 * v - 3.0 * v**2, u**2]
    inside = jnp.where((place >= 0.0) & (place <= 1.0), 0.5 * cells, 0.0)
    return first, [weight / 6.0 for weight in weights], [inside * slope for slope in slopes]


def splines_of_chebyshev(degrees: int, cells: int, is_even: bool = False) -> Float[np.ndarray, "coefficients degrees"]:
    """Coefficients, cells + 3 of them, of the splines nearest to T_0 to T_{degrees-1} of 2 x - 1, x from 0 to 1.

    is_even: of 2 x^2 - 1 instead; the splines are even in x too, so that they have no slope at 0.
    """
    x = (np.arange(SAMPLES * cells + 1.0)) / (SAMPLES * cells)
    knots = np.arange(-3.0, cells + 4.0) / cells
    basis = BSpline.design_matrix(x, knots, 3).toarray()
    polynomials = chebvander(2.0 * (x**2 if is_even else x) - 1.0, degrees - 1)
    if not is_even:
        return np.linalg.lstsq(basis, polynomials, rcond=None)[0]
    basis[:, 2] += basis[:, 0]
    found = np.linalg.lstsq(basis[:, 1:], polynomials, rcond=None)[0]
    return np.concatenate([found[1:2], found])


@jax.custom_jvp
def sums_of_rows(
    rows: Float[Array, "first second numbers"],
    factors: Float[Array, "sums groups places"],
    first: Float[Array, "groups places"],
    second: Float[Array, "groups places"],
) -> Float[Array, "sums groups numbers"]:
    """Sums over the places of a group of factors times the numbers there; `rows` are coefficients, without slopes.

    first, second: where, from 0 to 1.
    """
    start, weight, _ = spline_weights(first, rows.shape[0] - 3)
    start_two, weight_two, _ = spline_weights(second, rows.shape[1] - 3)
    return _summed(factors, _at(rows, start * rows.shape[1] + start_two, weight, weight_two))


@sums_of_rows.defjvp
def _with_slopes(primals, tangents):
    rows, factors, first, second = primals
    _, other_factors, step, step_two = tangents
    start, weight, slope = spline_weights(first, rows.shape[0] - 3)
    start_two, weight_two, slope_two = spline_weights(second, rows.shape[1] - 3)
    place = start * rows.shape[1] + start_two
    # indices of three kinds: compilers would keep rows in memory that they knew to be used thrice
    here = _at(rows, place, weight, weight_two)
    along = _at(rows, place.astype(jnp.int32), slope, weight_two)
    across = _at(rows, place.astype(jnp.uint32), weight, slope_two)
    change = _summed(other_factors, here) + _summed(factors * step, along) + _summed(factors * step_two, across)
    return _summed(factors, here), change


def _summed(factors, numbers):
    return jnp.einsum("wpx,pxn->wpn", factors, numbers)


def _at(rows, place, weight, weight_two):
    flat = rows.reshape(-1, rows.shape[-1])
    total = jnp.zeros((*place.shape, rows.shape[-1]), rows.dtype)
    for i in range(4):  # written out, so that all of it is one loop over the numbers
        for j in range(4):
            total += (weight[i] * weight_two[j])[..., None] * flat[place + i * rows.shape[1] + j]
    return total

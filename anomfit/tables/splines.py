"""Cubic splines on nodes from 0 to 1, not-a-knot, as four weights times four coefficients."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.interpolate import make_interp_spline

FEWEST = 4  # nodes: with less no cubic is fixed


class Corner(NamedTuple):
    """The first of four coefficients that matter along an axis, and their weights."""

    first: Int[Array, ""]
    weight: Float[Array, "4"]


class Strides(NamedTuple):
    """The first row of a product of three axes, and by how many rows neighbours on the first and on the second of them
    are apart; those on the third are one row apart.
    """

    start: int | Int[Array, ""]
    first: int | Int[Array, ""]
    second: int | Int[Array, ""]


def to_coefficients(values: np.ndarray, nodes: Float[np.ndarray, "nodes"], axis: int) -> np.ndarray:
    """Coefficients of the B-splines that go through `values` at the nodes along an axis; as many as nodes."""
    moved = np.moveaxis(values, axis, 0)
    return np.moveaxis(make_interp_spline(nodes, moved, k=3).c, 0, axis).astype(values.dtype)


def weights(place: Float[Array, ""], nodes: Float[np.ndarray, "nodes"]) -> Corner:
    """The first of four coefficients that matter at `place`, and their weights: Cox and de Boor's recursion.

    place: from 0 to 1, held there; nodes: static.
    """
    # the cells next to both ends share a cubic with their neighbours
    knots = jnp.asarray(np.concatenate([np.zeros(4), nodes[2:-2], np.ones(4)]))
    inside = jnp.clip(place, 0.0, 1.0)
    first = jnp.sum(inside >= jnp.asarray(nodes[2:-2]))
    near = [knots[first + 1 + k] for k in range(6)]  # three below the place, three above
    found = [jnp.ones(())]
    for degree in range(1, 4):
        left = [inside - near[2 - k] for k in range(degree)]
        right = [near[3 + k] - inside for k in range(degree)]
        found, saved = _raised(found, left, right)
        found.append(saved)
    return Corner(first, jnp.stack(found))


def _raised(found, left, right):
    """Weights of one degree more but the last, and the last."""
    raised, saved = [], jnp.zeros(())
    for r, weight in enumerate(found):
        share = weight / (right[r] + left[len(found) - 1 - r])
        raised.append(saved + right[r] * share)
        saved = left[len(found) - 1 - r] * share
    return raised, saved

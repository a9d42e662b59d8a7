"""Integrals over pulls, each of which has the prior N(0, 1), of a likelihood of the pulls alone.

Laplace's method: the likelihood times the prior is taken for a Gaussian about its mode. One pull alone is summed over a
grid. Both are smooth functions of whatever the likelihood depends on besides, and neither holds a random number.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

STEPS = 3  # of Newton's method, from pulls of 0: most pulls are held by their own prior
LONGEST = 2.0  # of a step, in standard deviations of the prior
TRIED = (1.0, 0.5, 0.2, 0.05, 0.0)  # parts of a step, the best of which is taken
GRID = np.linspace(-4.5, 4.5, 21)  # values of one pull alone
SPACING = float(GRID[1] - GRID[0])

LogLikelihood = Callable[[Float[Array, " pulls"]], Float[Array, ""]]


class Around(NamedTuple):
    """A Gaussian about the mode: the Hessian of -ln(likelihood x prior) is `lower` x `pivots` x `lower` transposed, the
    diagonal of `lower` being 1; and the logarithm of the integral.
    """

    mode: Float[Array, " pulls"]
    lower: Float[Array, "pulls pulls"]
    pivots: Float[Array, " pulls"]
    log_integral: Float[Array, ""]


def around_mode(log_likelihood: LogLikelihood, pulls: int) -> Around:
    """The Gaussian that stands for N(0, 1) of so many pulls times their likelihood.

    A pivot below 1, less than the prior alone has, is taken for 1: there the likelihood has no maximum.
    """

    def loss(q):
        return 0.5 * q @ q - log_likelihood(q)

    def closer(_, q):
        lower, pivots = factors(jax.hessian(loss)(q))
        step = -solved(lower, pivots, jax.grad(loss)(q))
        step = step * jnp.minimum(1.0, LONGEST / jnp.maximum(jnp.sqrt(step @ step), 1e-9))
        places = q + jnp.array(TRIED)[:, None] * step
        losses = jax.vmap(loss)(places)
        return places[jnp.argmin(jnp.where(jnp.isfinite(losses), losses, jnp.inf))]

    mode = jax.lax.fori_loop(0, STEPS, closer, jnp.zeros(pulls))
    lower, pivots = factors(jax.hessian(loss)(mode))
    return Around(mode, lower, pivots, -loss(mode) - 0.5 * jnp.sum(jnp.log(pivots)))


def integral_of_one(
    log_likelihood: Callable[[Float[Array, ""]], Float[Array, ""]], shift: Float[Array, ""] | float = 0.0
) -> Float[Array, ""]:
    """ln of the integral over one pull: a sum over a grid, moved by `shift`."""
    return jax.nn.logsumexp(terms_of_one(log_likelihood, shift))


def terms_of_one(
    log_likelihood: Callable[[Float[Array, ""]], Float[Array, ""]], shift: Float[Array, ""] | float = 0.0
) -> Float[Array, "grid"]:
    """The logarithms of the terms of that sum."""
    q = jnp.asarray(GRID) + shift
    return jax.vmap(log_likelihood)(q) + log_normal(q) + jnp.log(SPACING)


def log_normal(q):
    """ln N(0, 1)."""
    return -0.5 * q**2 - 0.5 * jnp.log(2.0 * jnp.pi)


def factors(matrix: Float[Array, "n n"]) -> tuple[Float[Array, "n n"], Float[Array, " n"]]:
    """`lower` with ones on its diagonal and `pivots`, at least 1, of matrix = lower x pivots x lower transposed.

    Written out for the few rows that there are: a call of LAPACK costs more.
    """
    rows, columns, pivots, rest = matrix.shape[0], [], [], matrix
    for i in range(rows):
        pivot = jnp.maximum(rest[i, i], 1.0)
        column = jnp.where(jnp.arange(rows) > i, rest[:, i] / pivot, 0.0)
        rest = rest - pivot * jnp.outer(column, column)
        columns.append(column)
        pivots.append(pivot)
    return jnp.stack(columns, axis=1) + jnp.eye(rows), jnp.stack(pivots)


def solved(lower: Float[Array, "n n"], pivots: Float[Array, " n"], x: Float[Array, " n"]) -> Float[Array, " n"]:
    """What lower x pivots x lower transposed turns into `x`."""
    for i in range(len(pivots)):
        x = x - jnp.where(jnp.arange(len(pivots)) > i, lower[:, i], 0.0) * x[i]
    return turned_back(lower, x / pivots)


def turned_back(lower: Float[Array, "n n"], x: Float[Array, " n"]) -> Float[Array, " n"]:
    """What `lower` transposed turns into `x`."""
    for i in reversed(range(len(x))):
        x = x.at[i].add(-jnp.sum(jnp.where(jnp.arange(len(x)) > i, lower[:, i] * x, 0.0)))
    return x

"""The energies of showers as Chebyshev polynomials of ln E: the axis `energies` of every table of a response."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial.chebyshev import chebpts1, chebvander

from anomfit.physics.polynomials import chebyshev

# Visible energies in GeV between which tables stand; efficiencies are zero outside (0.1, 2.1).
LOWEST, HIGHEST = 0.095, 2.2


def see_energies(energies: int) -> np.ndarray:
    """Pair energies in GeV at which an acceptance is to be evaluated: the Chebyshev points of the table."""
    return np.exp(0.5 * (np.log(LOWEST * HIGHEST) + chebpts1(energies) * np.log(HIGHEST / LOWEST)))


def energy_basis(energy: Float[Array, "... x"], n: int) -> Float[Array, "... n x"]:
    """Chebyshev polynomials in ln E before the last axis, 0 for energies outside the table (where nothing is seen)."""
    x = (2.0 * jnp.log(energy) - np.log(LOWEST * HIGHEST)) / np.log(HIGHEST / LOWEST)
    inside = (x > -1.0) & (x < 1.0)
    return jnp.where(inside[..., None, :], chebyshev(jnp.where(inside, x, 0.0), n), 0.0)


def to_coefficients(n: int) -> Float[np.ndarray, "n n"]:
    """Values at the Chebyshev points of the first kind to coefficients."""
    matrix = (2.0 / n) * chebvander(chebpts1(n), n - 1).T
    matrix[0] *= 0.5
    return matrix

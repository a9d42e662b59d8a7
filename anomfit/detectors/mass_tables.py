"""What a detector makes of a pair as a function of the pair's mass: few functions of the mass times arrays, tabulated.

The coordinate is arccosh(m/2m_e) + ln(1 + m/30 MeV): at the threshold the leptons' energies are smooth in the first
term, and the second has knots lie closer where selections cut. Cubics stand between the knots.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.interpolate import CubicSpline

from anomfit.physics.constants import M_E
from anomfit.physics.kinematics import safe_sqrt

KNOTS = 512
CUT = 0.03  # GeV
HEAVIEST = 2.2  # GeV, mass of pairs; no table of energies has more than this energy
FAINT = 1e-3  # below this part of the largest of all masses, what is small is kept less exactly
EXACT = 1e-5  # of what is kept, of its size


class MassTable(NamedTuple):
    """Functions of the mass, as cubics by cell, power (highest first) and function, and the array of each."""

    cubics: np.ndarray
    arrays: np.ndarray

    def functions(self, mass: Float[Array, "..."]) -> Float[Array, "... functions"]:
        """Their values at masses (GeV) between 2 m_e and `HEAVIEST`, beyond which those at the end are."""
        place = jnp.clip((_stretched(mass) - _START) / _STEP, 0.0, KNOTS - 1.0)
        cell = jnp.clip(jnp.floor(place).astype(int), 0, KNOTS - 2)
        offset = (place - cell)[..., None]
        cubic = jnp.asarray(self.cubics)[cell]
        value = cubic[..., 0, :]
        for power in range(1, cubic.shape[-2]):
            value = value * offset + cubic[..., power, :]
        return value


def build_mass_table(of_mass: Callable[[Float[Array, ""]], Float[Array, "..."]]) -> MassTable:
    """The table of a smooth function of the mass (GeV) alone; it is worked out at `knots` in one program."""
    with jax.ensure_compile_time_eval():
        values = np.asarray(jax.jit(partial(jax.lax.map, of_mass))(jnp.asarray(knots())))
    rows = values.reshape(KNOTS, -1)
    size = np.linalg.norm(rows, axis=1)
    scale = np.maximum(size, FAINT * size.max())[:, None]
    left, singular, right = np.linalg.svd(rows / scale, full_matrices=False)
    kept = max(1, int(np.sum(singular > EXACT * np.sqrt(KNOTS))))
    functions = CubicSpline(np.arange(KNOTS), left[:, :kept] * singular[:kept] * scale)
    return MassTable(np.moveaxis(functions.c, 0, 1), right[:kept].reshape(kept, *values.shape[1:]))


def knots() -> np.ndarray:
    """Masses in GeV, from 2 m_e on."""
    place = _START + _STEP * np.arange(KNOTS)
    low, high = np.full(KNOTS, 2.0 * M_E), np.full(KNOTS, HEAVIEST)
    for _ in range(60):  # bisections in the logarithm, to the last digit
        middle = np.sqrt(low * high)
        is_below = _stretched_number(middle) < place
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    low[0] = 2.0 * M_E
    return low


def _stretched(mass):
    ratio = jnp.maximum(mass / (2.0 * M_E), 1.0)
    return jnp.log(ratio + safe_sqrt((ratio - 1.0) * (ratio + 1.0))) + jnp.log1p(mass / CUT)


def _stretched_number(mass):
    return np.arccosh(np.maximum(mass / (2.0 * M_E), 1.0)) + np.log1p(mass / CUT)


_START = float(_stretched_number(2.0 * M_E))
_STEP = float(_stretched_number(HEAVIEST) - _START) / (KNOTS - 1)

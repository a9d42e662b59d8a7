"""Decays behind a dump of protons, of light bosons that come from mesons: how many relative to others at one mass.

The mesons' forward spectrum is E d^3n/dp^3 ~ (1 - x)^n exp(-b p_T), x = E/E_beam, which the boson follows: rough, but
what the beam, the mesons and the target have in common at one mass cancels where rates are compared.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.constants import HBAR_C_M
from anomfit.physics.quadrature import unit_legendre

POWER, SLOPE = 4.0, 6.0  # n, and b in GeV^-1


class ProtonDump(NamedTuple):
    """Energy and threshold (GeV), shield and decay length (m), angles between which the detector is seen (rad)."""

    beam: float
    shield: float
    decay: float
    lowest: float
    inner: float
    outer: float


def displaced_decays(m: ArrayLike, width: ArrayLike, dump: ProtonDump, nodes: int = 96) -> Float[Array, ""]:
    """Relative number of bosons of mass m and total width (GeV) that decay between shield and end of the detector.

    Of a given number that is made; multiply with branching ratios and squared couplings. Scalars.
    """
    energy, made = _towards(dump, nodes)
    momentum = jnp.sqrt(jnp.maximum(energy**2 - jnp.asarray(m) ** 2, 1e-12))
    length = momentum / m * HBAR_C_M / width
    return jnp.sum(made * jnp.exp(-dump.shield / length) * -jnp.expm1(-dump.decay / length))


def _towards(dump: ProtonDump, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Energies above the threshold and the relative number of bosons at each into the detector's ring; NumPy."""
    u, w = unit_legendre(nodes)
    span = np.log(dump.beam / dump.lowest)
    energy = dump.lowest * np.exp(span * u)

    def outside(angle):  # int over angles of theta exp(-b E theta) dtheta, times (b E)^2
        return (1.0 + SLOPE * energy * angle) * np.exp(-SLOPE * energy * angle)

    per_energy = (1.0 - energy / dump.beam) ** POWER / energy * (outside(dump.inner) - outside(dump.outer))
    return energy, w * span * energy * per_energy

"""Two-flavour neutrino oscillation."""

import jax.numpy as jnp
from jaxtyping import ArrayLike

from anomfit.physics.constants import HBAR_C_M


def appearance_probability(sin2_2theta: ArrayLike, delta_m2: ArrayLike, energy: ArrayLike, length: ArrayLike):
    """P(nu_a -> nu_b) = sin^2(2 theta) sin^2(Delta m^2 L / 4E); Delta m^2 in eV^2, E in GeV, L in m.

    PDG review "Neutrino masses, mixing, and oscillations", eq 14.39 (1.267 L/E in km/GeV, here from hbar c).
    """
    return sin2_2theta * phase_factor(delta_m2, energy, length)


def phase_factor(delta_m2: ArrayLike, energy: ArrayLike, length: ArrayLike):
    """sin^2(Delta m^2 L / 4E); units as above."""
    return jnp.sin(1e-18 * delta_m2 * length / (4.0 * HBAR_C_M * energy)) ** 2

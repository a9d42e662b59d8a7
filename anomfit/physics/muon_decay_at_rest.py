"""Neutrinos of mu+ at rest: the spectra of nu_e and anti-nu_mu, GeV."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.physics.constants import M_MU

ENDPOINT = 0.5 * M_MU
"""Highest neutrino energy, GeV (m_e neglected: 0.6 keV of the neutrino's 52.83 MeV)."""


def muon_antineutrino_spectrum(energy: Float[Array, "..."]) -> Float[Array, "..."]:
    """Density of anti-nu_mu in `energy` (GeV), 1/GeV, integral 1: (64/m^4) E^2 (3/4 m - E), 0 outside (0, m_mu/2).

    Pure V-A with the electron's mass neglected; PDG 2024 review "Muon decay parameters" (crossed).
    """
    inside = (energy > 0.0) & (energy < ENDPOINT)
    return jnp.where(inside, 64.0 / M_MU**4 * energy**2 * (0.75 * M_MU - energy), 0.0)

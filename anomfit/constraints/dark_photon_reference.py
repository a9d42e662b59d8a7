"""The dark photon of arXiv:1807.09877 that explains MiniBooNE: what other mediators are compared with."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.beams import Beam, Target
from anomfit.data import load_record
from anomfit.physics import coherent_vector
from anomfit.physics.quadrature import unit_legendre

ENERGIES = 320


def benchmark() -> dict[str, float]:
    """Masses (GeV) and couplings of the benchmark, and the mixing that is just allowed elsewhere."""
    return dict(load_record("accelerators/pair_searches").parts["dark_photon_benchmark"].values)


def coherent_cross_section(energy: float, nucleus: Target, U_mu4_squared: float) -> float:
    """nu_mu + nucleus -> N + nucleus at one energy (GeV), cm^2."""
    values = benchmark()
    mass_number = nucleus.protons + nucleus.neutrons
    kernel = coherent_vector.cross_section(energy, values["m_N"], values["m_V"], nucleus.mass, mass_number)
    return float(kernel) * couplings(values, U_mu4_squared, nucleus.protons)


def coherent_interactions(beam: Beam, U_mu4_squared: float) -> float:
    """Coherent interactions with the beam's nucleus in its first exposure."""
    values = benchmark()
    nucleus = next(target for target in beam.composition if target.is_nucleus)
    threshold = values["m_N"] * (1.0 + 0.5 * values["m_N"] / nucleus.mass)
    u, w = unit_legendre(ENERGIES)
    span = float(beam.highest_energy) - threshold
    energy = threshold + span * u**2
    mass_number = nucleus.protons + nucleus.neutrons
    at_one = partial(
        coherent_vector.cross_section,
        m_N=values["m_N"],
        m_V=values["m_V"],
        m_target=nucleus.mass,
        mass_number=mass_number,
    )
    kernel = jax.jit(jax.vmap(at_one))(jnp.asarray(energy))
    flux = beam.flux_at(jnp.asarray(energy))[:, 0]
    integral = jnp.sum(w * 2.0 * u * span * kernel * flux) * beam.exposure[0] * nucleus.count
    return float(integral) * couplings(values, U_mu4_squared, nucleus.protons)


def couplings(values: dict[str, float], U_mu4_squared: float, protons: int) -> float:
    """(g_D |U_mu4| e eps Z)^2."""
    return values["alpha_D"] * values["alpha_eps_squared"] * (4.0 * np.pi * protons) ** 2 * U_mu4_squared

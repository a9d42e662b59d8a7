"""The dark photon of arXiv:1807.09877 that explains MiniBooNE: what other mediators are compared with."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.beams import Beam, Target
from anomfit.data import load_record
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.vector_upscattering import cross_section, cross_section_nucleon

ENERGIES = 320


def benchmark() -> dict[str, float]:
    """Masses (GeV) and couplings of the benchmark, and the mixing that is just allowed elsewhere."""
    return dict(load_record("accelerators/pair_searches").parts["dark_photon_benchmark"].values)


def coherent_cross_section(energy: float, nucleus: Target, U_mu4_squared: float) -> float:
    """nu_mu + nucleus -> N + nucleus at one energy (GeV), cm^2."""
    values = benchmark()
    kernel = _at_energies(jnp.array([energy]), values, nucleus)[0]
    return float(kernel) * couplings(values, U_mu4_squared, nucleus.protons)


def interactions(beam: Beam, U_mu4_squared: float) -> tuple[float, float]:
    """(coherent, incoherent) interactions with the beam's nuclei and with its nucleons, in its first exposure."""
    coherent = sum(_with(beam, target, U_mu4_squared) for target in beam.composition if target.is_nucleus)
    return coherent, sum(_with(beam, target, U_mu4_squared) for target in beam.composition if not target.is_nucleus)


def _with(beam: Beam, target: Target, U_mu4_squared: float) -> float:
    values = benchmark()
    threshold = values["m_N"] * (1.0 + 0.5 * values["m_N"] / target.mass)
    u, w = unit_legendre(ENERGIES)
    span = float(beam.highest_energy) - threshold
    energy = jnp.asarray(threshold + span * u**2)
    kernel = _at_energies(energy, values, target)
    integral = jnp.sum(w * 2.0 * u * span * kernel * beam.flux_at(energy)[:, 0]) * beam.exposure[0] * target.count
    charge = target.protons if target.is_nucleus else 1  # a nucleon's charge stands in its form factors
    return float(integral) * couplings(values, U_mu4_squared, charge)


@partial(jax.jit, static_argnames="target")
def _at_energies(energies, values: dict[str, float], target: Target):
    return jax.vmap(lambda energy: _at_one(energy, values, target))(energies)


def _at_one(energy, values: dict[str, float], target: Target):
    if target.is_nucleus:
        return cross_section(energy, values["m_N"], values["m_V"], target.mass, target.protons + target.neutrons)
    return cross_section_nucleon(energy, values["m_N"], values["m_V"], target.mass, target.name)


def couplings(values: dict[str, float], U_mu4_squared: float, charge: int) -> float:
    """(g_D |U_mu4| e eps Z)^2 for the target's charge Z."""
    return values["alpha_D"] * values["alpha_eps_squared"] * (4.0 * np.pi * charge) ** 2 * U_mu4_squared

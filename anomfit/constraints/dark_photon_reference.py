"""The dark photon of arXiv:1807.09877 that explains MiniBooNE: what other mediators are compared with."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.beams import Beam, Target
from anomfit.data import load_record
from anomfit.physics.targets import FormFactors
from anomfit.physics.vector_exchange import VectorExchange
from anomfit.rates import interactions as rates

ENERGIES = 320
FORM_FACTORS = FormFactors(nucleon="dipole", nucleus="helm", M_S=1.0)


def benchmark() -> dict[str, float]:
    """Masses (GeV) and couplings of the benchmark, and the mixing that is just allowed elsewhere."""
    return dict(load_record("accelerators/pair_searches").parts["dark_photon_benchmark"].values)


def coherent_cross_section(energy: float, nucleus: Target, U_mu4_squared: float) -> float:
    """nu_mu + nucleus -> N + nucleus at one energy (GeV), cm^2."""
    return float(_at_energy(energy, U_mu4_squared, nucleus))


def interactions(beam: Beam, U_mu4_squared: float) -> tuple[float, float]:
    """(coherent, incoherent) interactions with the beam's nuclei and with its nucleons, in its first exposure."""
    coherent, incoherent = _in_beam(beam, U_mu4_squared)[:, 0]
    return float(coherent), float(incoherent)


def exchange(U_mu4_squared) -> VectorExchange:
    """The benchmark's exchange: g = g_D |U_mu4|, e eps to protons; the form factors of its paper, no binding."""
    values = benchmark()
    g = jnp.sqrt(4.0 * np.pi * values["alpha_D"] * U_mu4_squared)
    charge = np.sqrt(4.0 * np.pi * values["alpha_eps_squared"])
    mass, g, charge = (jnp.reshape(jnp.asarray(value), (1,)) for value in (values["m_V"], g, charge))
    return VectorExchange(jnp.asarray(values["m_N"]), mass, g, charge, None, FORM_FACTORS)


@partial(jax.jit, static_argnames="target")
def _at_energy(energy, U_mu4_squared, target: Target):
    return rates.cross_section(exchange(U_mu4_squared), energy, target)


@jax.jit
def _in_beam(beam: Beam, U_mu4_squared):
    return rates.interactions(exchange(U_mu4_squared), beam, ENERGIES)

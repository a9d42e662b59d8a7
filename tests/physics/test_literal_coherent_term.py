"""Equation 30 of arXiv:2006.01948 as printed, an option: A^2 nucleons for a nucleus of spin 0."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.beams import make_beam
from anomfit.models.zprime_two_higgs_doublet import as_published, zprime_two_higgs_doublet
from anomfit.physics.boson_strahlung import Nodes, cross_section, radiated
from anomfit.physics.constants import M_C12, M_N, M_P
from anomfit.physics.targets import Target
from anomfit.rates.radiated_events import RadiatedNodes, scalars_made

CARBON = Target("C12", M_C12, 1.0, 6, 6)
NUCLEON = Target("nucleon", 0.5 * (M_P + M_N), 1.0, 1, 0)
NODES = Nodes(16, 20, 8)


@pytest.fixture(scope="module")
def hprime():
    """What radiates h' at Table I, as published."""
    point = {name: jnp.asarray(float(value)) for name, value in as_published.points["table-I"].items()}
    return as_published.reactions(point, {})[0]


def test_the_default_is_a_nucleus_of_spin_0_and_says_so(hprime):
    assert hprime.production.coherent == "nucleon"
    assert zprime_two_higgs_doublet.coherent == "nucleus"
    assert "spin 0" in zprime_two_higgs_doublet.choices["radiation off nuclei"]
    assert "equation 30" in as_published.choices["radiation off nuclei"]


def test_carbon_is_144_nucleons_with_a_form_factor(hprime):
    """exp(-2 b Q^2) with b = 25 GeV^-2 times the cross section of a nucleon, node by node of another rule in Q^2."""
    energies = jnp.array([0.3, 0.8, 2.0])
    found = jax.jit(jax.vmap(lambda e: cross_section(hprime.production, e, CARBON, NODES)))(energies)

    def by_hand(e):
        nodes = radiated(hprime.production, e, NUCLEON, Nodes(16, 64, 8))
        return 144.0 * jnp.sum(nodes.section * jnp.exp(-50.0 * nodes.q_squared))

    np.testing.assert_allclose(found, jax.jit(jax.vmap(by_hand))(energies), rtol=1e-3)


def test_beams_take_the_same_cross_section(hprime):
    """1e-3 of what one flux makes; the flux is flat, so that an equidistant sum is good."""
    edges = np.linspace(0.3, 2.0, 35)
    beam = make_beam([(edges[:-1], edges[1:], np.full(34, 1e-10))], (1e50,), (CARBON,))
    made = jax.jit(partial(scalars_made, nodes=RadiatedNodes(energy=20, flux=60)))(hprime, beam)
    energy = jnp.linspace(0.0, float(beam.highest_energy), 161)[1:-1]
    section = jax.jit(jax.vmap(lambda e: cross_section(hprime.production, e, CARBON, NODES)))(energy)
    folded = jnp.sum(section * beam.flux_at(energy)[:, 0]) * (energy[1] - energy[0]) * 1e50
    assert float(made[0, 0]) == pytest.approx(float(folded), rel=1e-3)
    assert float(made[1, 0]) == 0.0

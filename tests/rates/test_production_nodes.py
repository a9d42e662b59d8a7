"""Nodes of the neutrinos that beams make: sums over energies and directions against a finer rule.

Heavy states and heavy mediators ask most of them: near a threshold every kink of the flux counts, and the form factor
of a nucleus falls within angles that a heavy mediator does not see.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.beams import Beam
from anomfit.catalogue import find_constraint, find_measurement
from anomfit.measurements.microboone import MicroBoone
from anomfit.measurements.miniboone import MiniBooneQuasiElastic
from anomfit.models.dark_photon import dark_photon
from anomfit.physics.polynomials import legendre
from anomfit.physics.reaction import Reaction
from anomfit.rates.pair_events import Nodes, pair_events

HEAVY = jnp.asarray([[0.07, 1.1], [0.1, 4.0], [0.67, 0.01], [0.74, 0.03], [0.78, 0.12]])  # GeV, of N and of Z'
WAVES = 24  # of the directions
ROWS = ("nd280-photon-sample", "minerva-le", "charm2")


def rule(name: str) -> tuple[Beam, Nodes]:
    """Beam and nodes of a measurement, production alone."""
    if name in ROWS:
        row: Any = find_constraint(name)
        if name == "nd280-photon-sample":
            return row.data["beam"], row.physics.args[0]
        sample = row.data["measured"].samples_of_pairs[0]
        return sample.beam, sample.nodes
    measured = find_measurement(name)
    if isinstance(measured, MiniBooneQuasiElastic):
        return measured.chain.beam, measured.chain.nodes
    assert isinstance(measured, MicroBoone)
    return measured.search.beam, measured.search.nodes


def production(energy: int, angle: int, transfer: float) -> Nodes:
    """Nodes with few of those that do not enter."""
    return Nodes(energy, angle, parent=4, polar=4, made=4, transfer=transfer)


def moments(beam: Beam, nodes: Nodes):
    """Waves of the directions of N, by pair of masses, component and beam."""
    point = {name: jnp.asarray(value) for name, value in dark_photon.points["bertuzzo"].items()}

    @jax.jit
    @jax.vmap
    def found(masses):
        (reaction,) = dark_photon.reactions({**point, "m_N4": masses[0], "m_Zprime": masses[1]}, {})
        assert isinstance(reaction, Reaction)
        events = pair_events(reaction, beam, nodes)
        return jnp.einsum("elt,etcb->lcb", legendre(events.cos_parent, WAVES), events.rate)

    return np.asarray(found(HEAVY))


@pytest.mark.parametrize(
    ("name", "relative"),
    [("microboone", 2e-3), ("miniboone", 2e-3), ("nd280-photon-sample", 2e-3), ("minerva-le", 5e-3), ("charm2", 5e-3)],
)
def test_heavy_states_and_mediators_have_nodes_enough(name, relative):
    """Rows of neutrino-electron samples, which are one number with an error of a tenth or more, have fewer."""
    beam, nodes = rule(name)
    chosen = moments(beam, production(nodes.energy, nodes.angle, nodes.transfer))
    finer = moments(beam, production(448, 48, 0.3))  # nodes elsewhere, too
    allowed = relative * finer[:, :1]
    assert np.all(np.abs(chosen - finer) <= allowed), np.max(np.abs(chosen - finer) / finer[:, :1], axis=(1, 3))

"""N_1 -> nu h': a second pair takes events from the samples with one; nothing changes without the coupling."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles.reactions import events_of

from anomfit.beams.booster import miniboone_beam
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics.constants import HBAR_C_M
from anomfit.rates.pair_events import Nodes

NODES = Nodes(energy=32, angle=8, parent=16, polar=8)
TABLE_I = {name: jnp.asarray(float(value)) for name, value in two_higgs_doublet.points["table-I"].items()}


@pytest.fixture(scope="module")
def share():
    """Weights of the decays by y_nu1, and their parents' and pairs' energies."""
    program = jax.jit(lambda y: events_of(two_higgs_doublet, {**TABLE_I, "y_nu1": y}, miniboone_beam(), NODES))
    return lambda y: program(jnp.asarray(y))


def test_without_the_coupling_every_pair_is_alone(share):
    (reaction,) = two_higgs_doublet.reactions(TABLE_I, {})
    alone = reaction.channels[0].alone(jnp.linspace(0.085, 3.0, 50), 5.0)
    np.testing.assert_array_equal(alone, 1.0)


def test_a_decay_within_five_metres_takes_the_event(share):
    """Width y^2 sin^2 m (1 - m_h'^2/m^2)^2/(16 pi) of a Majorana N_1; its momentum by conservation of energy."""
    y, m, m_h = 1e-6, 0.085, 0.017
    width = (y * 0.1) ** 2 * m / (16.0 * np.pi) * (1.0 - (m_h / m) ** 2) ** 2
    before, after = share(0.0), share(y)
    polar = NODES.polar  # the first channel, N_2 -> N_1 h'
    seen = np.all(np.asarray(before.share[:, :polar]) > 0.0, axis=1)  # parents whose pairs have energies in the window
    pair = np.asarray(before.energy[:, :polar])[seen]
    ratio = np.asarray(after.share[:, :polar])[seen] / np.asarray(before.share[:, :polar])[seen]
    # exp(-5 m Gamma m/(hbar c p)) inverted for N_1's momentum: its energy and the pair's are N_2's in every decay
    momentum = -5.0 * width * m / (HBAR_C_M * np.log(ratio))
    energy = pair + np.hypot(momentum, m)
    np.testing.assert_allclose(energy, np.broadcast_to(energy[:, :1], energy.shape), rtol=1e-6)
    assert np.all(energy > 0.130)
    assert len(energy) > 10
    np.testing.assert_allclose(after.share[:, polar:], before.share[:, polar:], rtol=1e-12)  # nu h' has one pair


def test_a_prompt_second_pair_leaves_the_other_channel_alone(share):
    events = share(1e-2)
    assert float(jnp.sum(events.share[:, : NODES.polar])) < 1e-12
    assert float(jnp.sum(events.share[:, NODES.polar :])) > 0.0

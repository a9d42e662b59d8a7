"""The dark seesaw in masses and mixings: the published points, the symmetric ones, one state made in place of three."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.beams.booster import microboone_beam
from anomfit.capabilities import over_reactions
from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.models.dark_seesaw_parameters import has_angles, is_symmetric
from anomfit.physics.exchange import Exchange
from anomfit.rates.pair_events import Nodes, pair_events

MIXINGS, LEFT_RIGHT = (dark_seesaw.parametrisations[name] for name in ("mixings", "left-right"))


def as_point(values):
    return {name: jnp.asarray(float(value)) for name, value in values.items()}


@pytest.mark.parametrize("name", list(dark_seesaw.points))
def test_published_points_keep_masses_and_vertices(name):
    """Three of five states: what is in N_7 and N_8 is lost, 2 % of a field at most, 6 % of a small vertex."""
    matrix = as_point(dark_seesaw.points[name])
    mixings = MIXINGS.from_physical(matrix)
    assert has_angles(mixings)
    assert set(mixings) == set(MIXINGS.names)
    for parameter in MIXINGS.parameters:
        value = float(mixings[parameter.name])
        assert parameter.low <= value <= parameter.high or parameter.name == "U_mu5"  # 0 at BP-A
    exact, near = dark_seesaw.vertices(matrix), dark_seesaw.vertices(mixings)
    for key, value in exact.items():
        small = key.startswith(("V_43", "V_53", "V_63", "U_"))
        allowed = 1e-12 if key.startswith("m_") else 5e-5 if small else 0.025
        assert abs(float(near[key])) == pytest.approx(abs(float(value)), abs=allowed)
    parity = [float(jnp.sign(point["m_N4"] * point["m_N5"])) for point in (exact, near)]
    assert parity[0] == parity[1]


def test_bp_a_alone_is_symmetric():
    for name, point in dark_seesaw.points.items():
        found = LEFT_RIGHT.from_physical(as_point(point))
        assert ("theta_46" in found) == (name == "BP-A")
    symmetric = LEFT_RIGHT.from_physical(as_point(dark_seesaw.points["BP-A"]))
    assert is_symmetric(symmetric)
    assert set(symmetric) == set(LEFT_RIGHT.names)


def test_a_symmetric_point_lists_the_one_state_that_is_made():
    """The same pairs as with all three states listed, of which two have no vertex with light neutrinos."""
    symmetric = LEFT_RIGHT.from_physical(as_point(dark_seesaw.points["BP-A"]))
    whole = {**symmetric, "U_mu5": jnp.zeros(()), "theta_45": jnp.zeros(()), "theta_56": jnp.zeros(())}
    assert len(dark_seesaw.reactions(symmetric, {})) == 1
    assert len(dark_seesaw.reactions(whole, {})) == 3
    beam, nodes = microboone_beam("numu+numubar"), Nodes(energy=24, angle=8, made=24, spread=(8, 6))

    def made(point):
        return over_reactions(dark_seesaw, point, {}, lambda one: pair_events(one, beam, nodes).made)

    one, three = jax.jit(made)(symmetric), jax.jit(made)(whole)
    np.testing.assert_allclose(one, three, rtol=1e-12)
    assert float(jnp.sum(one)) > 0.0


def test_exchange_is_of_the_right_state():
    symmetric = LEFT_RIGHT.from_physical(as_point(dark_seesaw.points["BP-A"]))
    (reaction,) = dark_seesaw.reactions(symmetric, {})
    exchange: Exchange = reaction.production
    assert float(exchange.m_N) == pytest.approx(0.121, rel=1e-5)

"""Pairs behind a heavy neutrino that flies before it decays, in the calorimeters of LSND and KARMEN."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.detectors.containment import after_two_flights, containment
from anomfit.detectors.energy_table import EnergyTable, box_average
from anomfit.measurements.lsnd import load_l_over_e
from anomfit.measurements.recoil_pairs import OF_TARGET, pair_counts, pair_moments, parents_of
from anomfit.models.dark_scalar import dark_scalar
from anomfit.rates.recoil_events import boxes

KNOCK_OUT = jnp.asarray(0.013)


@pytest.fixture(scope="module")
def chain():
    return load_l_over_e().chain


def reaction(flight: float, of_pair: float, prompt: bool = False):
    """nu_4 of 90 MeV that decays to a scalar of 17 MeV, with flights c tau / m in m/GeV."""
    point = {name: jnp.asarray(x) for name, x in next(iter(dark_scalar.points.values())).items()}
    point |= {"m_nu4": jnp.asarray(0.09), "m_S": jnp.asarray(0.017)}
    (found,) = dark_scalar.reactions(point, {n.name: jnp.asarray(n.mean) for n in dark_scalar.nuisances})
    channels = tuple(channel._replace(branching=jnp.asarray(1.0)) for channel in found.channels)
    pair = found.pair._replace(flight=jnp.asarray(of_pair))
    return replace(found, flight=jnp.asarray(flight), pair=pair, channels=channels, prompt=prompt)


@jax.jit
def counts(reaction, chain):
    return pair_counts(reaction, chain, KNOCK_OUT)[0]


@pytest.mark.parametrize(("flight", "of_pair"), [(30.0, 0.0), (30.0, 100.0), (3000.0, 1.0)])
def test_two_flights_by_hand(chain, flight, of_pair):
    """Parent by parent: a response to the pair's energy times the share of decays inside, averaged over the box."""
    made = reaction(flight, of_pair)
    parents = parents_of(made, chain, KNOCK_OUT)
    found, table = boxes(parents, made, chain.nodes.path), chain.table
    momentum = np.sqrt(np.maximum(np.asarray(table.energies) ** 2 - float(made.pair.mass) ** 2, 0.0))
    inside = partial(containment, inner=chain.spheres[0], outer=chain.spheres[1])
    expected = 0.0
    for p, of_source in enumerate(chain.nodes.of_source().T):
        share = after_two_flights(inside, flight * parents.momentum[p] * np.ones_like(momentum), of_pair * momentum)
        seen = EnergyTable(table.response * share[:, None], table.step)
        average = found.share[p] @ box_average(seen, found.low[p], found.high[p])
        rate = OF_TARGET @ jnp.sum(parents.rate[p], axis=0)
        expected = expected + of_source[:, None, None] * rate[:, None] * average
    assert chain.ring == "sum"
    np.testing.assert_allclose(counts(made, chain), expected, rtol=1e-9, atol=1e-12 * np.max(expected))


def test_short_flights_are_prompt(chain):
    """A flight of at most 3 cm, against the 40 cm between the two spheres."""
    flying, prompt = (counts(reaction(0.1, 0.0, prompt), chain) for prompt in (False, True))
    np.testing.assert_allclose(flying, prompt, rtol=1e-6, atol=1e-9 * float(jnp.max(prompt)))


def test_long_flights_leave_one_part_in_their_length(chain):
    near, far = (float(jnp.sum(counts(reaction(flight, 0.0), chain))) for flight in (1e5, 2e5))
    assert far == pytest.approx(0.5 * near, rel=1e-3)


def test_moments_and_gradients_know_of_the_flight(chain):
    """Wave 0 is the counts; the derivative in the flight agrees with differences and is finite at 0."""
    made = reaction(30.0, 10.0)
    moments = jax.jit(lambda one, chain: pair_moments(one, chain, KNOCK_OUT, 4))(made, chain)
    np.testing.assert_allclose(jnp.sum(moments[:, :, 0]), jnp.sum(counts(made, chain)), rtol=1e-4)

    @jax.jit
    def total(flight, chain):
        return jnp.sum(pair_counts(replace(made, flight=flight), chain, KNOCK_OUT)[0])

    grow = jax.jit(jax.grad(total))
    difference = (total(30.0 + 1e-3, chain) - total(30.0 - 1e-3, chain)) / 2e-3
    assert float(grow(30.0, chain)) == pytest.approx(float(difference), rel=1e-6)
    assert np.isfinite(float(grow(0.0, chain)))

"""Events with two pairs: against a simulation, against the samples with one pair, in limits, and their gradients."""

import dataclasses
import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles.double_vertices import Decay, Heavy, simulate

from anomfit.beams.booster import miniboone_beam
from anomfit.capabilities import over_reactions
from anomfit.detectors import miniboone as detector
from anomfit.detectors.flight_tables import pair_shares
from anomfit.detectors.resolution import normal_cdf
from anomfit.detectors.two_vertices import Seen, Sphere, bookkeeping, by_distance, by_energy
from anomfit.models.dark_photon import dark_photon
from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics.constants import E_CHARGE, HBAR_C_M
from anomfit.physics.dark_neutrinos import PAIR_MASSES, decays, decays_of_states, total_widths
from anomfit.physics.reaction import Second, Spectrum, SpreadReaction
from anomfit.physics.targets import FormFactors
from anomfit.physics.vector_exchange import VectorExchange
from anomfit.rates.double_vertices import DoubleNodes, double_vertices, emission, over_channels
from anomfit.rates.interactions import interactions_by_state
from anomfit.rates.pair_events import Nodes, pair_events

FIDUCIAL = Sphere(5.0, 6.106)
ENERGIES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0)
DISTANCES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
SEEN = Seen()
FEW = DoubleNodes(made=32, angle=10, parent=12, first=4, second=4)
PATH = 5.0
BEAM = miniboone_beam()


def as_point(values):
    return {name: jnp.asarray(float(value)) for name, value in values.items()}


def chain(**changes):
    """A point of `Chain`: masses and momenta in GeV, flights in m/GeV."""
    there = {"m_N": 0.22, "m_daughter": 0.146, "m_left": 0.074, "heaviest": 0.9, "flight": 0.01, "again": 0.8}
    return as_point(there | {"flight_again": 0.4, "branching": 0.9, "asymmetry": 0.7, "g": 1e-3} | changes)


class Chain:
    """N of 1.25 GeV's exchange to a daughter and pairs of two masses, the daughter to a lighter one and such pairs."""

    def __init__(self, is_polarised=False):
        self.is_polarised = is_polarised

    def reactions(self, point, nuisances):
        """One."""
        one = jnp.ones(1)
        vectors = VectorExchange(
            point["m_N"], 1.25 * one, point["g"] * one, 6e-3 * one, None, FormFactors("dipole", "helm", 0.8)
        )

        def pairs(parent, daughter, branching):
            mass = (parent - daughter) * point["heaviest"] * jnp.array([0.3, 1.0])
            mass = jnp.maximum(mass, 2e-3)
            return Spectrum(branching * jnp.array([0.6, 0.4]), daughter * jnp.ones(2), mass, None)

        again = pairs(point["m_daughter"], point["m_left"], point["again"])
        seconds = jax.tree.map(lambda array: jnp.stack([array, array]), again)
        second = Second(point["again"] * jnp.ones(2), point["flight_again"] * jnp.ones(2), seconds)
        first = pairs(point["m_N"], point["m_daughter"], point["branching"])._replace(second=second)
        if self.is_polarised:
            first = first._replace(asymmetry=point["asymmetry"] * jnp.ones(2))
        return (SpreadReaction(vectors, point["flight"], first),)


ISOTROPIC = Chain()
CHAINS = {"isotropic": ISOTROPIC, "polarised": Chain(True)}


@pytest.fixture(scope="module")
def bp_b():
    return jax.jit(dark_seesaw.vertices)(as_point(dark_seesaw.points["BP-B"]))


@pytest.fixture(scope="module")
def simulated(bp_b):
    """Events of neutrino mode; lifetimes and branching ratios are those of the library."""
    states = dark_photon.dark_neutrinos(bp_b)
    found = decays(states)
    total = np.asarray(total_widths(states, found))
    parent, daughter = decays_of_states(3)
    products = E_CHARGE * float(bp_b["epsilon"]) * np.abs(np.asarray(states.produced))
    heavy = []
    for j in range(3):
        rows = [
            Decay(
                None if k < 0 else int(k),
                float(found.to_electrons[i]) / total[j],
                0.0 if k < 0 else float(states.parity(j, int(k))),
            )
            for i, k in enumerate(daughter)
            if parent[i] == j
        ]
        heavy.append(Heavy(float(states.size[j]), HBAR_C_M / total[j], products[j], tuple(rows)))
    rng = np.random.default_rng(20200724)
    return simulate(tuple(heavy), float(bp_b["m_Zprime"]), 60_000, FIDUCIAL.outer, rng)


def histogram(simulated, value, chosen, edges):
    """(events, their error) in bins."""
    parts = [(value(e)[chosen(e)], e.weight[chosen(e)]) for e in simulated]
    counts = sum(np.histogram(x, edges, weights=w)[0] for x, w in parts)
    return counts, np.sqrt(sum(np.histogram(x, edges, weights=w**2)[0] for x, w in parts))


def agree(found, expected, rule):
    counts, error = expected
    pulls = (np.asarray(found) - counts) / np.hypot(error, rule * counts)
    assert np.max(np.abs(pulls)) < 4.0, pulls
    assert np.sum(pulls**2) < 3.0 * len(pulls)
    assert np.median(error / counts) < 0.03  # or the test would see nothing


@jax.jit
def of_pairs(point):
    """Neutrino mode: by energy, by distance, classes; and the single-vertex samples' spectrum of the first pair."""
    around = detector.surroundings()

    def two(one):
        events = double_vertices(one, BEAM, DoubleNodes())
        return (
            by_energy(events, FIDUCIAL, ENERGIES, SEEN),
            by_distance(events, FIDUCIAL, DISTANCES, SEEN),
            bookkeeping(events, FIDUCIAL),
        )

    def single(one):
        events = pair_events(one, BEAM, Nodes(energy=112, path=PATH))
        share = events.share * pair_shares(events, around)[0] * (FIDUCIAL.inner / FIDUCIAL.outer) ** 3
        edges = jnp.asarray(ENERGIES)[:, None, None]
        below = jnp.sum(share * normal_cdf((edges / events.energy - 1.0) / SEEN.resolution), axis=-1)
        return jnp.einsum("etcb,ep,np->n", events.rate[..., :1], events.onto, jnp.diff(below, axis=0))

    energy, distance, kept = over_reactions(dark_photon, point, {}, two)
    return (
        jnp.sum(energy[:, 0], axis=0),
        jnp.sum(distance[:, 0], axis=0),
        jnp.stack([jnp.sum(part[:, 0]) for part in kept]),
        over_reactions(dark_photon, point, {}, single),
    )


@pytest.mark.slow
def test_a_simulation_agrees_bin_by_bin(bp_b, simulated):
    """Singles, doubles by energy and by distance, and where the vertices are; flights in their own directions there."""
    rng = np.random.default_rng(1)
    energy, distance, classes, single = (np.asarray(part) for part in of_pairs(bp_b))
    smeared = [
        [e * (1.0 + SEEN.resolution * rng.standard_normal(len(e))) for e in (one.energy_first, one.energy_second)]
        for one in simulated
    ]
    place = {id(one): i for i, one in enumerate(simulated)}

    def first(one):
        return smeared[place[id(one)]][0]

    def both_inside(one):
        inside = one.inside(FIDUCIAL.inner)
        return inside[0] & inside[1]

    def no_second_on_the_path(one):
        return one.inside(FIDUCIAL.inner)[0] & (np.isnan(one.energy_second) | (one.flight > PATH))

    agree(energy, histogram(simulated, lambda one: sum(smeared[place[id(one)]]), both_inside, ENERGIES), 5e-4)
    agree(distance, histogram(simulated, lambda one: one.flight, both_inside, DISTANCES), 5e-4)
    agree(single, histogram(simulated, first, no_second_on_the_path, ENERGIES), 1e-3)
    expected = np.zeros((4, 2))
    for one in simulated:
        near, far = one.inside(FIDUCIAL.inner)
        for i, chosen in enumerate((near & ~far, ~near & far, near & far, np.ones_like(near))):
            expected[i] += np.sum(one.weight[chosen]), np.sum(one.weight[chosen] ** 2)
    agree(classes, (expected[:, 0], np.sqrt(expected[:, 1])), 1e-4)


@jax.jit
def by_path(point):
    """Single-vertex samples' weights with and without the path, all energies; and the same from the chains."""
    wide = Nodes(energy=112, polar=40, lowest=1e-3, highest=30.0, spread=(48, 40))

    def single(one, path):
        events = pair_events(one, BEAM, Nodes(**{**vars(wide), "path": path}))
        return jnp.einsum("etcb,ep,pd->b", events.rate, events.onto, events.share)

    def within(one):
        events = double_vertices(one, BEAM, DoubleNodes(parent=48, first=24, transfer=math.inf))
        lost = -events.again * jnp.expm1(-PATH / jnp.maximum(events.second_flight, 1e-9))
        return jnp.einsum("pfcb,pf->b", events.rate, lost)

    def total(of):
        return over_reactions(dark_photon, point, {}, of)

    return total(partial(single, path=PATH)), total(partial(single, path=1e-12)), total(within)


def test_single_samples_lose_what_has_a_second_pair_on_the_path(bp_b):
    """Singles and events with a second pair within the path are all, where no second pair is looked for."""
    alone, everything, lost = (np.asarray(part) for part in by_path(bp_b))
    np.testing.assert_allclose(alone + lost, everything, rtol=1e-6)
    assert np.all(lost > 0.6 * everything)


def test_first_pairs_are_the_interactions(bp_b):
    """Rates on the nodes add up to what another rule makes, times branching ratios."""

    @jax.jit
    def numbers(point):
        made = interactions_by_state(dark_photon, point, {}, BEAM)
        kept = over_reactions(
            dark_photon, point, {}, lambda one: bookkeeping(double_vertices(one, BEAM, DoubleNodes()), FIDUCIAL)
        )
        seen = jnp.stack([reaction.visible for reaction in dark_photon.reactions(point, {})])
        return jnp.stack([made["coherent"], made["incoherent"]]), kept.made, seen

    made, kept, seen = numbers(bp_b)
    np.testing.assert_allclose(seen, 1.0, atol=2e-4)
    np.testing.assert_allclose(kept, made, rtol=3e-4)


@partial(jax.jit, static_argnames="model")
def counted(point, tangent, model):
    """Numbers by class (4), in all and by energy with a threshold, and their slopes along a change of the point."""

    def of(one):
        events = double_vertices(one, BEAM, FEW)
        kept, energy = bookkeeping(events, FIDUCIAL), by_energy(events, FIDUCIAL, ENERGIES, Seen(0.1, 0.1))
        return jnp.concatenate([jnp.stack([jnp.sum(part) for part in kept]), jnp.sum(energy, axis=(0, 1))])

    return jax.jvp(lambda point: over_reactions(model, point, {}, of), (point,), (tangent,))


def along(point, name):
    return {key: jnp.asarray(float(key == name)) for key in point}


def test_limits_of_the_second_flight():
    """A daughter that always makes a pair, at once: events with a first vertex inside have both; far off: none."""
    for flight, share in ((0.0, 1.0), (1e-6, 1.0), (1e7, 0.0)):
        point = chain(flight_again=flight, again=1.0)
        only_first, _, both = np.asarray(counted(point, along(chain(), ""), model=ISOTROPIC))[0, :3]
        assert both / (only_first + both) == pytest.approx(share, abs=1e-6)
    kept = np.asarray(counted(chain(again=0.0), along(chain(), ""), model=ISOTROPIC))[0]
    assert kept[1] == kept[2] == 0.0
    assert kept[0] > 0.0


def test_branching_ratios_of_second_pairs_are_those_of_the_daughter(bp_b):
    """And no second pair follows a light neutrino."""
    second = jax.jit(lambda point: [made.pairs.second for made in dark_photon.reactions(point, {})])(bp_b)
    assert second[0].pairs is None
    for one in second[1:]:
        np.testing.assert_allclose(jnp.sum(one.pairs.branching, axis=-1), one.branching, rtol=1e-12)
    for one in second:
        assert float(jnp.sum(one.branching[:PAIR_MASSES])) == 0.0


def test_channels_are_counted_one_by_one():
    """The pair of a real h' in N_2 -> N_1 h' and nu h'; N_1 -> nu h' is the second, of the first channel alone."""

    @jax.jit
    def numbers(point):
        (reaction,) = two_higgs_doublet.reactions(point, {})

        def of(one):
            kept = bookkeeping(double_vertices(one, BEAM, FEW), FIDUCIAL)
            return jnp.stack([jnp.sum(kept.made), jnp.sum(kept.both)])

        def alone(channel):
            return of(dataclasses.replace(reaction, channels=(channel,)))

        second = reaction.channels[0].second
        return over_channels(reaction, of), jnp.stack([alone(channel) for channel in reaction.channels]), second

    point = as_point(two_higgs_doublet.points["table-I"]) | {"y_nu1": jnp.asarray(1e-5)}
    both, each, second = numbers(point)
    np.testing.assert_allclose(both, jnp.sum(each, axis=0), rtol=1e-12)
    assert float(each[0, 1]) > 0.4 * float(each[0, 0])
    assert float(each[1, 0]) > 0.0 == float(each[1, 1])
    assert float(second.pairs.branching[0]) == float(second.branching)


def test_energy_and_momentum_are_kept():
    """The pair and what is left add up to the parent, each on its mass shell."""
    energy, m, mass, left = 0.9, 0.22, 0.05, 0.146
    momentum = np.sqrt(energy**2 - m**2)
    out = emission(energy, momentum, m, mass, left, jnp.linspace(-0.99, 0.99, 9))
    p_pair, p_left = np.sqrt(np.asarray(out.energy) ** 2 - mass**2), np.sqrt(np.asarray(out.rest) ** 2 - left**2)
    np.testing.assert_allclose(out.energy + out.rest, energy, rtol=1e-14)
    np.testing.assert_allclose(p_pair * out.cos_pair + p_left * out.cos_rest, momentum, rtol=1e-12)
    across = [p * np.sqrt(1.0 - np.asarray(c) ** 2) for p, c in ((p_pair, out.cos_pair), (p_left, out.cos_rest))]
    np.testing.assert_allclose(*across, rtol=1e-8)


CLOSED = ({"m_N": 0.146}, {"m_N": 0.147}, {"m_daughter": 0.0745}, {"m_daughter": 0.0}, {"m_N": 9.0}, {"heaviest": 1.0})


@pytest.mark.parametrize("model", CHAINS.values(), ids=CHAINS)
def test_everything_is_finite_with_right_gradients(model):
    """Slopes against differences; finite at closed channels and for an N too heavy for the beam."""
    point = chain()
    for name in point:
        value, slope = map(np.asarray, counted(point, along(point, name), model=model))
        step = 1e-5 * float(point[name])
        ends = [
            np.asarray(counted({**point, name: point[name] + change}, along(point, name), model=model)[0])
            for change in (step, -step)
        ]
        scale = np.max(np.abs(value)) / abs(float(point[name]))
        difference = (ends[0] - ends[1]) / (2.0 * step)
        np.testing.assert_allclose(slope, difference, rtol=1e-5, atol=1e-7 * scale, err_msg=name)
    for change in CLOSED:
        for name in point:
            found = counted(chain(**change), along(point, name), model=model)
            assert np.all(np.isfinite(found)), (change, name)


def test_a_batch_is_its_points():
    points = [chain(), chain(flight_again=0.1), chain(m_daughter=0.12)]
    batch = jax.tree.map(lambda *leaves: jnp.stack(leaves), *points)
    nowhere = along(chain(), "")
    values, _ = jax.jit(jax.vmap(partial(counted, model=ISOTROPIC), in_axes=(0, None)))(batch, nowhere)
    for i, point in enumerate(points):
        np.testing.assert_allclose(values[i], counted(point, nowhere, model=ISOTROPIC)[0], rtol=1e-10)


def test_thresholds_take_events_away():
    """Those of either pair; none is no cut."""
    cuts = (Seen(), Seen(0.1, 0.0), Seen(0.0, 0.1), Seen(0.1, 0.1), Seen(5.0, 0.0))

    @jax.jit
    def shares(point):
        def of(one):
            events = double_vertices(one, BEAM, FEW)
            return jnp.stack([jnp.sum(by_distance(events, FIDUCIAL, (0.0, 10.0), seen)) for seen in cuts])

        return over_reactions(ISOTROPIC, point, {}, of)

    none, first, second, each, too_high = np.asarray(shares(chain()))
    assert none > max(first, second)
    assert min(first, second) > each > 0.0
    assert too_high < 1e-3 * none

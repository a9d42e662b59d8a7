"""A nu_4 that couples to one chirality: directions of its pairs in a prediction, against a rule with exact azimuths."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles.polarised_upscattering import forward_share
from oracles.reactions import events_of

from anomfit.beams.booster import miniboone_beam
from anomfit.detectors.miniboone import selected, single_shower_efficiency
from anomfit.detectors.pairs import Seen
from anomfit.detectors.resolution import Resolution
from anomfit.detectors.shower_energies import see_energies
from anomfit.detectors.shower_response import Binning, build_response, expected
from anomfit.errors import InputError
from anomfit.models.dark_scalar import DarkScalar
from anomfit.physics.polarised_decay import longitudinal_polarisation, transverse_polarisation
from anomfit.physics.targets import TargetChoices
from anomfit.rates.pair_events import Nodes, PairSpin

EDGE = 0.8
NODES = Nodes(energy=64, parent=32)
ASYMMETRY = {"left": 1.0, "both": 0.0, "right": -1.0}
ENERGIES, WAVES = 32, 60


def model(neutrinos):
    return DarkScalar(neutrinos=neutrinos, targets=TargetChoices(nucleon="constant"))


@pytest.fixture(scope="module")
def point():
    return {key: jnp.asarray(value) for key, value in model("both").points["bp1"].items()}


@pytest.fixture(scope="module")
def beam():
    return miniboone_beam("numu-only", "neutrino")


@pytest.fixture(scope="module")
def counts(point, beam):
    """Pairs weighted with the efficiency of one shower, below and above the edge in the true angle, by chirality."""

    def energy_edges(cosine):
        ahead = cosine >= EDGE
        return np.array([0.0, 0.0]), np.array([0.0 if ahead else 1e3, 1e3 if ahead else 0.0])

    exact = Resolution("exact", "", lambda energy: 1e-9 * energy, jnp.zeros_like)
    response = build_response(Binning(2, (-1.0, EDGE, 1.0), energy_edges), exact, ENERGIES, WAVES)
    energy = jnp.asarray(see_energies(ENERGIES))
    all_seen = Seen(jnp.ones((ENERGIES, 1)), energy[:, None], jnp.zeros(ENERGIES))

    def count(chosen, spin=None):  # step by step: quicker than a compilation for one point
        events = selected(events_of(chosen, point, beam, NODES))
        return np.asarray(jnp.sum(expected(response, events if spin is None else spin(events), all_seen), axis=(0, 1)))

    def unsteered(events):
        rest, decays = jnp.zeros_like(events.rate), jnp.zeros_like(events.share)
        return events._replace(spin=PairSpin(rest, rest, decays, decays))

    found = {name: count(model(name)) for name in ASYMMETRY}
    return {**found, "no asymmetry": count(model("both"), unsteered)}


@pytest.mark.parametrize("name", ASYMMETRY)
def test_forward_share_against_exact_azimuths(counts, point, beam, name):
    chosen = model(name)
    arguments = (beam, chosen.exchange(point, {}), point["m_S"])
    reference = forward_share(*arguments, ASYMMETRY[name], EDGE, single_shower_efficiency)
    assert counts[name][1] / counts[name].sum() == pytest.approx(float(reference), abs=2e-3)


def test_one_chirality_steers_and_both_together_do_not(counts):
    left, both, right = (counts[name] for name in ASYMMETRY)
    np.testing.assert_allclose(0.5 * (left + right), both, rtol=1e-12)
    np.testing.assert_allclose(counts["no asymmetry"], both, rtol=1e-12)
    assert right[1] / right.sum() > both[1] / both.sum() > left[1] / left.sum()


def test_the_model_as_it_ships_carries_no_spin(point, beam):
    assert jax.eval_shape(lambda at: events_of(DarkScalar(), at, beam, NODES), point).spin is None


def test_scalar_exchange_polarises_fully():
    cosine, beta = np.meshgrid(np.linspace(-1.0, 1.0, 21), np.linspace(0.0, 0.99, 12))
    squares = longitudinal_polarisation(cosine, beta) ** 2 + transverse_polarisation(cosine, beta) ** 2
    np.testing.assert_allclose(squares, 1.0, rtol=1e-12)


def test_slopes_are_finite(point, beam):
    chosen = model("left")

    def steered(m_nu4, m_S):
        nodes = dataclasses.replace(NODES, energy=24)
        events = events_of(chosen, {**point, "m_nu4": m_nu4, "m_S": m_S}, beam, nodes)
        return sum(jnp.sum(leaf) for leaf in events.spin)

    slopes = jax.jit(jax.grad(steered, argnums=(0, 1)))
    for masses in ((0.416, 0.133), (0.13, 0.133), (1.9, 0.01)):
        assert np.all(np.isfinite(slopes(*map(jnp.asarray, masses))))


def test_an_unknown_chirality_is_refused():
    with pytest.raises(InputError, match="both, left, right"):
        DarkScalar(neutrinos="sterile")  # type: ignore[arg-type]

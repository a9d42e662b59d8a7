"""Births outside of a detector: a Monte Carlo of births, flights and decays, limits, gradients, radii, compositions."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from oracles.reactions import events_of

from anomfit.beams.booster import CH2, miniboone_beam
from anomfit.detectors import miniboone
from anomfit.detectors.containment import after_two_flights, containment
from anomfit.detectors.flight_tables import arrivals, tabulated_shares
from anomfit.detectors.pairs import find_selection
from anomfit.detectors.resolution import find_resolution
from anomfit.detectors.shower_response import Binning, build_response, expected
from anomfit.detectors.surroundings import (
    Shell,
    Surroundings,
    births_by_radius,
    decays_by_radius,
    from_medium,
    from_shells,
    shares,
    stays,
)
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics.targets import TargetChoices
from anomfit.rates.pair_events import Nodes

OIL, VAULT, EARTH, DISTANCE, DENSE = 6.106, 6.85, 100.0, 541.0, 2.0 / 0.86
AROUND = Surroundings(5.0, OIL, OIL, (Shell(VAULT, EARTH, DENSE),), DISTANCE)
OPENING = 0.1  # rad
UNIFORM = replace(AROUND, distance=1e9)


def toy(draw_flights, reach, seed, before=0.0):
    """Decays within 5 m of births in oil and in earth, over the births in 5 m of oil, and their errors.

    draw_flights(rng, n): mean flights of n pairs, after parents' flights of mean `before`. Births lie in a cylinder
    along the beam that holds everything from where a pair can get in; oil, air or earth by their distance to the
    centre. The flux falls with the square of the distance to the source, in earth.
    """
    rng, n = np.random.default_rng(seed), 1_500_000
    wide, start, end = 6.2 + OPENING * reach, -reach, 7.0
    across, phi = wide * np.sqrt(rng.random(n)), 2.0 * np.pi * rng.random(n)
    births = np.stack([across * np.cos(phi), across * np.sin(phi), rng.uniform(start, end, n)], axis=1)
    radius = np.linalg.norm(births, axis=1)
    flown = draw_flights(rng, n) * rng.exponential(size=n) + before * rng.exponential(size=n)
    decays = births + forward(rng, n) * flown[:, None]
    unit = wide**2 * (end - start) / (4.0 / 3.0 * 5.0**3) / n * (np.sum(decays**2, axis=1) < 25.0)
    flux = DISTANCE**2 / np.sum((births + np.array([0.0, 0.0, DISTANCE])) ** 2, axis=1)
    in_earth = (radius > VAULT) & (radius < EARTH)
    return [(np.sum(w), np.sqrt(np.sum(w**2))) for w in (unit * (radius < OIL), unit * in_earth * DENSE * flux)]


def forward(rng, n):
    """Random directions near the beam's, so that the divergence is that of a flight along it."""
    theta, phi = OPENING * np.sqrt(rng.random(n)), 2.0 * np.pi * rng.random(n)
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=1)


@pytest.mark.parametrize(("flight", "reach"), [(0.03, 8.0), (3.0, 40.0), (30.0, 100.0)])
def test_monte_carlo_of_births_in_oil_and_earth(flight, reach):
    (oil, oil_error), (earth, earth_error) = toy(lambda rng, n: flight, reach, seed=3)
    assert float(stays(flight, AROUND)) == pytest.approx(oil, abs=4 * oil_error)
    assert float(from_shells(flight, AROUND)) == pytest.approx(earth, abs=4 * earth_error + 1e-9)
    if flight > 1.0:
        assert earth_error < 0.015 * earth


@pytest.mark.parametrize(("before", "flight", "reach"), [(3.0, 0.01, 40.0), (2.0, 2.0, 40.0), (1.0, 10.0, 100.0)])
def test_monte_carlo_of_two_flights(before, flight, reach):
    (oil, oil_error), (earth, earth_error) = toy(lambda rng, n: flight, reach, seed=4, before=before)
    own, _, outside = after_two_flights(partial(tabulated_shares, around=AROUND), jnp.asarray(before), flight)
    assert float(own) == pytest.approx(oil, abs=4 * oil_error)
    assert float(outside) == pytest.approx(earth, abs=4 * earth_error)


def test_two_flights_near_one_are_one():
    """A second flight of 0 changes nothing; the order does not matter; nothing jumps where the flights are alike."""
    look_up = partial(tabulated_shares, around=AROUND)
    flights = jnp.asarray([0.0, 1e-4, 0.05, 3.0, 30.0, 1e5])
    np.testing.assert_allclose(after_two_flights(look_up, flights, 0.0 * flights), look_up(flights), atol=1e-12)
    there, back = (after_two_flights(look_up, *pair) for pair in ((flights, 2.0 * flights), (2.0 * flights, flights)))
    np.testing.assert_allclose(there, back, rtol=1e-12, atol=1e-14)
    near = 3.0 * jnp.exp(jnp.linspace(-0.02, 0.02, 4001))
    along = np.asarray(after_two_flights(look_up, 3.0 * jnp.ones_like(near), near))
    assert np.max(np.abs(np.diff(along, n=2, axis=1))) < 3e-6
    grow = jax.jacfwd(lambda a, b: after_two_flights(look_up, a, b), argnums=(0, 1))
    for pair in ((0.0, 0.0), (0.0, 3.0), (3.0, 3.0), (3.0, 0.0), (1e5, 1e-9)):
        assert all(np.all(np.isfinite(part)) for part in grow(*pair))
    step = 1e-4
    for a, b in ((3.0, 3.003), (3.0, 0.7), (0.2, 40.0)):
        differences = (after_two_flights(look_up, a + step, b) - after_two_flights(look_up, a - step, b)) / (2 * step)
        np.testing.assert_allclose(grow(a, b)[0], differences, atol=3e-6)


def test_short_flights_change_nothing():
    flights = np.array([0.0, 1e-9, 1e-3, 0.02, 0.05])
    assert np.all(np.asarray(from_shells(flights, AROUND)) < 1e-6)
    assert np.all(np.asarray(from_medium(flights, AROUND)) == 0.0)
    inside = np.asarray(arrivals(tabulated_shares(flights, AROUND)))
    np.testing.assert_allclose(inside.sum(axis=0), np.stack([stays(flights, AROUND)] * 2 + [0.0 * flights]), atol=1e-12)


@pytest.mark.parametrize("around", [AROUND, replace(AROUND, born=5.0), Surroundings(0.6, 0.6, 0.6, (), DISTANCE)])
def test_the_table_of_flights_is_the_integrals(around):
    flights = np.concatenate([[0.0], np.geomspace(1e-6, 1e10, 4001)])
    looked_up, exact = np.asarray(tabulated_shares(flights, around)), np.asarray(shares(flights, around))
    np.testing.assert_allclose(looked_up, exact, atol=1e-8)
    assert np.all(looked_up > -1e-12)
    slope = [jax.vmap(jax.jacfwd(lambda l, f=f: f(l, around)))(flights[1:]) for f in (tabulated_shares, shares)]
    np.testing.assert_allclose(*(flights[1:, None] * np.asarray(part) for part in slope), atol=1e-6)
    assert np.all(np.isfinite(jax.jacfwd(lambda l: tabulated_shares(l, around))(0.0)))


@pytest.mark.parametrize("outer", [10.0, 100.0, 1e5])
def test_a_shell_of_even_flux_is_a_difference_of_spheres(outer):
    around = replace(UNIFORM, shells=(Shell(VAULT, outer, 1.0),))
    flights = np.array([2.0, 15.0, 30.0, 300.0])
    spheres = np.asarray(containment(flights, 5.0, outer) - containment(flights, 5.0, VAULT))
    np.testing.assert_allclose(np.asarray(from_shells(flights, around)), spheres, rtol=2e-4)


def test_far_flights_leave_as_many_as_a_uniform_medium_has():
    """However long the flight, what leaves a volume is replaced from an endless medium around it."""
    around = replace(UNIFORM, medium=5.0, born=5.0, shells=(Shell(5.0 + 1e-6, 1e5, 1.0),))
    flights = np.array([0.5, 3.0, 30.0, 100.0])
    np.testing.assert_allclose(np.asarray(stays(flights, around) + from_shells(flights, around)), 1.0, rtol=2e-3)


def test_gradients_in_the_flight():
    flights = jnp.asarray([0.3, 1.0, 3.0, 30.0, 300.0])
    run = jax.jit(lambda length: arrivals(tabulated_shares(length, AROUND)))
    check_grads(run, (flights,), order=1, modes=["rev"], rtol=1e-5)
    slopes = jax.vmap(jax.grad(lambda x: from_shells(x, AROUND)))(flights)
    step = 1e-4 * flights
    differences = (run(flights + step)[2, 2] - run(flights - step)[2, 2]) / (2.0 * step)
    np.testing.assert_allclose(np.asarray(slopes), np.asarray(differences), rtol=1e-5)


def test_gradients_are_finite_where_nothing_flies():
    slopes = [float(jax.grad(lambda x: from_shells(x, AROUND))(x)) for x in (0.0, 1e-12, 1e-3)]
    np.testing.assert_array_equal(slopes, 0.0)


def test_radii_add_up():
    flight = jnp.asarray([0.3, 3.0, 30.0])
    births = births_by_radius(flight, AROUND, np.array([0.0, 2.0, 5.0, OIL, VAULT, 8.0, 20.0, EARTH]))
    decays = decays_by_radius(flight, AROUND, np.array([0.0, 1.0, 3.0, 4.0, 5.0]))
    for own, outside in (births, decays):
        np.testing.assert_allclose(np.sum(own, axis=0), np.asarray(stays(flight, AROUND)), rtol=2e-5)
        np.testing.assert_allclose(np.sum(outside, axis=0), np.asarray(from_shells(flight, AROUND)), rtol=2e-4)
        assert np.all(np.asarray(own) >= 0.0)
        assert np.all(np.asarray(outside) >= 0.0)
    assert np.all(np.asarray(births[0])[3:] == 0.0)
    assert np.all(np.asarray(births[1])[:4] == 0.0)


# -- MiniBooNE --------------------------------------------------------------------------------------------------------

# the best fit of E_nu^QE and the magnetic moments in version 1.8: c tau / m = 38 m/GeV
LONG_LIVED = {
    "m_N1": 0.9930,
    "m_N2": 1.09,
    "m_hprime": 0.0015,
    "m_H": 10.0,
    "sin_delta": 0.60886,
    "y_nu_F_N": 3.348e-5,
    "lambda_N12": 0.2886,
    "y_mu": 2.355e-4,
    "y_e": 2e-5,
}


@pytest.fixture(scope="module")
def made():
    """Weights, momenta / mass of pairs made in oil, with Helm's form factor and free nucleons."""
    model = replace(two_higgs_doublet, targets=TargetChoices(nucleus="helm", bound="none"))
    chosen = model.parametrisations["products"]
    rest = chosen.from_physical({k: jnp.asarray(float(v)) for k, v in model.points["table-I"].items()})
    point = chosen.to_physical({**rest, **{name: jnp.asarray(value) for name, value in LONG_LIVED.items()}})
    beam = replace(miniboone_beam(), surroundings=CH2)
    return jax.jit(lambda at: events_of(model, at, beam, Nodes(energy=64, angle=16, parent=32)))(point)


@pytest.fixture(scope="module")
def everything():
    """A response with one bin, which holds all showers."""
    bins = Binning(1, (-1.0, 1.0), lambda cosine: (np.array([-np.inf]), np.array([np.inf])))
    return build_response(bins, find_resolution("flat"), 48, 24)


def test_numbers_of_an_independent_estimate(made):
    """Decays in the oil, of births in 30 m of earth over those in oil, an even flux: 3.7 at 38 m/GeV, 5.1 at 59."""
    assert float(made.decay_length_per_momentum) == pytest.approx(38.0, rel=0.01)
    by_parent = np.einsum("elcb,ep->p", np.asarray(made.rate)[:, :, :2], np.asarray(made.onto))
    weight = by_parent[:, None] * np.asarray(made.share)
    momentum = jnp.sqrt(made.energy**2 - made.mass**2)
    around = Surroundings(OIL, OIL, OIL, (Shell(VAULT, 30.0, DENSE),), 1e9)
    for length, estimate in ((38.0, 3.7), (59.0, 5.1)):
        earth, oil = (np.sum(weight * np.asarray(part(length * momentum, around))) for part in (from_shells, stays))
        assert earth / oil == pytest.approx(estimate, abs=0.1)


@pytest.mark.parametrize(("flight", "reach"), [(0.03, 8.0), (3.0, 60.0), (30.0, 100.0)])
def test_monte_carlo_of_selected_pairs(made, everything, flight, reach):
    """All pairs that MiniBooNE selects, which fly 0.03, 3 and 30 m at 0.4 GeV, born in oil and in earth of CH2."""
    events = made._replace(decay_length_per_momentum=jnp.asarray(flight / 0.4))
    selection = find_selection("overlap-13-mass")
    seen = miniboone.see(events, selection, 48, AROUND)
    counts = np.asarray(expected(everything, miniboone.selected(events), seen)).sum(axis=(1, 2))

    by_parent = np.einsum("elcb,ep->p", np.asarray(made.rate)[:, :, :2], np.asarray(made.onto))
    chance = np.asarray(miniboone.selection_probability(made.energy, made.mass, selection))
    weight = (by_parent[:, None] * np.asarray(made.share) * chance).ravel()
    momentum = np.sqrt(np.asarray(made.energy).ravel() ** 2 - float(made.mass) ** 2)

    def flights(rng, n):
        chosen = rng.choice(len(weight), n, p=np.maximum(weight, 0.0) / np.sum(np.maximum(weight, 0.0)))
        return flight / 0.4 * momentum[chosen]

    prompt = np.sum(weight)
    (oil, oil_error), (earth, earth_error) = toy(flights, reach, seed=5)
    assert np.sum(counts[:2]) / prompt == pytest.approx(oil, abs=4 * oil_error)
    assert counts[2] / prompt == pytest.approx(earth, abs=4 * earth_error + 1e-6)


def test_surroundings_of_oil_are_made_as_oil_is(made):
    rate, total = np.asarray(made.rate), np.asarray(made.made)
    np.testing.assert_allclose(rate[:, :, 2], rate[:, :, :2].sum(axis=2), rtol=1e-12)
    np.testing.assert_allclose(total[2], total[:2].sum(axis=0), rtol=1e-12)


def test_earth_weighs_as_much_as_oil():
    around = miniboone.in_earth(miniboone_beam())
    earth = {target.name: target for target in around.surroundings}
    nucleons = earth["proton"].count + earth["neutron"].count
    assert nucleons == pytest.approx(sum(target.count for target in CH2 if not target.is_nucleus), rel=0.003)
    assert 16.0 * earth["O16"].count + 28.0 * earth["Si28"].count < nucleons
    assert around.counts().shape == (3, len(around.scatterers))

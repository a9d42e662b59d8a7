"""BaBar's layers, boost, opening angles, and pseudo-photons and missed pairs against events thrown one by one."""

from dataclasses import replace
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.detectors.babar import (
    GEOMETRIES,
    chances,
    check_geometry,
    energy_resolution,
    frame_of,
    in_laboratory,
    layers,
    narrow_fraction,
)
from anomfit.detectors.pseudo_photons import (
    AT_REST,
    View,
    partners_of_states,
    pseudo_photons,
    unseen_pairs,
)
from anomfit.detectors.recoiling_pairs import EDGE, missed_pairs
from anomfit.errors import InputError
from anomfit.physics.dark_neutrinos import DarkNeutrinos, fates, pairs_of_states

ROOT_S = 10.36
FRAME = frame_of(ROOT_S, 3.1)
SINE = float(np.sin(np.radians(5.0)))


def states(m_4=-0.074, m_5=0.146, flight=0.02, majorana=True):
    """N_4 that does not decay in sight and N_5 -> N_4 e+e-, whose c tau (m) is brought to `flight` by hand."""
    found = DarkNeutrinos(
        mass=jnp.array([m_4, m_5]),
        to_light=jnp.zeros(2),
        produced=jnp.zeros(2),
        between=jnp.array([[0.0, 0.7], [0.7, 0.0]]),
        light=jnp.zeros(()),
        mixing_squared=jnp.zeros(2),
        m_Zprime=jnp.asarray(1.25),
        epsilon=jnp.asarray(0.02),
        majorana=majorana,
    )
    known = fates(found)
    return found, known._replace(flight=known.flight.at[1].set(flight / m_5))


MADE = jnp.zeros(len(pairs_of_states(2)[0])).at[3].set(1.0)  # one pair N_5 N_4
assert [x[3] for x in pairs_of_states(2)] == [1, 0]


# -- layers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_chances_are_those_of_an_exponential_and_add_up(geometry):
    at = layers(0.8, geometry)
    rng = np.random.default_rng(1)
    thrown = rng.exponential(0.7, 400_000)
    found = [float(x) for x in chances(0.7, at)]
    assert sum(found) == pytest.approx(1.0, rel=1e-12)
    edges = [0.0, *(float(x) for x in at), np.inf]
    counted = np.histogram(thrown, edges)[0] / len(thrown)
    np.testing.assert_allclose(found, counted, atol=0.003)


def test_spheres_have_the_published_chances_at_5_gev():
    """arXiv:2007.11813, appendix B h: 14, 13, 14 and 10 % in the calorimeter, with the printed masses and lifetimes."""
    m, c_tau = np.array([0.120, 0.146, 0.110, 0.346]), np.array([0.030, 0.022, 0.022, 0.039])
    length = c_tau * np.sqrt(25.0 - m**2) / m
    found = np.asarray(chances(length, layers(1.0, "spheres")).calorimeter)
    np.testing.assert_allclose(found, [0.14, 0.13, 0.14, 0.10], atol=0.006)


def test_cylinders_are_crossed_at_an_angle():
    straight, inclined = layers(1.0, "crystals"), layers(0.5, "crystals")
    assert float(inclined.calorimeter) == pytest.approx(2.0 * float(straight.calorimeter))
    assert float(inclined.outside) == pytest.approx(2.0 * float(straight.outside))
    depths = [float(at.behind - at.calorimeter) for at in (straight, inclined)]
    assert depths[0] == pytest.approx(depths[1])  # crystals point to the centre


def test_an_unknown_geometry_is_refused():
    with pytest.raises(InputError, match="use one of crystals, spheres"):
        check_geometry("cubes")


def test_the_boost_is_that_of_the_beams():
    electron, positron = ROOT_S**2 / (4.0 * 3.1), 3.1
    assert FRAME.gamma * FRAME.beta * ROOT_S == pytest.approx(electron - positron, rel=1e-12)
    energy, momentum, sine = in_laboratory(FRAME, 0.5 * ROOT_S, 0.5 * ROOT_S, 0.3)
    assert float(energy) == pytest.approx(float(momentum), rel=1e-12)  # massless stays so
    assert float(momentum * sine) == pytest.approx(0.5 * ROOT_S * np.sqrt(1.0 - 0.09), rel=1e-12)
    slope = jax.grad(lambda p: in_laboratory(FRAME, 5.0, p, 0.3)[2])(0.0)
    assert np.isfinite(slope)


def test_the_resolution_is_that_of_the_published_signal():
    """The digitised peak of 6.21 GeV: rms 1.65 GeV^2 at M_miss^2 = 38.6 GeV^2, at two energies."""
    widths = []
    for root_s in (10.02, 10.36):
        energy = (root_s**2 - 6.21**2) / (2.0 * root_s)
        widths.append(2.0 * root_s * float(energy_resolution(energy)))
    assert np.mean(widths) == pytest.approx(1.65, rel=0.02)


@pytest.mark.parametrize(("energy", "m_pair", "alignment"), [(3.0, 0.05, 0.3), (1.0, 0.08, -0.5), (0.5, 0.02, 0.0)])
def test_narrow_pairs_are_those_thrown(energy, m_pair, alignment):
    rng = np.random.default_rng(2)
    cosine = rng.uniform(-1.0, 1.0, 400_000)
    weight = 1.0 + alignment * 0.5 * (3.0 * cosine**2 - 1.0)
    gamma, beta = energy / m_pair, np.sqrt(1.0 - (m_pair / energy) ** 2)
    half = 0.5 * m_pair
    along = [gamma * half * (beta + sign * cosine) for sign in (1, -1)]
    across = half * np.sqrt(1.0 - cosine**2)
    angle = sum(np.arctan2(across, z) for z in along)
    expected = np.sum(weight[angle < np.radians(10.0)]) / np.sum(weight)
    assert float(narrow_fraction(energy, m_pair, alignment, SINE)) == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize("energy", [0.01, 0.05, 0.5, 0.573, 0.574, 5.0])
def test_narrow_pairs_have_a_finite_slope_everywhere(energy):
    value, slope = jax.value_and_grad(lambda e: narrow_fraction(e, 0.05, 0.2, SINE))(energy)
    assert 0.0 <= float(value) <= 1.0
    assert np.isfinite(slope)


# -- events thrown one by one -----------------------------------------------------------------------------------------


def boosted(momentum, gamma, direction, beta):
    """Four-momenta (..., 4) boosted along unit vectors."""
    along = np.sum(momentum[..., 1:] * direction, axis=-1)
    energy = gamma * (momentum[..., 0] + beta * along)
    shift = (gamma - 1.0) * along + gamma * beta * momentum[..., 0]
    return np.concatenate([energy[..., None], momentum[..., 1:] + shift[..., None] * direction], axis=-1)


def isotropic(rng, n):
    vectors = rng.normal(size=(n, 3))
    return vectors / np.linalg.norm(vectors, axis=1)[:, None]


def thrown(known, found, n, geometry, tilt=0.0):
    """N_5 of e+e- -> N_5 N_4, pair by pair in three dimensions: energies in the centre of mass, weights, all narrow."""
    rng = np.random.default_rng(3)
    m_4, m_5 = (abs(float(x)) for x in found.mass)
    spectrum = known.spectra
    own = 2  # N_5 -> N_4 among the decays
    masses, weights = np.asarray(spectrum.mass[own]), np.asarray(spectrum.branching[own])
    chosen = rng.choice(len(masses), n, p=weights / weights.sum())
    m_pair, aligned = masses[chosen], np.asarray(spectrum.alignment[own])[chosen]
    cosine = rng.uniform(-0.6, 0.6, n)
    flown = 0.6 * 0.75 * (1.0 + cosine**2)  # both light: (1 + cos^2) 3/8 over a range of 1.2
    azimuth = rng.uniform(0.0, 2.0 * np.pi, n)
    sine = np.sqrt(1.0 - cosine**2)
    direction = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine], axis=1)
    energy = 0.5 * (ROOT_S + (m_5**2 - m_4**2) / ROOT_S)
    momentum = np.sqrt(energy**2 - m_5**2)
    p_0 = np.sqrt((m_5**2 - (m_4 + m_pair) ** 2) * (m_5**2 - (m_4 - m_pair) ** 2)) / (2.0 * m_5)
    within = isotropic(rng, n)
    steered = (
        1.0 + tilt * np.asarray(spectrum.asymmetry[own])[chosen] * np.sum(within * direction, axis=1) if tilt else 1.0
    )
    pair = np.concatenate([np.sqrt(m_pair**2 + p_0**2)[:, None], p_0[:, None] * within], axis=1)
    in_centre = boosted(pair, energy / m_5, direction, momentum / energy)
    z = np.broadcast_to([0.0, 0.0, 1.0], (n, 3))
    parent = np.concatenate([np.full((n, 1), energy), momentum * direction], axis=1)
    parent_lab, pair_lab = (boosted(x, FRAME.gamma, z, FRAME.beta) for x in (parent, in_centre))
    p_lab = np.linalg.norm(parent_lab[:, 1:], axis=1)
    sine_lab = np.hypot(parent_lab[:, 1], parent_lab[:, 2]) / p_lab
    decays = np.asarray(chances(np.asarray(known.flight[1]) * p_lab, layers(sine_lab, geometry)).calorimeter)
    lepton = rng.uniform(-1.0, 1.0, n)
    leptons = 1.0 + aligned * 0.5 * (3.0 * lepton**2 - 1.0)
    gamma = pair_lab[:, 0] / m_pair
    beta = np.sqrt(1.0 - 1.0 / gamma**2)
    half = 0.5 * m_pair
    opened = sum(np.arctan2(half * np.sqrt(1.0 - lepton**2), gamma * half * (beta + sign * lepton)) for sign in (1, -1))
    weight = flown * decays * leptons * steered * (opened < np.radians(10.0)) * weights.sum()
    return in_centre[:, 0], weight / n


@pytest.mark.parametrize(("geometry", "majorana"), [("crystals", True), ("spheres", True), ("crystals", False)])
def test_pseudo_photons_are_those_thrown(geometry, majorana):
    """The pair's own direction, which the rule takes along N_5, does not matter."""
    found, known = states(majorana=majorana)
    view = View(geometry, -0.6, 0.6, SINE)
    ours = jax.jit(lambda: pseudo_photons(found, known, MADE, ROOT_S, FRAME, view))()
    energy, weight = thrown(known, found, 400_000, geometry, 0.0 if majorana else -1.0)
    own = np.asarray(ours.energy).ravel(), np.asarray(ours.events).ravel()
    assert own[1].sum() == pytest.approx(weight.sum(), rel=0.01)
    edges = np.array([1.2, 2.0, 2.8, 3.4])
    between = jax.jit(lambda low, high: pseudo_photons(found, known, MADE, ROOT_S, FRAME, view, (low, high)).events)
    for low, high in pairwise(edges):
        assert float(between(low, high).sum()) == pytest.approx(
            weight[(energy > low) & (energy < high)].sum(), rel=0.015
        )


def test_either_state_of_a_pair_of_the_same_may_be_the_photon():
    k, place, times = partners_of_states(3)
    assert times.tolist() == [[1, 2, 1, 1], [1, 1, 2, 1], [1, 1, 1, 2]]
    first, second = pairs_of_states(3)
    for j in range(3):
        for q in range(4):
            i = int(place[j, q])
            assert {int(first[i]), int(second[i])} == {j, int(k[j, q])}


def test_a_daughter_that_shows_takes_the_event_away():
    found, known = states()
    view = View("spheres", -0.6, 0.6, SINE)
    seen = known._replace(visible=jnp.array([1.0, 1.0]), flight=known.flight.at[0].set(1e-3))
    events = jax.jit(lambda known: pseudo_photons(found, known, MADE, ROOT_S, FRAME, view).events)
    whole, gone = (float(events(x).sum()) for x in (known, seen))
    assert whole > 0.0
    assert gone < 1e-12 * whole


def test_unseen_pairs_fly_as_exponentials():
    """At rest, one state that decays: exp(-R/L); two of them: the square."""
    found, known = states(flight=1.5)
    fractions = jax.jit(lambda: unseen_pairs(found, known, ROOT_S, AT_REST, 3.0))()
    energy = 0.5 * (ROOT_S + (0.146**2 - 0.074**2) / ROOT_S)
    length = 1.5 / 0.146 * np.sqrt(energy**2 - 0.146**2)
    assert float(fractions[3]) == pytest.approx(np.exp(-3.0 / length), rel=1e-9)
    alone = 1.5 / 0.146 * np.sqrt(0.25 * ROOT_S**2 - 0.146**2)
    assert float(fractions[4]) == pytest.approx(np.exp(-6.0 / alone), rel=1e-9)
    assert float(fractions[0]) == pytest.approx(1.0, rel=1e-9)  # N_4 does not decay


def test_missed_pairs_are_those_thrown():
    """Z' -> N_5 N_4 against a photon; the state that decays flies 3.04 m, or misses the calorimeter."""
    found, known = states(flight=0.06)
    n, rng = 400_000, np.random.default_rng(4)
    cosine = rng.uniform(-0.6, 0.6, n)
    likely = (1.0 + cosine**2) / (1.0 - cosine**2)
    m, root_s = 1.25, 10.02
    frame = frame_of(root_s, 3.1)
    energy = 0.5 * (root_s + m**2 / root_s)
    sine = np.sqrt(1.0 - cosine**2)
    towards = np.stack([-sine, np.zeros(n), -cosine], axis=1)
    m_4, m_5 = 0.074, 0.146
    p_0 = np.sqrt((m**2 - (m_4 + m_5) ** 2) * (m**2 - (m_5 - m_4) ** 2)) / (2.0 * m)
    own = np.concatenate([np.full((n, 1), np.sqrt(p_0**2 + m_5**2)), p_0 * isotropic(rng, n)], axis=1)
    moving = boosted(own, energy / m, towards, np.sqrt(1.0 - (m / energy) ** 2))
    lab = boosted(moving, frame.gamma, np.broadcast_to([0.0, 0.0, 1.0], (n, 3)), frame.beta)
    p = np.linalg.norm(lab[:, 1:], axis=1)
    angle = np.arccos(lab[:, 3] / p)
    low, high = np.radians(15.8), np.radians(141.8)
    inside = 1.0 / (1.0 + np.exp((low - angle) / EDGE)) / (1.0 + np.exp((angle - high) / EDGE))
    missed = 1.0 - inside * (1.0 - np.exp(-3.04 / (0.06 / m_5 * p)))
    expected = np.sum(likely * missed) / np.sum(likely)
    assert float(jax.jit(lambda: missed_pairs(found, known, root_s, 0.6))()) == pytest.approx(expected, rel=0.02)


def test_nothing_is_missed_where_the_Zprime_makes_no_pair():
    found, known = states()
    closed = replace(found, m_Zprime=jnp.asarray(0.2))
    missed = jax.jit(jax.value_and_grad(lambda m: missed_pairs(replace(found, m_Zprime=m), known, 10.02, 0.6)))
    value, slope = missed(closed.m_Zprime)
    assert (float(value), float(slope)) == (0.0, 0.0)

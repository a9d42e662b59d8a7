"""The dark-photon model: its vertices from a mixing matrix, numbers by hand at the published point, what is closed."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import dark_photon as oracle
from oracles.reactions import events_of
from scipy.integrate import quad

from anomfit.beams.booster import miniboone_beam
from anomfit.capabilities import HasCouplings, HasLightBosons, Model, PredictsLeptonMoment, Upscatters
from anomfit.errors import InputError
from anomfit.measurements.miniboone import interactions_in_oil
from anomfit.models.dark_photon import dark_photon, dark_photon_dirac
from anomfit.models.dark_photon_parameters import BERTUZZO
from anomfit.physics import kinematics
from anomfit.physics.constants import HBAR, HBAR_C_M, M_E, M_MU
from anomfit.physics.exchange import Flown, d_sigma_d_q_squared, polarisation
from anomfit.physics.targets import stack_targets
from anomfit.rates.pair_events import Nodes, polarised_rates, production_rate

MODELS = {"majorana": dark_photon, "dirac": dark_photon_dirac}


def at(**changes):
    return {name: jnp.asarray(float(value)) for name, value in {**BERTUZZO, **changes}.items()}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_it_offers_what_measurements_ask_for(model):
    for capability in (Model, Upscatters, PredictsLeptonMoment, HasCouplings, HasLightBosons):
        assert isinstance(model, capability)
    assert not model.nuisances  # electromagnetic form factors are measured


def test_the_vertices_from_a_mixing_matrix():
    """nu_mu and nu_D mix with one angle, nu_mu with nu_e and nu_tau as they like: light states are summed over."""
    mixing = 0.3
    rotation = np.eye(4)
    rotation[np.ix_([1, 3], [1, 3])] = [[np.sqrt(1 - mixing**2), mixing], [-mixing, np.sqrt(1 - mixing**2)]]
    light = np.eye(4)
    light[:3, :3] = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    U = rotation @ light  # flavours (e, mu, tau, D) in rows, masses in columns
    assert U[1, 3] == pytest.approx(mixing)
    point = at(U_mu4=mixing)
    g_D = np.sqrt(4 * np.pi * BERTUZZO["alpha_D"])
    made = abs(np.sum(U[1, :3] * U[3, :3]) * U[3, 3])  # the light part of nu_mu against that of nu_D
    assert float(dark_photon.vertex(point)) == pytest.approx(g_D * made, rel=1e-12)
    decays, to_light = np.sum(U[3, :3] ** 2) * U[3, 3] ** 2, np.sum(U[3, :3] ** 2) ** 2
    m, M = BERTUZZO["m_N4"], BERTUZZO["m_Zprime"]
    width = g_D**2 * decays * m**3 / (32 * np.pi * M**2) * (1 - M**2 / m**2) ** 2 * (1 + 2 * M**2 / m**2)
    assert float(dark_photon_dirac.nu4_width(point)) == pytest.approx(width, rel=1e-12)
    assert float(dark_photon.nu4_width(point)) == pytest.approx(2 * width, rel=1e-12)
    hidden = g_D**2 * to_light * M / (24 * np.pi)
    assert float(dark_photon.zprime_widths(point).to_neutrinos) == pytest.approx(hidden, rel=1e-12)


def test_widths_and_flights_of_the_published_point():
    """alpha eps^2 m/3 to electrons: 2e-12 GeV; g_D^2 |U|^2 m^3/(16 pi M^2): 4.63e-6 GeV."""
    (reaction,) = dark_photon.reactions(at(), {})
    widths, width = dark_photon.zprime_widths(at()), dark_photon.nu4_width(at())
    assert float(widths.to_electrons) == pytest.approx(2e-12, rel=1e-6)
    assert float(width) == pytest.approx(4.630e-6, rel=1e-3)
    assert HBAR / float(widths.total) == pytest.approx(3.289e-13, rel=1e-3)  # s
    assert float(reaction.flight) == pytest.approx(HBAR_C_M / float(width) / 0.42, rel=1e-12)
    assert float(reaction.pair.flight) == pytest.approx(3.287e-3, rel=1e-3)  # m/GeV
    assert float(reaction.visible) == pytest.approx(1.0, abs=1e-3)


def test_what_a_heavy_zprime_decays_to():
    """Above the pions it has four kinds of decays; light neutrinos take |U_mu4|^4 alpha_D m/6."""
    point = at(m_N4=1.5, m_Zprime=0.9, U_mu4=0.1)
    widths = jax.jit(dark_photon.zprime_widths)(point)
    base = 2e-10 * 0.9 / 3
    r = (M_MU / 0.9) ** 2
    assert float(widths.to_electrons) == pytest.approx(base * (1 + 2 * (M_E / 0.9) ** 2), rel=1e-6)
    assert float(widths.to_muons) == pytest.approx(base * (1 + 2 * r) * np.sqrt(1 - 4 * r), rel=1e-10)
    assert float(widths.to_hadrons) > base
    assert float(widths.to_neutrinos) == pytest.approx(0.25 * 1e-4 * 0.9 / 6, rel=1e-10)
    (bosons,) = jax.jit(dark_photon.light_bosons)(point)
    assert bosons.spin == "vector"
    assert float(bosons.width[0]) == pytest.approx(float(widths.total), rel=1e-12)
    assert float(bosons.g_e[0]) == pytest.approx(-np.sqrt(4 * np.pi * 2e-10), rel=1e-10)
    assert float(2 * bosons.g_u[0] + bosons.g_d[0]) == pytest.approx(-float(bosons.g_e[0]), rel=1e-12)  # the proton's
    assert float(bosons.g_u[0] + 2 * bosons.g_d[0]) == pytest.approx(0.0, abs=1e-18)


@pytest.mark.parametrize(("lepton", "mass"), [("muon", M_MU), ("electron", M_E)])
def test_lepton_moments(lepton, mass):
    r = BERTUZZO["m_Zprime"] / mass
    integral, _ = quad(lambda z: 2 * z * (1 - z) ** 2 / ((1 - z) ** 2 + z * r**2), 0, 1, epsabs=0, epsrel=1e-11)
    expected = 2e-10 / (2 * np.pi) * integral  # alpha eps^2/2 pi
    assert float(dark_photon.lepton_moment(at(), lepton)) == pytest.approx(expected, rel=1e-9)


def test_an_unknown_lepton_is_refused():
    with pytest.raises(InputError, match="electron"):
        dark_photon.lepton_moment(at(), "quark")


def test_interactions_of_the_published_point_at_miniboone():
    """Against an integral with other variables, form factors and nodes."""
    chain = SimpleNamespace(beam=miniboone_beam())  # all that the interactions ask of it
    by_name = jax.jit(lambda point: interactions_in_oil(dark_photon, point, {}, chain))(at())
    names = [[f"{state}{mode}" for mode in ("", "_antineutrino_mode")] for state in ("coherent", "incoherent")]
    found = np.array([[by_name[name] for name in row] for row in names])
    assert by_name.keys() == {name for row in names for name in row}
    np.testing.assert_allclose(found, oracle.interactions(BERTUZZO), rtol=1e-4)
    np.testing.assert_allclose(found[:, 0], [9827.8, 2003.9], rtol=1e-4)  # docs/dark_photon.md


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_gradients_are_finite_and_closed_decays_are_zero(model):
    def numbers(point):
        (reaction,) = model.reactions(point, {})
        asymmetry = jnp.zeros(()) if reaction.asymmetry is None else reaction.asymmetry
        found = jnp.stack([reaction.visible, jnp.log(reaction.flight), jnp.log(reaction.pair.flight), asymmetry])
        return found, found

    both = jax.jit(jax.jacfwd(numbers, has_aux=True))
    for m_N4, m_Zprime in ((0.42, 0.03), (0.02, 0.5), (0.3, 0.3)):
        slopes, found = both(at(m_N4=m_N4, m_Zprime=m_Zprime))
        assert all(np.all(np.isfinite(leaf)) for leaf in (found, *slopes.values()))
        assert (float(found[0]) == 0.0) == (m_N4 <= m_Zprime)


@pytest.mark.parametrize("name", ["three-plus-one", "products"])
def test_parametrisations_go_both_ways(name):
    chosen = dark_photon.parametrisations[name]
    there = chosen.from_physical(at())
    assert set(there) == set(chosen.names)
    assert all(chosen[key].low <= float(value) <= chosen[key].high for key, value in there.items())
    assert all(float(bound(there)) > float(there[key]) for key, bound in chosen.upper.items())
    back = chosen.to_physical(there)
    assert {key: float(value) for key, value in back.items()} == pytest.approx(BERTUZZO, rel=1e-12)


def test_production_knows_the_product_alone():
    """The rate goes with the square of g_D U_mu4 epsilon, whatever its factors."""
    chosen = dark_photon.parametrisations["products"]
    point = chosen.from_physical(at())
    moved = chosen.to_physical({**point, "U_mu4": 2.0 * point["U_mu4"], "epsilon": 3.0 * point["epsilon"]})
    first, second = (
        np.asarray(model.exchange(where, {}).couplings(stack_targets(miniboone_beam().scatterers)))
        for model, where in ((dark_photon, at()), (dark_photon, moved))
    )
    np.testing.assert_allclose(first, second, rtol=1e-5)  # up to |U_D4|^2


def test_a_dirac_neutrino_is_steered_by_the_polarisation_of_each_target():
    beam, nodes = miniboone_beam("numu-only", "neutrino"), Nodes(energy=6, angle=5, parent=4, polar=4)
    assert jax.eval_shape(lambda point: events_of(dark_photon, point, beam, nodes), at()).spin is None
    (reaction,) = dark_photon_dirac.reactions(at(), {})
    asymmetry = (0.42**2 - 2 * 0.03**2) / (0.42**2 + 2 * 0.03**2)
    assert float(reaction.asymmetry) == pytest.approx(asymmetry)
    events = jax.jit(lambda point: events_of(dark_photon_dirac, point, beam, nodes))(at())
    steered = np.hypot(events.spin.along, events.spin.across)
    assert np.all(steered <= asymmetry * np.asarray(events.rate) * (1 + 1e-12))
    assert np.sum(events.spin.along) < -0.5 * asymmetry * np.sum(events.rate)  # left handed, though not light


def test_rates_of_polarised_neutrinos_weigh_the_targets():
    """Coherent: the polarisation on carbon; incoherent: the mean over protons and neutrons with their rates."""
    beam = miniboone_beam("numu-only", "neutrino")
    exchange = dark_photon_dirac.exchange(at(), {})
    e_N, cosine = jnp.asarray([0.5, 0.7, 1.5]), jnp.asarray([0.9, 0.98, 0.999])
    p_N = jnp.sqrt(e_N**2 - 0.42**2)
    rate = np.asarray(production_rate(beam, e_N, p_N, cosine, exchange))[..., 0]
    found = np.asarray(polarised_rates(beam, e_N, p_N, cosine, exchange))[..., 0]  # (along, across), nodes, component
    targets = stack_targets(beam.scatterers)
    by_hand, weight = np.zeros((2, 3, 2)), np.zeros((3, 2))
    for i, target in enumerate(beam.scatterers):
        energy, recoil = kinematics.neutrino_energy(e_N, p_N, cosine, 0.42, target.mass)
        q_squared = 2.0 * target.mass * (energy - e_N)
        at_nodes = [jnp.repeat(x[:, None], len(targets.mass), axis=1) for x in (energy, q_squared)]
        flown = Flown(*(x[:, None] for x in (e_N, p_N, cosine)))
        polarised = [np.asarray(part)[:, i] for part in polarisation(exchange, *at_nodes, flown, targets)]
        section = np.asarray(d_sigma_d_q_squared(exchange, *at_nodes, targets))[:, i]
        density = section * np.asarray(2.0 * target.mass * energy * p_N / recoil * beam.flux_at(energy)[:, 0])
        share = beam.counts()[:, i] * density[:, None] * float(beam.exposure[0])
        weight += share
        by_hand += np.stack(polarised)[..., None] * share
    np.testing.assert_allclose(rate, weight, rtol=1e-12)
    np.testing.assert_allclose(found, by_hand, rtol=1e-10)

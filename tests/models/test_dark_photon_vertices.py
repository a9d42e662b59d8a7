"""Three heavy neutrinos in masses and vertices: widths by hand and published, pairs of three-body decays, limits."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.capabilities import HasCouplings, HasLightBosons, Model, PredictsLeptonMoment, Upscatters, over_reactions
from anomfit.catalogue import find_measurement
from anomfit.errors import InputError
from anomfit.models.dark_photon import DarkPhoton, dark_photon, dark_photon_dirac
from anomfit.models.dark_photon_parameters import BERTUZZO
from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.physics import dark_neutrinos, vector_decays
from anomfit.physics.constants import HBAR_C_M
from anomfit.physics.dark_neutrinos import decays, pairs_of_states, reactions, total_widths, zprime_widths
from anomfit.physics.reaction import Second, SpreadReaction, over_parts, parts
from anomfit.rates.pair_events import pair_events

MODELS = {"majorana": dark_photon, "dirac": dark_photon_dirac}
VERTICES = dark_photon.parametrisations["vertices"]
LIFETIMES = {
    "BP-A": (6.39, 0.759),
    "BP-B": (6.05, 0.370),
    "BP-C": (6.15, 0.352),
    "BP-D": (4.04, 0.404),
}  # cm, of N_5 and N_6
"""From the printed matrices with the CP phases that they have: half a unit of the last digit is the tolerance."""


def as_point(values):
    return {name: jnp.asarray(float(value)) for name, value in values.items()}


def at(**changes):
    """The point of the paper with one heavy neutrino in vertices, changed."""
    return as_point({**VERTICES.from_physical(as_point(BERTUZZO)), **changes})


def heavy(**changes):
    """N_5 -> N_4 e+e- through a Z' of 1.25 GeV."""
    there = {"m_N4": -0.07, "m_N5": 0.15, "V_53": 5e-4, "V_54": 0.3, "V_55": 0.1, "V_44": 0.03, "V_43": 4e-4}
    return at(**({"m_Zprime": 1.25, "alpha_D": 0.3, "epsilon": 0.02, "U_mu4": 1e-4} | there | changes))


in_vertices = jax.jit(dark_seesaw.vertices)


@partial(jax.jit, static_argnums=0)
def widths_of(model, point):
    """Total widths of the heavy neutrinos; one program for all points, as every operation alone would be one too."""
    states = model.dark_neutrinos(point)
    return total_widths(states, decays(states))


@partial(jax.jit, static_argnums=0)
def decays_of(model, point):
    return decays(model.dark_neutrinos(point))


@partial(jax.jit, static_argnums=0)
def widths_of_zprime(model, point):
    return model.zprime_widths(point)


@partial(jax.jit, static_argnums=0)
def reactions_of(model, point):
    return model.reactions(point, {})


def benchmark(name):
    """BP-A to BP-D of arXiv:2007.11813 from their mass matrices."""
    return in_vertices(as_point(dark_seesaw.points[name]))


class FirstAlone:
    """A model without the reactions of its other states."""

    def __init__(self, model):
        self.model = model

    def reactions(self, point, nuisances):
        """The first one."""
        return self.model.reactions(point, nuisances)[:1]


def test_one_state_is_the_model_with_one():
    """A real Z', its nodes inside of its width: widths and the spectrum of MiniBooNE as in two bodies."""
    model, one, three = dark_photon_dirac, as_point(BERTUZZO), at()
    assert float(widths_of(model, three)[0]) == pytest.approx(float(model.nu4_width(one)), rel=1e-6)
    here, there = (widths_of_zprime(model, point) for point in (one, three))
    assert float(there.total) == pytest.approx(float(here.total - here.to_neutrinos), rel=1e-9)  # there is no V_33
    measurement = find_measurement("miniboone")
    nuisances = {n.name: jnp.asarray(n.mean) for n in measurement.nuisances}

    @jax.jit
    def bins(measurement, point):
        return measurement.predict(FirstAlone(model), point, nuisances).total

    without_light = float(there.total / here.total)  # of Z' to light neutrinos
    here, there = (np.asarray(bins(measurement, point)) for point in (one, three))
    np.testing.assert_allclose(without_light * there, here, rtol=1e-5, atol=1e-6 * np.max(here))


def test_widths_by_hand():
    """Far below Z' without masses of the daughters: g^2 m^5/(384 pi^3 M^4), of which a Dirac state has half."""
    point = heavy(V_54=0.0, V_43=0.0, m_Zprime=20.0)
    g_squared = 4 * np.pi / 137.035999 * 0.02**2 * 4 * np.pi * 0.3 * 5e-4**2
    width = g_squared * 0.15**5 / (384 * np.pi**3 * 20.0**4)
    for model, factor in ((dark_photon, 1.0), (dark_photon_dirac, 0.5)):
        found = decays_of(model, point)
        assert float(found.to_electrons[1]) == pytest.approx(factor * width, rel=1e-3)  # (2 m_e/m_N5)^2 is left
        np.testing.assert_array_equal(np.asarray(found.to_others), 0.0)


def test_zprime_decays_to_heavy_neutrinos():
    """Two different Majorana states by their parity, identical ones half, a Dirac pair with its own V."""
    point = heavy()
    g = np.sqrt(4 * np.pi * 0.3)
    for model in MODELS.values():
        by_pair = dict(
            zip(
                zip(*map(tuple, pairs_of_states(3)), strict=True),
                jax.jit(lambda point, model=model: zprime_widths(model.dark_neutrinos(point)).to_heavy)(point),
                strict=True,
            )
        )
        eta = -1.0 if model.majorana else 0.0
        mixed = vector_decays.width_to_neutrinos(1.25, g * 0.3, 0.15, 0.07, eta)
        same = vector_decays.width_to_neutrinos(1.25, g * 0.1, 0.15, 0.15, 1.0 if model.majorana else 0.0)
        assert float(by_pair[1, 0]) == pytest.approx(float(mixed), rel=1e-12)
        assert float(by_pair[1, 1]) == pytest.approx(0.5 * float(same), rel=1e-12)


@pytest.mark.parametrize("name", LIFETIMES)
def test_lifetimes_of_the_benchmarks(name):
    length = 100.0 * HBAR_C_M / widths_of(dark_photon, benchmark(name))
    for found, printed, half in zip(length[1:], LIFETIMES[name], (0.005, 0.0005), strict=True):
        assert float(found) == pytest.approx(printed, abs=half)


def test_the_seesaw_is_its_vertices():
    """Masses and vertices of BP-B from the printed matrix in 60 digits; what follows is the dark photon's."""
    there = benchmark("BP-B")
    masses = [1e3 * float(there[f"m_N{j}"]) for j in (4, 5, 6)]
    np.testing.assert_allclose(masses, [-74.18, 145.6, -220.5], atol=0.05)
    squares = {"V_43": 13.62e-8, "V_53": 26.44e-8, "V_63": 122.7e-8, "V_54": 104.8e-3, "V_65": 869.2e-3}
    for name, square in squares.items():
        assert float(there[name]) ** 2 == pytest.approx(square, rel=6e-4)
    for capability in (Model, Upscatters, PredictsLeptonMoment, HasCouplings, HasLightBosons):
        assert isinstance(dark_seesaw, capability)
    point = as_point(dark_seesaw.points["BP-B"])
    assert float(dark_seesaw.lepton_moment(point, "muon")) == float(dark_photon.lepton_moment(there, "muon"))
    assert set(dark_seesaw.parametrisations["lagrangian"].names) == set(point)


def test_states_may_be_named_in_any_order():
    swapped = {"4": "5", "5": "4"}
    there = {
        key if key.startswith(("alpha", "eps", "m_Z")) else key.translate(str.maketrans(swapped)): value
        for key, value in heavy().items()
    }
    there["V_54"] = there.pop("V_45")
    here, other = (widths_of(dark_photon, point) for point in (heavy(), there))
    np.testing.assert_allclose(here, other, rtol=1e-12)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_parts_add_up_to_the_reaction(model):
    """What a batch of pairs finds is the sum over its parts, and branching ratios are those of the widths."""
    for reaction in reactions_of(model, heavy()):
        assert isinstance(reaction, SpreadReaction)
        alone = parts(reaction)
        assert float(reaction.visible) == pytest.approx(sum(float(part.visible) for part in alone), rel=1e-12)
        seen = over_parts(reaction, lambda part: part.visible * part.pair.mass)
        assert float(seen) == pytest.approx(float(jnp.sum(reaction.branching * reaction.pairs.mass)), rel=1e-12)
    found = decays_of(model, heavy())
    whole = (found.to_electrons[1] + found.to_electrons[2]) / widths_of(model, heavy())[1]
    form_factors = model.targets.form_factors({})
    made = jax.jit(lambda point: reactions(model.dark_neutrinos(point), form_factors))(heavy())
    assert float(made[1].visible) == pytest.approx(float(whole), rel=1e-10)


def numbers(model, point):
    """Flights, visible shares and widths, twice: once to be differentiated."""
    made = model.reactions(point, {})
    (bosons,) = model.light_bosons(point)
    flights = jnp.stack([jnp.log(reaction.flight) for reaction in made[:2]])
    found = jnp.concatenate([flights, jnp.stack([r.visible for r in made]), jnp.log(bosons.width)])
    return found, found


@partial(jax.jit, static_argnums=0)
def numbers_and_slopes(model, point):
    slopes, values = jax.jacfwd(partial(numbers, model), has_aux=True)(point)
    return values, slopes


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("change", [{}, {"m_N5": -0.07}, {"m_Zprime": 0.08}, {"m_Zprime": 0.0801}, {"V_53": 0.0}])
def test_everything_is_finite_with_right_gradients(model, change):
    """At equal masses and at the threshold of a real Z' too; a threshold itself has a slope from one side."""
    point = heavy(**change)
    values, slopes = numbers_and_slopes(model, point)
    assert all(np.all(np.isfinite(leaf)) for leaf in (values, *slopes.values()))
    if not change:
        free = ("m_N4", "m_N5", "V_54", "V_53", "alpha_D", "epsilon", "m_Zprime")
        direction, step = dict(zip(free, np.random.default_rng(2).normal(size=len(free)), strict=True)), 1e-4

        def along(way):
            moved = {name: point[name] * np.exp(way * step * x) for name, x in direction.items()}
            return np.asarray(numbers_and_slopes(model, as_point({**point, **moved}))[0])

        found = sum(np.asarray(slopes[name]) * float(point[name]) * x for name, x in direction.items())
        np.testing.assert_allclose(found, (along(1.0) - along(-1.0)) / (2.0 * step), rtol=1e-6, atol=1e-5)


def test_a_daughter_that_decays_at_once_hides_a_pair():
    """N_6 -> N_5 e+e-, N_5 -> N_4 e+e-: no event with one pair if N_5 decays within the path, else all of them."""
    for V_54, expected in ((1.0, 0.0), (1e-9, 1.0)):
        point = heavy(m_N6=-0.3, V_65=0.5, V_64=0.0, V_63=1e-4, V_54=V_54, V_53=0.0, U_mu5=0.0)
        pair = parts(reactions_of(dark_photon, point)[2])[-1]
        (channel,) = pair.channels
        assert float(channel.daughter_mass) == pytest.approx(0.15)
        assert float(channel.alone(jnp.asarray(0.2), 5.0)) == pytest.approx(expected, abs=1e-2)


def test_a_second_pair_without_a_flight_is_always_there():
    """Its slope in the flight is finite there too, and a path of no length shows nothing."""

    def unseen(flight, path=5.0):
        return Second(jnp.asarray(0.3), flight).unseen(jnp.asarray(0.2), path)

    value, slope = jax.value_and_grad(unseen)(jnp.zeros(()))
    assert (float(value), float(slope)) == (pytest.approx(0.7), 0.0)
    assert float(unseen(jnp.zeros(()), 0.0)) == 1.0


def test_a_point_of_three_has_no_other_parametrisation():
    with pytest.raises(InputError, match="vertices"):
        dark_photon.parametrisations["three-plus-one"].from_physical(heavy())


def test_recoil_detectors_and_light_bosons_take_them():
    """LSND counts what over_parts adds; Z' shows its heavy neutrinos after their flight."""
    point = heavy()
    counts = jax.jit(lambda at: over_reactions(dark_photon, at, {}, lambda one: one.visible * one.flight))(point)
    assert np.isfinite(float(counts))
    (bosons,) = jax.jit(dark_photon.light_bosons)(point)
    widths = widths_of_zprime(dark_photon, point)
    assert float(bosons.width[0]) == pytest.approx(float(widths.total), rel=1e-12)
    assert float(bosons.to_semivisible[0]) == pytest.approx(float(jnp.sum(widths.to_heavy)), rel=1e-12)
    assert 0.0 < float(bosons.semivisible_flight[0]) < 100.0
    assert dark_neutrinos.PAIR_MASSES >= 8


def test_pairs_have_finite_slopes_where_states_are_too_heavy_or_daughters_light():
    """N_6 above the beam, N_5 next to N_4, light neutrinos as daughters, which have no flight."""
    chain = find_measurement("miniboone").chain
    nodes = dataclasses.replace(chain.nodes, energy=8, angle=3, made=4, spread=(6, 4))
    point = heavy(m_N4=-0.945, m_N5=0.9451, m_N6=-14.9, V_63=1e-4, V_65=0.1)

    def events(m_N4):
        made = DarkPhoton(zprime_flies=False).reactions({**point, "m_N4": m_N4}, {})
        return [jax.vmap(lambda part, r=r: pair_events(r.of(part), chain.beam, nodes))(r.pairs) for r in made]

    numbers, slopes = jax.jit(lambda m: jax.jvp(events, (m,), (jnp.ones(()),)))(point["m_N4"])
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves((numbers, slopes)))


def test_a_virtual_boson_without_a_flight_gives_what_one_of_no_flight_gives(monkeypatch):
    """The flight of heavy neutrinos as a factor of what is made, and looked up for parents, here for every one."""
    monkeypatch.setattr("anomfit.rates.pair_events.FEW", 32)
    chain = find_measurement("miniboone")
    nodes = dataclasses.replace(chain.chain.nodes, energy=64, angle=4, made=8, parent=32, polar=6, spread=(32, 6))
    few = dataclasses.replace(chain, chain=dataclasses.replace(chain.chain, nodes=nodes, of_spread=None))
    flying, still = (
        jax.jit(lambda point, model=model: few.predict(model, point, {}).total)(heavy(V_54=0.01))
        for model in (dark_photon, DarkPhoton(zprime_flies=False))
    )
    np.testing.assert_allclose(still, flying, rtol=0.0, atol=1e-4 * float(jnp.max(flying)))

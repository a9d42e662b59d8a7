"""The conditions of arXiv:2005.08920: by hand, against other routes, finite slopes; what the default nodes cost."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles.reactions import events_of

from anomfit.beams.booster import miniboone_beam
from anomfit.capabilities import offers
from anomfit.catalogue import shipped_constraints
from anomfit.constraints import constraint_table
from anomfit.constraints import decay_conditions as decays
from anomfit.constraints import scattering_conditions as scattering
from anomfit.constraints.dark_photon_reference import benchmark, interactions
from anomfit.constraints.pair_directions import forward_and_all, fraction
from anomfit.data import load_record
from anomfit.detectors.miniboone import single_shower_efficiency
from anomfit.measurements.miniboone import NODES
from anomfit.models.dark_scalar import as_published, dark_scalar
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics.constants import HBAR_C_M
from anomfit.rates.pair_events import PairEvents, PairSpin

MINE = {entry.name: entry for entry in (*scattering.constraints(), *decays.constraints())}
FAST = tuple(entry for name, entry in MINE.items() if name != "forward-share-miniboone")
BEAM = miniboone_beam("numu-only", "neutrino")
VARIED = ("kappa", "eta_u", "eta_d", "g_D", "U_mu4", "m_S", "m_nu4")
STEP = 1e-5


def point(name="bp1", **changes):
    return {key: jnp.asarray(value) for key, value in {**dark_scalar.points[name], **changes}.items()}


@pytest.fixture(scope="module")
def table():
    points = {name: constraint_table(as_published, point(name), MINE.values()) for name in ("bp1", "bp5")}
    return {name: {row.name: row for row in rows} for name, rows in points.items()}


def test_they_are_asked_of_the_dark_scalar_only():
    assert {entry.name for entry in shipped_constraints()} >= set(MINE)
    assert all(offers(dark_scalar, entry.accepts) for entry in MINE.values())
    assert not any(offers(two_higgs_doublet, entry.accepts) for entry in MINE.values())


def test_the_recorded_reference_is_the_computed_one():
    recorded = load_record("accelerators/dark_scalar_conditions").parts["visible_interactions"].values["reference"]
    assert recorded == pytest.approx(interactions(BEAM, benchmark()["U_mu4_squared_published"])[0], rel=1e-4)


@partial(jax.jit, static_argnames="nodes")
def made_in_oil(at, nodes):
    """One program for all masses."""
    return events_of(dark_scalar, at, BEAM, nodes).made[:, 0]


@pytest.mark.parametrize("m_nu4", [0.03, 0.4, 1.0])
def test_few_nodes_count_the_interactions_that_many_count(m_nu4):
    at = point(m_nu4=m_nu4, m_S=0.02)
    few, many = (made_in_oil(at, nodes) for nodes in (scattering.RATE_NODES, NODES))
    np.testing.assert_allclose(few, many, rtol=1e-3)


def test_visible_interactions_go_with_the_couplings_of_the_production_and_the_visible_share():
    """At fixed widths of S: y^2 C^2 BR. Half of g_D U_mu4 at the same g_D U_mu4^2 leaves S alone."""
    entry = MINE["miniboone-dark-photon"]
    predicted = jax.jit(lambda at: entry.outcome(dark_scalar, at, {}).predicted)
    ratio = predicted(point(U_mu4=2.0 * 4.5e-3, g_D=0.25 * 0.29)) / predicted(point())
    unmixed = (1.0 - (9.0e-3) ** 2) / (1.0 - (4.5e-3) ** 2)
    assert float(ratio) == pytest.approx(0.25 * unmixed**2, rel=1e-9)


def test_the_papers_points_pass(table):
    for rows in table.values():
        allowed = {name for name, row in rows.items() if row.verdict in ("allowed", "no reach")}
        others = {"miniboone-dark-photon", "forward-share-miniboone"}  # 13 per cent low, and 71 per cent: reproduce
        assert set(rows) - allowed <= others


def test_mass_lengths_and_rates_by_hand(table):
    rows, at = table["bp1"], point()
    assert rows["nu4-mass-miniboone"].ratio == pytest.approx(400.0 / 416.0, rel=1e-12)
    width = float(as_published.scalar_widths(at).total)
    assert rows["scalar-decay-length"].predicted == pytest.approx(1e3 * HBAR_C_M / width, rel=1e-6)
    nu4 = float(as_published.nu4_decay_width(at))
    assert rows["nu4-decay-length"].predicted == pytest.approx(1e3 * HBAR_C_M / nu4, rel=1e-12)
    kaons, boson = as_published.meson_branching_ratios(at, "K_L -> pi0")[0][0], as_published.light_bosons(at)[0]
    rate = float(kaons * boson.branching_ratio("electrons")[0])
    assert rows["KL-pi0-ee-paper"].ratio == pytest.approx(rate / 2.8e-10, rel=1e-9)


def test_koto_of_2019_is_an_interval_of_95_per_cent():
    """The ends of the interval are 1.96 standard deviations away, 0 is further than 2."""
    entry = MINE["KL-pi0-invisible-2019"]  # as published the top quark is in no decay of S
    rate = entry.outcome(as_published, point(), {}).predicted
    for end, deviations in ((2.1e-9 - 1.7e-9, 1.95996), (2.1e-9 + 4.1e-9, 1.95996), (2.1e-9, 0.0)):
        at = point(eta_u=0.20e-2 * jnp.sqrt(end / rate))
        chi_squared = float(entry.chi_squared(entry.predict(as_published, at, {}), {}))
        assert chi_squared == pytest.approx(deviations**2, abs=1e-4)
    nothing = entry.predict(as_published, point(eta_u=0.0), {})
    assert float(entry.chi_squared(nothing, {})) > 4.0


@pytest.mark.parametrize(("m_S", "sees"), [(0.05, 1.0), (0.100, 0.5), (0.130, 0.0), (0.165, 0.5), (0.2, 1.0)])
def test_na62_of_2019_is_blind_in_the_gap(m_S, sees):
    entry, at = MINE["Kplus-piplus-nunu-2019"], point(m_S=m_S)
    found = entry.outcome(dark_scalar, at, {})
    assert float(found.ratio) == pytest.approx(sees * float(found.predicted) / 1.85e-10, rel=1e-6, abs=1e-12)


def test_coarse_directions_give_the_share_that_fine_ones_give(table):
    at = point("bp5")
    events = jax.jit(lambda p: events_of(as_published, p, BEAM, NODES))(at)
    fine = float(fraction(*jax.jit(forward_and_all)(events, single_shower_efficiency(events.energy), 0.8)))
    assert table["bp5"]["forward-share-miniboone"].predicted == pytest.approx(fine, rel=2e-3)


def test_the_forward_share_has_finite_slopes_at_its_edges_and_is_0_without_pairs():
    """Parents along the beam and at the edge itself, decays along and against their flight."""
    cos_N, cos_decay = jnp.array([[1.0, 0.8, -1.0]]), jnp.array([[1.0, 0.8, -1.0, 0.3]])
    zero = jnp.zeros(())

    def share(rate, cos_N, cos_decay):
        weight = jnp.ones((1, 4))
        events = PairEvents(rate, cos_N, jnp.ones((1, 1)), weight, weight, cos_decay, jnp.ones((1, 1)), zero, zero)
        return fraction(*forward_and_all(events, weight, 0.8))

    program = jax.jit(jax.value_and_grad(share, argnums=(0, 1, 2)))
    value, slopes = program(jnp.ones((1, 3, 1, 1)), cos_N, cos_decay)
    assert 0.0 < float(value) < 1.0
    assert all(np.all(np.isfinite(slope)) for slope in slopes)
    value, slopes = program(jnp.zeros((1, 3, 1, 1)), cos_N, cos_decay)
    assert float(value) == 0.0
    assert all(np.all(np.asarray(slope) == 0.0) for slope in slopes)


def test_the_forward_share_of_steered_decays_against_thrown_azimuths():
    """Two directions of a parent, two decays; azimuths thrown, each with its weight."""
    rng = np.random.default_rng(2)
    phi = rng.uniform(0.0, 2.0 * np.pi, 400_000)
    rate, cos_N = np.array([[1.0, 2.0]]), np.array([[0.95, 0.6]])
    along, across = np.array([[0.5, -0.3]]), np.array([[0.2, 0.6]])
    share, cos_decay, cos_star = np.array([[0.7, 0.3]]), np.array([[0.9, 0.3]]), np.array([[0.4, -0.8]])
    sin_star = np.sqrt(1.0 - cos_star**2)
    steered = ((rate * part)[..., None, None] for part in (along, across))
    spin = PairSpin(*(jnp.asarray(x) for x in (*steered, cos_star, sin_star)))
    weight, zero = jnp.ones((1, 2)), jnp.zeros(())
    events = PairEvents(
        jnp.asarray(rate)[..., None, None],
        jnp.asarray(cos_N),
        jnp.ones((1, 1)),
        jnp.asarray(share),
        weight,
        jnp.asarray(cos_decay),
        jnp.ones((1, 1)),
        zero,
        zero,
        spin,
    )
    above = everything = 0.0
    for j in range(2):
        for k in range(2):
            c, d = cos_N[0, j], cos_decay[0, k]
            cosine = c * d + np.sqrt((1 - c**2) * (1 - d**2)) * np.cos(phi)
            steering = 1.0 + along[0, j] * cos_star[0, k] + across[0, j] * sin_star[0, k] * np.cos(phi)
            above += rate[0, j] * share[0, k] * np.mean(steering * (cosine > 0.8))
            everything += rate[0, j] * share[0, k] * np.mean(steering)
    found = float(fraction(*jax.jit(forward_and_all)(events, weight, 0.8)))
    assert found == pytest.approx(above / everything, abs=3e-3)


@pytest.fixture(scope="module")
def drawn():
    """Values and slopes of the fast ones at prior points and edges."""
    rng = np.random.default_rng(5)
    parameters = dark_scalar.parametrisations["physical"].parameters
    draws = {
        p.name: np.exp(rng.uniform(np.log(p.low), np.log(p.high), 24)) if p.is_log else rng.uniform(p.low, p.high, 24)
        for p in parameters
    }
    draws["m_S"][:3] = [0.100, 0.165, 0.2099]
    draws["m_S"] = np.minimum(draws["m_S"], np.where(np.arange(24) < 20, 0.99, 2.0) * draws["m_nu4"])  # four closed
    draws["kappa"][:2] = 0.0

    bp3, moved = {key: float(x) for key, x in point("bp3").items()}, []
    for name in VARIED:
        step = STEP * abs(bp3[name])
        moved += [{**bp3, name: bp3[name] + step}, {**bp3, name: bp3[name] - step}]
    at = {key: jnp.asarray([*draws[key], bp3[key], *(p[key] for p in moved)]) for key in draws}

    def total(at):
        return jnp.sum(jnp.stack([e.log_likelihood(e.predict(dark_scalar, at, {}), {}) for e in FAST]))

    values, slopes = jax.jit(lambda p: jax.lax.map(jax.value_and_grad(total), p))(at)
    return np.asarray(values), {key: np.asarray(slope) for key, slope in slopes.items()}, bp3


def test_likelihoods_and_slopes_are_finite_over_the_prior(drawn):
    values, slopes, _ = drawn
    assert np.all(np.isfinite(values))
    assert np.all(values <= 0.0)
    for name, slope in slopes.items():
        assert np.all(np.isfinite(slope)), name


def test_slopes_are_those_of_finite_differences(drawn):
    values, slopes, bp3 = drawn
    around = values[25:].reshape(len(VARIED), 2)
    for name, (ahead, behind) in zip(VARIED, around, strict=True):
        expected = (ahead - behind) / (2.0 * STEP * abs(bp3[name]))
        assert slopes[name][24] == pytest.approx(expected, rel=1e-4, abs=1e-3), name

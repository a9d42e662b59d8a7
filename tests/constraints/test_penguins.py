"""Photon pairs and nothing seen in kaon and B decays: rates by hand, windows, both kinds of models, finite slopes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.capabilities import MESON_MODES
from anomfit.catalogue import find_constraint, shipped_constraints
from anomfit.constraints import constraint_table
from anomfit.constraints.meson_production import CHIRAL_RATE, meson_decay
from anomfit.constraints.penguins import constraints
from anomfit.data import load_record
from anomfit.models.dark_scalar import dark_scalar
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics.meson_decays import GROSSMAN_NIR
from anomfit.problem import build_problem

MINE = {entry.name: entry for entry in constraints()}
KAON_ROWS = {entry.name: entry for entry in shipped_constraints() if entry.name.startswith("Kplus-piplus-")}


def point(name="bp1", **changes):
    return {key: jnp.asarray(value) for key, value in {**dark_scalar.points[name], **changes}.items()}


def invisible(at, mode):
    """B(meson -> S) B(S -> nu nubar) of the dark scalar."""
    (boson,), (rate,) = dark_scalar.light_bosons(at), dark_scalar.meson_branching_ratios(at, mode)
    return rate[0] * boson.branching_ratio("invisible")[0]


@pytest.fixture(scope="module")
def table():
    every = tuple({**MINE, **KAON_ROWS}.values())
    rows = {name: constraint_table(dark_scalar, dark_scalar.points[name], every) for name in ("bp1", "bp2", "bp4")}
    return {name: {row.name: row for row in found} for name, found in rows.items()}


def test_photon_rates_are_the_meson_times_the_scalar(table):
    at = point()
    (boson,) = dark_scalar.light_bosons(at)
    photons = float(boson.branching_ratio("photons")[0])
    for name, mode in (("KL-pi0-gg", "K_L -> pi0"), ("KS-pi0-gg", "K_S -> pi0"), ("B-K-gg", "B+ -> K+")):
        expected = photons * float(dark_scalar.meson_branching_ratios(at, mode)[0][0])
        assert table["bp1"][name].predicted == pytest.approx(expected, rel=1e-12)


def test_the_papers_own_conditions_hold_at_its_points(table):
    """Section III: each of its requirements, with our rates."""
    conditions = ("KL-pi0-gg", "KS-pi0-gg", "Kplus-piplus-gg", "Kplus-piplus-invisible-paper", "B-K-gg", "B-Kstar-gg")
    for rows in table.values():
        assert all(rows[name].verdict == "allowed" for name in (*conditions, "B-K-nunu", "B-Kstar-nunu"))


def test_windows_and_tables_see_only_their_masses(table):
    """The first point stands at 133 MeV: between what NA48 (below 110) and NA62's photon pairs (above 215) look at."""
    rows = table["bp1"]
    for name in ("Kplus-piplus-X-gg-e787", "Kplus-piplus-X-gg-na62", "Kplus-piplus-gg-spectrum"):
        assert rows[name].verdict == "beyond the table", name
    assert rows["KL-pi0-gg-light"].verdict == "no reach"
    assert table["bp4"]["KL-pi0-gg-light"].ratio > 1.0  # 109 MeV


def test_lighter_points_meet_the_searches_that_the_paper_takes_to_be_blind(table):
    """E949 and NA62 reach up to 115 and 110 MeV: B(K+ -> pi+ S) B(S -> nu nubar) against their longest-lived limit."""
    for name, search, record in (
        ("bp2", "Kplus-piplus-e949", "e949_kplus_piplus_X"),
        ("bp4", "Kplus-piplus-na62", "na62_2016_2022_kplus_piplus_X"),
    ):
        at, columns = point(name), load_record(f"kaon/{record}").columns
        limit = np.exp(np.interp(float(at["m_S"]), columns["m_X_GeV"], np.log(columns["limit_10000ps"])))
        rate = invisible(at, "K+ -> pi+")
        assert table[name][search].ratio == pytest.approx(float(rate) / limit, rel=1e-6)
        assert table[name][search].ratio > 1.0


def test_a_scalar_heavier_than_two_muons_would_meet_the_photon_searches():
    at = point(m_S=0.30, m_nu4=0.5)
    for name in ("Kplus-piplus-X-gg-na62", "Kplus-piplus-gg-spectrum"):
        found = MINE[name].outcome(dark_scalar, at, {})
        assert float(found.ratio) == pytest.approx(float(found.predicted / found.limit), rel=1e-12)
        assert float(found.ratio) > 0.0
    spectrum = load_record("kaon/kplus_piplus_gammagamma_spectrum").columns
    assert spectrum["branching_ratio"].sum() == pytest.approx(0.965e-6, rel=1e-3)


def test_models_that_know_their_light_scalars_only_get_chiral_kaons_and_nothing_else():
    at = {key: jnp.asarray(value) for key, value in two_higgs_doublet.points["table-I"].items()}
    charged, neutral = (meson_decay(two_higgs_doublet, at, mode).rate for mode in ("K+ -> pi+", "K_L -> pi0"))
    np.testing.assert_allclose(neutral, GROSSMAN_NIR * charged, rtol=1e-14)
    assert float(charged[1]) == pytest.approx(4e-10, rel=0.2)
    for mode in set(MESON_MODES) - {"K+ -> pi+", "K_L -> pi0"}:
        assert np.all(np.asarray(meson_decay(two_higgs_doublet, at, mode).rate) == 0.0)


def test_belle_two_shares_its_data_between_two_rows():
    assert MINE["B-K-X-belle2"].samples == MINE["B-K-nunu-belle2"].samples


def test_likelihoods_and_slopes_are_finite_over_the_prior():
    rng = np.random.default_rng(5)
    parameters = dark_scalar.parametrisations["physical"].parameters
    draws = {
        p.name: np.exp(rng.uniform(np.log(p.low), np.log(p.high), 24)) if p.is_log else rng.uniform(p.low, p.high, 24)
        for p in parameters
    }
    draws["m_S"][:4] = [0.108, 0.110, 0.2099, 0.1349768]
    every = tuple(entry for entry in {**MINE, **KAON_ROWS}.values())

    def total(at):
        return sum(entry.log_likelihood(entry.predict(dark_scalar, at, {}), {}) for entry in every)

    values, slopes = jax.jit(jax.vmap(jax.value_and_grad(total)))({k: jnp.asarray(v) for k, v in draws.items()})
    assert np.all(np.isfinite(values))
    assert np.all(np.asarray(values) <= 0.0)
    for name, slope in slopes.items():
        assert np.all(np.isfinite(slope)), name


def test_the_line_in_kstar_is_shown_and_never_fitted():
    row = MINE["B-Kstar-X-babar"]
    assert row.about.kind == "no public data"
    at = point()
    found = row.outcome(dark_scalar, at, {})
    rate = invisible(at, "B0 -> K*0")
    assert float(found.predicted) == pytest.approx(float(rate), rel=1e-12)
    assert float(row.log_likelihood(row.predict(dark_scalar, at, {}), {})) == 0.0


CHIRAL_ROWS = ("KL-pi0-ee", "Kplus-piplus-na62", "Kplus-piplus-ee", "Kplus-piplus-line", "charm")


@pytest.mark.parametrize("name", CHIRAL_ROWS)
def test_the_chiral_rate_is_known_to_a_factor_of_three_and_only_where_it_is_used(name):
    row = find_constraint(name)
    (nuisance,) = row.nuisances_for(two_higgs_doublet)
    assert nuisance == CHIRAL_RATE
    assert row.nuisances_for(dark_scalar) == ()
    assert float(jnp.exp(nuisance.value(jnp.asarray(1.0)))) == pytest.approx(3.0, rel=1e-12)
    at = {key: jnp.asarray(value) for key, value in two_higgs_doublet.points["table-I"].items()}
    at |= {"m_hprime": jnp.asarray(0.15)}
    outcome = jax.jit(lambda pulled: row.outcome(two_higgs_doublet, at, pulled))
    central, more = outcome({}), outcome({nuisance.name: jnp.log(3.0)})
    plain, mean = (row.outcome(two_higgs_doublet, at, pulled) for pulled in ({}, {nuisance.name: jnp.asarray(0.0)}))
    assert float(plain.ratio) == float(mean.ratio)  # not compiled: two programs round in two ways
    if name != "charm":  # other mesons and photons make scalars there, too
        assert float(more.ratio) == pytest.approx(3.0 * float(central.ratio), rel=1e-9)


def test_rows_share_one_nuisance_of_the_chiral_rate():
    rows = [find_constraint(name) for name in CHIRAL_ROWS]
    values = two_higgs_doublet.points["table-I"]
    problem = build_problem(two_higgs_doublet, rows, "physical", (), values)
    assert [n.name for n in problem.nuisances].count(CHIRAL_RATE.name) == 1

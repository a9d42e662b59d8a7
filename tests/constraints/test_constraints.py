"""The battery that every constraint must pass, and the verdicts at the published point."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from anomfit.capabilities import Upscatters, offers
from anomfit.catalogue import find_constraint, find_measurement, shipped_constraints
from anomfit.constraints import constraint_table
from anomfit.constraints.base import IN_FITS, KINDS
from anomfit.data import load_record
from anomfit.errors import InputError
from anomfit.measurements.base import Measurement, Prediction
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics import scalar_bremsstrahlung, scalar_decays
from anomfit.physics.constants import E_CHARGE, M_E
from anomfit.physics.light_bosons import LightBosons
from anomfit.physics.meson_decays import kaon_to_pion_scalar
from anomfit.physics.vector_decays import dark_photon_widths
from anomfit.problem import build_problem
from anomfit.results.citations import bibliography

ALL = shipped_constraints()
TABLE_I = two_higgs_doublet.points["table-I"]
POINT = {name: jnp.asarray(value) for name, value in TABLE_I.items()}
FITTED = [entry for entry in ALL if entry.about.kind in IN_FITS]


@pytest.fixture(scope="module")
def rows():
    return {row.name: row for row in constraint_table(two_higgs_doublet, TABLE_I, ALL)}


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_each_is_a_measurement_with_source_era_and_assumption(entry):
    assert isinstance(entry, Measurement)
    about = entry.about
    assert all((about.title, about.quantity, about.unit, about.era, about.source, about.assumption, about.accepts))
    assert about.kind in KINDS
    assert "\n" not in about.assumption
    assert len(bibliography(about.references)) == len(about.references) > 0
    assert np.isfinite(entry.bins()[0].error)


def test_names_are_unique_and_none_is_another_measurements():
    names = [entry.name for entry in ALL]
    assert len(set(names)) == len(names)
    assert not {"miniboone", "lsnd", "karmen", "g-2-muon"} & set(names)


RANGES = {  # of a fit with every coupling free: wider than the model's own where those are narrow, masses in GeV
    "m_N2": (0.02, 1.0),
    "m_hprime": (0.005, 0.2),
    "m_N1": (0.001, 0.9),
    "m_H": (0.1, 2.0),
    "sin_delta": (1e-3, 0.99),
    "lambda_N12": (1e-3, 3.0),
    "y_nu": (1e-6, 1.0),
    "y_mu": (1e-6, 0.3),
    "y_e": (1e-9, 1e-2),
    "y_u": (1e-8, 1e-2),
    "y_d": (1e-8, 1e-2),
}
STEP, STENCIL = 1e-5, {1: 2.0 / 3.0, 2: -1.0 / 12.0}  # in logarithms; a slope to the fourth order
SHIFTS = (0, *(sign * k for k in STENCIL for sign in (1, -1)))


@pytest.fixture(scope="module")
def likelihoods():
    """Every fitted one at Table I and at 24 prior points: names, ln L by shift along a direction, slopes along it."""
    rng = np.random.default_rng(5)
    draws = {name: np.exp(rng.uniform(*np.log(ends), 24)) for name, ends in RANGES.items()}
    points = {key: np.append(value, draws.get(key, np.full(24, value))) for key, value in TABLE_I.items()}
    directions = rng.standard_normal((25, len(RANGES)))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    offered = [entry for entry in FITTED if offers(two_higgs_doublet, entry.accepts)]
    cheap = tuple(entry for entry in offered if Upscatters not in entry.accepts)  # nuisances at their means

    def each(at, direction, shift):
        moved = {**at, **{name: at[name] * jnp.exp(shift * x) for name, x in zip(RANGES, direction, strict=True)}}
        return jnp.stack([entry.log_likelihood(entry.predict(two_higgs_doublet, moved, {}), {}) for entry in cheap])

    @jax.jit  # of one point: inside of a loop over points it takes twice as long to compile
    def with_slopes(at, direction, shift):
        return jax.jvp(partial(each, at, direction), (shift,), (jnp.ones(()),))

    places = [({name: x[i] for name, x in points.items()}, directions[i]) for i in range(len(directions))]
    found = {k: np.asarray([with_slopes(*place, k * STEP) for place in places]) for k in SHIFTS}
    return [entry.name for entry in cheap], {k: both[:, 0] for k, both in found.items()}, found[0][:, 1]


@pytest.mark.slow
def test_likelihoods_are_finite_over_the_prior_and_slopes_are_those_of_differences(likelihoods):
    names, values, slopes = likelihoods
    assert np.isfinite(slopes).all()
    assert all(np.isfinite(value).all() and np.all(value <= 0.0) for value in values.values())
    expected = sum(weight * (values[k] - values[-k]) for k, weight in STENCIL.items()) / STEP
    off = np.abs(slopes - expected) / (np.abs(expected) + 1e-9 * np.abs(values[0]) / STEP + 1e-6)
    assert {name: worst for name, worst in zip(names, np.max(off, axis=0), strict=True) if worst > 1e-3} == {}


@pytest.mark.slow
def test_what_is_allowed_by_a_factor_of_ten_costs_nothing(rows, likelihoods):
    names, values, _ = likelihoods
    for name, value in zip(names, values[0][0], strict=True):
        if rows[name].ratio < 0.1 and rows[name].kind in ("curve", "region"):
            assert value == 0.0, name
        if rows[name].verdict in ("no reach", "beyond the table"):
            assert value == pytest.approx(0.0, abs=1e-12), name


@pytest.mark.slow
def test_a_constraint_enters_a_fit_like_any_measurement():
    names = ("e141", "babar-visible", "Kplus-piplus-ee")
    free = [two_higgs_doublet.parametrisations["physical"]["y_e"]]
    fixed = {name: value for name, value in TABLE_I.items() if name != "y_e"}
    problem = build_problem(two_higgs_doublet, [find_measurement(n) for n in names], "physical", free, fixed)
    value, slope = jax.jit(jax.value_and_grad(lambda y: problem.log_likelihood({"y_e": y})))(jnp.asarray(2.3e-3))
    assert float(value) < -1.0  # ten times Table I: BaBar
    assert np.isfinite(slope)
    assert float(slope) < 0.0


def test_the_electron_moment_is_not_fitted_twice():
    free = [two_higgs_doublet.parametrisations["physical"]["y_e"]]
    fixed = {name: value for name, value in TABLE_I.items() if name != "y_e"}
    both = [find_measurement("electron-moment"), find_measurement("g-2-electron")]
    with pytest.raises(InputError, match="use the same data"):
        build_problem(two_higgs_doublet, both, "physical", free, fixed)


@pytest.mark.parametrize(
    "name", ["belle2-visible", "hps-prompt", "Kplus-munu-invisible", "double-bang-deepcore", "neutron-lead"]
)
def test_projections_and_limits_without_data_are_refused_in_a_fit(name):
    with pytest.raises(InputError, match="cannot be fitted"):
        find_measurement(name)


def test_projections_and_recalled_limits_never_weigh():
    far_above = Prediction({"of the limit": jnp.array([1e6])}, {})
    assert {float(e.log_likelihood(far_above, {})) for e in ALL if e.about.kind not in IN_FITS} == {0.0}


def test_an_unknown_name_or_era_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="babar-visible"):
        find_constraint("babar-visibel")
    with pytest.raises(InputError, match="only"):
        find_constraint("e141", "1999")
    assert find_constraint("e141", "1986") is find_constraint("e141")


# -- the published point: what arXiv:2010.06159, section VI, argues ---------------------------------------------------


def test_the_verdicts_of_section_VI(rows):
    seen = {name: row.verdict for name, row in rows.items()}
    allowed = ("perturbativity", "neutrinos-solar", "neutrinos-atmospheric", "babar-visible", "babar-invisible")
    allowed += ("kloe-electrons", "kloe-muons-pions", "babar-muons", "e137", "e141", "orsay", "na64", "kek")
    allowed += ("Kplus-piplus-ee", "Kplus-piplus-line", "charm", "B-Kstar-ee")
    assert {seen[name] for name in allowed} == {"allowed"}
    no_reach = ("KL-pi0-ee", "Kplus-piplus-e949", "Kplus-piplus-na62", "Kplus-munu-ee")
    assert {seen[name] for name in no_reach} == {"no reach"}
    assert seen["Kplus-piplus-na62-pi0"] == "beyond the table"  # from 109 MeV on
    assert seen["hps-displaced"] == "beyond the table"  # from 33 MeV on
    assert seen["e774"] == "allowed"  # the region ends at 10 MeV: fewer decays than on its edge
    assert seen["Kplus-munu-invisible"] == "no public data"


def test_e141_is_the_nearest_of_the_beam_dumps(rows):
    """ "The masses of h' ... lie especially close to existing bounds from ... E141" (section VII)."""
    ratios = {name: rows[name].ratio for name in ("e137", "e141", "orsay", "kek", "na64")}
    assert max(ratios, key=ratios.__getitem__) == "e141"
    assert 0.3 < ratios["e141"] < 0.7


def test_a_dark_photon_like_scalar_of_larger_life_is_in_the_orsay_region():
    (row,) = constraint_table(two_higgs_doublet, TABLE_I | {"y_e": 1e-4}, [find_constraint("orsay")])
    assert row.verdict == "excluded"


def test_a_long_lived_scalar_is_excluded_by_invisible_kaon_decays():
    """A life above 1e-10 s brings K+ -> pi+ X back: "as long as lifetime is less than approximately 1e-10 s"."""
    changed = TABLE_I | {"y_e": 2.3e-6, "y_u": 8e-5, "y_d": 8e-5}
    (row,) = constraint_table(two_higgs_doublet, changed, [find_constraint("Kplus-piplus-e949")])
    assert row.verdict == "excluded"


@pytest.mark.parametrize("m_hprime", [0.0015, 0.003, 0.005, 0.010])
def test_a_light_scalar_that_lives_is_excluded_by_na62_and_one_that_decays_at_once_is_not(m_hprime):
    """B(K+ -> pi+ h') = 1.5e-9 at leading order against 3e-11, the curve for the longest life."""
    searches = [find_constraint(f"Kplus-piplus-{name}") for name in ("na62", "na62-2018", "e949")]
    columns = load_record("kaon/na62_2016_2022_kplus_piplus_X").columns
    quarks = {"m_hprime": m_hprime, "sin_delta": 0.1, "y_u": 1.6e-5, "y_d": 1.6e-5}
    outside = constraint_table(two_higgs_doublet, TABLE_I | quarks | {"y_e": 1e-7}, searches)
    assert {row.verdict for row in outside} == {"excluded"}
    rate = float(kaon_to_pion_scalar(m_hprime, 1.6e-6, 1.6e-6))
    limit = np.interp(m_hprime, columns["m_X_GeV"], columns["limit_10000ps"])
    assert outside[0].ratio == pytest.approx(rate / limit, rel=0.02)
    at_once = constraint_table(two_higgs_doublet, TABLE_I | quarks | {"y_e": 0.1}, searches)
    assert {row.verdict for row in at_once} <= {"allowed", "no reach"}


def test_a_json_row_is_plain(rows):
    row = rows["KL-pi0-ee"].as_json()
    assert row["limit"] is None
    assert row["verdict"] == "no reach"
    assert {"name", "predicted", "limit", "ratio", "decades", "verdict", "source", "era", "assumption"} <= set(row)


# -- masses for which nothing is published ---------------------------------------------------------------------------

OUTSIDE = {  # a mass of h' that the published curve does not have, in GeV
    "babar-visible": 0.015,
    "kloe-electrons": 0.004,
    "belle2-visible": 0.015,
    "hps-prompt": 0.010,
    "hps-displaced": 0.020,
    "Kplus-piplus-e949": 0.140,
    "Kplus-piplus-na62": 0.300,
    "Kplus-piplus-na62-pi0": 0.080,
}


def lighter_alone(model, m_hprime, name, **changes):
    """One row for h' with H decoupled."""
    point = {**TABLE_I, "sin_delta": 0.9999, "m_N2": 0.45, "m_hprime": m_hprime, "m_N1": 0.03, **changes}
    return constraint_table(model, point, [find_by_name(name)])[0]


def find_by_name(name):
    return next(entry for entry in ALL if entry.name == name)


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_mass_outside_of_what_is_published_is_called_so(name):
    assert lighter_alone(two_higgs_doublet, OUTSIDE[name], name).verdict == "beyond the table"


def test_an_exclusion_inside_the_table_is_not_hidden_by_one_that_fades_outside():
    """BaBar begins at 22 MeV: h' of 20 MeV far above its end, H of 100 MeV just above its limit."""
    point = {**TABLE_I, "sin_delta": 0.97, "m_H": 0.1, "m_hprime": 0.0205, "m_N1": 0.12, "y_e": 2.2e-3, "y_mu": 1e-6}
    (row,) = constraint_table(two_higgs_doublet, point, [find_by_name("babar-visible")])
    assert row.verdict == "excluded"
    assert row.limit == pytest.approx(1.1e-3, rel=0.1)
    assert row.ratio > 1.2 * row.predicted / row.limit > 1.2


def test_a_closed_channel_is_no_reach_whatever_the_table():
    """h' to two muons below threshold, K+ -> pi+ h' above the kaon's mass, e+e- below twice the electron's."""
    assert lighter_alone(two_higgs_doublet, 0.1, "babar-muons", m_H=0.15).verdict == "no reach"
    assert lighter_alone(two_higgs_doublet, 0.40, "Kplus-piplus-na62", m_H=0.9).verdict == "no reach"
    assert lighter_alone(two_higgs_doublet, 0.0008, "e141", m_H=0.0009).verdict == "no reach"


@pytest.mark.parametrize("name", ["e137", "e141", "orsay", "e774", "kek", "na64"])
def test_dumps_go_on_smoothly_outside_of_the_published_masses(name):
    """Ratio and gradient, at both ends."""
    entry = find_by_name(name)
    masses = np.asarray(entry.data["m"])
    ratio = jax.jit(jax.value_and_grad(lambda m: jnp.log10(entry.outcome(LikeVector(), {"m": m}, {}).ratio)))
    for end in (masses[0], masses[-1]):
        (below, slope_below), (above, slope_above) = (ratio(end * (1.0 + shift)) for shift in (-1e-6, 1e-6))
        assert float(below) == pytest.approx(float(above), abs=1e-3)
        assert np.isfinite([slope_below, slope_above]).all()


def test_the_lower_edge_of_e137_is_continued_where_it_is_published():
    """Without its masses below 4 MeV the formulas find the edge at 2 to 4 MeV within 10 % of the coupling."""
    entry = find_by_name("e137")
    dump = entry.physics.args[0]
    masses, low = (np.asarray(entry.data[key]) for key in ("m", "low"))
    kept = masses > 0.004
    start, edge = masses[kept][0], low[kept][0]

    @jax.jit
    def events(m, eps):
        width = sum(dark_photon_widths(m, eps))
        return scalar_bremsstrahlung.displaced_rate(scalar_bremsstrahlung.vector_spectrum, m, eps**2, width, dump)

    for m, published in zip(masses[~kept], low[~kept], strict=True):
        found = brentq(lambda log_eps, m=m: np.log(events(m, np.exp(log_eps)) / events(start, edge)), -18.0, -14.0)
        assert np.exp(found) == pytest.approx(published, rel=0.10)


class LikeVector:
    """A scalar with the electron coupling of a dark photon of eps = 3e-6 and its width."""

    def light_bosons(self, point):
        coupling = 3e-6 * E_CHARGE
        width = scalar_decays.width_to_fermions(point["m"], coupling, M_E)
        return (LightBosons.of("scalar", point["m"], g_e=coupling, to_electrons=width),)

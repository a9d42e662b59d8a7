"""Neutrino scattering: fluxes, counts of pairs, the published nine events, and what section VI argues."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import comparison, points, upscattering
from oracles import neutrino_electron as oracle
from oracles.reactions import events_of
from scipy.integrate import quad
from scipy.optimize import brentq, minimize, minimize_scalar

from anomfit.catalogue import find_constraint, find_measurement
from anomfit.constraints import constraint_table
from anomfit.constraints import neutrino_scattering as family
from anomfit.data import load_record
from anomfit.detectors import nd280
from anomfit.detectors.surroundings import from_shells, stays
from anomfit.measurements.base import Prediction
from anomfit.models.two_higgs_doublet import as_published, two_higgs_doublet
from anomfit.physics.constants import M_P
from anomfit.physics.exchange import d_sigma_d_q_squared
from anomfit.physics.kinematics import momentum_transfer_limits
from anomfit.physics.targets import FormFactors, stack_targets
from anomfit.rates.interactions import cross_section

TABLE_I = two_higgs_doublet.points["table-I"]
POINT = {name: jnp.asarray(value) for name, value in TABLE_I.items()}


@pytest.fixture(scope="module")
def rows():
    table = constraint_table(as_published, TABLE_I, family.constraints())
    return {row.name: row for row in table}


@pytest.mark.parametrize(
    ("name", "flavour", "integral", "mean"),
    [
        ("minerva_le", "numu", 2.856e-8, 4.31),
        ("minerva_me", "numu", 6.771e-8, 5.72),
        ("charm2_nu", "numu", 7.402e-8, 24.85),
        ("charm2_nubar", "numubar", 4.950e-8, 21.12),
        ("nd280_fhc", "numu", 1.915e-8, 0.84),
        ("nd280_rhc", "numubar", 1.544e-8, 0.71),
    ],
)
def test_fluxes_have_the_integral_and_mean_that_their_source_states(name, flavour, integral, mean):
    columns = load_record(f"accelerators/flux_{name}").columns
    low, high = columns["E_lo_GeV"], columns["E_hi_GeV"]
    share = columns[flavour] * (high - low)
    assert share.sum() == pytest.approx(integral, rel=2e-3)
    assert (share * 0.5 * (low + high)).sum() / share.sum() == pytest.approx(mean, rel=0.01)


def test_the_nine_events_in_FGD1(rows):
    """ "we ... find 9 events in FGD1, using a momentum cutoff of 300 MeV and an overall efficiency of 30%"."""
    assert rows["nd280-fgd1"].predicted == pytest.approx(9.0, abs=0.5)
    assert rows["nd280-fgd1"].verdict == "no public data"


def test_the_coherent_cross_section_is_more_than_ten_times_below_the_safe_dark_photon(rows):
    for name in ("minerva", "charm2"):
        assert rows[f"dark-photon-comparison-{name}"].ratio < 0.1


def test_everything_of_this_family_allows_the_benchmark(rows):
    verdicts = {name: row.verdict for name, row in rows.items() if row.kind != "no public data"}
    assert verdicts.pop("double-bang-deepcore") == "would not be seen"
    assert set(verdicts.values()) == {"allowed"}


def test_tridents_are_not_negligible_but_allowed(rows):
    """The scalars add a quarter at 20 GeV: y_nu y_mu/m_H^2 = 3.5e-5 GeV^-2 against G_F = 1.2e-5 GeV^-2."""
    assert rows["trident-charm2"].predicted == pytest.approx(1.256, abs=0.01)
    assert rows["trident-ccfr"].predicted == pytest.approx(1.064, abs=0.005)


def test_flights_of_the_pairs_parent(rows):
    """About 1 m in DeepCore and a few hundred m in IceCube."""
    assert rows["double-bang-deepcore"].predicted == pytest.approx(1.0, abs=0.1)
    assert 200.0 < rows["double-bang-icecube"].predicted < 500.0


@pytest.mark.slow
def test_counts_have_converged():
    entry = find_constraint("nd280-photon-sample")
    finer = dataclasses.replace(entry.physics.args[0], energy=192, angle=44, parent=96, polar=32)
    fine = dataclasses.replace(entry, physics=family.partial(family._pairs, finer))
    coarse_row, fine_row = constraint_table(as_published, TABLE_I, [entry, fine])
    assert coarse_row.predicted == pytest.approx(fine_row.predicted, rel=1e-3)


# -- pairs among neutrino-electron candidates -----------------------------------------------------------------------

SAMPLES = {  # measurement, share of the pairs by bin (None: its own), fluxes of the bins
    "minerva-le": ("minerva-nue:le", None, ["minerva_flux_le"] * 2),
    "minerva-me": ("minerva-nue:me", None, ["minerva_flux_me"] * 2),
    "charm2": ("charm2-nue", [0.69, 0.0, 0.31, 0.0], ["charm2_flux_nu"] * 2 + ["charm2_flux_nubar"] * 2),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_limits_on_pairs_are_those_of_the_counts_at_90_percent(name):
    """-2 ln L of the measurement, pulls refitted by another minimiser, rises by 2.71: 0.5 % of the limit."""
    measurement, share, fluxes = SAMPLES[name]
    seen = find_measurement(measurement)
    share = seen.samples_of_pairs[0].onto[0] if share is None else jnp.asarray(share)

    @jax.jit
    @jax.value_and_grad
    def twice_nll(pulls, pairs):
        values = {n.name: n.value(pull) for n, pull in zip(seen.nuisances, pulls, strict=True)}
        signal = jnp.stack([values[flux] for flux in fluxes]) * share * pairs
        return seen.chi_squared(Prediction({"pairs": signal}, {}), values) + jnp.sum(pulls**2)

    def least(pairs):
        return minimize(twice_nll, np.zeros(len(seen.nuisances)), args=(pairs,), jac=True, tol=1e-9).fun

    limit = float(find_constraint(name).data["limit"])
    smallest = minimize_scalar(least, bounds=(0.0, limit), method="bounded").fun
    found = brentq(lambda pairs: least(pairs) - min(smallest, least(0.0)) - 1.645**2, 0.5 * limit, 2.0 * limit)
    assert found == pytest.approx(limit, rel=5e-3)
    assert found < load_record("accelerators/pair_searches").parts[name.replace("-", "_")].values["limit_stored"]


def _without_surroundings(entry):
    """The row with births in the fiducial volume alone, as the oracle has them."""
    seen = entry.data["measured"]
    samples = [
        dataclasses.replace(sample, beam=dataclasses.replace(sample.beam, surroundings=()))
        for sample in seen.samples_of_pairs
    ]
    return dataclasses.replace(
        entry, data={**entry.data, "measured": dataclasses.replace(seen, samples_of_pairs=tuple(samples))}
    )


@pytest.mark.parametrize("name", ["minerva-me", "charm2"])
def test_pairs_that_fly_and_open_up_against_an_independent_integral(name):
    """Flight of metres, pairs of 120 MeV: a few per cent of those that are made in the window of energy are counted."""
    case = points.named(m_N2=0.4, m_hprime=0.12, m_N1=0.05, lambda_N12=2.0, y_nu_F_N=1e-5, y_e=1e-6)
    physical = {**TABLE_I, **comparison.physical(case)}
    detector, fluxes, edge = {
        "minerva-me": (oracle.MINERVA, {"minerva_me": "minerva_me:pot"}, 3.2e-3),
        "charm2": (oracle.CHARM2, {"charm2_nu": "charm2:pot_nu", "charm2_nubar": "charm2:pot_nubar"}, 0.0279),
    }[name]
    expected = oracle.below(upscattering.physics(comparison.physical(case)), detector, fluxes, [edge], points=2**15)
    entry = find_constraint(name)
    born_inside, row = constraint_table(two_higgs_doublet, physical, [_without_surroundings(entry), entry])
    assert born_inside.predicted == pytest.approx(expected.sum(), rel=5e-3)
    (nuisance,) = entry.nuisances  # of the births around: exp(x - 1)
    (more,) = constraint_table(two_higgs_doublet, physical, [entry], {nuisance.name: 1.0 + np.log(2.0)})
    assert more.predicted - row.predicted == pytest.approx(row.predicted - born_inside.predicted, rel=1e-6)


def test_the_elastic_cross_section_against_an_adaptive_integral_and_the_reference():
    """1.5426e-41 cm^2 on the proton at 0.8 GeV with the constants of the reference (m_u, m_d = 2.16, 4.67 MeV)."""
    constant = FormFactors("constant", "helm", 1.0)
    exchange = as_published.exchange(POINT, {})._replace(m_N=jnp.asarray(0.130), form_factors=constant)
    proton = family.Target("proton", M_P, 1.0, 1, 0)
    found = float(cross_section(exchange, 0.8, proton))
    low, high = (float(x) for x in momentum_transfer_limits(0.8, 0.130, M_P))

    def density(q_squared):
        at = jnp.array([[q_squared]])
        return float(d_sigma_d_q_squared(exchange, 0.8, at, stack_targets((proton,)))[0, 0])

    assert found == pytest.approx(quad(density, low, high, epsrel=1e-9, epsabs=0.0)[0], rel=1e-6)
    assert found == pytest.approx(1.5426e-41, rel=5e-3)


def test_a_window_that_holds_everything_counts_every_pair():
    entry = find_constraint("nd280-photon-sample")
    nodes = dataclasses.replace(entry.physics.args[0], lowest=0.0171, highest=9.99)
    events = jax.jit(lambda point: events_of(two_higgs_doublet, point, entry.data["beam"], nodes))(POINT)
    counted = family.count_pairs(events, np.array([1e-3, 100.0]))
    np.testing.assert_allclose(counted, events.made, rtol=5e-3)


def test_pairs_of_a_long_flight_come_to_FGD1_from_sand():
    """A flight of 30 m: a few per cent of those born in FGD1 stay, as many as an endless medium sends come in."""
    entry = find_constraint("nd280-photon-sample")
    around = nd280.surroundings()
    flights = np.array([1e-3, 30.0])
    inside, outside = np.asarray(stays(flights, around)), np.asarray(from_shells(flights, around))
    np.testing.assert_allclose(inside, [1.0, 0.015], atol=2e-3)
    np.testing.assert_allclose(outside[0], 0.0, atol=1e-12)
    assert 0.5 < outside[1] < 3.0
    assert entry.data["beam"].surroundings
    paper = next(one for one in family.constraints() if one.name == "nd280-fgd1")
    assert not paper.data["beam"].surroundings

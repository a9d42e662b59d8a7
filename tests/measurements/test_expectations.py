"""Predictions without data: interactions against a NumPy integral, pairs inside against thrown events, refusal."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import thrown_upscattering
from oracles.dark_photon import given

from anomfit.beams.of_record import beam_of
from anomfit.cards import load_card, problem_from_card
from anomfit.cards.card import MeasurementChoice
from anomfit.cards.finding import generated_card
from anomfit.catalogue import find_measurement, measurement_listing
from anomfit.data import load_record
from anomfit.errors import InputError
from anomfit.measurements.base import Prediction, is_prediction_alone
from anomfit.measurements.expectations import RECORD, STATUS, entries
from anomfit.models.dark_photon import dark_photon
from anomfit.physics.reaction import AnyReaction

PARTS = tuple(load_record(RECORD).parts)
AVOGADRO = 6.02214076e23
FLIGHT = 2.0  # m/GeV
POINT = {name: jnp.asarray(float(value)) for name, value in dark_photon.points["bertuzzo"].items()}


@dataclass(frozen=True)
class Slow:
    """The dark photon's model with a heavy neutrino that flies a given distance, m/GeV."""

    flight: float

    def reactions(self, point, nuisances) -> tuple[AnyReaction, ...]:
        return tuple(replace(one, flight=jnp.asarray(self.flight)) for one in dark_photon.reactions(point, nuisances))


@jax.jit
def slowly(measurement, point):
    return measurement.predict(Slow(FLIGHT), point, {}), measurement.interactions(dark_photon, point, {})


@pytest.fixture(scope="module")
def at_sbnd():
    measurement = find_measurement("sbnd")
    return measurement, *slowly(measurement, POINT)


def test_every_part_of_the_record_is_listed_without_data():
    rows = {f"{row.name}:{row.era}": row for row in measurement_listing() if row.name in entries()}
    assert set(rows) == set(PARTS)
    for part, row in rows.items():
        assert row.status == "prediction alone"
        measurement = find_measurement(part)
        assert (measurement.independent_numbers, measurement.samples) == (0, frozenset())
        assert all(np.isnan(entry.data) for entry in measurement.bins())
        nothing = Prediction({"coherent": jnp.ones(2)}, {})
        assert float(measurement.log_likelihood(nothing, {})) == float(measurement.chi_squared(nothing, {})) == 0.0
        np.testing.assert_array_equal(measurement.pulls(nothing, {}), 0.0)


def test_every_number_is_stated_with_its_source():
    for part, record in load_record(RECORD).parts.items():
        words = find_measurement(part).choices
        for key in record.values:
            assert record.value_statuses[key] in words[key]
            assert record.value_sources[key] in words[key]
        assert {"flux", "births", "efficiency", "flights"} <= set(words)


def test_a_card_that_asks_for_a_fit_is_refused():
    card = replace(load_card("dark-photon"), measurements=(MeasurementChoice("sbnd"),))
    with pytest.raises(InputError, match=r"^measurements: 'sbnd:neutrino' .*'anomfit predict MODEL sbnd:neutrino'$"):
        problem_from_card(card)


@pytest.mark.parametrize(
    "name",
    [
        "double-vertices:miniboone",
        "double-vertices:microboone-distance",
        "ccfr-double-vertices:distance",
        "ps191:distance",
        "lsnd:cos-theta",
        "lsnd:energy",
    ],
)
def test_a_fit_refuses_whatever_has_no_data(name):
    """Beside data that are fitted, too: a row that adds 0 to every likelihood would only cost time."""
    card = replace(load_card("dark-photon"), measurements=(MeasurementChoice("g-2-muon"), MeasurementChoice(name)))
    with pytest.raises(InputError, match=rf"^measurements: '{name}' .*'anomfit predict MODEL {name}'$"):
        problem_from_card(card)


def test_what_has_no_data_is_what_adds_no_number():
    """Of all rows: the listing's status, the measured numbers and the refusal say the same."""
    for row in measurement_listing():
        measurement = find_measurement(f"{row.name}:{row.era}")
        assert is_prediction_alone(measurement) == (measurement.independent_numbers == 0), row
        assert is_prediction_alone(measurement) or row.status != STATUS, row


def test_a_generated_card_leaves_them_out():
    names = {entry.name for entry in generated_card("dark-photon").measurements}
    assert not names & {*entries(), "double-vertices"}
    assert "ccfr-double-vertices" in names  # its default era has a count


@pytest.mark.parametrize(
    ("option", "value"),
    [("flights", "sideways"), ("pot", "many"), ("pot", "-1e20"), ("pot", "nan")],
)
def test_unknown_choices_are_refused(option, value):
    with pytest.raises(InputError, match=option):
        find_measurement("sbnd", **{option: value})


def test_interactions_are_those_of_an_independent_integral(at_sbnd):
    """SBND: 1e21 protons on target, 112 t of argon. 1e-3 is asked for; the rules agree to a few parts in 1e4."""
    _, _, made = at_sbnd
    nuclei = 112e6 / 39.96238312204 * AVOGADRO
    expected = thrown_upscattering.interactions("accelerators/flux_sbnd", "Ar40", given(POINT)) * 1e21 * nuclei
    np.testing.assert_allclose([float(made[name]) for name in ("coherent", "incoherent")], expected, rtol=1e-3)


def test_pairs_are_counted_by_the_rule_of_double_vertices(at_sbnd):
    """All pairs made are the interactions times the branching ratio."""
    _, prediction, made = at_sbnd
    (reaction,) = dark_photon.reactions(POINT, {})
    for name in ("coherent", "incoherent"):
        expected = float(made[name] * reaction.visible)
        assert float(prediction.before_efficiency[f"first_pairs_made_{name}"]) == pytest.approx(expected, rel=1e-3)


def test_pairs_inside_are_those_of_thrown_events(at_sbnd):
    """Births even along 5 m, N flies along the beam: the chance to decay before the end, an event at a time."""
    _, prediction, _ = at_sbnd
    rng = np.random.default_rng(7)
    events = thrown_upscattering.throw("accelerators/flux_sbnd", "Ar40", given(POINT), 200_000, rng)
    end = 5.0 * rng.random(len(events.weight)) + rng.exponential(FLIGHT, len(events.weight)) * events.momentum
    expected, error = thrown_upscattering.mean_and_error(events.weight, (end < 5.0).astype(float))
    made = sum(float(prediction.before_efficiency[f"first_pairs_made_{name}"]) for name in ("coherent", "incoherent"))
    inside = float(prediction.total[0]) / made
    assert 0.3 < expected < 0.9
    assert inside == pytest.approx(expected, abs=4.0 * error)
    assert error < 5e-3
    assert float(prediction.total[1]) == 0.0  # nothing decays twice


@pytest.mark.slow
def test_flights_in_all_directions_are_between_the_two_choices(at_sbnd):
    """A box of 5 m x 4 m x 4 m, each N in its own direction: it loses more than the slab, less than the sphere."""
    _, along, _ = at_sbnd
    chord, _ = slowly(find_measurement("sbnd", flights="chord"), POINT)
    rng = np.random.default_rng(8)
    events = thrown_upscattering.throw("accelerators/flux_sbnd", "Ar40", given(POINT), 200_000, rng)
    number = len(events.weight)
    flight, azimuth = rng.exponential(FLIGHT, number) * events.momentum, rng.uniform(0, 2 * np.pi, number)
    sine = np.sqrt(1 - events.cosine**2)
    steps = flight * np.array([events.cosine, sine * np.cos(azimuth), sine * np.sin(azimuth)])
    box = np.array([[5.0], [4.0], [4.0]])
    end = box * rng.random((3, number)) + steps
    expected, error = thrown_upscattering.mean_and_error(events.weight, np.all((end > 0) & (end < box), axis=0) * 1.0)
    made = sum(float(along.before_efficiency[f"first_pairs_made_{name}"]) for name in ("coherent", "incoherent"))
    low, high = (float(prediction.total[0]) / made for prediction in (chord, along))
    assert low + 4.0 * error < expected < high  # 0.408, 0.527 and 0.541


def test_rates_go_as_exposure_and_mass(at_sbnd):
    measurement, prediction, _ = at_sbnd
    longer = find_measurement("sbnd", pot="2.5e21")
    assert longer.choices["pot"] == "2.5e+21, as asked for"
    assert float(longer.beam.exposure[0]) == pytest.approx(2.5 * float(measurement.beam.exposure[0]), rel=1e-12)
    again, _ = slowly(replace(measurement, beam=longer.beam), POINT)
    np.testing.assert_allclose(again.total, 2.5 * prediction.total, rtol=1e-12)
    light, heavy = (beam_of("accelerators/flux_sbnd", (("Ar40", tonnes),), 1e21) for tonnes in (112.0, 336.0))
    np.testing.assert_allclose(heavy.counts(), 3.0 * light.counts(), rtol=1e-12)


def test_icarus_is_microboone_scaled():
    """The same flux but for a factor, on more argon: 0.6097 x 6.6e20 x 476 t over 13.6e20 x 86.2 t."""
    far, near = (find_measurement(name).beam for name in ("icarus", "microboone-upscattering"))
    ratio = far.exposure * far.composition[0].count / (near.exposure * near.composition[0].count)
    np.testing.assert_array_equal(far.flux, near.flux)
    assert float(ratio[0]) == pytest.approx(0.6097 * 6.6 * 476.0 / (13.6 * 86.2), rel=1e-4)


def test_a_mixture_has_the_nuclei_of_its_masses():
    """MINERvA's 6.1 t of CH: as many carbon atoms as hydrogen atoms, half a per cent apart."""
    composition = {target.name: target for target in find_measurement("minerva").beam.composition}
    free = composition["proton"].count - 6.0 * composition["C12"].count
    assert free == pytest.approx(composition["C12"].count, rel=1e-2)
    assert composition["neutron"].count == pytest.approx(6.0 * composition["C12"].count)


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_both_rules_agree_at_every_detector(part):
    """Nodes in N's energy and direction against nodes in the neutrino's energy and Q^2; slopes are finite."""
    measurement = find_measurement(part)
    prediction, made = slowly(measurement, POINT)
    (reaction,) = dark_photon.reactions(POINT, {})
    pairs = sum(float(prediction.before_efficiency[f"first_pairs_made_{name}"]) for name in ("coherent", "incoherent"))
    expected = sum(float(made[name]) for name in ("coherent", "incoherent")) * float(reaction.visible)
    assert pairs == pytest.approx(expected, rel=1e-3)

    def inside(point):
        return jnp.sum(measurement.predict(dark_photon, point, {}).total)

    slopes = jax.jit(jax.grad(inside))(POINT)
    assert all(np.isfinite(float(slope)) for slope in slopes.values())

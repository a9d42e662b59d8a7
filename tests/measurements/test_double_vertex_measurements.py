"""Predictions of two vertices in MiniBooNE, MicroBooNE and CCFR: choices, bins, and CCFR's likelihood."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import poisson

from anomfit.beams.ccfr import ccfr_beam
from anomfit.catalogue import find_measurement, measurement_listing
from anomfit.errors import InputError
from anomfit.measurements.base import Prediction, is_prediction_alone
from anomfit.models.dark_photon import dark_photon
from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.rates.interactions import interactions_by_state

ERAS = {
    "double-vertices": ("miniboone", "miniboone-distance", "microboone", "microboone-distance"),
    "ccfr-double-vertices": ("nc-nc", "distance"),
}


@pytest.fixture(scope="module")
def bp_b():
    point = {name: jnp.asarray(float(value)) for name, value in dark_seesaw.points["BP-B"].items()}
    return jax.jit(dark_seesaw.vertices)(point)


@jax.jit
def predicted(measurement, point):
    return measurement.predict(dark_photon, point, {})


def test_listing():
    for name, eras in ERAS.items():
        assert tuple(row.era for row in measurement_listing() if row.name == name) == eras


@pytest.mark.parametrize(("name", "era"), [(name, era) for name, eras in ERAS.items() for era in eras])
def test_bins_and_data(name, era):
    """Only CCFR's count is a number that something is compared with."""
    measurement = find_measurement(f"{name}:{era}")
    has_data = era == "nc-nc"
    assert measurement.independent_numbers == int(has_data)
    assert bool(measurement.samples) == has_data
    assert is_prediction_alone(measurement) != has_data
    for entry in measurement.bins():
        assert np.isfinite(entry.data) == has_data
        assert entry.low < entry.high
    if not has_data:
        nothing = Prediction({"coherent": jnp.ones(len(measurement.bins()))}, {})
        assert float(measurement.log_likelihood(nothing, {})) == float(measurement.chi_squared(nothing, {})) == 0.0
        np.testing.assert_array_equal(measurement.pulls(nothing, {}), 0.0)


def test_miniboone_counts_its_events_twice_alike(bp_b):
    """By energy and by distance the events are those with both vertices inside; a thousandth has more than 3 GeV."""
    by = {era: predicted(find_measurement(f"double-vertices:{era}"), bp_b) for era in ERAS["double-vertices"][:2]}
    inside = [float(by["miniboone"].before_efficiency[f"both_vertices{mode}"]) for mode in ("", "_antineutrino_mode")]
    for era, prediction in by.items():
        for counts, whole in zip(np.split(np.asarray(prediction.total), 2), inside, strict=True):
            assert counts.sum() == pytest.approx(whole, rel=2e-3 if era == "miniboone" else 1e-6)
    kept = by["miniboone"].before_efficiency
    assert float(kept["only_first_vertex"] + kept["only_second_vertex"] + kept["both_vertices"]) < float(
        kept["first_pairs_made"]
    )


def test_ccfr_beam_makes_the_charged_currents_that_it_is_scaled_to():
    """0.677e-38 cm^2 E/GeV of a nucleon for the neutrinos' share, half of it for antineutrinos'."""
    beam = ccfr_beam()
    energy = np.linspace(10.0, 400.0, 40_001)
    flux = np.asarray(beam.flux_at(jnp.asarray(energy)))[:, 0]
    mean = np.trapezoid(flux * energy, energy)
    exposure = 56.0 * mean * float(beam.exposure[0])
    assert exposure == pytest.approx(1.28e6 / 0.677e-38 + 0.27e6 / 0.334e-38, rel=2e-4)


@pytest.mark.slow
def test_ccfr_counts_and_spreads_its_events(bp_b):
    """The bins of distance above 14 interaction lengths are the one bin of the data; all are what is inside.

    Interactions of another rule are all first pairs.
    """
    whole, parts = (
        predicted(find_measurement(f"ccfr-double-vertices:{era}"), bp_b) for era in ERAS["ccfr-double-vertices"]
    )
    assert float(jnp.sum(parts.total[5:])) == pytest.approx(float(whole.total[0]), rel=2e-3)  # they end at 51 of 51.5
    open_cut = find_measurement("ccfr-double-vertices:distance", second="none")
    assert np.all(np.asarray(predicted(open_cut, bp_b).total) > np.asarray(parts.total))
    inside = sum(float(value) for value in whole.before_efficiency.values())
    made = jax.jit(lambda point: interactions_by_state(dark_photon, point, {}, ccfr_beam()))(bp_b)
    assert float(jnp.sum(parts.total)) < inside < sum(float(jnp.sum(number)) for number in made.values())
    nearer = predicted(find_measurement("ccfr-double-vertices", separation="iron"), bp_b)
    assert float(nearer.total[0]) > float(whole.total[0])


def test_ccfr_likelihood_is_poisson():
    """Without the background's error, of 0.45 on 3.0, which hardly matters: 9 events, 3.0 and the signal expected."""
    measurement = find_measurement("ccfr-double-vertices")
    values = [
        float(measurement.log_likelihood(Prediction({"coherent": jnp.asarray([signal])}, {}), {}))
        for signal in (0.0, 6.0, 20.0)
    ]
    expected = [poisson.logpmf(9, 3.0 + signal) for signal in (0.0, 6.0, 20.0)]
    np.testing.assert_allclose(np.diff(values), np.diff(expected), rtol=0.2)
    best = Prediction({"coherent": jnp.asarray([6.0])}, {})
    assert float(measurement.chi_squared(best, {})) == pytest.approx(0.0, abs=1e-9)
    assert float(measurement.pulls(best, {})[0]) == pytest.approx(0.0, abs=1e-12)
    thrown = measurement.simulate(best, {}, jax.random.key(1))
    assert thrown.counts.shape == (1,)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("double-vertices", "threshold", "1GeV"),
        ("double-vertices", "volume", "vault"),
        ("double-vertices:microboone", "threshold", "1GeV"),
        ("ccfr-double-vertices", "separation", "lead"),
        ("ccfr-double-vertices", "second", "1GeV"),
    ],
)
def test_unknown_choices_are_refused(name, option, value):
    with pytest.raises(InputError, match=option):
        find_measurement(name, **{option: value})

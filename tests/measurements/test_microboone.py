"""MicroBooNE's e+e- search: published numbers, an independent integral, limits of the efficiency, gradients."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import comparison, microboone, points, upscattering

from anomfit.beams.booster import microboone_beam, miniboone_beam
from anomfit.catalogue import find_measurement
from anomfit.data import load_record
from anomfit.detectors import microboone as detector
from anomfit.detectors.surroundings import from_medium, from_shells, stays
from anomfit.errors import InputError
from anomfit.measurements.base import Measurement
from anomfit.measurements.microboone import common_share, load_microboone
from anomfit.models.dark_scalar import dark_scalar
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.results.citations import bibliography

# one channel each: Table I's masses, a wide pair, a narrow one that flies
CASES = {
    "Table I": points.named(lambda_N12=2.0, y_nu_F_N=1e-6),
    "wide": points.named(m_N2=0.4, m_hprime=0.12, m_N1=0.05, lambda_N12=2.0, y_nu_F_N=1e-6),
    "light mediator": points.named(m_hprime=0.004, sin_delta=0.9, m_N2=0.2, m_N1=0.05, lambda_N12=3.0, y_nu_F_N=1e-6),
}


@pytest.fixture(scope="module")
def measurement():
    return load_microboone(surroundings="none")


@pytest.fixture(scope="module")
def predict():
    return jax.jit(lambda measured, point, model: measured.predict(model, point, {}), static_argnames="model")


def arrays(point):
    return {name: jnp.asarray(float(value)) for name, value in point.items()}


def physical(name):
    full = {**two_higgs_doublet.points["table-I"], **comparison.physical(CASES[name])}
    return arrays({key: value for key, value in full.items() if key in two_higgs_doublet.points["table-I"]})


def test_the_published_totals(measurement):
    assert isinstance(measurement, Measurement)
    assert float(jnp.sum(measurement.counts)) == 95.0
    assert float(jnp.sum(measurement.background)) == pytest.approx(69.7, abs=0.5)
    whole = jnp.hypot(jnp.sum(measurement.common_error), jnp.sqrt(jnp.sum(measurement.own_error**2)))
    assert float(whole) == pytest.approx(17.3, rel=1e-12)
    assert len(bibliography(measurement.references)) == len(measurement.references)


def test_common_share_of_known_errors():
    errors = np.array([3.0, 4.0])
    assert common_share(errors, 5.0) == pytest.approx(0.0)
    assert common_share(errors, 7.0) == pytest.approx(1.0)


def test_flux_integral_and_exposure():
    """The nearer detector has 1.42 times MiniBooNE's flux: (541/468.5)^2 = 1.33, and a smaller face."""
    near, far = microboone_beam(), miniboone_beam(mode="neutrino")

    def integral(beam):
        return float(jnp.sum(beam.flux) * beam.step)

    values = load_record("microboone/flux").values
    assert integral(near) == pytest.approx(values["integral_numu"] + values["integral_numubar"], rel=1e-3)
    assert integral(near) / integral(far) == pytest.approx((541.0 / 468.5) ** 2, rel=0.1)
    assert float(near.exposure[0]) == pytest.approx(6.87e20 * 86.2e6 * 6.02214e23 / 39.948, rel=1e-3)


READINGS = [(name, "mean") for name in CASES] + [
    pytest.param("wide", reading, marks=pytest.mark.slow) for reading in ("energy", "opening", "angle")
]


@pytest.mark.parametrize(("name", "reading"), READINGS)
def test_spectrum_against_an_independent_integral(predict, name, reading):
    given = upscattering.physics(comparison.physical(CASES[name]))
    given = dataclasses.replace(given, branching=(given.branching[0], 0.0))
    chosen = detector.find_efficiency(reading)
    expected = microboone.spectrum(given, (chosen.energy, chosen.opening, chosen.angle))
    measured = load_microboone(efficiency=reading, surroundings="none")
    found = np.asarray(predict(measured, physical(name), two_higgs_doublet).total)
    tolerance = np.maximum(1e-3 * expected, 1e-2 * np.sqrt(np.asarray(measured.counts) + expected))
    assert np.all(np.abs(found - expected) <= tolerance)
    assert found.sum() == pytest.approx(expected.sum(), rel=1e-3)


def test_the_slices_come_back_between_their_centres_and_round_the_corners_there():
    for name in ("energy", "opening", "angle"):
        columns = load_record(f"microboone/pair_efficiency_{name}").columns
        centres = 0.5 * (columns["lo"] + columns["hi"])
        for power in (1.0, 1.0 / 3.0):
            values = columns["efficiency"] ** power
            between = np.asarray(detector.slice_power(name, power, 0.5 * (centres[1:] + centres[:-1])))
            np.testing.assert_allclose(between, 0.5 * (values[1:] + values[:-1]), rtol=1e-12)
            found = np.asarray(detector.slice_power(name, power, centres))
            largest_bend = 2.0 * np.max(np.abs(np.diff(values, append=0.0)))
            np.testing.assert_allclose(found, values, rtol=0.0, atol=0.0032 * largest_bend)
        assert np.all(np.asarray(detector.slice_power(name, 0.0, jnp.asarray([0.0, 1.0, 1e3]))) == 1.0)


@pytest.mark.slow
def test_other_targets_add_to_the_nuclei(measurement, predict):
    point = arrays(dark_scalar.points["bp1"])
    one = predict(measurement, point, dark_scalar)
    every = predict(load_microboone(targets="all", surroundings="none"), point, dark_scalar)
    assert set(every.signal) == {"coherent", "incoherent"}
    np.testing.assert_allclose(np.asarray(every.signal["coherent"]), np.asarray(one.total), rtol=1e-12)
    assert float(every.total.sum()) > float(one.total.sum()) > 0.0


@pytest.mark.slow
def test_likelihood_slopes_are_finite_and_agree_with_differences(measurement):
    def total(point, pull):
        nuisances = {"microboone_background": pull}
        return measurement.log_likelihood(measurement.predict(dark_scalar, point, nuisances), nuisances)

    both = jax.jit(jax.value_and_grad(total, argnums=(0, 1)))
    point = arrays({**dark_scalar.points["bp1"], "m_S": 0.05, "m_nu4": 0.2})
    _, (slopes, slope) = both(point, jnp.asarray(0.3))
    for name in ("g_D", "U_mu4", "eta_d", "m_S", "m_nu4"):
        step = 1e-5 * float(point[name])
        above, below = (float(both({**point, name: point[name] + s * step}, jnp.asarray(0.3))[0]) for s in (1, -1))
        rel = 1e-2 if name.startswith("m_") else 1e-5  # the slices have corners, which a small step sees
        assert float(slopes[name]) == pytest.approx((above - below) / (2 * step), rel=rel, abs=1e-8)
    above, below = (float(both(point, jnp.asarray(0.3 + s * 1e-5))[0]) for s in (1, -1))
    assert float(slope) == pytest.approx((above - below) / 2e-5, rel=1e-6)
    for changes in ({"m_nu4": 0.12}, {"m_nu4": 2.0}, {"m_S": 0.01, "m_nu4": 0.011}):
        value, (slopes, _) = both(arrays({**dark_scalar.points["bp1"], **changes}), jnp.asarray(0.0))
        assert np.isfinite(float(value))
        assert all(np.isfinite(float(s)) for s in slopes.values())


@pytest.mark.slow
def test_a_closed_decay_makes_nothing(measurement, predict):
    found = predict(measurement, arrays({**dark_scalar.points["bp1"], "m_nu4": 0.12}), dark_scalar)
    assert np.all(np.asarray(found.total) == 0.0)


@pytest.mark.parametrize("option", ["efficiency", "targets", "flavours"])
def test_unknown_choices_are_refused(option):
    with pytest.raises(InputError, match="use one of"):
        find_measurement("microboone", **{option: "perfect"})


# -- pairs born outside of the active volume ---------------------------------------------------------------------------


def test_pairs_from_outside_come_in_addition(predict, measurement):
    """Argon beyond the active volume gives back what flies out of it; earth adds to that where the flight is longer."""
    with_earth = load_microboone()
    point = physical("light mediator")
    for y_e, low, high in ((2.3e-4, 0.0, 0.3), (5e-6, 1.0, 10.0)):
        at = {**point, "y_e": jnp.asarray(y_e)}
        more, less = (predict(measured, at, two_higgs_doublet) for measured in (with_earth, measurement))
        np.testing.assert_allclose(more.signal["coherent"], less.signal["coherent"], rtol=1e-10)
        assert low < float(more.signal["outside"].sum() / less.total.sum()) < high
    assert [n.name for n in with_earth.nuisances][-1] == "microboone_dirt"


def test_the_argon_around_makes_up_for_a_short_flight():
    around = detector.surroundings()
    flight = np.array([1e-6, 0.01, 0.05])
    whole = np.asarray(stays(flight, around) + from_medium(flight, around))
    np.testing.assert_allclose(whole, 1.0, rtol=1e-3)
    assert np.all(np.asarray(from_shells(flight, around)) < 1e-12)

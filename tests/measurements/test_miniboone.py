"""MiniBooNE in E_nu^QE: published numbers of data, background and the oscillation fit; covariance; gradients."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import comparison, points

from anomfit.errors import InputError
from anomfit.measurements.base import Prediction
from anomfit.measurements.miniboone import load_miniboone
from anomfit.models.oscillation import oscillation
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics.constants import M_E

NAMES = tuple(points.BOX)
CHOSEN = two_higgs_doublet.parametrisations["products"]


@pytest.fixture(scope="module")
def measurement():
    return load_miniboone()


def of_signal(signal):
    return Prediction({"signal": jnp.asarray(signal)}, {})


# -- the published oscillation fit ------------------------------------------------------------------------------------


def test_full_transmutation_gives_the_published_expectation(measurement):
    """0.26 % of full transmutation, 200 to 1250 MeV: 676.3 and 100.0 events (arXiv:2006.16883)."""
    totals = [0.0026 * np.sum(np.asarray(sample.events)[:, :9]) for sample in measurement.transmutation]
    assert totals == [pytest.approx(676.3, abs=0.05), pytest.approx(100.0, abs=0.05)]


def test_oscillation_prediction_is_the_weighted_sample(measurement):
    point = {"sin2_2theta": jnp.asarray(0.807), "delta_m2": jnp.asarray(0.043)}
    signal = np.asarray(measurement.predict(oscillation, point, {}).total)
    expected = []
    for sample in measurement.transmutation:
        energy, length, events = (np.asarray(x) for x in (sample.energy, sample.length, sample.events))
        expected.append((0.807 * np.sin(1.266933 * 0.043 * length / 1e3 / energy) ** 2) @ events)
    np.testing.assert_allclose(signal, np.concatenate(expected), rtol=1e-5)


def test_chi_squared_of_the_published_fit():
    """The released matrix as it stands: 69.2 without oscillation and 36.3 at (0.807, 0.043 eV^2), 38 bins."""
    literal = load_miniboone(covariance="literal")
    assert float(literal.chi_squared(of_signal(np.zeros(22)), {})) == pytest.approx(69.2, abs=0.05)
    point = {"sin2_2theta": jnp.asarray(0.807), "delta_m2": jnp.asarray(0.043)}
    assert float(literal.chi_squared(literal.predict(oscillation, point, {}), {})) == pytest.approx(36.3, abs=0.05)


def test_excess_after_the_muon_samples(measurement):
    """Published: 560.6 +- 119.6, 77.4 +- 28.5, both 638.0 +- 132.8 events between 200 and 1250 MeV."""
    data, n = measurement.data, 22
    covariance, residual = np.asarray(data.covariance(jnp.zeros(n))), np.asarray(data.residual(jnp.zeros(n)))
    gain = np.linalg.solve(covariance[n:, n:], covariance[n:, :n]).T
    background = np.asarray(data.background) + gain @ residual[n:]
    constrained = covariance[:n, :n] - gain @ covariance[n:, :n]
    for kept, excess, error in (
        (np.arange(9), 560.6, 119.6),
        (np.arange(11, 20), 77.4, 28.5),
        (np.r_[np.arange(9), np.arange(11, 20)], 638.0, 132.8),
    ):
        assert np.sum(np.asarray(data.counts)[kept] - background[kept]) == pytest.approx(excess, abs=0.2)
        assert np.sqrt(constrained[np.ix_(kept, kept)].sum()) == pytest.approx(error, abs=0.15)


# -- the covariance ---------------------------------------------------------------------------------------------------


def signals():
    rng = np.random.default_rng(17)
    broad = 10.0 ** rng.uniform(-3, 6, (200, 22)) * (rng.random((200, 22)) < 0.7)
    single = [1e6 * row for row in np.eye(22)]
    return [*broad, *single, np.zeros(22), np.full(22, 1e6)]


@pytest.mark.parametrize("choice", ["recommended", "flat-signal"])
def test_covariance_is_positive_definite_for_any_signal(choice):
    data = load_miniboone(covariance=choice).data
    build = jax.jit(data.covariance)
    for signal in signals():
        covariance = np.asarray(build(jnp.asarray(signal)))
        scale = np.sqrt(np.diag(covariance))
        np.testing.assert_allclose(covariance, covariance.T, atol=1e-12 * scale.max() ** 2)
        assert np.linalg.eigvalsh(covariance / scale[:, None] / scale)[0] > 0.0
        np.linalg.cholesky(covariance)


def test_unknown_choices_are_refused():
    for option in ("selection", "resolution", "covariance", "flavours"):
        with pytest.raises(InputError, match="use one of"):
            load_miniboone(**{option: "nonsense"})


# -- gradients --------------------------------------------------------------------------------------------------------


def spectrum_and_likelihood(measurement, x):
    values = {name: jnp.exp(x[i]) for i, name in enumerate(NAMES)}
    point = CHOSEN.to_physical({**values, **{name: jnp.asarray(v) for name, v in points.REST.items()}})
    prediction = measurement.predict(two_higgs_doublet, point, {})
    return jnp.append(prediction.total, measurement.log_likelihood(prediction, {}))


@jax.jit
def values_at(measurement, x):
    return jax.lax.map(lambda row: spectrum_and_likelihood(measurement, row), x, batch_size=8)


@jax.jit
def slopes_at(measurement, x, along):
    def one(pair):
        return jax.jvp(lambda y: spectrum_and_likelihood(measurement, y), (pair[0],), (pair[1],))[1]

    return jax.lax.map(one, (x, along), batch_size=8)


def away_from_thresholds(n):
    rng, found = np.random.default_rng(5), []
    while len(found) < n:
        p = points.from_cube(rng.random(9))
        gaps = [p["m_N2"] - p["m_N1"] - p["m_hprime"], p["m_N2"] - p["m_H"], p["m_N2"] - p["m_N1"] - p["m_H"]]
        if min(abs(gap) for gap in gaps) > 1e-3 * p["m_N2"]:
            found.append([np.log(p[name]) for name in NAMES])
    along = rng.normal(size=(n, 9))
    return np.array(found), along / np.linalg.norm(along, axis=1)[:, None]


@pytest.mark.slow
def test_gradients_against_central_differences(measurement):
    """Every bin and ln L along a random direction, plain and Richardson-extrapolated differences, best of six steps.

    A bin of less than 1e-3 events or 1e-5 of all counts as that much.
    """
    x, along = away_from_thresholds(64)
    exact, value = np.asarray(slopes_at(measurement, x, along)), np.asarray(values_at(measurement, x))
    total = value[:, :-1].sum(axis=1, keepdims=True)
    scale = np.maximum(np.abs(exact), np.abs(value)) + 1e-3 + 1e-5 * total
    scale[:, -1] = np.maximum(np.abs(exact[:, -1]), 1e-2)
    slopes = [
        np.asarray(values_at(measurement, x + h * along) - values_at(measurement, x - h * along)) / (2 * h)
        for h in 1e-6 * 4.0 ** np.arange(6)
    ]
    slopes += [(16 * s - t) / 15 for s, t in pairwise(slopes)]
    error = np.min([np.abs(slope - exact) / scale for slope in slopes], axis=0)
    worst = error.max(axis=1)
    print(f"{np.sum(worst > 1e-6)} of {len(worst)} points above 1e-6, worst {worst.max():.1e}")
    assert worst.max() < 1e-6


def _signal(measurement, point):
    prediction = measurement.predict(two_higgs_doublet, CHOSEN.to_physical(point), {})
    return jnp.stack([jnp.sum(prediction.total), measurement.log_likelihood(prediction, {})])


@jax.jit
def signal_and_gradients(measurement, point):
    """(total, ln L) and their gradients, side by side in one backward program."""
    values, pullback = jax.vjp(lambda p: _signal(measurement, p), point)
    return values, jax.vmap(pullback)(jnp.eye(2))[0]


def at(point):
    return {name: jnp.asarray(value) for name, value in point.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "closed",
    [{"m_hprime": 1.0e-3}, {"m_N2": 0.012, "m_N1": 0.011, "m_hprime": 0.017}],
    ids=["h' below two electrons", "h' above N_2"],
)
def test_closed_gives_exactly_zero(measurement, closed):
    (total, _), slopes = signal_and_gradients(measurement, at(points.named(**closed)))
    assert float(total) == 0.0
    assert all(np.all(np.asarray(pair) == 0.0) for pair in slopes.values())


@pytest.mark.slow
@pytest.mark.parametrize("step", [-1e-9, -1e-14, 0.0, 1e-14, 1e-9])
def test_finite_on_both_sides_of_every_threshold(measurement, step):
    for point in (
        points.named(m_N1=0.130 - 0.017 + step),
        points.named(m_hprime=0.130 + step),
        points.named(m_hprime=2 * M_E + step),
        points.named(m_N2=0.75 + step),
        points.named(m_N2=0.835 + step),
    ):
        for part in jax.tree.leaves(signal_and_gradients(measurement, at(point))):
            assert np.all(np.isfinite(part)), point


@pytest.mark.slow
def test_rate_at_the_same_point_is_the_reference_s(measurement):
    point = points.edges()["N_1 closed, nu h' alone"]
    prediction = comparison.computed_prediction(point)
    reference = comparison.reference_spectrum(point)
    np.testing.assert_allclose(np.asarray(prediction.total).sum(), reference.sum(), rtol=3e-4)

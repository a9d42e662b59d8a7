"""The dark scalar in MiniBooNE against the independent integral in (E_nu, Q^2)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import dark_scalar as dark_scalar_points
from oracles import upscattering
from oracles.comparison import tolerance

from anomfit.measurements.miniboone import load_miniboone
from anomfit.models.dark_scalar import dark_scalar

LIGHT = ("bp1", "light")  # the second: pairs that pass the cuts, too


def at(name):
    return dark_scalar_points.edges()[name]


@pytest.fixture(scope="module")
def measurement():
    return load_miniboone()


@pytest.fixture(scope="module")
def predict():
    return jax.jit(lambda measured, point: measured.predict(dark_scalar, point, {}))


@pytest.mark.slow
@pytest.mark.parametrize("name", LIGHT)
def test_interactions_and_spectrum(measurement, predict, name):
    point, given = at(name), dark_scalar_points.reference(at(name))
    found = predict(measurement, {key: jnp.asarray(value) for key, value in point.items()})
    made = upscattering.made(given) * given.branching[0]
    before = found.before_efficiency
    for i, component in enumerate(("coherent", "incoherent")):
        assert float(before[component]) == pytest.approx(made[i, 0], rel=1e-3)
        assert float(before[f"{component}_antineutrino_mode"]) == pytest.approx(made[i, 1], rel=1e-3)
    expected = upscattering.spectrum(given).sum(axis=0).ravel()
    assert np.all(np.abs(np.asarray(found.total) - expected) <= tolerance(expected))
    if name == "light":
        assert expected.sum() > 10.0


@pytest.mark.slow
def test_closed_decay_makes_nothing(measurement, predict):
    point = {key: jnp.asarray(value) for key, value in {**at("bp1"), "m_nu4": 0.12}.items()}
    assert np.all(np.asarray(predict(measurement, point).total) == 0.0)


@pytest.mark.slow
def test_slopes_of_the_likelihood_are_finite_over_the_prior_and_agree_with_differences(measurement):
    rng = np.random.default_rng(11)
    parameters = dark_scalar.parametrisations["physical"].parameters
    draws = [at("light")]
    for _ in range(11):
        draws.append(
            {
                p.name: np.exp(rng.uniform(np.log(p.low), np.log(p.high))) if p.is_log else rng.uniform(p.low, p.high)
                for p in parameters
            }
        )

    def total(point):
        return measurement.log_likelihood(measurement.predict(dark_scalar, point, {}), {})

    both = jax.jit(jax.value_and_grad(total))
    for point in draws:
        found, slopes = both({key: jnp.asarray(number) for key, number in point.items()})
        assert np.isfinite(float(found))
        assert all(np.isfinite(float(slope)) for slope in slopes.values()), point
    point, slopes = draws[0], both({key: jnp.asarray(number) for key, number in draws[0].items()})[1]
    for name in ("g_D", "U_mu4", "eta_d", "kappa"):
        step = 1e-5 * point[name]
        above, below = (float(both({**point, name: point[name] + sign * step})[0]) for sign in (1, -1))
        assert float(slopes[name]) == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-8)

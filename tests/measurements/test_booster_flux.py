"""The flux of the Booster beam as a nuisance: the released covariance with one direction of it written out."""

import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.beams.booster_flux import flux_error, flux_factor
from anomfit.catalogue import find_measurement
from anomfit.measurements.base import Prediction
from anomfit.problem import merged_nuisances


def signals():
    rng = np.random.default_rng(3)
    return [np.zeros(22), np.abs(rng.normal(20.0, 15.0, 22)), np.linspace(200.0, 1.0, 22)]


@pytest.mark.parametrize("signal", signals(), ids=["none", "scattered", "soft"])
def test_a_profiled_pull_gives_the_released_chi_squared_back(signal):
    whole, shared = find_measurement("miniboone"), find_measurement("miniboone", flux="shared")
    prediction = Prediction({"all": jnp.asarray(signal)}, {})
    values = {x: float(shared.chi_squared(prediction, {"booster_flux": x})) + x**2 for x in (-1.0, 0.0, 1.0)}
    curvature = 0.5 * (values[1.0] + values[-1.0]) - values[0.0]  # the sum is a parabola in the pull
    slope = 0.5 * (values[1.0] - values[-1.0])
    least = values[0.0] - slope**2 / (4.0 * curvature)
    assert least == pytest.approx(float(whole.chi_squared(prediction, {})), rel=1e-9)


def test_the_covariance_left_is_positive_and_gives_the_released_one_with_the_direction():
    whole, shared = (find_measurement("miniboone", flux=flux).data for flux in ("in-covariance", "shared"))
    for signal in map(jnp.asarray, signals()):
        left, moved = shared.covariance(signal), shared.flux_direction(signal)
        np.testing.assert_allclose(left + moved[:, None] * moved, whole.covariance(signal), rtol=1e-12)
        assert np.linalg.eigvalsh(left)[0] > 0.0
        muons = moved[22:]
        assert float(jnp.sum(muons) / jnp.sum(shared.muon_prediction)) == pytest.approx(flux_error(), rel=1e-12)


def test_both_detectors_share_the_pull():
    from anomfit.models.two_higgs_doublet import two_higgs_doublet

    both = [find_measurement("miniboone", flux="shared"), find_measurement("microboone")]
    names = [n.name for n in merged_nuisances(two_higgs_doublet, two_higgs_doublet.parametrisations["physical"], both)]
    assert names.count("booster_flux") == 1
    assert float(flux_factor({"booster_flux": 1.0})) == pytest.approx(np.exp(flux_error()))


def test_without_the_option_nothing_is_new():
    assert "booster_flux" not in {n.name for n in find_measurement("miniboone").nuisances}

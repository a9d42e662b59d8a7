"""KARMEN's null result: expectation at full mixing, limit, the model's next to nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import recoil
from oracles.upscattering import physics
from scipy.optimize import brentq
from scipy.special import ndtr

from anomfit.data import load_record
from anomfit.detectors import karmen as detector
from anomfit.measurements.karmen import load_karmen
from anomfit.measurements.lsnd_common import appearance_nodes
from anomfit.models.oscillation import oscillation
from anomfit.models.two_higgs_doublet import as_published, two_higgs_doublet
from anomfit.models.two_higgs_doublet_parameters import TABLE_I


@pytest.fixture(scope="module")
def karmen():
    return load_karmen()


def point(**changes):
    return {name: jnp.asarray(float(value)) for name, value in (TABLE_I | changes).items()}


def mixing(sin2_2theta, delta_m2=100.0):
    return {"sin2_2theta": jnp.asarray(sin2_2theta), "delta_m2": jnp.asarray(delta_m2)}


def test_full_mixing_gives_the_published_number(karmen):
    values = load_record("karmen/experiment").values
    found = float(karmen.predict(oscillation, mixing(1.0), {}).total.sum())
    assert found == pytest.approx(values["full_mixing"], abs=values["full_mixing_error"])


def test_the_spectrum_without_recoil_is_the_tabulated_one_and_recoil_empties_its_end(karmen):
    """The table takes E_vis = E_nu - 0.78 MeV; the neutron's recoil takes up to 5 MeV of it."""
    columns = load_record("karmen/prompt_energy").columns
    lengths = np.array([17.7]), np.array([1.0])
    e_nu, _, positron, events = appearance_nodes(lengths, 1.0, 1.0)
    low, high = 1e-3 * columns["E_lo_MeV"], 1e-3 * columns["E_hi_MeV"]
    without = np.einsum("elc,elcb->b", events, detector.energy_response(e_nu - 0.78e-3, low, high))
    np.testing.assert_allclose(without / without.sum(), columns["osc_shape"], atol=0.004)
    found = np.asarray(karmen.predict(oscillation, mixing(1.0), {}).total)
    assert found[-1] / found.sum() < 0.6 * columns["osc_shape"][-1]
    assert 0.0 < (e_nu - positron - 0.0013).max() < 0.0055


def test_the_limit_at_large_delta_m2(karmen):
    """90 % CL from the likelihood, background and signal at their means: published 1.7e-3 with time and position."""

    def rise(sin2_2theta):
        none, some = (karmen.predict(oscillation, mixing(s), {}) for s in (0.0, sin2_2theta))
        return 2 * float(karmen.log_likelihood(none, {}) - karmen.log_likelihood(some, {})) - 1.645**2

    limit = brentq(rise, 1e-4, 2e-2)
    assert 0.5 * 1.7e-3 < limit < 2 * 1.7e-3


def test_the_data_close_on_the_published_totals(karmen):
    assert sum(row.data for row in karmen.bins()) == 15
    assert sum(row.background for row in karmen.bins()) == pytest.approx(15.8)


@pytest.mark.parametrize(("model", "published"), [(two_higgs_doublet, False), (as_published, True)])
def test_the_model_gives_no_signal_and_agrees_with_an_independent_integral(karmen, model, published):
    prediction = jax.jit(lambda p: karmen.predict(model, p, {}))(point())
    assert float(prediction.total.sum()) < 0.2
    assert float(prediction.signal["at rest"].sum()) == 0.0
    edges = np.linspace(0.016, 0.052, 10)
    sigma = 1e-3 * 0.115 * np.sqrt(1e3 * recoil.GRID)[:, None]
    response = ndtr((edges[1:] - recoil.GRID[:, None]) / sigma) - ndtr((edges[:-1] - recoil.GRID[:, None]) / sigma)
    scale = 1e-3 * 2.71e21 / (4 * np.pi * 1770.0**2) / 1.022e13
    both = recoil.in_flight_flux(("numu", "numubar"))
    source = (lambda e: scale * both[0](e)), both[1]
    expected = 0.192 * recoil.counts("neutron", physics(TABLE_I, published), source, 2.54e30, response, 0.013)
    np.testing.assert_allclose(prediction.signal["in flight"], expected, atol=1e-3 * expected.max())


def test_the_null_result_prefers_no_signal(karmen):
    none, some = (karmen.predict(oscillation, mixing(s), {}) for s in (0.0, 0.005))
    assert float(karmen.chi_squared(some, {}) - karmen.chi_squared(none, {})) > 5.0
    np.testing.assert_allclose(
        karmen.pulls(none, {}), (karmen.counts - karmen.background) / np.sqrt(karmen.background), rtol=1e-12
    )

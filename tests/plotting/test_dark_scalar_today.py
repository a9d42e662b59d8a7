"""The figure of the posterior, from a result made of a few points: what is drawn is what the model says of them."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.figure import Figure

from anomfit.cards import card_from_text, problem_from_card
from anomfit.inference.sample.chains import Samples, SampleSettings
from anomfit.models.dark_scalar import dark_scalar
from anomfit.plotting.dark_scalar import can_show, invisible_kaons, plot_anomalies
from anomfit.results.result import Result, Spectrum, provenance

CARD = """
model = "dark-scalar"
parametrisation = "products"
point = "bp1"
[free]
m_S = "default"
eta_u = "default"
[measurements]
miniboone = "enuqe"
g-2-muon = "wp2025"
"""


@pytest.fixture(scope="module")
def result():
    problem = problem_from_card(card_from_text(CARD))
    values = {"m_S": np.array([[0.05, 0.12, 0.133]]), "eta_u": np.array([[1e-3, 2e-3, 2e-3]])}
    spectra = []
    for measurement in problem.measurements:
        bins = tuple(measurement.bins())
        draws = np.arange(3.0)[None, :, None] * np.ones(len(bins)) * (1e-9 if measurement.name == "g-2-muon" else 10.0)
        best = {"signal": np.ones(len(bins)) * 1e-9}
        spectra.append(
            Spectrum(measurement.name, measurement.era, "", bins, best, np.zeros(len(bins)), draws, fitted=True)
        )
    samples = Samples(values, {}, np.zeros((1, 3, 2)), {}, (), SampleSettings(), 0.0, 0.0, complete=True)
    return Result(provenance(problem, CARD, 1), samples=samples, spectra=tuple(spectra))


def test_only_posteriors_of_this_model_are_shown(result):
    assert can_show(result)
    other = dataclasses.replace(result.provenance, model="two-higgs-doublet")
    assert not can_show(dataclasses.replace(result, provenance=other))
    assert not can_show(dataclasses.replace(result, spectra=result.spectra[:1]))


def test_draws_stand_at_the_models_branching_ratio(result):
    mass, rate = invisible_kaons(result)
    np.testing.assert_allclose(mass, [0.05, 0.12, 0.133])
    point = {key: jnp.asarray(value) for key, value in {**dark_scalar.points["bp1"], "eta_u": 2e-3}.items()}
    (boson,), (made,) = dark_scalar.light_bosons(point), dark_scalar.meson_branching_ratios(point, "K_L -> pi0")
    found = made * boson.branching_ratio("invisible")
    np.testing.assert_allclose(rate[2], float(found[0]), rtol=1e-9)


@pytest.mark.slow
def test_anomalies_are_bands_and_draws_are_points(result):
    ax = plot_anomalies(result, Figure().subplots())
    (drawn,) = [line for line in ax.lines if line.get_label() == "posterior"]
    np.testing.assert_allclose(drawn.get_xdata(), [0.0, 1.0, 2.0])
    np.testing.assert_allclose(drawn.get_ydata(), [0.0, 90.0, 180.0])  # nine bins below 1250 MeV
    band = ax.patches[0]
    assert band.get_y() + 0.5 * band.get_height() == pytest.approx(560.6, rel=0.02)

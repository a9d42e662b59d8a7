"""What the figures of arXiv:2007.11813 draw is what the model predicts, and the fit is that of the paper."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.optimize import minimize_scalar

from anomfit.capabilities import over_reactions
from anomfit.catalogue import find_measurement
from anomfit.errors import InputError
from anomfit.measurements.babar_monophoton import load_babar_monophoton
from anomfit.measurements.base import Bin, Prediction
from anomfit.models.dark_photon import dark_photon
from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.models.oscillation import oscillation
from anomfit.physics.dark_neutrinos import decays, decays_of_states, total_widths
from anomfit.plotting.dark_seesaw import (
    DecaySignal,
    by_state,
    excess_panel,
    fit_monophotons,
    plot_excess_by_state,
    plot_monophotons,
    signal_by_decay,
)
from anomfit.prediction import predict

LAGRANGIAN = dark_seesaw.parametrisations["lagrangian"]


def drawn(ax, label: str) -> np.ndarray:
    """Heights of the steps with this label."""
    (found,) = [patch for patch in ax.patches if patch.get_label() == label]
    return np.asarray(found.get_data().values)


# -- figure 1 -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted():
    return fit_monophotons(dark_seesaw, "BP-B")


def test_the_drawn_signal_is_the_prediction_at_the_fitted_efficiency(fitted):
    measurement = load_babar_monophoton(window="24-64", geometry="spheres", efficiency=f"{fitted.efficiency:.15g}")
    (report,) = predict(dark_seesaw, measurement, LAGRANGIAN, [dark_seesaw.points["BP-B"]])
    np.testing.assert_allclose(fitted.signal, report.total, rtol=1e-9)
    ax = plot_monophotons(fitted, Figure().subplots())
    (label,) = [patch.get_label() for patch in ax.patches if patch.get_label().startswith("BP-B")]
    np.testing.assert_allclose(drawn(ax, label), np.asarray(measurement.background) + report.total, rtol=1e-9)
    assert f"{sum(report.total):.0f} events" in label
    assert ax.get_ylabel() == "events / 0.5 GeV$^2$"
    (dotted,) = [line for line in ax.lines if line.get_linestyle() == ":"]
    assert set(dotted.get_xdata()) == {50.0}


def test_the_fit_is_the_one_that_plain_numpy_finds(fitted):
    counts, background = (
        np.array([getattr(b, name) for b in fitted.bins[: fitted.fitted]]) for name in ("data", "background")
    )
    shape = fitted.signal[: fitted.fitted] / fitted.events[0]

    def profiled(events: float) -> float:
        def at(scale: float) -> float:
            expected = scale * background + events * shape
            return 2.0 * float(np.sum(expected - counts * np.log(expected))) + ((scale - 1.0) / 0.05) ** 2

        return minimize_scalar(at, bounds=(0.7, 1.3), method="bounded", options={"xatol": 1e-10}).fun

    best = minimize_scalar(profiled, bounds=(0.0, 200.0), method="bounded", options={"xatol": 1e-8})
    assert best.x == pytest.approx(fitted.events[0], rel=1e-4)
    assert np.sqrt(profiled(0.0) - best.fun) == pytest.approx(fitted.significance, abs=1e-4)


def test_the_fit_is_near_the_one_that_the_paper_prints(fitted):
    assert fitted.events[1] == pytest.approx(53.0, rel=0.1)  # section III; our data are digitised again
    assert fitted.significance == pytest.approx(2.2, abs=0.2)


# -- figure 2 -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PairsMade:
    """A sample in which every pair counts once, half of them in each component."""

    weight: jax.Array

    name, era, nuisances = "pairs-made", "test", ()

    def predict(self, model, point, nuisances):
        number = over_reactions(model, point, nuisances, lambda one: one.visible) * self.weight
        return Prediction({"coherent": 0.5 * number, "incoherent": 0.5 * number}, {})

    def bins(self):
        return [Bin("neutrino mode, E", 0.2 + 0.1 * i, 0.3 + 0.1 * i, "GeV", 2.0, 1.0, 1.0) for i in range(2)]


jax.tree_util.register_dataclass(PairsMade, data_fields=["weight"], meta_fields=[])


def test_each_decay_has_its_branching_ratio():
    point = {name: jnp.asarray(value) for name, value in dark_seesaw.points["BP-B"].items()}
    states = dark_seesaw.dark_neutrinos(point)
    widths = decays(states)
    parent, daughter = decays_of_states(3)
    ratios = np.asarray(widths.to_electrons / total_widths(states, widths)[parent])
    found = signal_by_decay(dark_seesaw, "BP-B", PairsMade(jnp.array([1.0, 3.0])))
    assert [(one.state, one.daughter) for one in found] == [
        (4, None),
        (5, None),
        (5, 4),
        (6, None),
        (6, 4),
        (6, 5),
    ]
    assert [one.state - 4 for one in found] == parent.tolist()
    assert [-1 if one.daughter is None else one.daughter - 4 for one in found] == daughter.tolist()
    for one, ratio in zip(found, ratios, strict=True):
        np.testing.assert_allclose(one.total, ratio * np.array([1.0, 3.0]), rtol=1e-9)
        np.testing.assert_allclose(one.signal["coherent"], 0.5 * one.total)


def made_up() -> tuple[DecaySignal, ...]:
    """N_4 hardly seen, N_5 with one decay, N_6 with two that count; dirt is nothing."""
    sizes = {(4, None): 1e-3, (5, None): 0.05, (5, 4): 40.0, (6, None): 0.0, (6, 4): 8.0, (6, 5): 2.0}

    def signal(size: float):
        each = size * np.array([0.25, 0.75])
        return {"coherent": 0.25 * each, "dirt": 1e-6 * each, "incoherent": 0.75 * each}

    return tuple(DecaySignal(*key, signal(size)) for key, size in sizes.items())


def test_states_are_named_by_what_they_decay_to_and_small_ones_left_out():
    found = by_state(made_up())
    n_5, n_6 = r"$N_5 \to N_4\,e^+e^-$", r"$N_6 \to N_5, N_4\,e^+e^-$"
    assert list(found) == [f"{n}, {part}" for n in (n_5, n_6) for part in ("coherent", "incoherent")]
    np.testing.assert_allclose(found[f"{n_5}, incoherent"], 0.75 * 40.05 * np.array([0.25, 0.75]))
    np.testing.assert_allclose(found[f"{n_6}, coherent"], 0.25 * 10.0 * np.array([0.25, 0.75]))


def test_the_dashed_line_has_the_excess_of_the_data_and_the_stack_the_prediction():
    measurement, found = PairsMade(jnp.ones(2)), made_up()
    panel = excess_panel(measurement, found, last=0.3)  # the first bin alone: excess of 1 event
    (curve,) = panel.curves
    total = np.sum([one.total for one in found], axis=0)
    np.testing.assert_allclose(curve.signal, total / total[0])
    assert curve.label == f"BP-B x {1.0 / total[0]:.2f}: the excess of 1"
    ax = plot_excess_by_state(panel, Figure().subplots())
    labels = [text.get_text() for text in ax.legend().get_texts()]
    assert r"$N_5 \to N_4\,e^+e^-$, coherent" in labels
    top = drawn(ax, r"$N_6 \to N_5, N_4\,e^+e^-$, incoherent")
    np.testing.assert_allclose(100.0 * top, total, rtol=1e-3)  # drawn in events / MeV; what is left out is less


@pytest.mark.parametrize(("model", "point"), [(oscillation, {}), (dark_photon, "bertuzzo")])
def test_models_without_three_states_are_refused(model, point):
    with pytest.raises(InputError, match="heavy neutrino"):
        signal_by_decay(model, point, PairsMade(jnp.ones(2)))


def test_an_unknown_point_is_refused():
    with pytest.raises(InputError, match="BP-Z"):
        signal_by_decay(dark_seesaw, "BP-Z", PairsMade(jnp.ones(2)))


@pytest.mark.slow
def test_the_decays_add_up_to_the_prediction_of_miniboone():
    measurement = find_measurement("miniboone", surroundings="none")
    (report,) = predict(dark_seesaw, measurement, LAGRANGIAN, [dark_seesaw.points["BP-B"]])
    found = signal_by_decay(dark_seesaw, "BP-B", measurement)
    for component, events in report.signal.items():
        np.testing.assert_allclose(sum(one.signal[component] for one in found), events, rtol=1e-9)
    from_N_5, from_N_6 = (sum(one.total.sum() for one in found if one.state == state) for state in (5, 6))
    assert from_N_5 > 5.0 * from_N_6 > 0.0  # N_6 -> N_5 e+e- has a second pair

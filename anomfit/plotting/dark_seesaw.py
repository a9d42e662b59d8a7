"""Figures 1 and 2 of arXiv:2007.11813: BaBar's single photons, and MiniBooNE's excess by the state that decays."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import minimize

from anomfit.capabilities import HasDarkNeutrinos, Model, Upscatters
from anomfit.catalogue import find_measurement
from anomfit.errors import InputError
from anomfit.measurements.babar_monophoton import BabarMonophoton, load_babar_monophoton
from anomfit.measurements.base import Bin, Measurement, Prediction
from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.parameters import Parametrisation, Point
from anomfit.physics.dark_neutrinos import PAIR_MASSES, decays_of_states
from anomfit.physics.reaction import AnyReaction, SpreadReaction
from anomfit.plotting.figures import add_note
from anomfit.plotting.panels import Curve, Panel, panels
from anomfit.plotting.spectrum import plot_excess, plot_spectrum
from anomfit.plotting.style import CURVES, QUIET
from anomfit.prediction import fitting_parametrisation, point_from_settings, predict

POINT = "BP-B"
FITTED, SHOWN = "24-50", "24-64"  # GeV^2: what the paper fits, and what its figure counts
LIGHTEST = 4  # the number in N_4
LEAST = 0.01  # of a state's pairs: what a decay must make to be named
FEWEST = 1e-3  # of all pairs: what a state must make to be drawn
LAST = 1.25  # GeV in E_nu^QE, the end of MiniBooNE's excess
SPECTRA = ("enuqe", "costheta")
LOW, HIGH, TICKS = 0.5, 150.0, (1, 2, 5, 10, 20, 50, 100)  # events a bin; above the data there is the legend
PRECISE = {"ftol": 1e-14, "gtol": 1e-7}


# -- figure 1 -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MonophotonFit:
    """Pseudo-monophotons of a point with a free amplitude, fitted to BaBar's bins of 24 to 50 GeV^2.

    bins: all of 24 to 63.5 GeV^2; signal: at the best fit, in those bins. efficiency: the fraction of the narrow pairs
    in the calorimeter that the fit asks for; it may come out above 1. scale: of the background. significance: root of
    the fall of -2 ln L from no signal, in standard deviations.
    """

    point: str
    bins: tuple[Bin, ...]
    signal: Float[np.ndarray, "bins"]
    fitted: int  # how many of the bins, from the first
    efficiency: float
    scale: float
    error: float  # of the background's normalisation
    significance: float

    @property
    def events(self) -> tuple[float, float]:
        """The signal in the bins that are fitted, and in all."""
        return float(np.sum(self.signal[: self.fitted])), float(np.sum(self.signal))


def fit_monophotons(
    model: Model, point: str | Mapping[str, float] = POINT, background: str = "5", geometry: str = "spheres"
) -> MonophotonFit:
    """The fit of arXiv:2007.11813, section III, at a named point or one in physical parameters.

    The amplitude is free, as nobody has published how often BaBar takes a pair for a photon; the background's scale
    has its penalty. `background` and `geometry` as in `load_babar_monophoton`; the default spheres are the paper's.
    """
    everything = load_babar_monophoton(window=SHOWN, geometry=geometry, efficiency="1")  # one program for any error
    whole, window = (
        load_babar_monophoton(window=window, background=background, geometry=geometry, efficiency="1")
        for window in (SHOWN, FITTED)
    )
    chosen, values = _chosen(model, point)
    (report,) = predict(model, everything, chosen, [values])
    narrow = np.array(report.total)
    number = window.counts.size
    size = float(np.sum(narrow[:number]))
    if not size > 0.0:
        raise InputError(f"point: {model.name} makes no pseudo-monophotons in BaBar there; choose another")
    expected = jnp.asarray(narrow[:number] / size)

    def smallest(most: float | None):
        bounds = [(0.0, most), (None, None)]
        return minimize(_twice_nll, [0.0, 0.0], (window, expected), jac=True, bounds=bounds, options=PRECISE)

    free, none = smallest(None), smallest(0.0)
    events, pull = (float(x) for x in free.x)
    scale = window.nuisances[0].value(jnp.asarray(pull))
    return MonophotonFit(
        point=point if isinstance(point, str) else "point",
        bins=tuple(whole.bins()),
        signal=narrow * events / size,
        fitted=number,
        efficiency=events / size,
        scale=float(scale),
        error=window.nuisances[0].sigma,
        significance=float(np.sqrt(max(none.fun - free.fun, 0.0))),
    )


@jax.jit
@jax.value_and_grad
def _twice_nll(at: Float[Array, "2"], window: BabarMonophoton, shape: Float[Array, "bins"]):
    """-2 ln L of (events, pull of the background's scale), its penalty included."""
    events, pull = at
    background = window.nuisances[0]
    prediction = Prediction({"signal": events * shape}, {})
    return pull**2 - 2.0 * window.log_likelihood(prediction, {background.name: background.value(pull)})


def monophoton_panel(found: MonophotonFit) -> Panel:
    """BaBar's photons, the published background as it stands, and the best fit of the point on top."""
    inside, everywhere = found.events
    label = (
        f"{found.point}: {everywhere:.0f} events ({inside:.0f} below 50 GeV$^2$), {found.significance:.2f} $\\sigma$"
    )
    (panel,) = panels(found.bins, {"pseudo-photons": found.signal}, signal_label=label)
    return replace(panel, quantity=r"$M_{\rm miss}^2$")


def plot_monophotons(found: MonophotonFit, ax: Axes) -> Axes:
    """Draw the photons over the background with the best fit on top; a dotted line where the fit ends.

    The axis is logarithmic: the background grows twentyfold. Bins without a photon have the upper half of their error.
    """
    plot_spectrum(monophoton_panel(found), ax).set_ylabel("events / 0.5 GeV$^2$")
    ax.set_yscale("log")
    ax.set_ylim(LOW, HIGH)
    ax.set_yticks(TICKS, [f"{tick}" for tick in TICKS])
    ax.axvline(found.bins[found.fitted - 1].high, color=QUIET, lw=0.8, ls=":")
    return ax


def monophoton_figure() -> Figure:
    """Figure 1: BP-B's best fit, above, and the same without the background where it is fitted, below."""
    found, strict = (fit_monophotons(dark_seesaw, POINT, background=error) for error in ("5", "1"))
    figure = Figure(figsize=(6.4, 6.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=[2.0, 1.2])
    plot_monophotons(found, upper).legend(loc="upper left")
    fitted = replace(found, bins=found.bins[: found.fitted], signal=found.signal[: found.fitted])
    plot_excess(monophoton_panel(fitted), lower).set_ylabel("excess / 0.5 GeV$^2$")
    figure.suptitle("BaBar single photons, high missing mass, with BP-B of arXiv:2007.11813", fontsize="medium")
    note = (
        "Data and background: BaBar, arXiv:1702.03327, digitised by a third party; hatched: "
        f"{100.0 * found.error:.0f} % on the background, whose scale in the fit is {found.scale:.3f}. Signal: "
        "dark-seesaw at BP-B, arXiv:2007.11813, with a free amplitude, fitted left of the dotted line; "
        f"{100.0 * found.efficiency:.2g} % of the narrow pairs in the calorimeter are taken for photons. With 1 % on "
        f"the background: {strict.significance:.2f} standard deviations. The paper prints 53 events and 2.5 (1 %) and "
        "2.2 (5 %) standard deviations."
    )
    add_note(figure, note, columns=1)
    return figure


# -- figure 2 -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DecaySignal:
    """Selected pairs of one decay in each bin, by component (coherent, incoherent, and what is born outside).

    state: 4 for N_4; daughter: the same, None for a light neutrino.
    """

    state: int
    daughter: int | None
    signal: Mapping[str, Float[np.ndarray, "bins"]]

    @property
    def total(self) -> Float[np.ndarray, "bins"]:
        """The components added."""
        return np.sum(list(self.signal.values()), axis=0)


def signal_by_decay(
    model: Model, point: str | Mapping[str, float], measurement: Measurement
) -> tuple[DecaySignal, ...]:
    """The prediction for a sample of pairs, split by the state that is made and what it decays to; nuisances central.

    The sum over the decays is the prediction: each is the same calculation with every other branching ratio 0.
    """
    if not (isinstance(model, Upscatters) and isinstance(model, HasDarkNeutrinos)):
        raise InputError(f"{model.name}: it has no heavy neutrinos of a dark photon that a beam makes; use dark-seesaw")
    chosen, values = _chosen(model, point)
    columns = {name: jnp.asarray(float(values[name])) for name in chosen.names}
    found = jax.device_get(_by_decay(measurement, columns, model=model, chosen=chosen))
    if not found:
        raise InputError(f"point: {model.name} has one heavy neutrino there; name a point with three")
    parent, daughter = decays_of_states(len(found))
    pairs = [{name: parts[i] for name, parts in own.items()} for j, own in enumerate(found) for i in range(j + 1)]
    return tuple(
        DecaySignal(LIGHTEST + int(j), LIGHTEST + int(k) if k >= 0 else None, signal)
        for j, k, signal in zip(parent, daughter, pairs, strict=True)
    )


@dataclass(frozen=True, eq=False)
class _Alone:
    """A model with a single reaction."""

    reaction: AnyReaction

    def reactions(self, point: Point, nuisances: Point) -> tuple[AnyReaction, ...]:
        return (self.reaction,)


@partial(jax.jit, static_argnames=("model", "chosen"))
def _by_decay(measurement: Measurement, columns: Point, model: Model, chosen: Parametrisation):
    """By state: components of the signal, (decays, bins). One decay after the other, in the memory of one."""
    point = chosen.to_physical(columns)
    nuisances = {n.name: jnp.asarray(n.mean) for owner in (model, measurement) for n in owner.nuisances}
    found = []
    for reaction in cast(Upscatters, model).reactions(point, nuisances):
        if not isinstance(reaction, SpreadReaction):
            return []

        def alone(kept: Float[Array, "decays"], whole: SpreadReaction = reaction):
            branching = whole.branching * jnp.repeat(kept, PAIR_MASSES)
            return measurement.predict(_Alone(whole.with_branching(branching)), point, nuisances).signal

        found.append(jax.lax.map(alone, jnp.eye(len(reaction.branching) // PAIR_MASSES)))
    return found


def by_state(found: tuple[DecaySignal, ...]) -> dict[str, Float[np.ndarray, "bins"]]:
    """Events in each bin by state and component, named by the decays that make most of them.

    States with less than a thousandth of all pairs are left out, and so are their components.
    """
    everything = sum(float(np.sum(one.total)) for one in found)
    drawn: dict[str, Float[np.ndarray, "bins"]] = {}
    for state in dict.fromkeys(one.state for one in found):
        own = [one for one in found if one.state == state]
        size = sum(float(np.sum(one.total)) for one in own)
        if not size > FEWEST * everything:
            continue
        named = [one for one in reversed(own) if np.sum(one.total) > LEAST * size]
        daughters = ", ".join(r"\nu" if one.daughter is None else f"N_{one.daughter}" for one in named)
        for component in own[0].signal:
            events = sum((one.signal[component] for one in own[1:]), start=own[0].signal[component])
            if np.sum(events) > FEWEST * everything:
                drawn[rf"$N_{state} \to {daughters}\,e^+e^-$, {component}"] = events
    return drawn


def excess_panel(
    measurement: Measurement, found: tuple[DecaySignal, ...], name: str = POINT, last: float = LAST
) -> Panel:
    """The first panel of a MiniBooNE measurement (its neutrino mode) with the signal by state.

    A line scales the same signal to the excess of the data, in the bins that end at or below `last` where the axis is
    an energy, and in all otherwise.
    """
    signal = by_state(found)
    total = np.sum([one.total for one in found], axis=0)
    panel = panels(measurement.bins(), signal)[0]
    kept = panel.edges[1:] <= last + 1e-9 if panel.unit == "GeV" else np.full(len(panel.data), fill_value=True)
    predicted, excess = (float(np.sum(x[kept])) for x in (total[: len(kept)], panel.data - panel.background))
    scaled = Curve(f"{name} x {excess / predicted:.2f}: the excess of {excess:.0f}", excess / predicted * total)
    label = f"{name} ({predicted:.0f} events)"
    return panels(measurement.bins(), signal, curves=(replace(scaled, colour=CURVES[0]),), signal_label=label)[0]


def plot_excess_by_state(panel: Panel, ax: Axes) -> Axes:
    """Draw an `excess_panel`: data minus background, and the signal stacked by state and component."""
    plot_excess(panel, ax)
    prefix = f"{panel.signal_label}, "
    handles, labels = ax.get_legend_handles_labels()
    for handle, label in zip(handles, labels, strict=True):
        handle.set_label(label.removeprefix(prefix))
    return ax


def excess_figure() -> Figure:
    """Figure 2: BP-B in MiniBooNE's neutrino mode, by state and component, in E_nu^QE and cos(theta)."""
    figure = Figure(figsize=(10.0, 4.6), layout="constrained")
    for era, ax in zip(SPECTRA, figure.subplots(1, len(SPECTRA)), strict=True):
        measurement = find_measurement(f"miniboone:{era}", surroundings="none")
        panel = excess_panel(measurement, signal_by_decay(dark_seesaw, POINT, measurement))
        plot_excess_by_state(panel, ax).legend(loc="best")
    figure.suptitle("MiniBooNE, neutrino mode, with BP-B of arXiv:2007.11813", fontsize="medium")
    note = (
        "Data and background: MiniBooNE, arXiv:2006.16883, 18.75e20 POT; left constrained by the muon neutrinos "
        "(release), right unconstrained (third-party) and with a reconstructed energy of 200 to 1250 MeV, as are the "
        "events in the legends. Signal: dark-seesaw at BP-B, pairs born in the detector, one pair seen, default "
        "selection and form factors, nothing rescaled but the dashed line that says so. The paper compares with an "
        "excess of 560.6 events and estimates an efficiency of some 5 %."
    )
    add_note(figure, note, columns=2)
    return figure


def _chosen(model: Model, point: str | Mapping[str, float]) -> tuple[Parametrisation, dict[str, float]]:
    if isinstance(point, str):
        chosen = fitting_parametrisation(model, None, model.points.get(point, ()))
        return chosen, point_from_settings(model, chosen, point, {})
    return fitting_parametrisation(model, None, point), dict(point)


FIGURES = {"figure-1-2007.11813": monophoton_figure, "figure-2-2007.11813": excess_figure}
"""Name of the file, and what draws it."""

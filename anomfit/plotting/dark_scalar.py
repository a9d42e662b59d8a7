"""Is the dark scalar of arXiv:2005.08920 alive? Its posterior beside the anomalies it was made for."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomfit.catalogue import find_projection
from anomfit.measurements.lepton_moments import load_lepton_moment
from anomfit.models.dark_scalar import DarkScalar, as_published, dark_scalar
from anomfit.parameters import Point
from anomfit.plotting.figures import add_note
from anomfit.plotting.kaons import MEV_PER_GEV, plot_koto
from anomfit.plotting.style import BAND, CURVES, QUIET
from anomfit.prediction import predict
from anomfit.results.result import Result, Spectrum, options_of

MOMENT_UNIT = 1e-9
DRAWS = 2000  # of the posterior, at most
LOWEST_RATE = 1e-14
WINDOW = "neutrino mode"  # how the labels of MiniBooNE's bins begin
HIGHEST = 1.25  # GeV, E_nu^QE


def can_show(result: Result) -> bool:
    """Whether the result is a posterior of this model with MiniBooNE and the muon's moment in it."""
    names = {spectrum.measurement for spectrum in result.spectra if spectrum.predictive is not None}
    return result.provenance.model == dark_scalar.name and {"miniboone", "g-2-muon"} <= names


def today_figure(result: Result) -> Figure:
    """Left: K_L -> pi0 S, S not seen, against m_S; right: MiniBooNE's selected events against Delta a_mu."""
    figure = Figure(figsize=(11.0, 5.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    plot_koto(left)
    mass, rate = invisible_kaons(result)
    left.plot(MEV_PER_GEV * mass, rate, ".", color=BAND, ms=3, alpha=0.6, zorder=2, label="posterior", rasterized=True)
    left.set_ylim(LOWEST_RATE, 1e-6)
    left.legend(loc="lower left", fontsize=6.0, ncols=2)
    plot_anomalies(result, right).legend(loc="upper left")
    note = (
        f"Posterior with {', '.join(result.provenance.measurements)}. MiniBooNE: neutrino mode, E_nu^QE below "
        "1250 MeV; the points with the choices of the fit."
    )
    add_note(figure, note, columns=2)
    return figure


def plot_anomalies(result: Result, ax: Axes) -> Axes:
    """Draw MiniBooNE's signal against Delta a_mu: draws, the best fit, the six points, and what was measured."""
    miniboone, moment = (_spectrum(result, name) for name in ("miniboone", "g-2-muon"))
    kept = [i for i, b in enumerate(miniboone.bins) if b.high <= HIGHEST + 1e-9 and b.label.startswith(WINDOW)]
    assert kept
    excess = sum(miniboone.bins[i].data - miniboone.bins[i].background for i in kept)
    error = float(np.sqrt(sum(miniboone.bins[i].error ** 2 for i in kept)))
    ax.axhspan(excess - error, excess + error, color="#f3d77a", alpha=0.6, lw=0.0, label="MiniBooNE's excess")
    for era, colour in (("wp2025", "#a9cfc0"), ("papers", "0.88")):
        measured = load_lepton_moment("muon", era)
        ends = [float(measured.value - measured.sigma_minus), float(measured.value + measured.sigma_plus)]
        ax.axvspan(*(x / MOMENT_UNIT for x in ends), color=colour, lw=0.0, zorder=0, label=rf"$\Delta a_\mu$, {era}")
    assert miniboone.predictive is not None
    assert moment.predictive is not None
    x, y = moment.predictive.ravel() / MOMENT_UNIT, miniboone.predictive[..., kept].sum(axis=-1).ravel()
    ax.plot(x, y, ".", color=BAND, ms=4, alpha=0.7, label="posterior")
    best = sum(part[kept].sum() for part in miniboone.best_fit.values())
    ax.plot(sum(moment.best_fit.values()) / MOMENT_UNIT, [best], "P", color=CURVES[0], ms=8, label="best fit")
    for model, face in ((as_published, "white"), (dark_scalar, "black")):
        found = benchmark_signals(model, miniboone, kept, options_of(result, "miniboone"))
        ax.plot(*found, "o", ms=5, mfc=face, mec="black", lw=0.0, label=f"BP 1 to 6, {model.name}", zorder=6)
    ax.axhline(0.0, color=QUIET, lw=0.5)
    ax.set_ylim(-0.04 * excess, 1.3 * (excess + error))
    ax.set_xlabel(r"$\Delta a_\mu$ [$10^{-9}$]")
    ax.set_ylabel("selected events in MiniBooNE")
    return ax


def benchmark_signals(
    model: DarkScalar, shown: Spectrum, kept: list[int], options: Mapping[str, str]
) -> tuple[Float[np.ndarray, "points"], Float[np.ndarray, "points"]]:
    """(Delta a_mu in units of 1e-9, events in the kept bins) of the six points, with the options of the fit."""
    physical, points = model.parametrisations["physical"], list(model.points.values())
    reports = predict(model, find_projection(shown.measurement, shown.era, options), physical, points)
    events = [np.array(report.total)[kept].sum() for report in reports]
    arrays = [{name: jnp.asarray(float(value)) for name, value in point.items()} for point in points]
    return np.array([float(model.lepton_moment(p, "muon")) for p in arrays]) / MOMENT_UNIT, np.array(events)


def invisible_kaons(result: Result) -> tuple[Float[np.ndarray, "draws"], Float[np.ndarray, "draws"]]:
    """(m_S in GeV, B(K_L -> pi0 S) B(S -> nu nubar)) of posterior draws."""
    assert result.samples is not None
    columns = {name: np.asarray(values).ravel() for name, values in result.samples.values.items()}
    step = max(1, len(next(iter(columns.values()))) // DRAWS)
    parametrisation = dark_scalar.parametrisations[result.provenance.parametrisation]
    fixed = {name: jnp.asarray(value) for name, value in result.provenance.fixed.items()}

    def at(drawn: Point):
        point = parametrisation.to_physical({**fixed, **drawn})
        ((boson,), (rate,)) = dark_scalar.light_bosons(point), dark_scalar.meson_branching_ratios(point, "K_L -> pi0")
        return point["m_S"], jnp.sum(rate * boson.branching_ratio("invisible"))

    drawn = {name: jnp.asarray(columns[name][::step]) for name in parametrisation.names if name in columns}
    mass, rate = jax.jit(jax.vmap(at))(drawn)
    return np.asarray(mass), np.maximum(np.asarray(rate), LOWEST_RATE)


def _spectrum(result: Result, name: str) -> Spectrum:
    return next(spectrum for spectrum in result.spectra if spectrum.measurement == name)

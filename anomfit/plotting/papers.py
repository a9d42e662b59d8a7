"""Figures of the papers, remade from what the library computes."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from anomfit.catalogue import find_measurement
from anomfit.data import load_record
from anomfit.detectors.pairs import SELECTIONS
from anomfit.detectors.resolution import RESOLUTIONS
from anomfit.folders import made_folder
from anomfit.models.two_higgs_doublet import TwoHiggsDoublet, as_published, two_higgs_doublet
from anomfit.plotting.dark_seesaw import FIGURES as DARK_SEESAW_FIGURES
from anomfit.plotting.figures import add_note, save_figure
from anomfit.plotting.kaons import gap_figure, koto_figure
from anomfit.plotting.lsnd import lsnd_figure
from anomfit.plotting.moments import plot_muon_moment
from anomfit.plotting.panels import Curve, Panel, SignalBand, panels
from anomfit.plotting.references import oscillation_curves
from anomfit.plotting.spectrum import plot_excess, plot_spectrum
from anomfit.plotting.style import CURVES, MINIBOONE_BACKGROUNDS, SIGNAL, styled, typeset
from anomfit.plotting.zprime import FIGURES as ZPRIME_FIGURES
from anomfit.plotting.zprime_spectra import FIGURES as ZPRIME_SPECTRA
from anomfit.prediction import PredictionReport, predict
from anomfit.reproduce.papers import paper_name

POINT = "table-I"
PAPER_BAND = 0.15  # "a 15 % systematic uncertainty for our calculations", arXiv:2010.06159, section V.A
PROJECTIONS = {"evis": "miniboone/nu_evis_2020", "costheta": "miniboone/nu_costheta_2020"}
AS_PUBLISHED = "form factors as published"
# arXiv:2006.01948: Table I (masses, sin delta) and section IV.B (y^mu)
ZPRIME_SCALARS = {"m_H": 0.106, "m_hprime": 0.023, "sin_delta": 0.28, "y_mu": 6.3e-4}


@dataclass(frozen=True)
class Spread:
    """The benchmark's signal by component, and its totals under other choices, by what differs from the default."""

    default: PredictionReport
    alternatives: Mapping[str, Float[np.ndarray, "bins"]]

    @property
    def total(self) -> Float[np.ndarray, "bins"]:
        """The default's signal in each bin."""
        return np.array(self.default.total)

    @property
    def low(self) -> Float[np.ndarray, "bins"]:
        """The least of default and alternatives in each bin."""
        return np.min([self.total, *self.alternatives.values()], axis=0)

    @property
    def high(self) -> Float[np.ndarray, "bins"]:
        """The largest of default and alternatives in each bin."""
        return np.max([self.total, *self.alternatives.values()], axis=0)


def save_paper_figures(folder: Path, paper: str | None = None) -> list[Path]:
    """Draw the figures of a paper (an arXiv number or an alias), or of all, in this folder; return the files.

    Of arXiv:2010.06159 Figure 2, both rows, and Delta a_mu against sin delta (Figure 4 of arXiv:2006.01948); of
    arXiv:2005.08920 the limits on kaons that its points are to pass; of arXiv:2007.11813 Figures 1 and 2; of
    arXiv:2006.01948 Figures 2 and 4 to 9. Raises InputError for an unknown paper.
    """
    drawn = FIGURES if paper is None else {name: FIGURES[name] for name in [paper_name(paper)]}
    folder = made_folder(folder)
    with styled():
        return [save_figure(draw(), folder, name) for figures in drawn.values() for name, draw in figures.items()]


def other_choices(in_force: Mapping[str, str]) -> dict[str, tuple[TwoHiggsDoublet, dict[str, str]]]:
    """Model and options that differ in one choice from those `in_force` (a measurement's words), by a label.

    Every other pair selection and energy resolution, and the form factors of arXiv:2010.06159.
    """
    found: dict[str, tuple[TwoHiggsDoublet, dict[str, str]]] = {AS_PUBLISHED: (as_published, {})}
    options = (("selection", "pair selection", SELECTIONS), ("resolution", "energy resolution", RESOLUTIONS))
    for option, words, known in options:
        current = in_force[words].partition(":")[0]
        others = (choice for choice in known if choice != current)
        found |= {f"{option} {choice}": (two_higgs_doublet, {option: choice}) for choice in others}
    return found


def theory_spread(projection: str, chosen: Collection[str] | None = None) -> Spread:
    """Table I's signal in "evis" or "costheta", and with the `chosen` (default: all) of `other_choices`."""
    name = f"miniboone:{projection}"

    def at(model: TwoHiggsDoublet, options: Mapping[str, str]) -> PredictionReport:
        physical = model.parametrisations["physical"]
        (report,) = predict(model, find_measurement(name, **options), physical, [model.points[POINT]])
        return report

    default = at(two_higgs_doublet, {})
    others = {k: v for k, v in other_choices(default.choices).items() if chosen is None or k in chosen}
    return Spread(default, {label: np.array(at(*choice).total) for label, choice in others.items()})


def benchmark_panel(projection: str, spread: Spread) -> Panel:
    """Data, backgrounds by process and Table I's prediction in "evis" or "costheta", neutrino mode, 18.75e20 POT."""
    table = load_record(PROJECTIONS[projection]).columns
    (panel,) = panels(spread.default.bins, {"pairs": spread.total})
    excess = float(np.sum(panel.data - panel.background))
    factor = excess / float(np.sum(spread.total))
    bands = (
        SignalBand("theory spread: selection, resolution, form factors", spread.low, spread.high, 0.55, "#cbb2dd"),
        SignalBand(
            "15 % as in the paper", (1 - PAPER_BAND) * spread.total, (1 + PAPER_BAND) * spread.total, 0.5, SIGNAL
        ),
    )
    scaled = Curve(f"Table I x {factor:.3g}: the excess of {excess:.0f} events", factor * spread.total, "-", CURVES[0])
    published = spread.alternatives[AS_PUBLISHED]
    formulas = Curve(f"Table I, {AS_PUBLISHED} ({np.sum(published):.0f} events)", published, ":", SIGNAL)
    return Panel(
        title=panel.title,
        quantity=panel.quantity,
        unit=panel.unit,
        edges=panel.edges,
        data=panel.data,
        backgrounds={label: table[column] for column, label in MINIBOONE_BACKGROUNDS.items()},
        background_error=panel.background_error,
        signal=panel.signal,
        signal_label=f"Table I ({np.sum(spread.total):.0f} events)",
        bands=bands,
        curves=(formulas, scaled, *oscillation_curves(f"miniboone:{projection}")),
    )


def benchmark_figure() -> Figure:
    """Figure 2 (top) of arXiv:2010.06159: E_vis and cos(theta), neutrino mode, with the excess below."""
    figure = Figure(figsize=(10.0, 6.2), layout="constrained")
    axes = figure.subplots(2, 2, height_ratios=[2.2, 1.2])
    for column, projection in enumerate(PROJECTIONS):
        panel = benchmark_panel(projection, theory_spread(projection))
        plot_spectrum(panel, axes[0, column]).set(xlabel="")
        axes[0, column].tick_params(labelbottom=False)
        plot_excess(panel, axes[1, column])
        axes[0, column].legend(loc="best")
    figure.suptitle(
        typeset("MiniBooNE, neutrino mode, 18.75e20 POT, with Table I of arXiv:2010.06159"), fontsize="medium"
    )
    note = (
        "Prediction: two-higgs-doublet at table-I, nothing rescaled but the line that says so. Data and backgrounds: "
        "arXiv:2006.16883, unconstrained, from the analysis code of a member (third-party). The spread is the "
        "envelope of every pair selection, energy resolution and set of form factors, one changed at a time. Dashed: "
        "the oscillation best fit, released in reconstructed neutrino energy, angles from quasi-elastic scattering on "
        "free nucleons (approximate)."
    )
    add_note(figure, note, columns=2)
    return figure


def moment_figure() -> Figure:
    """Delta a_mu against sin delta: both papers' benchmarks, and the first with other couplings and masses."""
    figure = Figure(figsize=(11.0, 6.4), layout="constrained")
    axes = figure.subplots(1, 3)
    first = two_higgs_doublet.points[POINT]
    second = {**first, **ZPRIME_SCALARS}
    couplings = {rf"$y_\mu$ = {1e3 * y:g}$\times 10^{{-3}}$": {"y_mu": y} for y in (0.8e-3, 1.2e-3, 2.4e-3)}
    masses = {f"$m_H$ = {1e3 * m:g} MeV": {"m_H": m} for m in (0.4, 1.0, 2.0)}
    titles = (
        r"arXiv:2010.06159, $y_\mu$ varied" "\n" r"($m_H$ = 750 MeV, $m_{h'}$ = 17 MeV)",
        r"arXiv:2010.06159, $m_H$ varied" "\n" r"($y_\mu = 1.6\times 10^{-3}$, $m_{h'}$ = 17 MeV)",
        r"arXiv:2006.01948, Figure 4" "\n" r"($y_\mu = 6.3\times 10^{-4}$, $m_H$ = 106 MeV, $m_{h'}$ = 23 MeV)",
    )
    plot_muon_moment(two_higgs_doublet, first, axes[0], couplings)
    plot_muon_moment(two_higgs_doublet, first, axes[1], masses)
    plot_muon_moment(two_higgs_doublet, second, axes[2], eras=("bnl-wp2020", "wp2025"))
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title, fontsize="small")
        ax.set_ylim(-0.5, 6.5)
        ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.13))
    for ax in axes[:2]:
        ax.set_xlim(0.0, 0.6)
    add_note(figure, "One-loop moments of H and h' (arXiv:2010.06159, equation 29; Leveille 1978).", columns=3)
    return figure


FIGURES: Mapping[str, Mapping[str, Callable[[], Figure]]] = {
    "2010.06159": {
        "figure-2-top-2010.06159": benchmark_figure,
        "figure-2-bottom-2010.06159": lsnd_figure,
        "muon-moment-2006.01948-figure-4": moment_figure,
    },
    "2005.08920": {"koto-limit-2005.08920": koto_figure, "na62-gap-2005.08920": gap_figure},
    "2007.11813": DARK_SEESAW_FIGURES,
    "dark-seesaw-poster": {},
    "2006.01948": {**ZPRIME_SPECTRA, **ZPRIME_FIGURES},
}
"""By paper: name of the file, and what draws it."""

"""Figure 2 of arXiv:2006.01948: energies and angles of MiniBooNE's events in both modes, with Table I.

One program makes the pairs of h' and of H once and puts them into the bins of all four histograms.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomfit.beams.booster import MODES, miniboone_beam
from anomfit.catalogue import find_measurement
from anomfit.data import load_record
from anomfit.detectors import miniboone as detector
from anomfit.detectors.pairs import LIGHT_OR_8, Selection
from anomfit.detectors.shower_response import ShowerResponse, expected
from anomfit.measurements.miniboone import PairChain
from anomfit.measurements.miniboone_plane import DISTRIBUTIONS, MiniBooneProjection
from anomfit.models.zprime_two_higgs_doublet import ZprimeTwoHiggsDoublet, as_published, zprime_two_higgs_doublet
from anomfit.parameters import Point
from anomfit.physics.reaction import RadiatedReaction
from anomfit.plotting.figures import add_note
from anomfit.plotting.panels import Curve, Panel, SignalBand, panels
from anomfit.plotting.references import oscillation_curves
from anomfit.plotting.spectrum import plot_excess, plot_spectrum
from anomfit.plotting.style import CURVES, MINIBOONE_BACKGROUNDS, SIGNAL, typeset
from anomfit.rates.pair_events import Nodes, pair_events

POINT = "table-I"
SHOWN = ("evis", "costheta", "evis-antineutrino", "costheta-antineutrino")
BAND = 0.15  # "We have assumed a 15% systematic uncertainty for our calculations", section IV A
AS_PAPER = {"flavours": "numu-only", "surroundings": "none"}
# 64 energies of pairs, as for a spectrum that bins of 50 MeV cut
NODES = Nodes(parent=64)
# section II A
EXCESS = {"neutrino": r"560.6 $\pm$ 119.6", "antineutrino": r"79.3 $\pm$ 28.6"}

Spectra = Mapping[str, Mapping[str, Float[np.ndarray, " bins"]]]


def spectra(
    model: ZprimeTwoHiggsDoublet,
    options: Mapping[str, str],
    point: Mapping[str, float],
    selection: Selection | None = None,
) -> Spectra:
    """Selected events in the bins of each histogram of SHOWN, of "h'" and of "H" with what is born outside.

    options: those of the measurement `miniboone:evis`; selection: in place of theirs; point: physical.
    """
    projections = {era: _projection(era, options) for era in SHOWN}
    chain = projections["evis"].chain
    beam = miniboone_beam(options.get("flavours", "numu+numubar"))
    chain = replace(chain, beam=detector.in_earth(beam) if chain.beam.surroundings else beam, nodes=NODES)
    chain = chain if selection is None else replace(chain, selection=selection)
    responses = tuple(projection.chain.response for projection in projections.values())
    given = {name: jnp.asarray(float(value)) for name, value in point.items()}
    found = _counted(chain, responses, given, model=model)
    modes = MODES["both"]
    return {
        era: {
            scalar: np.asarray(counts[i, modes.index(projection.distribution.mode)])
            for i, scalar in enumerate(("h'", "H"))
        }
        for (era, projection), counts in zip(projections.items(), found, strict=True)
    }


def _projection(era: str, options: Mapping[str, str]) -> MiniBooneProjection:
    found = find_measurement(f"miniboone:{era}", **options)
    assert isinstance(found, MiniBooneProjection)
    return found


@partial(jax.jit, static_argnames="model")
def _counted(
    chain: PairChain, responses: tuple[ShowerResponse, ...], point: Point, model: ZprimeTwoHiggsDoublet
) -> tuple[Float[Array, "scalars beam bins"], ...]:
    """Events by scalar, (h', H), one after the other by one compiled loop, in the bins of each response."""
    made = [one for one in model.reactions(point, {}) if isinstance(one, RadiatedReaction)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *made)

    def of_one(reaction: RadiatedReaction):
        events = pair_events(reaction, chain.beam, chain.nodes)
        events = events._replace(made=jnp.zeros(()))
        seen = detector.see(events, chain.selection, responses[0].table.shape[0], chain.around)
        events = detector.selected(events)
        return tuple(jnp.sum(expected(response, events, seen), axis=0) for response in responses)

    return jax.lax.map(of_one, stacked)


def histogram(era: str, default: Spectra, published: Spectra) -> Panel:
    """Data, backgrounds by process and Table I in one of SHOWN."""
    table = load_record(DISTRIBUTIONS[era].record).columns
    electrons = [values for name, values in table.items() if name.startswith("bkg_nue")]  # as one, or by parent
    backgrounds = {**table, "bkg_nue": sum(electrons)}
    mode = DISTRIBUTIONS[era].mode
    total, paper = (np.sum(list(found[era].values()), axis=0) for found in (default, published))
    by_H, paper_by_H = (np.sum(found[era]["H"]) for found in (default, published))
    (panel,) = panels(find_measurement(f"miniboone:{era}").bins(), {"pairs": total})
    excess = float(np.sum(panel.data - panel.background))
    factor = excess / float(np.sum(total))
    curves = (
        Curve(f"Table I, as published ({np.sum(paper):.0f} events, {paper_by_H:.0f} by H)", paper, ":", SIGNAL),
        Curve(f"Table I x {factor:.3g}: the excess of {excess:.0f} events here", factor * total, "-", CURVES[0]),
        *oscillation_curves(f"miniboone:{era}"),
    )
    band = SignalBand("15 % as in the paper", (1.0 - BAND) * total, (1.0 + BAND) * total, 0.5, SIGNAL)
    return replace(
        panel,
        title=f"{mode} mode (printed excess, 200 to 1250 MeV of E_nu^QE: {EXCESS[mode]})",
        backgrounds={label: backgrounds[column] for column, label in MINIBOONE_BACKGROUNDS.items()},
        signal_label=f"Table I ({np.sum(total):.0f} events, {by_H:.0f} by H)",
        bands=(band,),
        curves=curves,
    )


def spectra_figure() -> Figure:
    """Figure 2: neutrino mode above, antineutrino mode below, each with its excess."""
    figure = Figure(figsize=(11.0, 12.0), layout="constrained")
    axes = figure.subplots(4, 2, height_ratios=[2.2, 1.2] * 2)
    point = zprime_two_higgs_doublet.points[POINT]
    default = spectra(zprime_two_higgs_doublet, {}, point)
    published = spectra(as_published, AS_PAPER, point, LIGHT_OR_8)
    for i, era in enumerate(SHOWN):
        row, column = 2 * (i // 2), i % 2
        _draw(histogram(era, default, published), axes[row, column], axes[row + 1, column])
    figure.suptitle(typeset("MiniBooNE with Table I of arXiv:2006.01948"), fontsize="medium")
    note = (
        "Prediction: zprime-two-higgs-doublet at table-I, nothing rescaled but the line that says so; its H decays to "
        "two h'. Dotted: equation 30 and form factors as printed, right-sign neutrinos alone, no Pauli blocking, "
        "nothing from outside, H to e+e-, pairs below 30 MeV of mass, within 8 degrees or with an electron below 30 "
        "MeV. Efficiencies are those of single electrons; the paper does not say which it takes. Data and "
        "backgrounds: neutrino mode arXiv:2006.16883, unconstrained, 200 < E_nu^QE < 1250 MeV; antineutrino mode "
        "arXiv:1805.12028, digitised, without a window in E_nu^QE, so that its excess is not the printed one. Dashed: "
        "the oscillation best fit, released in reconstructed neutrino energy, angles from quasi-elastic scattering on "
        "free nucleons (approximate)."
    )
    add_note(figure, note, columns=2)
    return figure


def _draw(panel: Panel, upper: Axes, lower: Axes) -> None:
    plot_spectrum(panel, upper).set(xlabel="")
    upper.set_title(typeset(panel.title), loc="left", fontsize="small")
    upper.tick_params(labelbottom=False)
    plot_excess(panel, lower)
    place = "upper left" if panel.unit == "1" else "upper right"
    upper.legend(loc=place, fontsize=6.5)


FIGURES = {"figure-2-2006.01948": spectra_figure}
"""Name of the file, and what draws it."""

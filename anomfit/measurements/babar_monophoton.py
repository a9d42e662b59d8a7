"""BaBar's single photons with a large missing mass, and pseudo-photons of heavy neutrinos among them.

e+e- -> Z'* (or Upsilon -> Z'*) -> N_j N_k, N_j -> N_i e+e- in the calorimeter, nothing else seen: arXiv:2007.11813,
section III. How often such a pair of electrons passes for a photon, and how many of these the selection keeps, nobody
has published: the first is an option, the second a nuisance with the range of real photons.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy as jsp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.capabilities import HasDarkNeutrinos
from anomfit.data import load_record
from anomfit.detectors.babar import GEOMETRIES, Frame, check_geometry, energy_resolution, frame_of
from anomfit.detectors.energy_table import differences, onto_grid
from anomfit.detectors.pseudo_photons import PseudoPhotons, View, pseudo_photons
from anomfit.errors import reject
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.described import Described, HasDescription
from anomfit.measurements.entries import Entry
from anomfit.parameters import Nuisance, Point
from anomfit.physics.constants import GEV2_TO_CM2
from anomfit.physics.dark_neutrinos import DarkNeutrinos, fates
from anomfit.physics.dark_pairs import pair_cross_sections, quarkonium_ratios
from anomfit.statistics.terms import poisson_log_likelihood, saturated_deviance
from anomfit.statistics.throws import poisson_counts

NAME, ERA = "babar-monophoton", "high-missing-mass"
TITLE = "BaBar single photons with a large missing mass, 24 to 50 GeV^2"
FEMTOBARNS = GEV2_TO_CM2 * 1e39  # in 1/GeV^2
FEMTOBARNS_IN_NANOBARN = 1e6
WINDOWS = {
    "24-50": "24 to 50 GeV^2, as arXiv:2007.11813: above, the background grows to many times a signal",
    "24-64": "24 to 63.5 GeV^2, all that is published; the background was fitted to these events",
}
BACKGROUNDS = {
    "5": "its normalisation is known to 5 %, the cautious choice of arXiv:2007.11813; reading the curve costs 3 %",
    "1": "its normalisation is known to 1 %, the other choice of arXiv:2007.11813",
}
FARTHEST = 5.0
ENERGIES = 200  # of a pair, at which its chances to end in the bins are worked out: six and more a deviation
ISR = "isr"
SELECTION = "babar_selection"


class Beams(NamedTuple):
    """Data of some energies, one an entry: root s (GeV), luminosity (1/fb), frame, and the resonance that is there.

    m_Upsilon: its mass (GeV); to_electrons: cross section of e+e- -> Upsilon -> e+e- (fb).
    """

    root_s: Float[Array, " energies"]
    luminosity: Float[Array, " energies"]
    frame: Frame
    m_Upsilon: Float[Array, " energies"]
    to_electrons: Float[Array, " energies"]


@dataclass(frozen=True)
class BabarMonophoton(HasDescription):
    """Single photons in bins of M_miss^2 (edges in GeV^2) on a background with a free normalisation."""

    counts: Float[Array, "bins"]
    background: Float[Array, "bins"]
    edges: Float[Array, "edges"]
    misidentified: Float[Array, ""]  # fraction of narrow pairs in the calorimeter that pass for a photon
    efficiency: Float[Array, ""]  # of the selection; a factor of 1 where a nuisance has it
    beams: Beams
    view: View  # static
    described: Described
    nuisances: tuple[Nuisance, ...]  # background, and the selection's efficiency if it is not fixed

    name = NAME
    accepts = (HasDarkNeutrinos,)
    samples = frozenset({"BaBar single photons, HighM"})
    references = ("arXiv:1702.03327", "arXiv:2007.11813", "arXiv:hep-ex/0105044")

    @property
    def independent_numbers(self) -> int:
        """One a bin."""
        return self.counts.size

    def bins(self) -> list[Bin]:
        """Photons and background; errors: Poisson and the background's scale."""
        background = np.asarray(self.background)
        error = np.sqrt(background + (self.nuisances[0].sigma * background) ** 2)
        rows = zip(self.described.labels, np.asarray(self.counts), background, error, strict=True)
        return [Bin(*label, float(n), float(b), float(e)) for label, n, b, e in rows]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Selected pseudo-photons by bin; before efficiency: pairs of heavy neutrinos, and decays in the calorimeter.

        The latter within the range of angles, with a partner that is not seen, whatever becomes of the rest.
        """
        assert isinstance(model, HasDarkNeutrinos)  # build_problem and predict check it for the user
        states = model.dark_neutrinos(point)
        known = fates(states)

        def of_energy(beams: Beams):
            made = pairs_made(states, beams)
            energies = energies_of(beams.root_s, self.edges)
            found = pseudo_photons(states, known, made, beams.root_s, beams.frame, self.view, energies)
            return in_bins(found, beams.root_s, self.edges), jnp.sum(made), found.in_calorimeter

        signal, pairs, inside = (jnp.sum(x, axis=0) for x in jax.vmap(of_energy)(self.beams))
        totals = {"pairs of heavy neutrinos": pairs, "decays in the calorimeter": inside}
        return Prediction({"pseudo-photons": self.kept(nuisances) * signal}, totals)

    def kept(self, nuisances: Point) -> Float[Array, ""]:
        """Fraction of the narrow pairs in the calorimeter that pass for a photon and are selected."""
        fraction = self.misidentified * self.efficiency
        if len(self.nuisances) > 1:
            fraction = fraction * 10.0 ** self.nuisances[1].value_in(nuisances)
        return fraction

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """Poisson in each bin."""
        return jnp.sum(poisson_log_likelihood(self.counts, self._expectation(prediction, nuisances)))

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """The deviance from a perfect fit."""
        return jnp.sum(saturated_deviance(self.counts, self._expectation(prediction, nuisances)))

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "bins"]:
        """(data - expectation) over the root of the expectation."""
        expectation = self._expectation(prediction, nuisances)
        return (self.counts - expectation) / jnp.sqrt(expectation)

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "BabarMonophoton":
        """Other counts, Poisson."""
        return replace(self, counts=poisson_counts(key, self._expectation(prediction, nuisances)))

    def _expectation(self, prediction: Prediction, nuisances: Point):
        return self.nuisances[0].value_in(nuisances) * self.background + prediction.total


jax.tree_util.register_dataclass(
    BabarMonophoton,
    data_fields=["counts", "background", "edges", "misidentified", "efficiency", "beams"],
    meta_fields=["view", "described", "nuisances"],
)


def pairs_made(states: DarkNeutrinos, beams: Beams) -> Float[Array, " pairs"]:
    """Pairs of heavy neutrinos in the data of one energy: by a virtual Z' and by the Upsilon."""
    direct = FEMTOBARNS * pair_cross_sections(states, beams.root_s)
    return beams.luminosity * (direct + beams.to_electrons * quarkonium_ratios(states, beams.m_Upsilon))


def energies_of(root_s: ArrayLike, edges: Float[Array, "edges"]) -> tuple[Array, Array]:
    """Least and largest energy (GeV) of a pair that the resolution may bring between the edges, at 5 deviations."""
    root_s = jnp.asarray(root_s)
    low, high = ((root_s**2 - edges[end]) / (2.0 * root_s) for end in (-1, 0))
    return low - FARTHEST * energy_resolution(low), high + FARTHEST * energy_resolution(high)


def in_bins(found: PseudoPhotons, root_s: ArrayLike, edges: Float[Array, "edges"]) -> Float[Array, "bins"]:
    """Pseudo-photons between the edges in M_miss^2 = s - 2 root_s E (GeV^2), with the calorimeter's resolution.

    The chance to end in a bin is worked out at ENERGIES energies, cubic between them. What lies farther from the edges
    than `energies_of` says is in no bin.
    """
    low, high = energies_of(root_s, edges)
    step = (high - low) / (ENERGIES - 1)
    place, events = (found.energy.reshape(-1) - low) / step, found.events.reshape(-1)
    events = jnp.where((place >= 0.0) & (place <= ENERGIES - 1), events, 0.0)
    values, slopes = onto_grid(place, events, ENERGIES)
    energy = low + step * np.arange(ENERGIES)
    root_s = jnp.asarray(root_s)
    missing, sigma = root_s**2 - 2.0 * root_s * energy, 2.0 * root_s * energy_resolution(energy)
    chance = jnp.diff(jsp.special.ndtr((edges - missing[:, None]) / sigma[:, None]), axis=1)
    return values @ chance + slopes @ (jnp.asarray(differences(ENERGIES)) @ chance)


def load_babar_monophoton(
    window: str = "24-50",
    background: str = "5",
    geometry: str = "crystals",
    misidentified: str = "1",
    efficiency: str = ISR,
) -> BabarMonophoton:
    """The spectrum; window, background, geometry: see WINDOWS, BACKGROUNDS, `babar.GEOMETRIES`.

    misidentified: fraction (0 to 1) of narrow pairs in the calorimeter that pass for a photon. efficiency: "isr", a
    nuisance, or a fraction.
    """
    record = load_record("ee_colliders/babar_monophoton")
    values, columns = record.values, record.columns
    low, high = columns["M2_lo_GeV2"], columns["M2_hi_GeV2"]
    inside = high <= float(_known("window", window, WINDOWS).split("-")[1])
    fixed = 1.0 if efficiency == ISR else _fraction("efficiency", efficiency)
    passing = _fraction("misidentified", misidentified)
    error = 0.01 * float(_known("background", background, BACKGROUNDS))
    stated = {
        "window": WINDOWS[window],
        "background": BACKGROUNDS[background],
        "layers": f"{GEOMETRIES[check_geometry(geometry)]}; radii from memory",
        "pairs": f"e+e- within 10 degrees in the calorimeter; a fraction {passing:.3g} passes for a photon (assumed)",
        "efficiency": _efficiency_words(values) if efficiency == ISR else f"{fixed:.3g} of these selected (assumed)",
        "angle": f"|cos| of the photon below {values['cos_max']:g} in the centre of mass (from memory)",
        "data": "digitised by a third party; babar-invisible above 5 GeV rests on the same events",
    }
    nuisances = (Nuisance("babar_background", "B_B", 1.0, error, f"scale of the background, {error:.0%}"),)
    if efficiency == ISR:
        nuisances = (*nuisances, _selection(values))
    edges, (beams, view) = np.append(low[inside], high[inside][-1]), beams_and_view(geometry)
    return BabarMonophoton(
        counts=jnp.asarray(columns["data"][inside]),
        background=jnp.asarray(columns["background"][inside]),
        edges=jnp.asarray(edges),
        misidentified=jnp.asarray(passing),
        efficiency=jnp.asarray(fixed),
        beams=beams,
        view=view,
        described=Described(
            ERA,
            TITLE if window == "24-50" else TITLE.replace("50", "63.5"),
            tuple(stated.items()),
            tuple(
                ("M_miss^2", a, b, "GeV^2") for a, b in zip(low[inside].tolist(), high[inside].tolist(), strict=True)
            ),
        ),
        nuisances=nuisances,
    )


def beams_and_view(geometry: str) -> tuple[Beams, View]:
    """The data on the Upsilon(2S) and the Upsilon(3S), and how they are looked at."""
    values, quarkonia = load_record("ee_colliders/babar_monophoton").values, load_record("ee_colliders/quarkonia").parts
    names = ("2S", "3S")
    own = [quarkonia[f"Upsilon_{name}"].values for name in names]
    root_s, luminosity, peak = (
        np.array([values[f"{what}_{name}"] for name in names]) for what in ("energy", "luminosity", "peak")
    )
    frames = [frame_of(energy, values["positron_beam"]) for energy in root_s]
    to_electrons = FEMTOBARNS_IN_NANOBARN * peak * np.array([one["to_electrons"] for one in own])
    beams = Beams(
        root_s=jnp.asarray(root_s),
        luminosity=jnp.asarray(luminosity),
        frame=Frame(*(jnp.asarray(column) for column in zip(*frames, strict=True))),
        m_Upsilon=jnp.asarray([one["mass"] for one in own]),
        to_electrons=jnp.asarray(to_electrons),
    )
    sine = math.sin(math.radians(0.5 * values["widest_pair"]))
    return beams, View(geometry, -values["cos_max"], values["cos_max"], sine)


def _selection(values: Mapping[str, float]) -> Nuisance:
    """log10 of the selection's efficiency: the range of real photons as one standard deviation on either side."""
    low, high = (math.log10(values[f"efficiency_{end}"]) for end in ("low", "high"))
    words = "log10 of the selection's efficiency for pseudo-photons"
    return Nuisance(SELECTION, r"\log_{10}\epsilon_B", 0.5 * (low + high), 0.5 * (high - low), words, (-5.0, 0.0))


def _efficiency_words(values: Mapping[str, float]) -> str:
    low, high = values["efficiency_low"], values["efficiency_high"]
    return f"a nuisance, {low:.1%} to {high:.1%} as one standard deviation: that of real photons (assumed)"


def _known(option: str, word: str, words: Mapping[str, str]) -> str:
    if word not in words:
        raise reject(option, word, f"use one of {', '.join(words)}")
    return word


def _fraction(option: str, text: str) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not 0.0 <= value <= 1.0:
        raise reject(option, text, "use a fraction between 0 and 1" + (", or isr" if option == "efficiency" else ""))
    return value


ENTRIES: Mapping[str, Entry] = {ERA: Entry(load_babar_monophoton, TITLE, "third-party", BabarMonophoton.references)}

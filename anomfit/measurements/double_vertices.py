"""Events with two displaced pairs in MiniBooNE and MicroBooNE: predictions beside which no data are public.

The numbers are those before any selection: neither experiment has published an efficiency for two vertices, or a
search. Births are those in the oil, or in the argon of the active volume; pairs of both vertices are inside the radius
where decays count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.beams import Beam
from anomfit.beams.booster import microboone_beam, miniboone_beam
from anomfit.capabilities import Upscatters, over_reactions
from anomfit.data import load_record
from anomfit.detectors import microboone, miniboone
from anomfit.detectors.two_vertices import Bookkeeping, Seen, Sphere, bookkeeping, by_distance, by_energy
from anomfit.errors import reject
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.described import Described, HasDescription
from anomfit.measurements.entries import Entry
from anomfit.measurements.without_data import WithoutData
from anomfit.parameters import Nuisance, Point
from anomfit.physics.reaction import OneReaction
from anomfit.rates.double_vertices import DoubleNodes, double_vertices, over_channels
from anomfit.rates.interactions import interactions_by_state

NAME = "double-vertices"
REFERENCES = ("arXiv:2007.11813", "arXiv:0806.1449")
COMPONENTS = ("coherent", "incoherent")
ENERGY_EDGES = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0)  # GeV, both pairs together
DISTANCE_EDGES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)  # m
EDGES = {"energy": ENERGY_EDGES, "distance": DISTANCE_EDGES}
RESOLUTION = 0.115  # of a shower's energy in MiniBooNE, as `detectors.resolution`'s "flat"
MODES = {"miniboone": ("neutrino mode", "antineutrino mode"), "microboone": ("neutrino mode",)}
SHOWN = {"energy": ("E_vis of both pairs", "GeV"), "distance": ("distance of the vertices", "m")}
NODES = DoubleNodes()
THRESHOLDS = {"none": 0.0, "100MeV": 0.1}
VOLUMES = {"fiducial": "the fiducial volume", "oil": "all of the oil"}


@dataclass(frozen=True)
class DoubleVertexPrediction(WithoutData, HasDescription):
    """Numbers of events by mode and bin; the beam is data, all else static."""

    beam: Beam
    place: Sphere
    seen: Seen
    edges: tuple[float, ...]
    shown: str
    modes: tuple[str, ...]
    described: Described

    name = NAME
    accepts = (Upscatters,)
    samples = frozenset()
    references = REFERENCES
    nuisances: ClassVar[tuple[Nuisance, ...]] = ()

    def bins(self) -> list[Bin]:
        """Bins without data."""
        return [Bin(*label, float("nan"), 0.0, float("nan")) for label in self.described.labels]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Events with both pairs inside, bin by bin, the modes one after the other.

        Before any efficiency, in each mode: events with one pair inside although there are two vertices or one, and
        those with both.
        """
        assert isinstance(model, Upscatters)  # build_problem and predict check it for the user
        counts, kept = over_reactions(model, point, nuisances, partial(_of_reaction, measurement=self))
        signal = {name: counts[i].reshape(-1) for i, name in enumerate(COMPONENTS)}
        return Prediction(signal, _named(kept))

    def interactions(self, model: object, point: Point, nuisances: Point) -> Mapping[str, Float[Array, ""]]:
        """Heavy neutrinos made in the detector, before any decay."""
        assert isinstance(model, Upscatters)
        made = interactions_by_state(model, point, nuisances, self.beam)
        suffixes = ("", "_antineutrino_mode")
        return {f"{state}{suffixes[i]}": n[i] for i in range(len(self.modes)) for state, n in made.items()}


jax.tree_util.register_dataclass(
    DoubleVertexPrediction,
    data_fields=["beam"],
    meta_fields=["place", "seen", "edges", "shown", "modes", "described"],
)


def _of_reaction(reaction: OneReaction, measurement: DoubleVertexPrediction):
    return over_channels(reaction, partial(_counted, measurement=measurement))


def _counted(reaction: OneReaction, measurement: DoubleVertexPrediction):
    events = double_vertices(reaction, measurement.beam, NODES)
    place, edges, seen = measurement.place, measurement.edges, measurement.seen
    counts = (by_energy if measurement.shown == "energy" else by_distance)(events, place, edges, seen)
    return counts, bookkeeping(events, place)


def _named(kept: Bookkeeping) -> dict[str, Float[Array, ""]]:
    """Totals by class and mode, nuclei and nucleons together."""
    words = {
        "only_first_vertex": kept.only_first,
        "only_second_vertex": kept.only_second,
        "both_vertices": kept.both,
        "first_pairs_made": kept.made,
    }
    suffixes = ("", "_antineutrino_mode")
    modes = range(kept.made.shape[1])
    return {f"{name}{suffixes[i]}": jnp.sum(found[:, i]) for i in modes for name, found in words.items()}


def load_miniboone(shown: str, threshold: str = "none", volume: str = "fiducial") -> DoubleVertexPrediction:
    """MiniBooNE's by "energy" or "distance" of the vertices, both horn modes; unknown choices are refused.

    threshold: of each pair's measured energy, "none" or "100MeV", where MiniBooNE's efficiency begins; volume: of the
    vertices, "fiducial" (5 m) or "oil" (6.1 m).
    """
    if volume not in VOLUMES:
        raise reject("volume", volume, f"use one of {', '.join(VOLUMES)}")
    around = miniboone.surroundings()
    place = Sphere(around.born if volume == "oil" else around.seen, around.born)
    words = f"{volume}: {VOLUMES[volume]}"
    return _loaded("miniboone", shown, miniboone_beam(), place, words, _seen(threshold, RESOLUTION), threshold)


def load_microboone(shown: str, threshold: str = "none") -> DoubleVertexPrediction:
    """MicroBooNE's, as MiniBooNE's; the active volume is a sphere with its mean chord."""
    radius, resolution = microboone.chord_radius(), load_record("microboone/experiment").values["energy_resolution"]
    words = "the active volume as a sphere with its mean chord"
    seen = _seen(threshold, resolution)
    return _loaded("microboone", shown, microboone_beam(), Sphere(radius, radius), words, seen, threshold)


def _seen(threshold: str, resolution: float) -> Seen:
    if threshold not in THRESHOLDS:
        raise reject("threshold", threshold, f"use one of {', '.join(THRESHOLDS)}")
    return Seen(THRESHOLDS[threshold], THRESHOLDS[threshold], resolution)


def _loaded(detector: str, shown: str, beam: Beam, place: Sphere, where: str, seen: Seen, threshold: str):
    edges, (label, unit) = EDGES[shown], SHOWN[shown]
    cells = list(pairwise(edges))
    modes = MODES[detector]
    labels = tuple((f"{label}, {mode}" if len(modes) > 1 else label, *cell, unit) for mode in modes for cell in cells)
    stated = {
        "data": "none are public: a prediction before any selection, that nothing is fitted to",
        "vertices": where,
        "threshold": f"{threshold}: of the measured energy of each pair",
        "energy resolution": f"{seen.resolution:.1%} of the energy of each pair",
        "births": "in the detector; none from outside of it",
    }
    return DoubleVertexPrediction(
        beam=beam,
        place=place,
        seen=seen,
        edges=edges,
        shown=shown,
        modes=modes,
        described=Described(_era(detector, shown), _title(detector, shown), tuple(stated.items()), labels),
    )


def _era(detector: str, shown: str) -> str:
    return detector if shown == "energy" else f"{detector}-{shown}"


def _title(detector: str, shown: str) -> str:
    name = {"miniboone": "MiniBooNE, both modes", "microboone": "MicroBooNE (6.87e20 POT)"}[detector]
    return f"Events with two pairs in {name}, by {SHOWN[shown][0]}; no data"


_LOADERS = {"miniboone": load_miniboone, "microboone": load_microboone}
ENTRIES: Mapping[str, Entry] = {
    _era(detector, shown): Entry(partial(load, shown), _title(detector, shown), "prediction alone", REFERENCES)
    for detector, load in _LOADERS.items()
    for shown in SHOWN
}

"""Samples of neutrino-electron scattering in which e+e- pairs would hide: what MINERvA's and CHARM-II's share.

A bin is Poisson; its expectation is a sum of parts (backgrounds, neutrino-electron scattering, pairs), each with a
scale that is a nuisance. Errors of reading a figure are profiled bin by bin (Barlow-Beeston).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.beams import Beam, Target
from anomfit.capabilities import Upscatters, pair_reactions
from anomfit.detectors.assumed_surroundings import births_factor
from anomfit.detectors.flight_tables import pair_shares
from anomfit.detectors.forward_pairs import ForwardTable, counts_below
from anomfit.detectors.neutrino_electron import ShowerCuts, chances_to_pass
from anomfit.detectors.surroundings import Surroundings
from anomfit.errors import reject
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.described import Described, HasSources
from anomfit.measurements.flights import OUTSIDE, predicted_sentences
from anomfit.parameters import Nuisance, Point
from anomfit.physics.reaction import AnyReaction, summed, with_masses
from anomfit.rates.interactions import interactions_by_state
from anomfit.rates.pair_events import Nodes, all_pair_events
from anomfit.rates.radiated_setup import RadiatedNodes
from anomfit.statistics.terms import barlow_beeston_deviance, poisson_barlow_beeston
from anomfit.statistics.throws import poisson_counts_over

COMPONENTS = ("coherent", "incoherent")  # in the fiducial volume
PAIR_MASSES = 12  # of a pair that may have any mass: counts within 1e-3 of those of 16
SPREAD = (28, 12)  # Nodes.spread: with 12 decays, three registers, the compiled loops are twice as fast as with 14
# of radiated scalars, whose narrow cone an edge in E theta^2 cuts: ten directions, not handed on, left sums 0.7 % off
# (median of 40 points) and by 4 % at worst; these leave 2e-4, and 9e-3 at worst
RADIATED = RadiatedNodes(energy=32, angle=12, seen=40)
TARGETS = {
    "coherent": "scattering off whole nuclei; a struck nucleon makes activity at the vertex, which is cut on",
    "all": "nuclei and single nucleons, as if none of the latter were noticed",
}
BINNINGS = {
    "regions": "signal region and sideband, one number each: the shape of the background has no published error",
    "spectrum": "published bins, the shape of the background taken as exact: too confident",
}


@dataclass(frozen=True)
class PairSample:
    """One detector's pairs: beams, edges in E theta^2 (GeV rad^2), and how what lies between them falls in bins.

    scales: static, the nuisances of the beams' fluxes; around: what is around `detector` (its name in
    data/surroundings), from where pairs come if the beam has surroundings.
    """

    beam: Beam
    edges: Float[Array, "edges"]
    onto: Float[Array, "edges bins"]
    cuts: ShowerCuts
    nodes: Nodes
    forward: ForwardTable
    scales: tuple[Nuisance, ...]
    detector: str
    around: Surroundings


@dataclass(frozen=True)
class NeutrinoElectron(HasSources):
    """Candidates in bins and what is expected of them; the first four are data, `scales` the parts' nuisances."""

    counts: Float[Array, "bins"]
    parts: Float[Array, "parts bins"]
    reading_error: Float[Array, "bins"]
    samples_of_pairs: tuple[PairSample, ...]
    scales: tuple[Nuisance, ...]
    kept: tuple[str, ...]
    described: Described
    name: str
    nuisances: tuple[Nuisance, ...]

    accepts = (Upscatters,)

    @property
    def samples(self) -> frozenset[str]:
        """The data: named as the limits on the number of pairs in them, which must not be used twice."""
        return frozenset(self.described.sample.split())

    @property
    def independent_numbers(self) -> int:
        """One a bin."""
        return self.counts.size

    def bins(self) -> list[Bin]:
        """Candidates and expectation without pairs; errors: Poisson, reading and every scale."""
        expected = np.asarray(self.expected_background({}))
        variance = expected + np.asarray(self.reading_error) ** 2
        for nuisance in self.nuisances:
            moved = self.expected_background({nuisance.name: nuisance.value(jnp.asarray(1.0))})
            variance = variance + (np.asarray(moved) - expected) ** 2
        rows = zip(self.described.labels, np.asarray(self.counts), expected, np.sqrt(variance), strict=True)
        return [Bin(*label, float(n), float(b), float(e)) for label, n, b, e in rows]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Selected pairs in each bin."""
        assert isinstance(model, Upscatters)  # build_problem and predict check it for the user
        reactions = [with_masses(reaction, PAIR_MASSES) for reaction in pair_reactions(model, point, nuisances)]
        found = [
            summed([_pairs(reaction, nuisances, sample) for reaction in reactions]) for sample in self.samples_of_pairs
        ]
        counts = jnp.concatenate([part for part, _ in found], axis=-1)
        made = jnp.sum(jnp.stack([part for _, part in found]), axis=0)
        return Prediction(self.by_component(counts), {name: made[COMPONENTS.index(name)] for name in self.kept})

    def by_component(self, counts: Float[Array, "components bins"]) -> dict[str, Float[Array, "bins"]]:
        """The signal of a prediction: components that count, and what is born outside if there is any."""
        signal = {name: counts[COMPONENTS.index(name)] for name in self.kept}
        return {**signal, OUTSIDE: counts[-1]} if len(counts) > len(COMPONENTS) else signal

    def interactions(self, model: object, point: Point, nuisances: Point) -> Mapping[str, Float[Array, ""]]:
        """Heavy neutrinos made in the fiducial volumes by all beams, before any decay or efficiency."""
        assert isinstance(model, Upscatters)
        beams = [sample.beam for sample in self.samples_of_pairs]
        made = summed([interactions_by_state(model, point, nuisances, beam) for beam in beams])
        return {state: jnp.sum(made[state]) for state in self.kept}

    def remarks(self, model: object, point: Point, nuisances: Point) -> Iterator[str]:
        """For a report: how much of the signal is born outside."""
        if isinstance(model, Upscatters):
            detector = self.samples_of_pairs[0].detector
            yield from predicted_sentences(self.name, self, model, point, nuisances, detector)

    def expected_background(self, nuisances: Point) -> Float[Array, "bins"]:
        """Everything but pairs."""
        return jnp.stack([nuisance.value_in(nuisances) for nuisance in self.scales]) @ self.parts

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """Poisson in each bin, the reading's error profiled."""
        background = self.expected_background(nuisances)
        return jnp.sum(poisson_barlow_beeston(self.counts, prediction.total, background, self.reading_error))

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """The deviance from a perfect fit; the nuisances' penalties are not in it."""
        background = self.expected_background(nuisances)
        return jnp.sum(barlow_beeston_deviance(self.counts, prediction.total, background, self.reading_error))

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "NeutrinoElectron":
        """Other counts, Poisson, with the background's own error in each bin."""
        background = self.expected_background(nuisances)
        counts = poisson_counts_over(key, prediction.total, background, self.reading_error)
        return replace(self, counts=counts)

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "bins"]:
        """(data - expectation) over its Poisson error and the reading's."""
        expectation = self.expected_background(nuisances) + prediction.total
        return (self.counts - expectation) / jnp.sqrt(jnp.maximum(expectation, 1.0) + self.reading_error**2)


jax.tree_util.register_dataclass(
    PairSample,
    data_fields=["beam", "edges", "onto", "forward"],
    meta_fields=["cuts", "nodes", "scales", "detector", "around"],
)
jax.tree_util.register_dataclass(
    NeutrinoElectron,
    data_fields=["counts", "parts", "reading_error", "samples_of_pairs"],
    meta_fields=["scales", "kept", "described", "name", "nuisances"],
)


def _pairs(reaction: AnyReaction, nuisances: Point, sample: PairSample):
    """(selected, made): (component, bins), the beams one after the other, and (component,)."""
    events = all_pair_events(reaction, sample.beam, sample.nodes)
    weights = events.share * chances_to_pass(events, sample.cuts, (sample.nodes.lowest, sample.nodes.highest))
    below = counts_below(sample.forward, events, weights, pair_shares(events, sample.around))
    between = jnp.diff(below, axis=1, prepend=0.0)
    return in_bins(between, nuisances, sample), events.made @ _flux(nuisances, sample)


def in_bins(
    between: Float[Array, "components edges beams"], nuisances: Point, sample: PairSample
) -> Float[Array, "components bins"]:
    """Pairs between edges in the sample's bins, the beams one after the other, with what nuisances do to them."""
    counts = jnp.einsum("seb,en,b->sbn", between, sample.onto, _flux(nuisances, sample)).reshape(len(between), -1)
    if sample.beam.surroundings:
        counts = counts.at[-1].multiply(births_factor(sample.detector, nuisances))
    return counts


def _flux(nuisances: Point, sample: PairSample) -> Float[Array, "beams"]:
    return jnp.stack([nuisance.value_in(nuisances) for nuisance in sample.scales])


# -- what loaders share ---------------------------------------------------------------------------------------------


def check_choice(field: str, value: str, known: Mapping[str, str]) -> str:
    """The choice with what it means; an unknown one is refused."""
    if value not in known:
        raise reject(field, value, f"use one of {', '.join(known)}")
    return f"{value}: {known[value]}"


def kept_targets(targets: str) -> tuple[str, ...]:
    """The components that count."""
    return COMPONENTS if targets == "all" else COMPONENTS[:1]


def hit(targets: str, molecule: tuple[Target, ...]) -> tuple[Target, ...]:
    """The molecule's scatterers that count; nothing is computed for the others."""
    return molecule if targets == "all" else tuple(target for target in molecule if target.is_nucleus)


def merge(groups: tuple[tuple[int, int], ...], values: np.ndarray) -> np.ndarray:
    """Sums of neighbours, from the first of each group to before its second number."""
    return np.array([np.sum(values[first:end]) for first, end in groups])


def scale(name: str, symbol: str, sigma: float, words: str) -> Nuisance:
    """A factor around 1."""
    return Nuisance(name, symbol, 1.0, sigma, f"scale of {words}, {sigma:.1%}")

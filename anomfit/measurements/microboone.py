"""MicroBooNE's search for e+e- pairs (arXiv:2502.10900): visible energy of 95 candidates, 69.7 +- 17.3 expected.

Pairs alone are compared: the efficiency of the searches for single photons (arXiv:2502.06064, 2502.05750) and for nu_e
(arXiv:2110.13978) is not public for pairs. A bin is Poisson with the independent part of its background's error
profiled (Barlow-Beeston); the common part is one nuisance.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.beams import Beam
from anomfit.beams.booster import microboone_beam
from anomfit.beams.booster_flux import flux_factor, flux_nuisance
from anomfit.capabilities import Upscatters, pair_reactions
from anomfit.data import load_record
from anomfit.detectors import microboone as detector
from anomfit.detectors.assumed_surroundings import births_factor, births_nuisance, check_choice, surroundings_words
from anomfit.detectors.direction_response import DirectionResponse, expected_by_direction
from anomfit.detectors.surroundings import Surroundings
from anomfit.errors import reject
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.described import Described, HasDescription
from anomfit.measurements.entries import Entry
from anomfit.measurements.flights import OUTSIDE, predicted_sentences
from anomfit.parameters import Nuisance, Point
from anomfit.physics.reaction import AnyReaction, OneReaction, over_parts, summed
from anomfit.rates.interactions import interactions_by_state
from anomfit.rates.pair_events import Nodes, pair_events
from anomfit.rates.spread_events import comes_in_halves, spread_events
from anomfit.statistics.terms import barlow_beeston_deviance, poisson_barlow_beeston
from anomfit.statistics.throws import poisson_counts_over

NAME, ERA = "microboone", "pairs"
TITLE = "MicroBooNE search for e+e- pairs, visible energy, neutrino mode (6.87e20 POT)"
REFERENCES = ("arXiv:2502.10900", "arXiv:1905.09694", "arXiv:0806.1449", "barlow-beeston-1993")
# tests compare with another rule; 64 energies left states of 0.6 to 0.8 GeV 0.5 % off, 18 angles nuclei struck by
# a Z' of 1 to 4 GeV 0.4 to 1 %
NODES = Nodes(energy=144, angle=22, parent=44, polar=28, path=1.5)
ENERGIES = 48
COMPONENTS = ("coherent", "incoherent")  # in the active volume
TARGETS = {
    "coherent": "scattering off whole nuclei, which the search selects",
    "all": "nuclei and single nucleons, the latter with the efficiency of the former",
}


@dataclass(frozen=True)
class PairSearch:
    """What turns pairs into counts: beam, response, and the (static) reading of the efficiency, nodes, surroundings.

    Pairs born outside of the active volume count if the beam has surroundings. of_spread: how pairs of many masses are
    counted together (static); None where each mass is counted alone.
    """

    beam: Beam
    response: DirectionResponse
    efficiency: detector.Efficiency
    nodes: Nodes
    around: Surroundings
    of_spread: detector.SpreadPairs | None


@dataclass(frozen=True)
class MicroBoone(HasDescription):
    """Six bins of visible energy; counts and backgrounds are leaves, words static."""

    counts: Float[Array, "bins"]
    background: Float[Array, "bins"]
    own_error: Float[Array, "bins"]  # of the background, independent
    common_error: Float[Array, "bins"]  # of the background, one for all
    search: PairSearch
    targets: str
    described: Described
    nuisances: tuple[Nuisance, ...]

    name = NAME
    accepts = (Upscatters,)
    samples = frozenset({"MicroBooNE e+e- candidates"})
    references = REFERENCES
    share_of_nodes = 0.1  # where few nodes do; a quarter costs 2.5 times as much, and the background's errors are large

    @property
    def independent_numbers(self) -> int:
        """One a bin."""
        return self.counts.size

    @property
    def protons_on_target(self) -> float:
        """The exposure of these data."""
        return load_record("microboone/experiment").values["pot"]

    @property
    def signal_nuisances(self) -> tuple[Nuisance, ...]:
        """Those of the beam and of births outside; the first of all is the background's."""
        return self.nuisances[1:]

    def with_bins(self, low: Float[np.ndarray, " bins"], high: Float[np.ndarray, " bins"]) -> "MicroBoone":
        """The prediction in other bins of visible energy (GeV); counts and backgrounds stay, and mean nothing."""
        response = detector.build(self.search.efficiency, ENERGIES, edges=(low, high))
        edges = (tuple(np.asarray(low).tolist()), tuple(np.asarray(high).tolist()))
        of_spread = detector.SpreadPairs(self.search.efficiency, edges)
        return replace(self, search=replace(self.search, response=response, of_spread=of_spread))

    def bins(self) -> list[Bin]:
        """Candidates and background; errors: Poisson and both parts of the background's."""
        background = np.asarray(self.background)
        error = np.sqrt(background + np.asarray(self.own_error) ** 2 + np.asarray(self.common_error) ** 2)
        rows = zip(self.described.labels, np.asarray(self.counts), background, error, strict=True)
        return [Bin(*label, float(n), float(b), float(e)) for label, n, b, e in rows]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Selected pairs in each bin."""
        assert isinstance(model, Upscatters)  # build_problem and predict check it for the user
        search = self.search
        counts, made = summed([_counted(reaction, search) for reaction in pair_reactions(model, point, nuisances)])
        counts = flux_factor(nuisances) * counts
        kept = COMPONENTS if self.targets == "all" else COMPONENTS[:1]
        signal = {name: counts[i, 0] for i, name in enumerate(kept)}
        if search.beam.surroundings:
            signal[OUTSIDE] = births_factor(detector.NAME, nuisances) * counts[-1, 0]
        return Prediction(signal, {name: made[i, 0] for i, name in enumerate(kept)})

    def interactions(self, model: object, point: Point, nuisances: Point) -> Mapping[str, Float[Array, ""]]:
        """Heavy neutrinos made in the argon, before any decay or efficiency."""
        assert isinstance(model, Upscatters)
        made = interactions_by_state(model, point, nuisances, self.search.beam)
        return {state: numbers[0] for state, numbers in made.items()}

    def remarks(self, model: object, point: Point, nuisances: Point) -> Iterator[str]:
        """For a report: how much of the signal is born outside."""
        if isinstance(model, Upscatters):
            yield from predicted_sentences("MicroBooNE", self, model, point, nuisances, detector.NAME)

    def expected_background(self, nuisances: Point) -> Float[Array, "bins"]:
        """The background with its common error, which acts as a factor: it stays positive."""
        pull = nuisances.get(self.nuisances[0].name, self.nuisances[0].mean)
        return self.background * jnp.exp(pull * self.common_error / self.background)

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """Poisson in each bin, its own error profiled."""
        background = self.expected_background(nuisances)
        return jnp.sum(poisson_barlow_beeston(self.counts, prediction.total, background, self.own_error))

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """The deviance from a perfect fit, own errors profiled; the nuisance's penalty is not in it."""
        background = self.expected_background(nuisances)
        return jnp.sum(barlow_beeston_deviance(self.counts, prediction.total, background, self.own_error))

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "MicroBoone":
        """Other counts, Poisson, with the background's own error in each bin."""
        background = self.expected_background(nuisances)
        counts = poisson_counts_over(key, prediction.total, background, self.own_error)
        return replace(self, counts=counts)

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "bins"]:
        """(data - expectation) over its Poisson and own error."""
        expectation = self.expected_background(nuisances) + prediction.total
        return (self.counts - expectation) / jnp.sqrt(expectation + self.own_error**2)


jax.tree_util.register_dataclass(
    PairSearch, data_fields=["beam", "response"], meta_fields=["efficiency", "nodes", "around", "of_spread"]
)
jax.tree_util.register_dataclass(
    MicroBoone,
    data_fields=["counts", "background", "own_error", "common_error", "search"],
    meta_fields=["targets", "described", "nuisances"],
)


def load_microboone(
    efficiency: str = "mean",
    targets: str = "coherent",
    flavours: str = "numu+numubar",
    surroundings: str = "earth",
) -> MicroBoone:
    """The search with these choices; unknown ones are refused with the known.

    efficiency: "mean", "energy", "opening" or "angle", see `detectors.microboone`; targets: "coherent" or "all", in the
    active volume (outside of it a struck nucleon is not seen); surroundings: "earth" or "none".
    """
    if targets not in TARGETS:
        raise reject("targets", targets, f"use one of {', '.join(TARGETS)}")
    reading = detector.find_efficiency(efficiency)
    is_around = check_choice(surroundings) == "earth"
    beam = microboone_beam(flavours)
    record = load_record("microboone/pair_search_2025")
    low, high = (1e-3 * record.columns[f"Evis_{end}_MeV"] for end in ("lo", "hi"))
    error = record.columns["background_error"]
    common = common_share(error, record.values["background_error"])
    stated = {
        "efficiency": f"{reading.name}: {reading.words}, falling on beyond it; no error; photon pairs as e+e-",
        "energy resolution": detector.visible_energy().words,
        "targets": f"{targets}: {TARGETS[targets]}",
        "background": f"errors of the bins with a common correlation of {common:.2f}, which makes their sum's 17.3",
        "beam flavours": flavours,
        "surroundings": surroundings_words(surroundings),
    }
    return MicroBoone(
        counts=jnp.asarray(record.columns["data"]),
        background=jnp.asarray(record.columns["background"]),
        own_error=jnp.asarray(np.sqrt(1.0 - common) * error),
        common_error=jnp.asarray(np.sqrt(common) * error),
        search=PairSearch(
            beam=detector.in_earth(beam) if is_around else beam,
            response=detector.build(reading, ENERGIES),
            efficiency=reading,
            nodes=NODES,
            around=detector.surroundings(),
            of_spread=detector.SpreadPairs(reading),
        ),
        targets=targets,
        described=Described(
            ERA,
            TITLE,
            tuple(stated.items()),
            tuple(("E_vis", a, b, "GeV") for a, b in zip(low.tolist(), high.tolist(), strict=True)),
        ),
        nuisances=(
            Nuisance(
                "microboone_background",
                r"B_{\mu\mathrm{B}}",
                0.0,
                1.0,
                "common part of the background's error in standard deviations",
            ),
            flux_nuisance(),
            *((births_nuisance(detector.NAME, r"D_{\mu\mathrm{B}}"),) if is_around else ()),
        ),
    )


def _counted(reaction: AnyReaction, search: PairSearch):
    """(selected, made) of one reaction, no flux pull: (component, beam, bin), and (component, beam)."""
    together = search.of_spread
    if together is not None and comes_in_halves(reaction):
        events = spread_events(reaction, search.beam, search.nodes)
        counts = detector.expected_together(together, search.response.waves, reaction, events, search.around)
        return counts, events.made
    return over_parts(reaction, partial(_counted_alone, search=search))


def _counted_alone(reaction: OneReaction, search: PairSearch):
    """The same of pairs of one mass."""
    events = pair_events(reaction, search.beam, search.nodes)
    seen = detector.see(events, search.efficiency, search.response.table.shape[0], search.around)
    return expected_by_direction(search.response, detector.selected(events, search.efficiency), seen), events.made


def common_share(error: Float[np.ndarray, "bins"], total: float) -> float:
    """The correlation, the same between all bins, with which errors of bins give that of their sum."""
    independent, full = np.sum(error**2), np.sum(error) ** 2
    return float((total**2 - independent) / (full - independent))


ENTRIES: Mapping[str, Entry] = {ERA: Entry(load_microboone, TITLE, "digitised", REFERENCES)}

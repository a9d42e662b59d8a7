"""MiniBooNE: the E_nu^QE spectra of both horn modes with the published combined covariance (arXiv:2006.16883).

The fit is to nu_e and nu_mu bins of both modes jointly (38 numbers), as the experiment's: the nu_mu samples constrain
the flux. A signal of pairs, or of nu_mu -> nu_e appearance through the released full-transmutation sample.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.beams import Beam
from anomfit.beams.booster import miniboone_beam
from anomfit.beams.booster_flux import flux_error, flux_nuisance, flux_pull
from anomfit.capabilities import PredictsAppearance, Upscatters, pair_reactions
from anomfit.detectors import miniboone as detector
from anomfit.detectors.assumed_surroundings import (
    births_factor,
    births_name,
    births_nuisance,
    check_choice,
    surroundings_words,
)
from anomfit.detectors.pairs import Selection, find_selection
from anomfit.detectors.resolution import find_resolution
from anomfit.detectors.shower_response import ShowerResponse, build_response, expected
from anomfit.detectors.surroundings import Surroundings
from anomfit.errors import reject
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.miniboone_covariance import QuasiElasticData, load_quasi_elastic
from anomfit.measurements.miniboone_transmutation import TransmutationSample, released
from anomfit.parameters import Nuisance, Point
from anomfit.physics.reaction import AnyReaction, OneReaction, over_parts, summed
from anomfit.rates.interactions import interactions_by_state
from anomfit.rates.pair_events import Nodes, pair_events
from anomfit.rates.spread_events import comes_in_halves, spread_events

NODES = Nodes(energy=112)  # see benchmarks/convergence.py
WAVES, ENERGIES = 24, 48
COMPONENTS = ("coherent", "incoherent")  # in the oil
OUTSIDE = "dirt"
FLUXES = {
    "in-covariance": "its error is part of the released covariance",
    "shared": "its error is taken out of the released covariance and is a nuisance, as for others in the same beam",
}


@dataclass(frozen=True)
class PairChain:
    """What turns pairs into counts: beam, table of the response, and the (static) selection, nodes and surroundings.

    Pairs born around the tank count if the beam has surroundings. of_spread: how pairs of many masses are counted
    together (static); None where each mass is counted alone.
    """

    beam: Beam
    response: ShowerResponse
    of_spread: detector.SpreadPairs | None
    selection: Selection
    nodes: Nodes
    around: Surroundings


@dataclass(frozen=True)
class MiniBooneQuasiElastic:
    """E_nu^QE of neutrino and antineutrino mode, 11 bins each, neutrino mode first."""

    data: QuasiElasticData
    chain: PairChain
    transmutation: tuple[TransmutationSample, TransmutationSample]
    stated: tuple[tuple[str, str], ...]  # the choices in words, static
    nuisances: tuple[Nuisance, ...] = ()  # static; errors that are not here are inside the covariance

    name = "miniboone"
    era = "enuqe"
    title = "MiniBooNE E_nu^QE, neutrino (18.75e20 POT) and antineutrino mode (11.27e20 POT)"
    accepts = (Upscatters, PredictsAppearance)
    samples = frozenset({"MiniBooNE neutrino-mode nu_e-like events", "MiniBooNE antineutrino-mode nu_e-like events"})
    references = ("arXiv:2006.16883", "arXiv:1303.2588", "arXiv:1207.4809", "arXiv:0806.1449")

    @property
    def choices(self) -> Mapping[str, str]:
        """Options in force, in words."""
        return dict(self.stated)

    def nuisances_for(self, model: object) -> tuple[Nuisance, ...]:
        """Those that this model's prediction depends on: nothing else than pairs is born outside."""
        return of_model(model, self.nuisances)

    @property
    def independent_numbers(self) -> int:
        """nu_e and nu_mu bins of both modes: 22 and 16."""
        return self.data.counts.size + self.data.muon_counts.size

    def bins(self) -> list[Bin]:
        """Observed counts and the background constrained by the nu_mu samples, with its total error."""
        return self.data.bins()

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Selected events in the 22 bins."""
        if isinstance(model, Upscatters):
            return predict_pairs(model, point, nuisances, self.chain)
        assert isinstance(model, PredictsAppearance)  # build_problem and predict check it for the user
        counts = [
            model.appearance_probability(point, sample.energy, sample.length) @ sample.events
            for sample in self.transmutation
        ]
        return Prediction(signal={"appearance": jnp.concatenate(counts)}, before_efficiency={})

    def interactions(self, model: object, point: Point, nuisances: Point) -> Mapping[str, Float[Array, ""]]:
        """Heavy neutrinos made in the oil, before any decay or efficiency."""
        return interactions_in_oil(model, point, nuisances, self.chain)

    def remarks(self, model: object, point: Point, nuisances: Point) -> Iterator[str]:
        """For a report: how the signal depends on what no data settle."""
        from anomfit.measurements import miniboone_choices  # which imports this module

        if isinstance(model, Upscatters):
            yield from miniboone_choices.spread_sentences(self, model, point, nuisances)
        yield from miniboone_choices.surroundings_sentences(self.chain, model, point, nuisances)

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """-(chi^2 + ln det C)/2 over nu_e and nu_mu bins; C depends on the signal; 0 offset: that of ln det at no
        signal.
        """
        chi_squared, log_det = self._quadratic_form(prediction, nuisances)
        value = -0.5 * (chi_squared + log_det - self.data.null_log_det)
        # only "literal" has signals at which its matrix is not positive definite: they are refused. A signal that is no
        # number, such as one outside of a table, leaves none
        refused = jnp.where(jnp.all(jnp.isfinite(prediction.total)), -jnp.inf, jnp.nan)
        return jnp.where(jnp.isfinite(value), value, refused)

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """The quadratic form over all 38 bins."""
        return self._quadratic_form(prediction, nuisances)[0]

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "bins"]:
        """(data - constrained expectation) over the square root of the conditional covariance's diagonal."""
        return self.data.conditional_pulls(prediction.total, flux_pull(nuisances))

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "MiniBooneQuasiElastic":
        """Counts of nu_e and nu_mu thrown with the covariance at the prediction; the background shown stays."""
        return replace(self, data=self.data.thrown(prediction.total, key, flux_pull(nuisances)))

    def _quadratic_form(self, prediction: Prediction, nuisances: Point):
        return self.data.quadratic_form(prediction.total, flux_pull(nuisances))


def predict_pairs(model: Upscatters, point: Point, nuisances: Point, chain: PairChain) -> Prediction:
    """Selected pairs by component, the beams' bins one after the other, and the counts in the oil before any
    efficiency.
    """
    counts, made = summed([_counted(reaction, chain) for reaction in pair_reactions(model, point, nuisances)])
    signal = {name: counts[i].reshape(-1) for i, name in enumerate(COMPONENTS)}
    if chain.beam.surroundings:
        signal[OUTSIDE] = births_factor(detector.NAME, nuisances) * counts[-1].reshape(-1)
    before = {name: made[i, 0] for i, name in enumerate(COMPONENTS)}
    if made.shape[1] > 1:
        before |= {f"{name}_antineutrino_mode": made[i, 1] for i, name in enumerate(COMPONENTS)}
    return Prediction(signal, before)


def interactions_in_oil(model: object, point: Point, nuisances: Point, chain: PairChain) -> dict[str, Float[Array, ""]]:
    """Heavy neutrinos made in the oil, by state and mode, named as the counts before efficiency; {} without pairs."""
    if not isinstance(model, Upscatters):
        return {}
    made = interactions_by_state(model, point, nuisances, chain.beam)
    suffixes = ("", "_antineutrino_mode")
    beams = range(chain.beam.exposure.shape[0])
    return {f"{state}{suffixes[i]}": numbers[i] for i in beams for state, numbers in made.items()}


def _counted(reaction: AnyReaction, chain: PairChain):
    """(selected, made) of one reaction: (component, beam, bin), and (component, beam)."""
    together = chain.of_spread
    if together is not None and comes_in_halves(reaction):
        events = spread_events(reaction, chain.beam, chain.nodes)
        return detector.expected_together(together, reaction, events, chain.around), events.made
    return over_parts(reaction, partial(_counted_alone, chain=chain))


def _counted_alone(reaction: OneReaction, chain: PairChain):
    """The same of pairs of one mass."""
    events = pair_events(reaction, chain.beam, chain.nodes)
    seen = detector.see(events, chain.selection, chain.response.table.shape[0], chain.around)
    return expected(chain.response, detector.selected(events), seen), events.made


def of_model(model: object, nuisances: tuple[Nuisance, ...]) -> tuple[Nuisance, ...]:
    """Without the number of births outside where the model makes no pairs."""
    if isinstance(model, Upscatters):
        return nuisances
    return tuple(nuisance for nuisance in nuisances if nuisance.name != births_name(detector.NAME))


def pair_chain(
    beam: Beam,
    response: ShowerResponse,
    selection: Selection,
    surroundings: str,
    of_spread: detector.SpreadPairs | None = None,
) -> tuple[PairChain, tuple[Nuisance, ...]]:
    """The chain with or without pairs from outside, and the nuisance of their number."""
    is_around = check_choice(surroundings) == "earth"
    beam = detector.in_earth(beam) if is_around else beam
    nuisances = (births_nuisance(detector.NAME, r"D_{\mathrm{MB}}"),) if is_around else ()
    return PairChain(beam, response, of_spread, selection, NODES, detector.surroundings()), nuisances


def load_miniboone(
    selection: str = "overlap-13-mass",
    resolution: str = "flat",
    covariance: str = "recommended",
    flavours: str = "numu+numubar",
    flux: str = "in-covariance",
    surroundings: str = "earth",
) -> MiniBooneQuasiElastic:
    """The measurement with these choices; unknown ones are refused with the known.

    covariance: "recommended", "flat-signal" (block 1 replaced by a correlated 15 %) or "literal" (refused where it is
    not positive definite, which is everywhere a soft signal can go: kept for comparison by `predict` only).
    surroundings: "earth" or "none", see `detectors.assumed_surroundings`.
    """
    if flux not in FLUXES:
        raise reject("flux", flux, f"use one of {', '.join(FLUXES)}")
    is_shared = flux == "shared"
    data = load_quasi_elastic(covariance, flux_error() if is_shared else 0.0)
    chosen, smearing = find_selection(selection), find_resolution(resolution)
    bins = detector.quasi_elastic_bins(data.edges)
    response = build_response(bins, smearing, ENERGIES, WAVES)
    of_spread = detector.SpreadPairs(tuple(np.asarray(data.edges).tolist()), chosen, smearing.name)
    chain, births = pair_chain(miniboone_beam(flavours), response, chosen, surroundings, of_spread)
    stated = {
        "pair selection": f"{chosen.name}: {chosen.words}",
        "energy resolution": f"{smearing.name}: {smearing.words}",
        "covariance": f"{covariance}: {data.words}",
        "beam flavours": flavours,
        "flux": f"{flux}: {FLUXES[flux]}",
        "efficiency": detector.EFFICIENCY_WORDS,
        "surroundings": surroundings_words(surroundings),
    }
    return MiniBooneQuasiElastic(
        data=data,
        chain=chain,
        transmutation=(released("neutrino"), released("antineutrino")),
        stated=tuple(stated.items()),
        nuisances=((flux_nuisance(),) if is_shared else ()) + births,
    )


jax.tree_util.register_dataclass(
    PairChain, data_fields=["beam", "response"], meta_fields=["of_spread", "selection", "nodes", "around"]
)
jax.tree_util.register_dataclass(
    MiniBooneQuasiElastic, data_fields=["data", "chain", "transmutation"], meta_fields=["stated", "nuisances"]
)

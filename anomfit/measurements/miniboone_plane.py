"""MiniBooNE's visible energy and angle: the plane E_vis x cos(theta) of the 2020 neutrino-mode data, and projections.

arXiv:2006.16883 (neutrino mode, 2020) and arXiv:1805.12028 (antineutrino mode, 2018). They show the events of the
E_nu^QE spectra again, so no two of one mode can be fitted together. A bin is Poisson with the Monte Carlo error of its
background (Barlow-Beeston). No systematic errors were released for these distributions: three nuisances stand in.
A signal of pairs, or of appearance, whose released sample is spread over angles by us (`miniboone_transmutation`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.beams.booster import miniboone_beam
from anomfit.capabilities import PredictsAppearance, Upscatters
from anomfit.data import load_record
from anomfit.detectors import miniboone as detector
from anomfit.detectors.assumed_surroundings import surroundings_words
from anomfit.detectors.pairs import find_selection
from anomfit.detectors.resolution import Resolution, find_resolution
from anomfit.detectors.shower_response import build_response
from anomfit.errors import reject
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.miniboone import (
    ENERGIES,
    PairChain,
    interactions_in_oil,
    of_model,
    pair_chain,
    predict_pairs,
)
from anomfit.measurements.miniboone_plane_tables import Rectangles, read_table
from anomfit.measurements.miniboone_transmutation import Mode, TransmutationSample, in_plane
from anomfit.parameters import Nuisance, Point
from anomfit.statistics.terms import barlow_beeston_deviance, poisson_barlow_beeston
from anomfit.statistics.throws import poisson_counts_over

WINDOW = (0.2, 1.25)  # GeV, E_nu^QE of the 2020 distributions: notes of data/miniboone/nu_evis_2020; 2018 has no cut
# The nu_mu samples leave 4.7 % (neutrino) and 5.1 % (antineutrino mode) of systematic error on the total and move it by
# 0.6 % only (data release with arXiv:2006.16883): the unconstrained tables are taken with the constrained 5 %.
BACKGROUND_ERROR = 0.05
# Legendre waves of the response: 64 and 100 agree to 1e-4 of a bin's error; 40 are wrong by 1.5 % of it in cos(theta),
# and by 0.7 % of the signal in E_vis above 1 GeV, where the window in E_nu^QE cuts the bins
RESPONSE_WAVES = 64


@dataclass(frozen=True)
class Distribution:
    """Which table a projection is and where it comes from; static."""

    era: str
    mode: Mode
    record: str
    title: str
    references: tuple[str, ...]

    @property
    def status(self) -> str:
        """How the numbers were obtained."""
        return load_record(self.record).status


@dataclass(frozen=True)
class Described:
    """What a user reads: choices in words, and for each bin its label, edges and their unit; static."""

    stated: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, float, float, str], ...]


_TITLES = {
    "neutrino": "2020 neutrino mode (18.75e20 POT), 200 < E_nu^QE < 1250 MeV",
    "antineutrino": "2018 antineutrino mode (11.27e20 POT), no E_nu^QE cut",
}
_REFERENCES = {"neutrino": ("arXiv:2006.16883", "arXiv:2308.02543"), "antineutrino": ("arXiv:1805.12028",)}


def _distribution(era: str, mode: Mode, record: str, shown: str) -> Distribution:
    references = (*_REFERENCES[mode], "arXiv:1207.4809", "arXiv:0806.1449", "barlow-beeston-1993")
    return Distribution(era, mode, f"miniboone/{record}", f"MiniBooNE {shown}, {_TITLES[mode]}", references)


DISTRIBUTIONS: Mapping[str, Distribution] = {
    entry.era: entry
    for entry in (
        _distribution("evis-costheta", "neutrino", "nu_evis_costheta_2020", "E_vis x cos(theta)"),
        _distribution("evis", "neutrino", "nu_evis_2020", "E_vis"),
        _distribution("costheta", "neutrino", "nu_costheta_2020", "cos(theta)"),
        _distribution("evis-antineutrino", "antineutrino", "nubar_evis_2018", "E_vis"),
        _distribution("costheta-antineutrino", "antineutrino", "nubar_costheta_2018", "cos(theta)"),
    )
}


@dataclass(frozen=True)
class MiniBooneProjection:
    """One distribution in E_vis, cos(theta) or both; numbers are leaves, words and names static."""

    counts: Float[Array, "n"]
    background: Float[Array, "n"]
    mc_error: Float[Array, "n"]
    photons: Float[Array, "n"]  # the background's part from NC pi0 and Delta -> N gamma
    chain: PairChain
    transmutation: TransmutationSample
    distribution: Distribution
    described: Described
    nuisances: tuple[Nuisance, ...]  # background, photons, efficiency: scale factors; births outside
    smearing: Resolution

    name = "miniboone"
    accepts = (Upscatters, PredictsAppearance)

    @property
    def era(self) -> str:
        """The projection's name."""
        return self.distribution.era

    @property
    def title(self) -> str:
        """One line for listings."""
        return self.distribution.title

    @property
    def references(self) -> tuple[str, ...]:
        """Keys of data/references.toml."""
        return self.distribution.references

    @property
    def samples(self) -> frozenset[str]:
        """The events shown, those of the E_nu^QE spectrum of this mode."""
        return frozenset({f"MiniBooNE {self.distribution.mode}-mode nu_e-like events"})

    @property
    def choices(self) -> Mapping[str, str]:
        """Options in force, in words."""
        return dict(self.described.stated)

    def nuisances_for(self, model: object) -> tuple[Nuisance, ...]:
        """Those that this model's prediction depends on."""
        return of_model(model, self.nuisances)

    @property
    def independent_numbers(self) -> int:
        """One a bin."""
        return self.counts.size

    @property
    def protons_on_target(self) -> float:
        """The exposure of its own data."""
        return load_record("miniboone/experiment").values[f"pot_{self.distribution.mode}"]

    @property
    def signal_nuisances(self) -> tuple[Nuisance, ...]:
        """Those of its nuisances that its prediction depends on: efficiency, and births outside."""
        return self.nuisances[2:]

    def with_bins(self, low: Float[np.ndarray, " bins"], high: Float[np.ndarray, " bins"]) -> "MiniBooneProjection":
        """The prediction in other bins of E_vis (GeV), all angles; counts and backgrounds stay, and mean nothing.

        The window in E_nu^QE stays. Raises InputError for a projection that has bins of angle.
        """
        if self.distribution.era not in (f"evis{suffix}" for suffix in ("", "-antineutrino")):
            words = "its bins have angles; use miniboone:evis or miniboone:evis-antineutrino"
            raise reject("like", f"miniboone:{self.era}", words)
        mode = self.distribution.mode
        bins = Rectangles(low, high, np.full(len(low), -1.0), np.full(len(low), 1.0))
        response = build_response(detector.plane_bins(*bins, _window(mode)), self.smearing, ENERGIES, RESPONSE_WAVES)
        events = in_plane(mode, bins, _window(mode), open_below=False)
        return replace(self, chain=replace(self.chain, response=response), transmutation=events)

    def bins(self) -> list[Bin]:
        """Counts and background; errors: Poisson of the background, Monte Carlo, normalisations in quadrature."""
        norm, photons = self.nuisances[:2]
        background, enhanced = np.asarray(self.background), np.asarray(self.photons)
        variance = background + np.asarray(self.mc_error) ** 2
        error = np.sqrt(variance + (norm.sigma * background) ** 2 + (photons.sigma * enhanced) ** 2)
        numbers = zip(self.described.labels, np.asarray(self.counts), background, error, strict=True)
        return [Bin(*label, float(n), float(b), float(sigma)) for label, n, b, sigma in numbers]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Selected pairs, or nu_e that appear, in each bin, with the uncertain gain of the efficiency."""
        gain = self._scale(2, nuisances)
        if not isinstance(model, Upscatters):
            assert isinstance(model, PredictsAppearance)  # build_problem and predict check it for the user
            sample = self.transmutation
            events = model.appearance_probability(point, sample.energy, sample.length) @ sample.events
            return Prediction({"appearance": gain * events}, {})
        prediction = predict_pairs(model, point, nuisances, self.chain)
        return prediction._replace(signal={name: gain * counts for name, counts in prediction.signal.items()})

    def interactions(self, model: object, point: Point, nuisances: Point) -> Mapping[str, Float[Array, ""]]:
        """Heavy neutrinos made in the oil, before any decay or efficiency."""
        return interactions_in_oil(model, point, nuisances, self.chain)

    def expected_background(self, nuisances: Point) -> Float[Array, "n"]:
        """Background at these nuisances: one scale for all of it, another for NC pi0 and Delta."""
        return self._scale(0, nuisances) * (self.background + (self._scale(1, nuisances) - 1.0) * self.photons)

    def remarks(self, model: object, point: Point, nuisances: Point) -> Iterator[str]:
        """For a report: how the signal depends on what no data settle."""
        from anomfit.measurements import miniboone_choices  # which imports this module

        yield from miniboone_choices.surroundings_sentences(self.chain, model, point, nuisances)

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """Poisson in each bin, its Monte Carlo error profiled."""
        background = self.expected_background(nuisances)
        return jnp.sum(poisson_barlow_beeston(self.counts, prediction.total, background, self.mc_error))

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """The deviance from a perfect fit, Monte Carlo errors profiled; penalties of the nuisances are not in it."""
        background = self.expected_background(nuisances)
        return jnp.sum(barlow_beeston_deviance(self.counts, prediction.total, background, self.mc_error))

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "MiniBooneProjection":
        """Other counts, Poisson, with the background's own error in each bin."""
        background = self.expected_background(nuisances)
        counts = poisson_counts_over(key, prediction.total, background, self.mc_error)
        return replace(self, counts=counts)

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "n"]:
        """(data - expectation) over its Poisson and Monte Carlo error, at these nuisances."""
        expectation = self.expected_background(nuisances) + prediction.total
        return (self.counts - expectation) / jnp.sqrt(jnp.maximum(expectation, 1e-6) + self.mc_error**2)

    def _scale(self, index: int, nuisances: Point) -> Float[Array, ""]:
        return self.nuisances[index].value_in(nuisances)


jax.tree_util.register_dataclass(
    MiniBooneProjection,
    data_fields=["counts", "background", "mc_error", "photons", "chain", "transmutation"],
    meta_fields=["distribution", "described", "nuisances", "smearing"],
)


def load_projection(
    era: str,
    selection: str = "overlap-13-mass",
    resolution: str = "flat",
    flavours: str = "numu+numubar",
    surroundings: str = "earth",
) -> MiniBooneProjection:
    """The distribution `era` of DISTRIBUTIONS with these choices, those of load_miniboone; unknown ones are refused."""
    if era not in DISTRIBUTIONS:
        raise reject("era", era, f"use one of {', '.join(DISTRIBUTIONS)}")
    distribution = DISTRIBUTIONS[era]
    chosen, smearing = find_selection(selection), find_resolution(resolution)
    table = read_table(distribution.record)
    window = _window(distribution.mode)
    binning = _response_bins(table.bins, window)
    response = build_response(binning, smearing, ENERGIES, RESPONSE_WAVES)
    beam = miniboone_beam(flavours, distribution.mode)
    chain, births = pair_chain(beam, response, chosen, surroundings)
    nuisances = (*_nuisances(distribution.mode), *births)
    stated = {
        "pair selection": f"{chosen.name}: {chosen.words}",
        "energy resolution": f"{smearing.name}: {smearing.words}",
        "beam flavours": flavours,
        "efficiency": detector.EFFICIENCY_WORDS,
        "surroundings": surroundings_words(surroundings),
        "appearance": "released in E_nu^QE, angles from quasi-elastic scattering on free nucleons: approximate",
        "systematic errors": "none released; " + "; ".join(n.description for n in nuisances),
    }
    return MiniBooneProjection(
        counts=jnp.asarray(table.counts),
        background=jnp.asarray(table.background),
        mc_error=jnp.asarray(table.mc_error),
        photons=jnp.asarray(table.photons),
        chain=chain,
        transmutation=in_plane(distribution.mode, table.bins, window),
        distribution=distribution,
        described=Described(tuple(stated.items()), _labels(table.bins, era)),
        nuisances=nuisances,
        smearing=smearing,
    )


def _window(mode: Mode) -> tuple[float, float] | None:
    return WINDOW if mode == "neutrino" else None


def _response_bins(bins: Rectangles, window: tuple[float, float] | None):
    """The bins as the response takes them; the lowest energy edge is open, as the efficiency holds the threshold."""
    low = np.where(bins.low == bins.low.min(), -np.inf, bins.low)
    return detector.plane_bins(low, bins.high, bins.cos_low, bins.cos_high, window)


def _labels(bins: Rectangles, era: str) -> tuple[tuple[str, float, float, str], ...]:
    rows = []
    for low, high, cos_low, cos_high in zip(*(edge.tolist() for edge in bins), strict=True):
        if era.startswith("evis"):
            angle = f", cos theta {cos_low:g} to {cos_high:g}" if era == "evis-costheta" else ""
            rows.append((f"E_vis{angle}", low, high, "GeV"))
        else:
            rows.append(("cos theta", cos_low, cos_high, "1"))
    return tuple(rows)


def _nuisances(mode: Mode) -> tuple[Nuisance, ...]:
    """Scale factors of the background, of its NC pi0 and Delta part, of the signal's efficiency (common to modes)."""
    table = load_record("miniboone/background_components_2020").columns
    short = {"neutrino": "nu", "antineutrino": "nubar"}[mode]
    chosen = np.isin(table["process"], ["NC pi0", "NC Delta -> N gamma"])
    photon_error = float(np.sum(table[f"{short}_err"][chosen]) / np.sum(table[f"{short}_events"][chosen]))
    efficiency = load_record("miniboone/selection").values["efficiency_error"]
    normalisation = (
        f"background normalisation {BACKGROUND_ERROR:.0%}, the systematic error after the nu_mu constraint, "
        "which moves the total by 0.6 % only"
    )
    photons = (
        f"NC pi0 and Delta together {photon_error:.1%}, errors of the table of backgrounds added linearly (one pi0 "
        "measurement sets both); recalled, and overlapping with the normalisation, so cautious"
    )
    return (
        Nuisance(f"miniboone_background_{mode}", rf"B_{{{short}}}", 1.0, BACKGROUND_ERROR, normalisation),
        Nuisance(f"miniboone_photons_{mode}", rf"B^{{\gamma}}_{{{short}}}", 1.0, photon_error, photons),
        Nuisance("miniboone_efficiency", r"\epsilon", 1.0, efficiency, f"efficiency of the signal {efficiency:.0%}"),
    )

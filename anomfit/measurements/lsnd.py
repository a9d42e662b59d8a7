"""LSND's events of 20 to 60 MeV (hep-ex/0104049): L/E of those with R_gamma > 10, and all of them by R_gamma."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.capabilities import PredictsAppearance, Upscatters
from anomfit.data import load_record
from anomfit.detectors import lsnd as detector
from anomfit.measurements import lsnd_common as common
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.described import Described, HasDescription
from anomfit.measurements.flights import calorimeter_sentences
from anomfit.measurements.recoil_pairs import RecoilPairChain
from anomfit.parameters import Nuisance, Point
from anomfit.statistics.terms import barlow_beeston_deviance, poisson_barlow_beeston
from anomfit.statistics.throws import poisson_counts_over

SAMPLE = "LSND events of 20 to 60 MeV"
REFERENCES = ("arXiv:hep-ex/0104049", "arXiv:2010.06159", "arXiv:astro-ph/0302055", "arXiv:hep-ph/9903554")


@dataclass(frozen=True)
class LsndCounts(HasDescription):
    """Counts over beam-off and neutrino background; a signal of pairs or of anti-nu_e appearance.

    with_neutron, without: probability that an electron-like event in the bin's energies is selected and passes the
    photon cut of the bin, when a neutron is captured and when none is.
    """

    counts: Float[Array, "bins"]
    beam_off: Float[Array, "bins"]
    beam_off_error: Float[Array, "bins"]
    neutrino_background: Float[Array, "bins"]
    with_neutron: Float[Array, "bins"]
    without: Float[Array, "bins"]
    chain: RecoilPairChain
    appearance: common.AppearanceSample
    described: Described
    targets: tuple[str, ...]
    nuisances: tuple[Nuisance, ...]  # flux, efficiency, photon, knock-out, background

    name = "lsnd"
    accepts = (Upscatters, PredictsAppearance)
    samples = frozenset({SAMPLE})
    references = REFERENCES

    @property
    def independent_numbers(self) -> int:
        """One a bin."""
        return self.counts.size

    def bins(self) -> list[Bin]:
        """Counts and background; errors: Poisson, beam-off statistics and the neutrino background's scale."""
        off, nu = np.asarray(self.beam_off), np.asarray(self.neutrino_background)
        variance = off + nu + np.asarray(self.beam_off_error) ** 2 + (self.nuisances[4].sigma * nu) ** 2
        numbers = zip(self.described.labels, np.asarray(self.counts), off + nu, np.sqrt(variance), strict=True)
        return [Bin(*label, float(n), float(b), float(sigma)) for label, n, b, sigma in numbers]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Selected events by target, or of appearance."""
        _, efficiency, photon, *_ = self.nuisances
        gain, photon = efficiency.value_in(nuisances), photon.value_in(nuisances)
        if isinstance(model, Upscatters):
            counts, made = common.pairs_by_component(model, point, nuisances, self.chain, self.targets)
            return Prediction(common.tagged(counts, gain * photon * self.with_neutron, gain * self.without), made)
        assert isinstance(model, PredictsAppearance)  # build_problem and predict check it for the user
        sample = self.appearance
        events = model.appearance_probability(point, sample.energy, sample.length) @ sample.events
        events = common.flux_scales(nuisances)[1] * gain * photon * events * self.with_neutron
        return Prediction({"appearance": events}, {})

    def remarks(self, model: object, point: Point, nuisances: Point) -> Iterator[str]:
        """For a report: whether pairs fly farther than the tank is wide."""
        yield from calorimeter_sentences("LSND", model, point, nuisances, self.chain, energy=0.04)

    def expected_background(self, nuisances: Point) -> Float[Array, "bins"]:
        """Beam-off and scaled neutrino background."""
        return self.beam_off + self.nuisances[4].value_in(nuisances) * self.neutrino_background

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """Poisson in each bin, the statistical error of the beam-off sample profiled."""
        background = self.expected_background(nuisances)
        return jnp.sum(poisson_barlow_beeston(self.counts, prediction.total, background, self.beam_off_error))

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """The deviance from a perfect fit; penalties of the nuisances are not in it."""
        background = self.expected_background(nuisances)
        return jnp.sum(barlow_beeston_deviance(self.counts, prediction.total, background, self.beam_off_error))

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "LsndCounts":
        """Other counts, Poisson, with the background's own error in each bin."""
        background = self.expected_background(nuisances)
        counts = poisson_counts_over(key, prediction.total, background, self.beam_off_error)
        return replace(self, counts=counts)

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "bins"]:
        """(data - expectation) over its Poisson and beam-off error, at these nuisances."""
        expectation = self.expected_background(nuisances) + prediction.total
        return (self.counts - expectation) / jnp.sqrt(jnp.maximum(expectation, 1e-6) + self.beam_off_error**2)


jax.tree_util.register_dataclass(
    LsndCounts,
    data_fields=[
        "counts",
        "beam_off",
        "beam_off_error",
        "neutrino_background",
        "with_neutron",
        "without",
        "chain",
        "appearance",
    ],
    meta_fields=["described", "targets", "nuisances"],
)


def load_l_over_e(pair: str = "sum", targets: str = "all", flavours: str = "numu+numubar") -> LsndCounts:
    """The eleven L/E counts with R_gamma > 10; backgrounds scaled to the published totals.

    pair: what is seen of a pair, "sum" or "ring"; targets: "all" or "neutron"; flavours: "numu+numubar" or "numu-only".
    """
    record = load_record("lsnd/l_over_e_rgt10")
    columns, totals = record.columns, record.values
    low, high = 1e3 * columns["LoE_lo"], 1e3 * columns["LoE_hi"]  # m/GeV
    off = columns["beam_off"] * totals["beam_off"] / columns["beam_off"].sum()
    nu = columns["nu_bkg_intrinsic_nuebar"] + columns["nu_bkg_other"]
    energy, length, positron, events = common.lsnd_appearance_nodes()
    response = detector.l_over_e_response(positron, length, low, high)
    passed, accidental = _photon_efficiencies()
    one = np.ones_like(low)
    title = "LSND L/E of the events with R_gamma > 10, 20 to 60 MeV"
    return _measurement(
        (columns["beam_on"], off, np.sqrt(totals["beam_off_error"] ** 2 * off / totals["beam_off"])),
        nu * totals["neutrino_background"] / nu.sum(),
        (passed[1] * one, accidental[1] * one),
        detector.l_over_e_bins(low, high),
        common.appearance_sample(energy, length, events, response),
        ("l-over-e", title, tuple(("L/E", a, b, "m/MeV") for a, b in _edges(columns["LoE_lo"], columns["LoE_hi"]))),
        (pair, targets, flavours),
    )


def load_r_gamma(pair: str = "sum", targets: str = "all", flavours: str = "numu+numubar") -> LsndCounts:
    """The table by R_gamma, made disjoint: 1 to 10, 10 to 100, above 100. Options as those of load_l_over_e."""
    columns = load_record("lsnd/r_gamma").columns
    window = np.full(3, detector.WINDOW[0]), np.full(3, detector.WINDOW[1])
    energy, length, positron, events = common.lsnd_appearance_nodes()
    flat = detector.energy_response(positron.reshape(-1), *window).reshape(*positron.shape, 3)
    passed, accidental = (_disjoint(np.array(part)) for part in _photon_efficiencies())
    error = np.sqrt(np.abs(_disjoint(columns["beam_off_error"] ** 2)))
    ends = (*columns["R_gamma_above"][1:].tolist(), float("inf"))
    labels = tuple(("R_gamma", a, b, "1") for a, b in zip(columns["R_gamma_above"].tolist(), ends, strict=True))
    return _measurement(
        (_disjoint(columns["beam_on"]), _disjoint(columns["beam_off"]), error),
        _disjoint(columns["neutrino_background"]),
        (passed, accidental),
        detector.energy_bins(*window),
        common.appearance_sample(energy, length, events, flat),
        ("r-gamma", "LSND events of 20 to 60 MeV by R_gamma", labels),
        (pair, targets, flavours),
    )


def _measurement(off_and_on, neutrinos, tags, table, sample, about, options) -> LsndCounts:
    pair, targets, flavours = options
    kept = common.check_targets(targets)
    chain = common.lsnd_chain(table, pair, flavours)
    efficiency = load_record("lsnd/experiment").values["electron_efficiency"]
    stated = tuple(common.stated_choices(pair, targets, flavours).items())
    era, title, labels = about
    return LsndCounts(
        *(jnp.asarray(numbers) for numbers in (*off_and_on, neutrinos)),
        *(jnp.asarray(efficiency * tag) for tag in tags),
        chain=chain,
        appearance=sample,
        described=Described(era, title, stated, labels),
        targets=kept,
        nuisances=(*common.lsnd_nuisances(), common.background_nuisance()),
    )


def _photon_efficiencies() -> tuple[np.ndarray, np.ndarray]:
    """For R_gamma > 1, 10, 100: of events with a neutron, and of those without."""
    columns = load_record("lsnd/r_gamma").columns
    return columns["photon_efficiency"], columns["accidental_efficiency"]


def _disjoint(cumulative: np.ndarray) -> np.ndarray:
    return cumulative - np.append(cumulative[1:], 0.0)


def _edges(low: np.ndarray, high: np.ndarray) -> list[tuple[float, float]]:
    return list(zip(low.tolist(), high.tolist(), strict=True))

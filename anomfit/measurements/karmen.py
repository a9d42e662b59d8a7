"""KARMEN 2's null result (hep-ex/0203021): prompt energy of sequences with a delayed neutron capture, 16 to 52 MeV."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.beams.lampf import karmen_at_rest_beam, karmen_at_rest_flux, karmen_in_flight_beam
from anomfit.capabilities import PredictsAppearance, Upscatters, over_reactions
from anomfit.data import load_record
from anomfit.detectors import karmen as detector
from anomfit.detectors.lsnd import inverse_square
from anomfit.measurements import lsnd_common as common
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.described import Described, HasDescription
from anomfit.measurements.entries import Entry
from anomfit.measurements.flights import calorimeter_sentences
from anomfit.measurements.recoil_pairs import COMPONENTS, RecoilPairChain, pair_counts
from anomfit.parameters import Nuisance, Point
from anomfit.statistics.terms import poisson_log_likelihood, saturated_deviance
from anomfit.statistics.throws import poisson_counts

NAME = "karmen"
ERA = "prompt-energy"
TITLE = "KARMEN 2 prompt energy of neutron-tagged candidates, 16 to 52 MeV (null result)"


@dataclass(frozen=True)
class Karmen(HasDescription):
    """Nine bins of prompt energy; a signal of pairs with a neutron, or of anti-nu_e appearance."""

    counts: Float[Array, "bins"]
    background: Float[Array, "bins"]
    efficiency: Float[Array, ""]  # of the whole sequence, prompt and delayed
    chain: RecoilPairChain
    appearance: common.AppearanceSample
    described: Described
    nuisances: tuple[Nuisance, ...]  # signal, background, knock-out

    name = "karmen"
    accepts = (Upscatters, PredictsAppearance)
    samples = frozenset({"KARMEN 2 delayed-coincidence candidates"})
    references = ("arXiv:hep-ex/0203021", "arXiv:astro-ph/0302055", "arXiv:hep-ph/9903554")

    @property
    def independent_numbers(self) -> int:
        """One a bin."""
        return self.counts.size

    def bins(self) -> list[Bin]:
        """Candidates and background; errors: Poisson and the background's scale."""
        background = np.asarray(self.background)
        error = np.sqrt(background + (self.nuisances[1].sigma * background) ** 2)
        rows = zip(self.described.labels, np.asarray(self.counts), background, error, strict=True)
        return [Bin(*label, float(n), float(b), float(e)) for label, n, b, e in rows]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Sequences of a pair and a captured neutron, in flight (an upper bound) and at rest; or of appearance."""
        gain = self.nuisances[0].value_in(nuisances) * self.efficiency
        if isinstance(model, Upscatters):
            knock_out = self.nuisances[2].value_in(nuisances)
            counts, made = over_reactions(model, point, nuisances, lambda one: pair_counts(one, self.chain, knock_out))
            neutron = COMPONENTS.index("neutron")
            sources = ("in flight", "at rest")
            signal = {name: gain * counts[i, neutron] for i, name in enumerate(sources)}
            return Prediction(signal, {name: made[i, neutron] for i, name in enumerate(sources)})
        assert isinstance(model, PredictsAppearance)  # build_problem and predict check it for the user
        sample = self.appearance
        events = model.appearance_probability(point, sample.energy, sample.length) @ sample.events
        return Prediction({"appearance": gain * events}, {})

    def remarks(self, model: object, point: Point, nuisances: Point) -> Iterator[str]:
        """For a report: whether pairs fly farther than the detector is wide."""
        yield from calorimeter_sentences("KARMEN", model, point, nuisances, self.chain, energy=0.03)

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

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "Karmen":
        """Other counts, Poisson."""
        return replace(self, counts=poisson_counts(key, self._expectation(prediction, nuisances)))

    def _expectation(self, prediction: Prediction, nuisances: Point):
        return self.nuisances[1].value_in(nuisances) * self.background + prediction.total


jax.tree_util.register_dataclass(
    Karmen,
    data_fields=["counts", "background", "efficiency", "chain", "appearance"],
    meta_fields=["described", "nuisances"],
)


def load_karmen(flavours: str = "numu+numubar") -> Karmen:
    """The null result; flavours of the decay in flight: "numu+numubar" or "numu-only"."""
    values, table = load_record("karmen/experiment").values, load_record("karmen/prompt_energy").columns
    low, high = 1e-3 * table["E_lo_MeV"], 1e-3 * table["E_hi_MeV"]
    lengths = inverse_square(values["nearest"], values["farthest"], common.APPEARANCE_LENGTHS)
    energy, length, positron, events = common.appearance_nodes(lengths, karmen_at_rest_flux(), values["free_protons"])
    response = detector.energy_response(positron + detector.ANNIHILATION, low, high)
    radius = detector.sphere()
    stated = {
        "exposure and efficiency": "recalled from memory; their product is 5 % from the published full-mixing number",
        "decay in flight": "an upper bound: 1e-3 of decay at rest with the spectrum of LSND, which is harder",
        "pairs": "with a knocked-out neutron only; coherent events have no delayed capture",
        "beam flavours": flavours,
        "surroundings": "pairs born in the shielding are left out (a blockhouse of 7000 t of steel; recalled)",
    }
    return Karmen(
        counts=jnp.asarray(table["data"]),
        background=jnp.asarray(table["background"] * values["background"] / table["background"].sum()),
        efficiency=jnp.asarray(values["efficiency"]),
        chain=RecoilPairChain(
            sources=(karmen_in_flight_beam(flavours), karmen_at_rest_beam()),
            table=detector.energy_bins(low, high),
            ring="sum",
            nodes=common.NODES,
            spheres=(radius, radius),
        ),
        appearance=common.appearance_sample(energy, length, events, response),
        described=Described(
            ERA,
            TITLE,
            tuple(stated.items()),
            tuple(("E", a, b, "GeV") for a, b in zip(low.tolist(), high.tolist(), strict=True)),
        ),
        nuisances=_nuisances(values),
    )


def _nuisances(values: Mapping[str, float]) -> tuple[Nuisance, ...]:
    signal = values["full_mixing_error"] / values["full_mixing"]
    background = values["background_error"] / values["background"]
    return (
        Nuisance("karmen_signal", r"\epsilon_K", 1.0, signal, f"scale of a signal, {signal:.1%}: flux and efficiency"),
        Nuisance("karmen_background", r"B_K", 1.0, background, f"scale of the background, {background:.1%}"),
        common.knock_out_nuisance(),
    )


ENTRIES: Mapping[str, Entry] = {ERA: Entry(load_karmen, TITLE, "digitised", Karmen.references)}

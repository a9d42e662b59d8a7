"""LSND's events of 60 to 200 MeV, without and with a correlated neutron: pairs only, above muon decay at rest."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.capabilities import Upscatters
from anomfit.data import load_record
from anomfit.detectors import lsnd as detector
from anomfit.errors import reject
from anomfit.measurements import lsnd_common as common
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.described import Described, HasDescription
from anomfit.measurements.flights import calorimeter_sentences
from anomfit.measurements.recoil_pairs import RecoilPairChain
from anomfit.parameters import Nuisance, Point
from anomfit.statistics.terms import (
    barlow_beeston_deviance,
    poisson_barlow_beeston,
    poisson_log_likelihood,
    saturated_deviance,
)
from anomfit.statistics.throws import poisson_counts_over, two_sided_gaussian

SAMPLES = {
    "l98": "40 events over 21.9 +- 2.1 (nucl-ex/9706006, 1993-1995, both analyses)",
    "quoted": "an excess of 10.5 +- 4.9 (arXiv:2010.06159; analysis A of nucl-ex/9706006, 1993-1995)",
    "l01": "an excess of 8.1 +- 12.3 (hep-ex/0104049, 1993-1998)",
}
WINDOW = (0.060, 0.200)  # GeV


@dataclass(frozen=True)
class HighEnergyData:
    """counts over background +- error, Poisson; or, where counted is 0, an excess +- error (counts: the excess)."""

    counts: Float[Array, ""]
    background: Float[Array, ""]
    error: Float[Array, ""]
    counted: Float[Array, ""]
    with_neutron: Float[Array, ""]


@dataclass(frozen=True)
class LsndHighEnergy(HasDescription):
    """Two numbers: events without a correlated neutron over their background, and some six with one.

    No background is published for the second: every background from 0 up is allowed, so that it only counts against a
    signal of more than six events.
    """

    data: HighEnergyData
    selected: Float[Array, "2"]  # exposure share x electron efficiency, without and with a neutron
    photons: Float[Array, "2"]  # R_gamma > 10: of events without and with a neutron
    chain: RecoilPairChain
    described: Described
    targets: tuple[str, ...]
    nuisances: tuple[Nuisance, ...]  # flux, efficiency, photon, knock-out, efficiency above 60 MeV

    name = "lsnd"
    accepts = (Upscatters,)
    samples = frozenset({"LSND events of 60 to 200 MeV"})
    independent_numbers = 1  # the second, without a background, is a limit
    references = ("arXiv:nucl-ex/9706006", "arXiv:hep-ex/0104049", "arXiv:2010.06159")

    def bins(self) -> list[Bin]:
        """The two numbers; the second without a background, which was not published."""
        data = self.data
        spread = float(jnp.sqrt(data.error**2 + data.counted * data.background))
        first = (float(data.counts), float(data.background), spread)
        second = (float(data.with_neutron), 0.0, float(jnp.sqrt(data.with_neutron)))
        return [Bin(*label, *numbers) for label, numbers in zip(self.described.labels, (first, second), strict=True)]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Selected pairs by target; an event counts as one with a neutron when its photon has R_gamma > 10."""
        assert isinstance(model, Upscatters)  # build_problem and predict check it for the user
        _, efficiency, photon, _, high = self.nuisances
        gain = jnp.stack([high.value_in(nuisances), efficiency.value_in(nuisances)])
        found = self.photons * jnp.stack([jnp.asarray(1.0), photon.value_in(nuisances)])
        tags = jnp.stack([1.0 - found, found])  # (without, with a tag), (of events without, with a neutron)
        weight = (gain * self.selected)[:, None] * tags
        counts, made = common.pairs_by_component(model, point, nuisances, self.chain, self.targets)
        return Prediction(common.tagged(counts, weight[:, 1], weight[:, 0]), made)

    def remarks(self, model: object, point: Point, nuisances: Point) -> Iterator[str]:
        """For a report: whether pairs fly farther than the tank is wide."""
        yield from calorimeter_sentences("LSND, 60 to 200 MeV", model, point, nuisances, self.chain, energy=0.1)

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """Poisson (or Gaussian, for a published excess) and the one-sided Poisson of the second number."""
        data, (first, second) = self.data, prediction.total
        poisson = poisson_barlow_beeston(data.counts, first, data.background, data.error)
        gaussian = -0.5 * self._excess_pull(first) ** 2
        most = jnp.maximum(second, data.with_neutron)
        return jnp.where(data.counted > 0.0, poisson, gaussian) + poisson_log_likelihood(data.with_neutron, most)

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """The deviance from a perfect fit."""
        data, (first, second) = self.data, prediction.total
        deviance = barlow_beeston_deviance(data.counts, first, data.background, data.error)
        one = jnp.where(data.counted > 0.0, deviance, self._excess_pull(first) ** 2)
        return one + saturated_deviance(data.with_neutron, jnp.maximum(second, data.with_neutron))

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "2"]:
        """(data - expectation) over its error; the second is 0 below six events."""
        data, (first, second) = self.data, prediction.total
        expected = first + data.background
        poisson = (data.counts - expected) / jnp.sqrt(jnp.maximum(expected, 1e-6) + data.error**2)
        one = jnp.where(data.counted > 0.0, poisson, self._excess_pull(first))
        most = jnp.maximum(second, data.with_neutron)
        return jnp.stack([one, (data.with_neutron - most) / jnp.sqrt(most)])

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "LsndHighEnergy":
        """The first number thrown; the second has no expectation of its own and stays."""
        data, first = self.data, prediction.total[0]
        counts = poisson_counts_over(key, first, data.background, data.error)
        excess = two_sided_gaussian(key, first, data.error, data.error)
        return replace(self, data=replace(data, counts=jnp.where(data.counted > 0.0, counts, excess)))

    def _excess_pull(self, signal):
        return (self.data.counts - signal) / self.data.error


jax.tree_util.register_dataclass(
    HighEnergyData, data_fields=["counts", "background", "error", "counted", "with_neutron"], meta_fields=[]
)
jax.tree_util.register_dataclass(
    LsndHighEnergy,
    data_fields=["data", "selected", "photons", "chain"],
    meta_fields=["described", "targets", "nuisances"],
)


def load_high_energy(
    sample: str = "l98", pair: str = "sum", targets: str = "all", flavours: str = "numu+numubar"
) -> LsndHighEnergy:
    """Both numbers; sample: which statement about events without a neutron, one of SAMPLES; rest: load_l_over_e."""
    if sample not in SAMPLES:
        raise reject("sample", sample, f"use one of {', '.join(SAMPLES)}")
    values = load_record("lsnd/high_energy").values
    kept = common.check_targets(targets)
    window = np.array([WINDOW[0]] * 2), np.array([WINDOW[1]] * 2)
    counted = sample == "l98"
    data = HighEnergyData(
        counts=jnp.asarray(values["l98_events" if counted else f"{sample}_excess"]),
        background=jnp.asarray(values["l98_background"] if counted else 0.0),
        error=jnp.asarray(values["l98_background_error" if counted else f"{sample}_excess_error"]),
        counted=jnp.asarray(float(counted)),
        with_neutron=jnp.asarray(values["with_neutron"]),
    )
    share = 1.0 if sample == "l01" else load_record("lsnd/dif_flux").values["share_1993_1995"]
    low = load_record("lsnd/experiment").values["electron_efficiency"]
    table = load_record("lsnd/r_gamma").columns
    photons = [table["accidental_efficiency"][1], table["photon_efficiency"][1]]
    label = "without a correlated neutron, E", "with a correlated neutron, E"
    stated = {
        "sample": f"{sample}: {SAMPLES[sample]}",
        "with a neutron": "R_gamma > 10, whole exposure; no background was published, so any is allowed",
        **common.stated_choices(pair, targets, flavours),
    }
    return LsndHighEnergy(
        data=data,
        selected=jnp.asarray([share * values[f"{sample}_efficiency"], low]),
        photons=jnp.asarray(photons),
        chain=common.lsnd_chain(detector.energy_bins(*window), pair, flavours),
        described=Described(
            "high-energy",
            "LSND events of 60 to 200 MeV without and with a correlated neutron",
            tuple(stated.items()),
            tuple((words, *WINDOW, "GeV") for words in label),
        ),
        targets=kept,
        nuisances=(*common.lsnd_nuisances(), _efficiency_nuisance()),
    )


def _efficiency_nuisance() -> Nuisance:
    efficiency = load_record("lsnd/high_energy").values["efficiency_error"]
    return Nuisance(
        "lsnd_high_energy_efficiency",
        r"\epsilon_e^{>60}",
        1.0,
        float(np.hypot(efficiency, 0.2)),
        "electron efficiency above 60 MeV (15 %, recalled) and the share of 1993-1995 in the flux (0.5, 20 %)",
    )

"""Measurements with radiated scalars looked up in a table: same data, same likelihood, the exact rule's kernels."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from anomfit.constraints.base import Constraint
from anomfit.detectors import miniboone as detector
from anomfit.detectors.assumed_surroundings import births_factor
from anomfit.measurements.base import Prediction
from anomfit.measurements.miniboone import COMPONENTS, OUTSIDE, MiniBooneQuasiElastic
from anomfit.measurements.neutrino_electron import NeutrinoElectron, in_bins
from anomfit.measurements.stand_in import LooksPairsUp
from anomfit.parameters import Point
from anomfit.tables.radiated.counts import LookedUp, radiated


@dataclass(frozen=True)
class RadiatedMiniBoone(LooksPairsUp[MiniBooneQuasiElastic]):
    """`exact` with pairs from a table; outside of what the table holds the prediction is not a number."""

    exact: MiniBooneQuasiElastic
    looked_up: LookedUp

    @property
    def tables(self) -> tuple[LookedUp, ...]:
        """One."""
        return (self.looked_up,)

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Selected events in the bins by component; what is made before any efficiency is not in the table."""
        counts = self.looked_up.counts(radiated(model, point, nuisances))
        signal: dict[str, Array] = {name: counts[i].reshape(-1) for i, name in enumerate(COMPONENTS)}
        if self.exact.chain.beam.surroundings:
            signal[OUTSIDE] = births_factor(detector.NAME, nuisances) * counts[-1].reshape(-1)
        return Prediction(signal=signal, before_efficiency={})

    def holds_at(self, model: object, point: Point, nuisances: Point) -> Bool[Array, ""]:
        """Whether the table holds a physical point of the model."""
        return self.looked_up.holds(radiated(model, point, nuisances))


@dataclass(frozen=True)
class RadiatedElectronSample(LooksPairsUp[NeutrinoElectron]):
    """`exact`, a sample of neutrino-electron candidates, with the pairs of each of its detectors from a table."""

    exact: NeutrinoElectron
    looked_up: tuple[LookedUp, ...]

    @property
    def tables(self) -> tuple[LookedUp, ...]:
        """Of each detector."""
        return self.looked_up

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Selected pairs in each bin; what is made before any efficiency is not in the table."""
        reactions = radiated(model, point, nuisances)
        samples = zip(self.looked_up, self.exact.samples_of_pairs, strict=True)
        found = [in_bins(jnp.swapaxes(one.counts(reactions), 1, 2), nuisances, sample) for one, sample in samples]
        return Prediction(self.exact.by_component(jnp.concatenate(found, axis=-1)), {})

    def holds_at(self, model: object, point: Point, nuisances: Point) -> Bool[Array, ""]:
        """Whether the tables hold a physical point of the model."""
        reactions = radiated(model, point, nuisances)
        return jnp.all(jnp.stack([one.holds(reactions) for one in self.looked_up]))


@dataclass(frozen=True)
class RadiatedLimit(LooksPairsUp[Constraint]):
    """`exact`, a limit on the number of pairs in such a sample, with these looked up."""

    exact: Constraint
    sample: RadiatedElectronSample

    is_light = False

    @property
    def tables(self) -> tuple[LookedUp, ...]:
        """Of each detector."""
        return self.sample.tables

    @property
    def predicts_ratio(self) -> bool:
        """As the limit."""
        return self.exact.predicts_ratio

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """The ratio to the limit."""
        return self._fast().predict(model, point, nuisances)

    def holds_at(self, model: object, point: Point, nuisances: Point) -> Bool[Array, ""]:
        """Whether the tables hold a physical point of the model."""
        return self.sample.holds_at(model, point, nuisances)

    def _fast(self) -> Constraint:
        return replace(self.exact, data={**self.exact.data, "measured": self.sample})  # type: ignore[dict-item]


for kind, fields in (
    (RadiatedMiniBoone, ["exact", "looked_up"]),
    (RadiatedElectronSample, ["exact", "looked_up"]),
    (RadiatedLimit, ["exact", "sample"]),
):
    jax.tree_util.register_dataclass(kind, data_fields=fields, meta_fields=[])

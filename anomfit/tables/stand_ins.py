"""Measurements and limits with their pairs looked up: same data, same likelihood, the exact rule's kernels."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from anomfit.constraints.base import Constraint
from anomfit.detectors import miniboone as detector
from anomfit.detectors.assumed_surroundings import births_factor
from anomfit.measurements.base import Measurement, Prediction
from anomfit.measurements.miniboone import COMPONENTS, OUTSIDE, MiniBooneQuasiElastic
from anomfit.measurements.neutrino_electron import NeutrinoElectron, in_bins
from anomfit.measurements.stand_in import LooksPairsUp
from anomfit.parameters import Point
from anomfit.tables.counters import SAMPLE


class LookedUp(Protocol):
    """Pairs of a model in one detector, from a table."""

    @property
    def folder(self) -> Path:
        """Where the table is kept."""
        ...

    @property
    def table(self) -> Any:
        """With `megabytes`."""
        ...

    def counts(self, model: object, point: Point, nuisances: Point) -> Float[Array, "components beams bins"]:
        """Coherent and incoherent births inside, and births outside if there are any; not a number outside of the
        table.
        """
        ...

    def holds(self, model: object, point: Point, nuisances: Point) -> Bool[Array, ""]:
        """Whether the table holds the model at a physical point."""
        ...


@dataclass(frozen=True)
class TabulatedMiniBoone(LooksPairsUp[MiniBooneQuasiElastic]):
    """`exact` with pairs from a table."""

    exact: MiniBooneQuasiElastic
    looked_up: LookedUp

    @property
    def tables(self) -> tuple[LookedUp, ...]:
        """One."""
        return (self.looked_up,)

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Selected events in the bins by component; what is made before any efficiency is not in the table."""
        counts = self.looked_up.counts(model, point, nuisances)
        signal: dict[str, Array] = {name: counts[i].reshape(-1) for i, name in enumerate(COMPONENTS)}
        if self.exact.chain.beam.surroundings:
            signal[OUTSIDE] = births_factor(detector.NAME, nuisances) * counts[-1].reshape(-1)
        return Prediction(signal=signal, before_efficiency={})

    def holds_at(self, model: object, point: Point, nuisances: Point) -> Bool[Array, ""]:
        """Whether the table holds a physical point of the model."""
        return self.looked_up.holds(model, point, nuisances)


@dataclass(frozen=True)
class TabulatedElectronSample(LooksPairsUp[NeutrinoElectron]):
    """`exact`, a sample of neutrino-electron candidates, with the pairs of each of its detectors from a table."""

    exact: NeutrinoElectron
    looked_up: tuple[LookedUp, ...]

    @property
    def tables(self) -> tuple[LookedUp, ...]:
        """Of each detector."""
        return self.looked_up

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Selected pairs in each bin; what is made before any efficiency is not in the table."""
        samples = zip(self.looked_up, self.exact.samples_of_pairs, strict=True)
        found = [
            in_bins(jnp.swapaxes(one.counts(model, point, nuisances), 1, 2), nuisances, sample)
            for one, sample in samples
        ]
        return Prediction(self.exact.by_component(jnp.concatenate(found, axis=-1)), {})

    def holds_at(self, model: object, point: Point, nuisances: Point) -> Bool[Array, ""]:
        """Whether the tables hold a physical point of the model."""
        return jnp.all(jnp.stack([one.holds(model, point, nuisances) for one in self.looked_up]))


@dataclass(frozen=True)
class TabulatedLimit(LooksPairsUp[Constraint]):
    """`exact`, a limit on the number of pairs in such a sample, with these looked up."""

    exact: Constraint
    sample: TabulatedElectronSample

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
        data = {**self.exact.data, SAMPLE: self.sample}
        return replace(self.exact, data=data).predict(model, point, nuisances)  # type: ignore[arg-type]

    def holds_at(self, model: object, point: Point, nuisances: Point) -> Bool[Array, ""]:
        """Whether the tables hold a physical point of the model."""
        return self.sample.holds_at(model, point, nuisances)


for kind, fields in (
    (TabulatedMiniBoone, ["exact", "looked_up"]),
    (TabulatedElectronSample, ["exact", "looked_up"]),
    (TabulatedLimit, ["exact", "sample"]),
):
    jax.tree_util.register_dataclass(kind, data_fields=fields, meta_fields=[])


def with_tables_of(exact: Measurement, looked_up: tuple[LookedUp, ...]) -> Measurement:
    """What stands in for a measurement or limit that counts pairs in these detectors (`counters.counters_of`)."""
    if isinstance(exact, MiniBooneQuasiElastic):
        return TabulatedMiniBoone(exact, looked_up[0])
    if isinstance(exact, NeutrinoElectron):
        return TabulatedElectronSample(exact, looked_up)
    assert isinstance(exact, Constraint)
    sample = exact.data[SAMPLE]
    assert isinstance(sample, NeutrinoElectron)
    return TabulatedLimit(exact, TabulatedElectronSample(sample, looked_up))

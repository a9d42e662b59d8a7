"""A measurement predicted with a quarter of its quadrature nodes or less; weights make draws of it exact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from anomfit.measurements.base import Limit, Measurement, Prediction, is_light
from anomfit.measurements.stand_in import FromExact
from anomfit.parameters import Point
from anomfit.rates.fewer_nodes import with_fewer_nodes

# of production energies; with an eighth, ln L of the rows of CHARM-II and MINERvA is off by 0.06 at a tenth of points
SHARE = 0.25


@runtime_checkable
class ChoosesShare(Protocol):
    """A measurement whose errors are so large that a share of its own is enough."""

    @property
    def share_of_nodes(self) -> float:
        """Of production energies; the square root of it of all other nodes."""
        ...


def share_of(measurement: Measurement) -> float:
    """The share of nodes that stand in for all of the measurement's."""
    return measurement.share_of_nodes if isinstance(measurement, ChoosesShare) else SHARE


@dataclass(frozen=True)
class Coarse(FromExact[Measurement]):
    """`exact` with predictions of `coarse`, the same measurement with fewer nodes: it stands in for it."""

    exact: Measurement
    coarse: Measurement

    is_looked_up = False

    @property
    def title(self) -> str:
        """That of the measurement, and that its nodes are few."""
        return f"{self.exact.title}, few nodes"

    @property
    def choices(self) -> Mapping[str, str]:
        """Those of the measurement, and the share of nodes."""
        return {**self.exact.choices, "nodes": f"{share_of(self.exact):g} of the exact rule's"}

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """With few nodes."""
        return self.coarse.predict(model, point, nuisances)

    def holds_at(self, model: object, point: Point, nuisances: Point) -> Bool[Array, ""]:
        """Everywhere."""
        return jnp.array(True)


@dataclass(frozen=True)
class CoarseLimit(Coarse):
    """A limit that is an integral, with few nodes."""

    exact: Limit  # type: ignore[assignment]

    @property
    def is_light(self) -> bool:
        """It is an integral still."""
        return False

    @property
    def predicts_ratio(self) -> bool:
        """As the limit."""
        return self.exact.predicts_ratio


for kind in (Coarse, CoarseLimit):
    jax.tree_util.register_dataclass(kind, data_fields=["exact", "coarse"], meta_fields=[])


def coarse(measurement: Measurement) -> Measurement:
    """The measurement with few nodes, as a stand-in; itself, where no pairs of a beam are counted on nodes."""
    few = with_fewer_nodes(measurement, share_of(measurement))
    if few is measurement or is_light(measurement):
        return measurement
    return CoarseLimit(measurement, few) if isinstance(measurement, Limit) else Coarse(measurement, few)

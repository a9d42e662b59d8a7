"""A measurement predicted with a quarter of its quadrature nodes, for samplers; weights make their draws exact."""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from anomfit.measurements.base import Bin, ChoosesNuisances, Limit, Measurement, Prediction, is_light
from anomfit.parameters import Nuisance, Point
from anomfit.rates.fewer_nodes import with_fewer_nodes

# of production energies; with an eighth, ln L of the rows of CHARM-II and MINERvA is off by 0.06 at a tenth of points
SHARE = 0.25


@dataclass(frozen=True)
class Coarse:
    """`exact` with predictions of `coarse`, the same measurement with fewer nodes: it stands in for it."""

    exact: Measurement
    coarse: Measurement

    @property
    def name(self) -> str:
        """That of the measurement."""
        return self.exact.name

    @property
    def era(self) -> str:
        """That of the measurement."""
        return self.exact.era

    @property
    def title(self) -> str:
        """That of the measurement, and that its nodes are few."""
        return f"{self.exact.title}, few nodes"

    @property
    def samples(self) -> frozenset[str]:
        """Those of the measurement."""
        return self.exact.samples

    @property
    def accepts(self):
        """As the measurement."""
        return self.exact.accepts

    @property
    def references(self) -> tuple[str, ...]:
        """Those of the measurement."""
        return self.exact.references

    @property
    def nuisances(self) -> tuple[Nuisance, ...]:
        """Those of the measurement."""
        return self.exact.nuisances

    @property
    def choices(self) -> Mapping[str, str]:
        """Those of the measurement, and the share of nodes."""
        return {**self.exact.choices, "nodes": f"{SHARE:g} of the exact rule's"}

    @property
    def independent_numbers(self) -> int:
        """As the measurement."""
        return self.exact.independent_numbers

    def nuisances_for(self, model: object) -> tuple[Nuisance, ...]:
        """As the measurement."""
        return self.exact.nuisances_for(model) if isinstance(self.exact, ChoosesNuisances) else self.exact.nuisances

    def bins(self) -> list[Bin]:
        """As the measurement."""
        return self.exact.bins()

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """With few nodes."""
        return self.coarse.predict(model, point, nuisances)

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """As the measurement."""
        return self.exact.log_likelihood(prediction, nuisances)

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """As the measurement."""
        return self.exact.chi_squared(prediction, nuisances)

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "bins"]:
        """As the measurement."""
        return self.exact.pulls(prediction, nuisances)

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
    few = with_fewer_nodes(measurement, SHARE)
    if few is measurement or is_light(measurement):
        return measurement
    return CoarseLimit(measurement, few) if isinstance(measurement, Limit) else Coarse(measurement, few)

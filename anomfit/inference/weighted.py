"""A problem with weights on its measurements: parts of the data, through one compiled program."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.measurements.base import Bin, Measurement, Prediction
from anomfit.parameters import Nuisance, Point
from anomfit.problem import Problem


@dataclass(frozen=True)
class Weighted:
    """A measurement whose likelihood counts `weight` times; with weight 0 nothing of it is computed."""

    measurement: Measurement
    weight: Float[Array, ""]

    @property
    def name(self) -> str:
        """The measurement's."""
        return self.measurement.name

    @property
    def era(self) -> str:
        """The measurement's."""
        return self.measurement.era

    @property
    def title(self) -> str:
        """The measurement's."""
        return self.measurement.title

    @property
    def samples(self) -> frozenset[str]:
        """The measurement's."""
        return self.measurement.samples

    @property
    def accepts(self) -> tuple[type, ...]:
        """The measurement's."""
        return self.measurement.accepts

    @property
    def nuisances(self) -> tuple[Nuisance, ...]:
        """The measurement's."""
        return self.measurement.nuisances

    @property
    def references(self) -> tuple[str, ...]:
        """The measurement's."""
        return self.measurement.references

    @property
    def choices(self) -> Mapping[str, str]:
        """The measurement's."""
        return self.measurement.choices

    @property
    def independent_numbers(self) -> int:
        """The measurement's."""
        return self.measurement.independent_numbers

    def bins(self) -> list[Bin]:
        """The measurement's."""
        return self.measurement.bins()

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """The measurement's prediction, zeros where it has no weight."""

        def computed(given):
            return self.measurement.predict(model, *given)

        shapes = jax.eval_shape(computed, (point, nuisances))
        nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
        return jax.lax.cond(self.weight > 0.0, computed, lambda given: nothing, (point, nuisances))

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """ln L times the weight."""
        found = self.measurement.log_likelihood(prediction, nuisances)
        return self.weight * jnp.where(self.weight > 0.0, found, 0.0)

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """chi^2 times the weight."""
        return self.weight * self.measurement.chi_squared(prediction, nuisances)

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "bins"]:
        """The measurement's."""
        return self.measurement.pulls(prediction, nuisances)


jax.tree_util.register_dataclass(Weighted, data_fields=["measurement", "weight"], meta_fields=[])


def weighted(problem: Problem, subset: frozenset[int]) -> Problem:
    """The problem with the likelihoods of the measurements in `subset` alone; nuisances and parameters stay."""
    measurements = tuple(
        Weighted(measurement, jnp.asarray(float(i in subset))) for i, measurement in enumerate(problem.measurements)
    )
    return replace(problem, measurements=measurements)

"""What a faster copy of a measurement takes from the measurement itself: all but its prediction and its title."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Generic, Self, TypeVar

from jaxtyping import Array, Float

from anomfit.measurements.base import Bin, CanBeThrown, ChoosesNuisances, Measurement, Needs, Prediction
from anomfit.parameters import Nuisance, Point

M = TypeVar("M", bound=Measurement)


class FromExact(Generic[M]):
    """Data, nuisances and likelihood of the field `exact`, for a class that stands in for it (`base.StandsIn`)."""

    exact: M

    @property
    def name(self) -> str:
        """That of the measurement."""
        return self.exact.name

    @property
    def era(self) -> str:
        """That of the measurement."""
        return self.exact.era

    @property
    def samples(self) -> frozenset[str]:
        """Those of the measurement."""
        return self.exact.samples

    @property
    def accepts(self) -> tuple[Needs, ...]:
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
    def independent_numbers(self) -> int:
        """As the measurement."""
        return self.exact.independent_numbers

    def nuisances_for(self, model: object) -> tuple[Nuisance, ...]:
        """As the measurement."""
        return self.exact.nuisances_for(model) if isinstance(self.exact, ChoosesNuisances) else self.exact.nuisances

    def bins(self) -> list[Bin]:
        """As the measurement."""
        return self.exact.bins()

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """As the measurement."""
        return self.exact.log_likelihood(prediction, nuisances)

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """As the measurement."""
        return self.exact.chi_squared(prediction, nuisances)

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "bins"]:
        """As the measurement."""
        return self.exact.pulls(prediction, nuisances)

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> Self:
        """With the measurement's data thrown; itself where the measurement has none to throw."""
        if not isinstance(self.exact, CanBeThrown):
            return self
        return replace(self, exact=self.exact.simulate(prediction, nuisances, key))  # type: ignore[type-var]


class LooksPairsUp(FromExact[M]):
    """A stand-in whose pairs come from a table."""

    is_looked_up = True

    @property
    def title(self) -> str:
        """That of the measurement, and that its pairs are looked up."""
        return f"{self.exact.title}, pairs from a table"

    @property
    def choices(self) -> Mapping[str, str]:
        """Those of the measurement, and the table."""
        return {**self.exact.choices, "pairs": "from a table of kernels, made by the exact rule"}

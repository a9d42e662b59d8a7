"""What a measurement is: data, a prediction, and the comparison of the two; what some of them offer besides."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol, Self, runtime_checkable

from jaxtyping import Array, Bool, Float

from anomfit.capabilities import Needs
from anomfit.parameters import Nuisance, Point


class Bin(NamedTuple):
    """One bin or number as a user sees it; edges in `unit`. A pure number (g-2) has low = high = nan."""

    label: str
    low: float
    high: float
    unit: str
    data: float
    background: float
    error: float  # one standard deviation of data - background, statistical and systematic


class Prediction(NamedTuple):
    """A model's signal in every bin of a measurement, by component; `before_efficiency` holds totals."""

    signal: Mapping[str, Float[Array, "bins"]]
    before_efficiency: Mapping[str, Float[Array, ""]]

    @property
    def total(self) -> Float[Array, "bins"]:
        """The sum of the components."""
        return sum(self.signal.values())  # type: ignore[return-value]


@runtime_checkable
class Measurement(Protocol):
    """Data with a prediction and a log-likelihood; a registered pytree whose arrays are the data.

    `samples` names the data samples used, to refuse the same events twice; `accepts` the capabilities, any of which a
    model must have; `choices` the options in force, in words, for reports.
    """

    @property
    def name(self) -> str:
        """The name in commands and cards."""
        ...

    @property
    def era(self) -> str:
        """The data's era or projection."""
        ...

    @property
    def title(self) -> str:
        """One line for a listing."""
        ...

    @property
    def samples(self) -> frozenset[str]:
        """The data samples used."""
        ...

    @property
    def accepts(self) -> tuple[Needs, ...]:
        """Capabilities, any of which will do."""
        ...

    @property
    def nuisances(self) -> tuple[Nuisance, ...]:
        """Parameters of the measurement that other data constrain."""
        ...

    @property
    def references(self) -> tuple[str, ...]:
        """Keys of data/references.toml."""
        ...

    @property
    def choices(self) -> Mapping[str, str]:
        """The options in force, in words."""
        ...

    @property
    def independent_numbers(self) -> int:
        """How many measured numbers chi^2 sums over: the degrees of freedom that goodness of fit starts from.

        It may be more than the bins shown (MiniBooNE's 22 nu_e bins come with 16 of nu_mu), and is 0 for a limit, for
        data that are not public, and for a number that no point of a model moves.
        """
        ...

    def bins(self) -> list[Bin]:
        """The data as a table."""
        ...

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """The model's signal at a physical point; nuisances by name, as values."""
        ...

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """ln L up to a constant of the data; nuisance penalties are added elsewhere, once."""
        ...

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """The quadratic form (or the saturated Poisson deviance) that goodness of fit reports."""
        ...

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "bins"]:
        """(data - background - signal) / error in each bin of `bins()`."""
        ...


@runtime_checkable
class CanBeThrown(Protocol):
    """A measurement whose data can be drawn anew from its own likelihood, for toys and posterior-predictive checks."""

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> Self:
        """The measurement with data thrown at a prediction; every other leaf is the same object."""
        ...


@runtime_checkable
class PredictionAlone(Protocol):
    """What is asked for with `predict`, and never fitted where it says so."""

    @property
    def without_data(self) -> bool:
        """Whether nothing is there to compare the prediction with."""
        ...


@runtime_checkable
class HasRemarks(Protocol):
    """A measurement that says in a report how its prediction depends on what no data settle."""

    def remarks(self, model: object, point: Point, nuisances: Point) -> Iterator[str]:
        """Sentences at a physical point."""
        ...


@runtime_checkable
class ChoosesNuisances(Protocol):
    """A measurement with nuisances that not every model's prediction depends on."""

    def nuisances_for(self, model: object) -> tuple[Nuisance, ...]:
        """Those of its `nuisances` that this model's does."""
        ...


@runtime_checkable
class CountsInteractions(Protocol):
    """A measurement in a beam that says what a model makes there, whatever becomes of it."""

    def interactions(self, model: object, point: Point, nuisances: Point) -> Mapping[str, Float[Array, ""]]:
        """Interactions before any decay or efficiency, by state of the target; {} of a model that makes nothing."""
        ...


@runtime_checkable
class StandsIn(Protocol):
    """A faster copy of a measurement, such as one from a table: not a number where it does not hold, and the exact one
    is asked there.
    """

    @property
    def exact(self) -> Measurement:
        """The measurement itself, with the same data, nuisances and parts of the signal."""
        ...

    @property
    def is_looked_up(self) -> bool:
        """Whether its prediction comes from a table, in a tenth of a millisecond."""
        ...

    def holds_at(self, model: object, point: Point, nuisances: Point) -> Bool[Array, ""]:
        """Whether the copy holds at a physical point."""
        ...


@runtime_checkable
class Limit(Protocol):
    """A measurement that is there to be respected, rather than data to be described."""

    @property
    def is_light(self) -> bool:
        """Whether it is no integral: cheap to work out and to compile."""
        ...

    @property
    def predicts_ratio(self) -> bool:
        """Whether its one number is the ratio of the prediction to the limit, rather than a measured number."""
        ...


def is_limit(measurement: object) -> bool:
    """Whether a measurement is there to be respected, rather than data to be described."""
    return isinstance(measurement, Limit)


def is_light(measurement: object) -> bool:
    """Whether a measurement is a limit that is no integral."""
    return isinstance(measurement, Limit) and measurement.is_light


@runtime_checkable
class Quick(Protocol):
    """A measurement that says whether its prediction is a formula or a loop integral, without a beam and a detector."""

    @property
    def is_quick(self) -> bool:
        """Whether it takes microseconds."""
        ...


def is_quick(measurement: object) -> bool:
    """Whether a measurement takes microseconds, as limits without integrals do: samplers look there first."""
    return is_light(measurement) or (isinstance(measurement, Quick) and measurement.is_quick)


def is_looked_up(measurement: object) -> bool:
    """Whether a measurement stands in for another one by a table."""
    return isinstance(measurement, StandsIn) and measurement.is_looked_up


def is_lean(measurement: object) -> bool:
    """Whether a point costs little more than the calls of its operations, as look-ups, formulas and few nodes do: some
    points together take less time each.
    """
    return isinstance(measurement, StandsIn) or is_light(measurement)


def is_prediction_alone(measurement: object) -> bool:
    """Whether a measurement has no data to fit."""
    return isinstance(measurement, PredictionAlone) and measurement.without_data

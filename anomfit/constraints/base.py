"""What a constraint is: a pure prediction from a model's physical point, data of the limit, and a smooth penalty.

A constraint is a measurement with one number, so that a card can list it. That number is the ratio of the prediction to
the 90 % CL limit, or, where the quantity has been measured, what new physics adds to it. A hint is no limit: its number
is the ratio to what the excess asks for, with the `local` standard deviations of it among the data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.capabilities import HasLightBosons as HasLightBosons  # for the families of constraints
from anomfit.capabilities import Needs
from anomfit.data import Record
from anomfit.measurements.base import Bin, Prediction
from anomfit.parameters import Nuisance, Point
from anomfit.statistics.limits import Z_90, curve_log_likelihood, rate_log_likelihood
from anomfit.statistics.terms import gaussian_log_likelihood, minus_two
from anomfit.statistics.throws import two_sided_gaussian

Kind = Literal[
    "upper limit", "measured", "curve", "region", "projection", "no public data", "recalled", "argument", "hint"
]

KINDS: Mapping[Kind, str] = {
    "upper limit": "90 % CL upper limit on a rate: half-Gaussian with sigma = limit/1.645",
    "measured": "measured number: Gaussian",
    "curve": "curve in mass and coupling: half-Gaussian in log10(coupling/limit), width 0.1",
    "region": "region of a displaced search: half-Gaussian in log10(events/limit)/2, width 0.1",
    "projection": "projection: never enters a likelihood",
    "no public data": "the limit is not public as numbers: prediction only",
    "argument": "a paper's comparison of cross sections, no data of its own: never enters a likelihood",
    "hint": "the largest excess of a search, at a mass that the search chose: never enters a likelihood",
    "recalled": "a number of the limit was written from memory and not read again: never enters a likelihood",
}
IN_FITS: tuple[Kind, ...] = ("upper limit", "measured", "curve", "region")
SIGMAS = ("sigma_minus", "sigma_plus")
NOT_IN_TABLE = float("nan")
"""A limit that nobody has published: the mass lies outside the digitised range."""


class Outcome(NamedTuple):
    """What a constraint says at a point; `limit` is infinite where the search cannot see it, `ratio` is then about 0.

    ratio = predicted/limit, finite and differentiable everywhere; for "measured" |predicted - limit|/(1.645 sigma).
    limit is `NOT_IN_TABLE` at a mass for which nothing is published; ratio then says how far away the table ends.
    """

    predicted: Float[Array, ""]
    limit: Float[Array, ""]
    ratio: Float[Array, ""]


@dataclass(frozen=True)
class About:
    """What a reader wants to know; `ceiling` is the largest value that means anything (1 for a branching ratio)."""

    name: str
    title: str
    quantity: str
    unit: str
    kind: Kind
    era: str
    source: str
    assumption: str
    references: tuple[str, ...]
    ceiling: float = float("inf")
    accepts: tuple[Needs, ...] = ()
    other_spins: str = ""  # why it says nothing of light bosons of another spin than it accepts
    samples: tuple[str, ...] = ()
    without: float = 0.0  # the predicted quantity without new physics: the background of a measured number
    varies: bool = True  # False: the same prediction whatever the point


def about_record(record: Record, **words: Any) -> About:
    """What a record of data says of itself, completed, or replaced, by `words`."""
    own = {"title": record.title, "source": record.source, "references": record.references}
    return About(**{**own, **words})


Physics = Callable[..., Outcome]  # of model, point, nuisances, data


@dataclass(frozen=True)
class Constraint:
    """A constraint; `data` are leaves, the rest is static. `physics` is a function of model, point, nuisances, data.

    `integral`: the prediction is an integral with many nodes, whose slopes are cheaper backwards (`Problem`).
    `exempt`: a capability; the prediction of a model that offers it depends on none of the nuisances.
    """

    data: Mapping[str, ArrayLike]
    about: About
    physics: Physics

    nuisances: tuple[Nuisance, ...] = ()
    integral: bool = False
    exempt: type | None = None

    def nuisances_for(self, model: object) -> tuple[Nuisance, ...]:
        """Those that this model's prediction depends on."""
        return () if self.exempt is not None and isinstance(model, self.exempt) else self.nuisances

    @property
    def name(self) -> str:
        """The name in commands and cards."""
        return self.about.name

    @property
    def era(self) -> str:
        """When the data were taken or published."""
        return self.about.era

    @property
    def title(self) -> str:
        """One line for a listing."""
        return self.about.title

    @property
    def samples(self) -> frozenset[str]:
        """The data behind it: the constraint's own name, unless it shares data with a measurement."""
        return frozenset(self.about.samples or (self.about.name,))

    @property
    def accepts(self) -> tuple[Needs, ...]:
        """Capabilities, any of which will do; a tuple of them is needed together."""
        return self.about.accepts

    @property
    def references(self) -> tuple[str, ...]:
        """Keys of data/references.toml."""
        return self.about.references

    @property
    def choices(self) -> Mapping[str, str]:
        """What it assumes and how it enters a likelihood."""
        return {"assumption": self.about.assumption, "likelihood": KINDS[self.about.kind]}

    @property
    def independent_numbers(self) -> int:
        """1 for a measured number that some point of a model moves, 0 for a limit."""
        return int(self._is_measured and self.about.varies)

    @property
    def is_light(self) -> bool:
        """Whether it is no integral (capability Limit of measurements)."""
        return not self.integral

    @property
    def predicts_ratio(self) -> bool:
        """Whether its one number is the ratio to a limit, rather than a measured number."""
        return not self._is_measured

    @property
    def fails_without(self) -> bool:
        """Whether a measured number disagrees with no new physics at 90 % CL: then it says nothing against a model."""
        if not self._is_measured:
            return False
        value, below, above = (float(np.asarray(self.data[name])) for name in ("value", *SIGMAS))
        return abs(self.about.without - value) > Z_90 * (above if self.about.without > value else below)

    def outcome(self, model: object, point: Point, nuisances: Point) -> Outcome:
        """Prediction, limit and ratio at a physical point."""
        return self.physics(model, point, nuisances, self.data)

    def bins(self) -> list[Bin]:
        """One entry: the measured number with the mean of its errors, or 0 +- 1/1.645 in units of a limit.

        What a measured quantity is without new physics stands as its background.
        """
        nan, quantity = float("nan"), self.about.quantity
        if not self._is_measured:
            return [Bin(quantity, nan, nan, "of the limit", 0.0, 0.0, 1.0 / Z_90)]
        error = float(np.mean([np.asarray(self.data[name]) for name in SIGMAS]))
        value = float(np.asarray(self.data["value"]))
        return [Bin(quantity, nan, nan, self.about.unit, value, self.about.without, error)]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """One bin: what new physics adds to a measured quantity, or the ratio to the limit.

        The quantity itself stands in `before_efficiency`.
        """
        return self.prediction_of(self.outcome(model, point, nuisances))

    def prediction_of(self, found: Outcome) -> Prediction:
        """An outcome as the prediction of a measurement."""
        added = found.predicted - self.about.without
        name, number = ("new physics", added) if self._is_measured else ("of the limit", found.ratio)
        return Prediction({name: jnp.reshape(number, (1,))}, {"predicted": found.predicted})

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "Constraint":
        """With the measured number thrown; a limit has no data and stays as it is."""
        if not self._is_measured:
            return self
        predicted = self.about.without + prediction.total[0]
        thrown = two_sided_gaussian(key, predicted, *(jnp.asarray(self.data[name]) for name in SIGMAS))
        return replace(self, data={**self.data, "value": thrown})

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """ln L as its kind has it, 0 well inside what is allowed and for what never enters a likelihood."""
        ratio, kind = prediction.total[0], self.about.kind
        if kind == "measured":
            residual = self.about.without + ratio - self.data["value"]
            return gaussian_log_likelihood(residual, *(jnp.asarray(self.data[name]) for name in SIGMAS))
        if kind == "upper limit":
            return rate_log_likelihood(ratio)
        if kind == "curve":
            return curve_log_likelihood(ratio)
        if kind == "region":
            positive = ratio > 0.0
            return curve_log_likelihood(jnp.where(positive, jnp.sqrt(jnp.where(positive, ratio, 1.0)), 0.0))
        return jnp.zeros_like(ratio)

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """-2 ln L."""
        return minus_two(self.log_likelihood(prediction, nuisances))

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "1"]:
        """(measured - predicted) over the error on the prediction's side; -sqrt(chi^2) of a limit, which pulls down."""
        chi_squared = self.chi_squared(prediction, nuisances)
        positive = chi_squared > 0.0
        size = jnp.where(positive, jnp.sqrt(jnp.where(positive, chi_squared, 1.0)), 0.0)
        below = self.about.without + prediction.total < self.data["value"] if self._is_measured else False
        return jnp.reshape(jnp.where(below, size, -size), (1,))

    @property
    def _is_measured(self) -> bool:
        return self.about.kind == "measured"


jax.tree_util.register_dataclass(
    Constraint, data_fields=["data"], meta_fields=["about", "physics", "nuisances", "integral", "exempt"]
)


def against_upper_limit(predicted: ArrayLike, limit: ArrayLike, reach: ArrayLike = 1.0) -> Outcome:
    """Prediction against an upper limit of a search that sees the share `reach` (0 to 1) of what is predicted."""
    predicted, limit, reach = jnp.asarray(predicted), jnp.asarray(limit), jnp.asarray(reach)
    sees = reach > 1e-300
    weakened = jnp.where(sees, limit / jnp.where(sees, reach, 1.0), jnp.inf)
    return Outcome(predicted, weakened, predicted * reach / limit)


def against_measurement(predicted: ArrayLike, data: Mapping[str, ArrayLike]) -> Outcome:
    """Prediction against the measured number of `data`: value, sigma_minus, sigma_plus (as `measured_number` has them).

    sigma_plus is the error for predictions above the value.
    """
    predicted, value = jnp.asarray(predicted), jnp.asarray(data["value"])
    sigma = jnp.where(predicted > value, data["sigma_plus"], data["sigma_minus"])
    return Outcome(predicted, value, jnp.abs(predicted - value) / (Z_90 * sigma))


def measured_number(value: ArrayLike, sigma: ArrayLike, sigma_plus: ArrayLike | None = None) -> dict[str, np.ndarray]:
    """The leaves of a measured number; with `sigma_plus`, `sigma` is the error for predictions below the value."""
    upper = sigma if sigma_plus is None else sigma_plus
    return {name: np.asarray(x, dtype=float) for name, x in zip(("value", *SIGMAS), (value, sigma, upper))}

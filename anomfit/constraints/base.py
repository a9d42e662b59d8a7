"""What a constraint is: a pure prediction from a model's physical point, data of the limit, and a smooth penalty.

A constraint is a measurement with one number, so that a card can list it. That number is the ratio of the prediction to
the 90 % CL limit; a measured rate has the distance from the measurement over 1.645 standard deviations instead.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.capabilities import PredictsLightScalars as PredictsLightScalars  # for the families of constraints
from anomfit.measurements.base import Bin, Prediction
from anomfit.parameters import Nuisance, Point
from anomfit.statistics.limits import Z_90, curve_log_likelihood, rate_log_likelihood

Kind = Literal["upper limit", "measured", "curve", "region", "projection", "no public data"]

KINDS: Mapping[Kind, str] = {
    "upper limit": "90 % CL upper limit on a rate: half-Gaussian with sigma = limit/1.645",
    "measured": "measured number: Gaussian",
    "curve": "curve in mass and coupling: half-Gaussian in log10(coupling/limit), width 0.1",
    "region": "region of a displaced search: half-Gaussian in log10(events/limit)/2, width 0.1",
    "projection": "projection: never enters a likelihood",
    "no public data": "the limit is not public as numbers: prediction only",
}
IN_FITS: tuple[Kind, ...] = ("upper limit", "measured", "curve", "region")


class Outcome(NamedTuple):
    """What a constraint says at a point; `limit` is infinite where the search cannot see it, `ratio` is then about 0.

    ratio = predicted/limit, finite and differentiable everywhere; for "measured" |predicted - limit|/(1.645 sigma).
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
    accepts: tuple[type, ...] = ()
    samples: tuple[str, ...] = ()


Physics = Callable[..., Outcome]  # of model, point, nuisances, data


@dataclass(frozen=True)
class Constraint:
    """A constraint; `data` are leaves, the rest is static. `physics` is a function of model, point, nuisances, data.

    `integral`: the prediction is an integral with many nodes, whose slopes are cheaper backwards (`Problem`).
    """

    data: Mapping[str, ArrayLike]
    about: About
    physics: Physics

    nuisances: tuple[Nuisance, ...] = ()
    integral: bool = False

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
    def accepts(self) -> tuple[type, ...]:
        """Capabilities, any of which will do."""
        return self.about.accepts

    @property
    def references(self) -> tuple[str, ...]:
        """Keys of data/references.toml."""
        return self.about.references

    @property
    def choices(self) -> Mapping[str, str]:
        """What it assumes and how it enters a likelihood."""
        return {"assumption": self.about.assumption, "likelihood": KINDS[self.about.kind]}

    def outcome(self, model: object, point: Point, nuisances: Point) -> Outcome:
        """Prediction, limit and ratio at a physical point."""
        return self.physics(model, point, nuisances, self.data)

    def bins(self) -> list[Bin]:
        """One entry in units of the limit: 0 +- 1/1.645."""
        return [Bin(self.about.quantity, float("nan"), float("nan"), "of the limit", 0.0, 0.0, 1.0 / Z_90)]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """The ratio to the limit as one bin; the prediction itself in `before_efficiency`."""
        found = self.outcome(model, point, nuisances)
        return Prediction(
            signal={"of the limit": jnp.reshape(found.ratio, (1,))}, before_efficiency={"predicted": found.predicted}
        )

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """ln L as its kind has it, 0 well inside what is allowed and for what never enters a likelihood."""
        ratio = prediction.total[0]
        kind = self.about.kind
        if kind in ("upper limit", "measured"):
            return rate_log_likelihood(ratio)
        if kind == "curve":
            return curve_log_likelihood(ratio)
        if kind == "region":
            positive = ratio > 0.0
            return curve_log_likelihood(jnp.where(positive, jnp.sqrt(jnp.where(positive, ratio, 1.0)), 0.0))
        return jnp.zeros_like(ratio)

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """-2 ln L."""
        return -2.0 * self.log_likelihood(prediction, nuisances)

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "1"]:
        """-sqrt(chi^2): a limit only pulls down."""
        chi_squared = self.chi_squared(prediction, nuisances)
        positive = chi_squared > 0.0
        return -jnp.reshape(jnp.where(positive, jnp.sqrt(jnp.where(positive, chi_squared, 1.0)), 0.0), (1,))


jax.tree_util.register_dataclass(
    Constraint, data_fields=["data"], meta_fields=["about", "physics", "nuisances", "integral"]
)


def against_upper_limit(predicted: ArrayLike, limit: ArrayLike, reach: ArrayLike = 1.0) -> Outcome:
    """Prediction against an upper limit of a search that sees the share `reach` (0 to 1) of what is predicted."""
    predicted, limit, reach = jnp.asarray(predicted), jnp.asarray(limit), jnp.asarray(reach)
    sees = reach > 1e-300
    weakened = jnp.where(sees, limit / jnp.where(sees, reach, 1.0), jnp.inf)
    return Outcome(predicted, weakened, predicted * reach / limit)


def against_measurement(predicted, value, sigma) -> Outcome:
    """Prediction against a measured number with one standard deviation `sigma`."""
    return Outcome(jnp.asarray(predicted), jnp.asarray(value), jnp.abs(predicted - value) / (Z_90 * sigma))

"""The table of a point: every constraint with its prediction, limit, ratio and verdict."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.capabilities import Model, offers
from anomfit.constraints.base import Constraint
from anomfit.explaining import explained
from anomfit.parameters import Point
from anomfit.plain_json import finite_or_none
from anomfit.precision import require_double_precision
from anomfit.statistics.limits import Z_90

AGAINST = ("excluded", "in tension")  # verdicts against a point at 90 % CL
NOT_A_NUMBER = "not a number"  # the verdict where a model predicts NaN
BEYOND_THE_TABLE = "beyond the table"  # the verdict at a mass outside of what is published; decides nothing


@dataclass(frozen=True)
class ConstraintRow:
    """One constraint at one point; `predicted` and `limit` in `unit`, `decades` is log10(ratio)."""

    name: str
    quantity: str
    unit: str
    kind: str
    predicted: float
    limit: float
    ratio: float
    verdict: str
    era: str
    source: str
    assumption: str

    @property
    def decades(self) -> float:
        """log10(ratio): how far above (positive) or below the limit the point is."""
        if math.isnan(self.ratio):
            return math.nan
        return math.log10(self.ratio) if self.ratio > 0.0 else -math.inf

    @property
    def excludes(self) -> bool:
        """Whether data disfavour the point at 90 % CL."""
        return self.verdict in AGAINST

    def as_json(self) -> dict[str, object]:
        """The object that `anomfit constraints --json` prints; a number that does not exist is None."""
        numbers = {key: getattr(self, key) for key in ("predicted", "limit", "ratio", "decades")}
        texts = ("name", "quantity", "unit", "kind", "verdict", "era", "source", "assumption")
        return {**{key: getattr(self, key) for key in texts}, **finite_or_none(numbers)}


@explained()
def constraint_table(
    model: Model, point: Point, constraints: Iterable[Constraint], nuisances: Mapping[str, float] | None = None
) -> list[ConstraintRow]:
    """A row for each of the `constraints` that the model can be asked about, at a physical point.

    Nuisance parameters take their central values unless given by name. Raises InputError in single precision.
    """
    require_double_precision()
    usable = [entry for entry in constraints if offers(model, entry.accepts)]
    values = {n.name: jnp.asarray(n.mean) for owner in (model, *usable) for n in owner.nuisances}
    values |= {name: jnp.asarray(float(value)) for name, value in (nuisances or {}).items()}
    arrays = {name: jnp.asarray(value, dtype=float) for name, value in point.items()}
    found = jax.device_get(_outcomes(tuple(usable), arrays, values, model=model))
    return [_row(entry, *map(float, outcome)) for entry, outcome in zip(usable, found, strict=True)]


@partial(jax.jit, static_argnames=("model",))
def _outcomes(constraints: tuple[Constraint, ...], point: Point, nuisances: Point, model: Model):
    from anomfit.answers import checked_outcome  # which knows what a constraint is

    return [checked_outcome(entry, model, point, nuisances) for entry in constraints]


def _row(entry: Constraint, predicted: float, limit: float, ratio: float) -> ConstraintRow:
    about = entry.about
    return ConstraintRow(
        name=about.name,
        quantity=about.quantity,
        unit=about.unit,
        kind=about.kind,
        predicted=predicted,
        limit=limit,
        ratio=ratio,
        verdict=verdict_of(entry, predicted, limit, ratio),
        era=about.era,
        source=about.source,
        assumption=about.assumption,
    )


def hint_words(ratio: float, local: float) -> str:
    """What a signal does, at 90 % CL, of `ratio` times what an excess of `local` standard deviations asks for."""
    if abs(ratio - 1.0) <= Z_90 / local:
        return "explains it"
    return "too small" if ratio < 1.0 else "too large"


def verdict_of(entry: Constraint, predicted: float, limit: float, ratio: float) -> str:
    """What a constraint says of an outcome, in a word or two."""
    kind = entry.about.kind
    if math.isnan(predicted):
        return NOT_A_NUMBER
    if kind == "no public data":
        return "no public data"
    if math.isnan(ratio):
        return NOT_A_NUMBER
    if math.isnan(limit):
        return BEYOND_THE_TABLE if predicted > 0.0 else "no reach"
    if kind != "measured" and (math.isinf(limit) or limit > entry.about.ceiling):
        return "no reach"
    if kind == "hint":
        return hint_words(ratio, float(np.asarray(entry.data["local"])))
    if kind == "projection":
        return "would be seen" if ratio > 1.0 else "would not be seen"
    if ratio <= 1.0:
        return "allowed"
    if kind in ("recalled", "argument"):
        return "would be excluded"
    return "in tension" if kind == "measured" else "excluded"

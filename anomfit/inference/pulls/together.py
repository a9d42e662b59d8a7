"""Measurements that share pulls, as one measurement of the parameters: their likelihood, integrated over those pulls.

The predictions are worked out once with their slopes along every pull, and their logarithms taken to be linear in the
pulls: efficiencies and fluxes multiply them. One pull alone is summed over a grid, with its own prediction for each
value. That costs little more than the predictions themselves, and it need not be exact: what the draws of the pulls say
afterwards (`drawn_pulls`) gives every draw its exact weight.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float

from anomfit.inference.pulls.laplace import (
    GRID,
    SPACING,
    around_mode,
    integral_of_one,
    log_normal,
    terms_of_one,
    turned_back,
)
from anomfit.measurements.base import Measurement, Prediction, StandsIn, is_looked_up
from anomfit.parameters import Nuisance, Point

CANDIDATES = 16  # values of the pulls of a draw, of which one is taken
WIDER = 1.2  # their standard deviation, in units of Laplace's


class Drawn(NamedTuple):
    """`pulls` drawn given the parameters; ln of the exact integral over the one that was sampled (an estimate without
    bias of the ratio); and ln of the likelihood at these pulls over that integral, in normal coordinates.
    """

    pulls: Any
    log_ratio: Any
    log_change: Any


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("together", "before", "centres"),
    meta_fields=("name", "own", "before_own"),
)
@dataclass(frozen=True)
class Together:
    """ln of the integral over the `own` pulls of the likelihood of the measurements `together`, less that of some of
    them, which were asked `before`. `centres`: what other data say of the pulls, 0 but in a toy.

    What samplers ask of a measurement, it answers; it predicts its own ln L. `before_own`: for each lot in `before`,
    the places of its pulls in `own`.
    """

    name: str
    together: tuple[Measurement, ...]
    before: tuple[tuple[Measurement, ...], ...]
    own: tuple[Nuisance, ...]
    before_own: tuple[tuple[int, ...], ...]
    centres: Float[Array, " pulls"]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """ln of the integral at a physical point; `nuisances` that are no `own` ones as values."""
        found = _Lot(self.together, self.own, self.centres, model, point, nuisances).log_integral()
        for lot, places in zip(self.before, self.before_own, strict=True):
            own, centres = tuple(self.own[i] for i in places), self.centres[np.array(places)]
            found = found - _Lot(lot, own, centres, model, point, nuisances).log_integral()
        return Prediction({"ln L": found[None]}, {})

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """What was predicted."""
        return prediction.signal["ln L"][0]

    def drawn_pulls(self, model: object, point: Point, nuisances: Point, key: Array) -> Drawn:
        """Pulls drawn from what the measurements `together` say at a physical point."""
        return _Lot(self.together, self.own, self.centres, model, point, nuisances).drawn(key)


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("together", "before", "centres"),
    meta_fields=("name", "own", "before_own"),
)
@dataclass(frozen=True)
class StandsInTogether(Together):
    """The same where some of the measurements stand in for others: not a number where they do not hold."""

    @property
    def exact(self) -> "StandsInTogether":
        """With the exact measurements."""
        return replace(self, together=_exact(self.together), before=tuple(_exact(lot) for lot in self.before))

    @property
    def is_looked_up(self) -> bool:
        """Whether all predictions come from tables."""
        return all(is_looked_up(m) for m in self.together)

    def holds_at(self, model: object, point: Point, nuisances: Point) -> Bool[Array, ""]:
        """Whether all of them hold at a physical point."""
        stand_ins = [m for m in self.together if isinstance(m, StandsIn)]
        return jnp.all(jnp.stack([m.holds_at(model, point, nuisances) for m in stand_ins]))


def _exact(measurements: tuple[Measurement, ...]) -> tuple[Measurement, ...]:
    return tuple(m.exact if isinstance(m, StandsIn) else m for m in measurements)


@dataclass(frozen=True)
class _Lot:
    """Measurements at one physical point, as functions of their own pulls."""

    measurements: tuple[Measurement, ...]
    own: tuple[Nuisance, ...]
    centres: Float[Array, " pulls"]
    model: object
    point: Point
    nuisances: Point

    def values(self, q: Float[Array, " pulls"]) -> Mapping[str, Float[Array, ""]]:
        """Nuisances as values, the own ones at `q` from their centres."""
        own = {n.name: n.value(self.centres[i] + q[i]) for i, n in enumerate(self.own)}
        return {**self.nuisances, **own}

    def predictions(self, q: Float[Array, " pulls"]) -> list[Prediction]:
        values = self.values(q)
        return [m.predict(self.model, self.point, values) for m in self.measurements]

    def told(self, predictions: list[Prediction], q: Float[Array, " pulls"]) -> Float[Array, ""]:
        """ln L of the predictions."""
        values = self.values(q)
        terms = [m.log_likelihood(p, values) for m, p in zip(self.measurements, predictions, strict=True)]
        return sum(terms, jnp.zeros(()))

    def exactly(self, q: Float[Array, " pulls"]) -> Float[Array, ""]:
        return self.told(self.predictions(q), q)

    def log_integral(self) -> Float[Array, ""]:
        if len(self.own) == 1:
            return integral_of_one(lambda q: self.exactly(q[None]))
        return around_mode(self.nearly(), len(self.own)).log_integral

    def nearly(self) -> Callable[[Float[Array, " pulls"]], Float[Array, ""]]:
        """`exactly` with predictions whose logarithms are linear in the pulls; they themselves are, in a pull of which
        one standard deviation would change them by more than they are.
        """
        zero = jnp.zeros(len(self.own))

        def signals(q):
            found = self.predictions(q)
            return [dict(p.signal) for p in found], [dict(p.before_efficiency) for p in found]

        def along(direction):
            return jax.jvp(signals, (zero,), (direction,))

        (at, totals), (slopes, _) = jax.vmap(along, out_axes=(None, 0))(jnp.eye(len(self.own)))
        flat, restored = ravel_pytree(at)
        slopes = jax.vmap(lambda one: ravel_pytree(one)[0])(slopes)
        is_factor = (jnp.abs(slopes) <= jnp.abs(flat)) & (flat != 0.0)
        relative = jnp.where(is_factor, slopes / jnp.where(is_factor, flat, 1.0), 0.0)
        added = jnp.where(is_factor, 0.0, slopes)

        def log_likelihood(q):
            moved = restored(flat * jnp.exp(q @ relative) + q @ added)
            return self.told([Prediction(s, t) for s, t in zip(moved, totals, strict=True)], q)

        return log_likelihood

    def drawn(self, key: Array) -> Drawn:
        """One of `CANDIDATES` values from about the mode, or of a moved grid, in proportion to what it counts for."""
        key_places, key_choice = jax.random.split(key)
        if len(self.own) == 1:
            shift = SPACING * (jax.random.uniform(key_places) - 0.5)
            places = jnp.asarray(GRID)[:, None] + shift
            counts = terms_of_one(lambda q: self.exactly(q[None]), shift)
            reference = self.log_integral()
        else:
            around = around_mode(self.nearly(), len(self.own))
            unit = WIDER * jax.random.normal(key_places, (CANDIDATES, len(self.own)))
            scaled = unit / jnp.sqrt(around.pivots)
            places = around.mode + jax.vmap(lambda x: turned_back(around.lower, x))(scaled)
            proposed = jnp.sum(log_normal(unit / WIDER) + 0.5 * jnp.log(around.pivots) - jnp.log(WIDER), axis=1)
            wanted = jax.vmap(self.exactly)(places) + jnp.sum(log_normal(places), axis=1)
            counts = wanted - proposed - jnp.log(CANDIDATES)
            reference = around.log_integral
        counts = jnp.where(jnp.isfinite(counts), counts, -jnp.inf)
        chosen = places[jax.random.categorical(key_choice, counts)]
        pulls = self.centres + chosen
        change = self.exactly(chosen) + 0.5 * (pulls @ pulls - chosen @ chosen) - reference
        return Drawn(pulls, jax.nn.logsumexp(counts) - reference, change)

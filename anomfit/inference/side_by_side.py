"""A plane's coordinates with a likelihood that is so cheap that points are worked at side by side, in one program.

A likelihood whose arrays fill a processor's cache is evaluated point after point, and in parts (`evaluate`). One that
looks its numbers up in a table is not: it waits for memory, and several points at once wait together.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from anomfit import interrupts
from anomfit.inference import scaled
from anomfit.inference.around_plane import AroundPlane, one_scaled
from anomfit.inference.devices import devices_for, spread
from anomfit.problem import Problem

LANES = 16


@dataclass(frozen=True)
class SideBySide(AroundPlane):
    """`AroundPlane` of a cheap `problem`; where that is not a number, the likelihood of `exact` is asked."""

    exact: AroundPlane

    def gradients(self, a: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """-2 ln L (n,), its gradient by the angles, and by the fractions (n, size)."""
        f = self.fractions(a)
        values, by_fraction = _in_lanes(_gradients, self, f, places)
        slopes = by_fraction * np.where(self.angular, 0.5 * np.cos(a), 1.0)
        blank = np.flatnonzero(~(np.isfinite(values) & np.isfinite(by_fraction).all(axis=1)))
        if blank.size:
            values[blank], slopes[blank], by_fraction[blank] = self.exact.gradients(a[blank], places[blank])
        return values, slopes, by_fraction

    def values(self, a: np.ndarray, places: np.ndarray) -> np.ndarray:
        """-2 ln L (n,)."""
        (found,) = _in_lanes(_values, self, self.fractions(a), places)
        blank = np.flatnonzero(~np.isfinite(found))
        if blank.size:
            found[blank] = self.exact.values(a[blank], places[blank])
        return found


def _in_lanes(program, around: SideBySide, f: np.ndarray, places: np.ndarray) -> list[np.ndarray]:
    """What a program says at n points, `LANES` of them at once."""
    n, found = len(f), []
    for first in range(0, n, LANES):
        interrupts.check()
        lanes = np.minimum(np.arange(first, first + LANES), n - 1)
        said = program(around.problem, jnp.asarray(f[lanes]), jnp.asarray(places[lanes]), around.held)
        found.append([np.asarray(x)[: n - first] for x in said])
    return [np.concatenate(pieces) for pieces in zip(*found, strict=True)]


def _twice_nll(problem: Problem, f, at, held):
    return scaled.scaled_twice_nll(problem, one_scaled(problem, f, at, held))


def _batched(function, problem: Problem, f, places):
    def batch(shared, rows):
        return jax.vmap(lambda x, at: function(shared, x, at))(*rows)

    return spread(batch, devices_for(LANES))(problem, (f, places))


@partial(jax.jit, static_argnames="held")
def _gradients(problem: Problem, f, places, held):
    def one(shared, x, at):
        return jax.value_and_grad(lambda x: _twice_nll(shared, x, at, held))(x)

    return _batched(one, problem, f, places)


@partial(jax.jit, static_argnames="held")
def _values(problem: Problem, f, places, held):
    return _batched(lambda shared, x, at: (_twice_nll(shared, x, at, held),), problem, f, places)

"""Coordinates in which a plane is profiled: two parameters held at a cell's place, all others by fractions of ranges.

A parameter moves by the fraction of its range, between 0 and 1, in the logarithm where the prior is: a product of
parameters that the data know keeps to a straight line there. The end of a range that other parameters set (an open
decay) moves with them, so that it is an end like any other. Where it is a held parameter that has such an end, the
quadratic wall of `coordinates` stands there. Pulls are counted as they are.

A plane's coordinates with a likelihood that is so cheap that points are worked at side by side, in one program.

A likelihood whose arrays fill a processor's cache is evaluated point after point, and in parts (`compiled`). One that
looks its numbers up in a table is not: it waits for memory, and several points at once wait together.
"""

from dataclasses import dataclass
from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from anomfit import interrupts
from anomfit.inference import coordinates
from anomfit.inference.cells.quasi_newton import Limits
from anomfit.inference.compiled import forward, gradients, penalties
from anomfit.inference.devices import devices_for, spread
from anomfit.problem import Problem, with_measurements

WIDTH = 64  # cells through one shape of the compiled map
EDGE = 1e-9  # of a range that is empty, scaled
REACH, REACH_OF_PULLS = 0.25, 1.0  # of a first step, in fractions of ranges and in pulls
STANDS = 1e-6  # of a range: a parameter stands at its end
OUTSIDE = 0.01  # beyond a moving bound, in ln or in the parameter's unit: no point of the prior


@dataclass(frozen=True)
class AroundPlane:
    """`problem` with the coordinates `held` (two places among `problem.names`, or none) fixed in every cell."""

    problem: Problem
    held: tuple[int, ...]

    @cached_property
    def bare(self) -> Problem:
        """The problem without its measurements: what the map needs."""
        return with_measurements(self.problem, ())

    @cached_property
    def moving(self) -> np.ndarray:
        """Places of the other coordinates."""
        return np.array([i for i in range(len(self.problem.names)) if i not in self.held], dtype=int)

    @cached_property
    def is_fraction(self) -> np.ndarray:
        """Which of these are parameters, that move by fractions of their ranges; the others are pulls."""
        return self.moving < len(self.problem.free)

    @cached_property
    def limits(self) -> Limits:
        """The ends of all that moves."""
        low = np.where(self.is_fraction, 0.0, -coordinates.PULL_LIMIT)
        high = np.where(self.is_fraction, 1.0, coordinates.PULL_LIMIT)
        return Limits(low, high, np.where(self.is_fraction, REACH, REACH_OF_PULLS))

    @property
    def size(self) -> int:
        """How many coordinates move."""
        return len(self.moving)

    def scaled(self, x: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Scaled coordinates (n, all) at fractions and pulls (n, size) of cells that hold `places` (n, 2), scaled."""
        return _through(partial(_scaled_of, self.bare, held=self.held), x, places)

    def fractions(self, s: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Fractions and pulls of points `s` (n, all), scaled, moved to `places` (n, 2); inside the ranges."""
        found = _through(partial(_fractions_of, self.bare, held=self.held), s, places)
        return np.where(self.is_fraction, np.clip(found, 0.0, 1.0), found)

    def gradients(self, x: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """-2 ln L (n,), and its gradient by fractions and pulls (n, size)."""
        values, slopes = gradients(self.problem, self.scaled(x, places))
        found = _through(partial(_pulled_back, self.bare, held=self.held), x, places, np.nan_to_num(slopes))
        return values, np.where(np.all(np.isfinite(slopes), axis=1, keepdims=True), found, np.nan)

    def values(self, x: np.ndarray, places: np.ndarray) -> np.ndarray:
        """-2 ln L (n,) without a gradient: a third of the time."""
        s = self.scaled(x, places)
        measured = -2.0 * np.sum(forward(self.problem, self.named(s)).log_likelihood, axis=0)
        total = measured + penalties(self.problem, s)[0]
        return np.where(np.isfinite(total), total, np.inf)

    def outside(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which points (n,) lie outside of the prior, a held parameter being beyond an end of its range that others
        set; and which of them no other parameter can bring back, since that end depends on held ones alone, or since
        the others stand at those ends of their ranges that are nearest.
        """
        limits, free = coordinates.box(self.problem), len(self.problem.free)
        at = np.clip(s, limits.low, limits.high)
        at[:, free:] = np.asarray(self.problem.centres)  # so that the wall stands alone
        wall, slopes = penalties(self.problem, at)
        is_out = np.sqrt(wall) * coordinates.WALL > OUTSIDE
        way, near = slopes[:, :free], STANDS * limits.widths[:free]
        is_lowest, is_highest = at[:, :free] <= limits.low[:free] + near, at[:, :free] >= limits.high[:free] - near
        helps = ((way > 0.0) & ~is_lowest) | ((way < 0.0) & ~is_highest)
        stays = ~np.any(helps[:, [i for i in self.moving if i < free]], axis=1)
        return is_out, is_out & stays

    def named(self, s: np.ndarray) -> dict[str, np.ndarray]:
        """Values and pulls by name at scaled coordinates; rounding never leaves a parameter's bounds."""
        free = {p.name: np.clip(np.exp(x) if p.is_log else x, p.low, p.high) for p, x in zip(self.problem.free, s.T)}
        return free | dict(zip(self.problem.names[len(free) :], s.T[len(free) :], strict=True))


def _through(program, *rows: np.ndarray) -> np.ndarray:
    """A compiled program over any number of rows, `WIDTH` of them at once."""
    n, found = len(rows[0]), []
    for first in range(0, n, WIDTH):
        lanes = np.minimum(np.arange(first, first + WIDTH), n - 1)
        found.append(np.asarray(program(*(jnp.asarray(x[lanes], dtype=float) for x in rows)))[: n - first])
    return np.concatenate(found)


@partial(jax.jit, static_argnames="held")
def _scaled_of(problem: Problem, f, places, held):
    return jax.vmap(lambda x, at: one_scaled(problem, x, at, held))(f, places)


@partial(jax.jit, static_argnames="held")
def _pulled_back(problem: Problem, f, places, slopes, held):
    def one(x, at, slope):
        return jax.vjp(lambda x: one_scaled(problem, x, at, held), x)[1](slope)[0]

    return jax.vmap(one)(f, places, slopes)


@partial(jax.jit, static_argnames="held")
def _fractions_of(problem: Problem, s, places, held):
    def one(point, at):
        point = point.at[jnp.array(held, dtype=int)].set(at)
        known, found = _fixed(problem), []
        for i, parameter in enumerate(problem.free):
            low, high = _ends(problem, parameter, known)
            known[parameter.name] = _own(parameter, point[i])
            if i not in held:
                fraction = jnp.clip((point[i] - low) / (high - low), 0.0, 1.0)
                known[parameter.name] = _own(parameter, low + (high - low) * fraction)
                found.append(fraction)
        return jnp.stack([*found, *point[len(problem.free) :]]) if found or problem.nuisances else jnp.zeros(0)

    return jax.vmap(one)(s, places)


def one_scaled(problem: Problem, x: Float, at: Float, held: tuple[int, ...]):
    """All scaled coordinates of one cell from fractions and pulls `x`: free parameters in turn, since ends of ranges
    depend on earlier ones.
    """
    known, found, k = _fixed(problem), [], 0
    for i, parameter in enumerate(problem.free):
        if i in held:
            s = at[held.index(i)]
        else:
            low, high = _ends(problem, parameter, known)
            s = low + (high - low) * x[k]
            k += 1
        known[parameter.name] = _own(parameter, s)
        found.append(s)
    return jnp.stack([*found, *x[k:]])


def _fixed(problem: Problem) -> dict:
    return {name: jnp.asarray(value) for name, value in problem.fixed.items()}


def _own(parameter, s):
    return jnp.exp(s) if parameter.is_log else s


def _ends(problem: Problem, parameter, known):
    """A parameter's range, scaled, where earlier ones are `known`."""
    low, full = coordinates.scale(parameter, parameter.low), coordinates.scale(parameter, parameter.high)
    bound = problem.parametrisation.upper.get(parameter.name)
    if bound is None:
        return low, full
    limit = bound(known)
    is_open = limit > parameter.low
    safe = jnp.where(is_open, limit, parameter.high)
    high = jnp.minimum(jnp.log(safe) if parameter.is_log else safe, full)
    return low, jnp.where(is_open, high, low + EDGE)


LANES = 16


@dataclass(frozen=True)
class SideBySide(AroundPlane):
    """`AroundPlane` of a cheap `problem`; where that is not a number, the likelihood of `exact` is asked."""

    exact: AroundPlane

    def gradients(self, x: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """-2 ln L (n,), and its gradient by fractions and pulls (n, size)."""
        values, slopes = _in_lanes(_gradients, self, x, places)
        blank = np.flatnonzero(~(np.isfinite(values) & np.isfinite(slopes).all(axis=1)))
        if blank.size:
            values[blank], slopes[blank] = self.exact.gradients(x[blank], places[blank])
        return values, slopes

    def values(self, x: np.ndarray, places: np.ndarray) -> np.ndarray:
        """-2 ln L (n,)."""
        (found,) = _in_lanes(_values, self, x, places)
        blank = np.flatnonzero(~np.isfinite(found))
        if blank.size:
            found[blank] = self.exact.values(x[blank], places[blank])
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
    return coordinates.scaled_twice_nll(problem, one_scaled(problem, f, at, held))


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

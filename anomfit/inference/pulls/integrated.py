"""A problem whose measurements' own pulls are integrated out: fewer coordinates to sample, and the pulls drawn after.

The model's own nuisances stay coordinates, because predictions begin with them. Where a problem has few pulls, all
stay: as coordinates they cost nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.inference.compiled import asked_again, exact_problem
from anomfit.inference.devices import devices_for, each, spread
from anomfit.inference.pulls.together import Drawn, StandsInTogether, Together
from anomfit.measurements.base import StandsIn
from anomfit.problem import Problem, merged_nuisances

MANY = 4  # own pulls of measurements, from which on they are integrated out
TOGETHER = 32  # draws whose pulls are drawn by one call of a program


def integrated_pulls(problem: Problem) -> frozenset[str]:
    """Names of the pulls that are integrated out while `problem` is sampled: those that are not the model's.

    None where there are few, or where less than two coordinates would be left.
    """
    model = {n.name for n in problem.model.nuisances}
    own = frozenset(n.name for n in problem.nuisances if n.name not in model)
    return own if len(own) >= MANY and len(problem.names) - len(own) >= 2 else frozenset()


def integrated(problem: Problem) -> Problem:
    """The problem with its measurements' own pulls integrated out; as it is where there are few."""
    return parted(problem, [range(len(problem.measurements))])[0]


def parted(problem: Problem, steps: Sequence[Sequence[int]]) -> tuple[Problem, ...]:
    """The problem in parts whose likelihoods multiply to its own: for each step, the measurements at these places.

    Where measurements of one step share pulls with those of an earlier one, the part is what all of them say together
    less what was said before.
    """
    gone = integrated_pulls(problem)
    kept = tuple(i for i, n in enumerate(problem.nuisances) if n.name not in gone)
    bare = replace(
        problem,
        measurements=(),
        nuisances=tuple(problem.nuisances[i] for i in kept),
        centres=problem.centres[np.array(kept, dtype=int)],
    )
    parts, before = [], []
    for step in steps:
        known = sorted({*before, *step})
        old = _sharing(problem, before, gone)
        lots = [lot for lot in _sharing(problem, known, gone) if set(lot) & set(step)]
        found = [_together(problem, lot, [o for o in old if set(o) <= set(lot)], gone) for lot in lots]
        parts.append(replace(bare, measurements=tuple(found)))
        before = known
    return tuple(parts)


def _own_pulls(problem: Problem, place: int, gone: frozenset[str]) -> set[str]:
    """Those of the pulls to be integrated out that the measurement at a place knows."""
    known = merged_nuisances(problem.model, problem.parametrisation, (problem.measurements[place],))
    return {n.name for n in known} & gone


def _sharing(problem: Problem, places: Sequence[int], gone: frozenset[str]) -> list[list[int]]:
    """The places in lots that share no pull with each other."""
    lots: list[tuple[list[int], set[str]]] = []
    for place in places:
        own = _own_pulls(problem, place, gone)
        near = [lot for lot in lots if lot[1] & own]
        lots = [lot for lot in lots if not lot[1] & own]
        lots.append((sorted([place, *(i for lot in near for i in lot[0])]), own.union(*(lot[1] for lot in near))))
    return [lot for lot, _ in sorted(lots)]


def _together(problem: Problem, lot: list[int], old: list[list[int]], gone: frozenset[str]):
    """The measurements of a lot as one, less those in `old`; the measurement itself, where it has no pull."""
    chosen = problem.measurements
    names = set().union(*(_own_pulls(problem, i, gone) for i in lot))
    if not names:
        return chosen[lot[0]]
    own = tuple(i for i, n in enumerate(problem.nuisances) if n.name in names)
    before_own = []
    for places in old:
        theirs = set().union(*(_own_pulls(problem, i, gone) for i in places))
        before_own.append(tuple(k for k, i in enumerate(own) if problem.nuisances[i].name in theirs))
    kind = StandsInTogether if any(isinstance(chosen[i], StandsIn) for i in lot) else Together
    return kind(
        "+".join(chosen[i].name for i in lot),
        tuple(chosen[i] for i in lot),
        tuple(tuple(chosen[i] for i in places) for places in old),
        tuple(problem.nuisances[i] for i in own),
        tuple(before_own),
        problem.centres[np.array(own)],
    )


class WithPulls(NamedTuple):
    """`z`: normal coordinates of the whole problem (draws, coordinates); ln of each draw's weight, the `log_ratio`; and
    what ln L in normal coordinates changes by, from that of the integrated problem.
    """

    z: np.ndarray
    log_ratio: np.ndarray
    log_change: np.ndarray


def with_pulls(problem: Problem, z: Float[np.ndarray, "draws coordinates"], key: Array) -> WithPulls:
    """Draws of `integrated(problem)` with the pulls of all measurements, drawn given the parameters.

    By the weights they are draws of the posterior of `problem`, without any error of the integrals.
    """
    gone = integrated_pulls(problem)
    if not gone:
        return WithPulls(z, np.zeros(len(z)), np.zeros(len(z)))
    whole = integrated(problem)
    names = list(problem.names)
    full = np.zeros((len(z), len(names)))
    full[:, [names.index(name) for name in whole.names]] = z
    log_ratio, log_change = np.zeros(len(z)), np.zeros(len(z))
    for i, lot in enumerate(m for m in whole.measurements if isinstance(m, Together)):
        alone = replace(whole, measurements=(lot,))
        keys = jax.random.split(jax.random.fold_in(key, i), len(z))
        drawn = _drawn_in_lots(alone, z, keys)
        if (exact := exact_problem(alone)) is not None:
            broken = ~np.isfinite(drawn.log_ratio)
            drawn = asked_again(drawn, broken, lambda k, exact=exact, keys=keys: _drawn_in_lots(exact, z[k], keys[k]))
        full[:, [names.index(n.name) for n in lot.own]] = drawn.pulls
        log_ratio += np.where(np.isfinite(drawn.log_ratio), drawn.log_ratio, -np.inf)
        log_change += np.nan_to_num(drawn.log_change)
    return WithPulls(full, log_ratio, log_change)


def _drawn_in_lots(alone: Problem, z: np.ndarray, keys) -> Drawn:
    chunks = []
    for first in range(0, len(z), TOGETHER):
        lanes = np.minimum(np.arange(first, first + TOGETHER), len(z) - 1)
        found = _drawn(alone, jnp.asarray(z[lanes]), keys[lanes], devices_for(TOGETHER))
        left = len(z) - first
        chunks.append(jax.tree.map(lambda x, left=left: np.asarray(x)[:left], found))
    return jax.tree.map(lambda *pieces: np.concatenate(pieces), *chunks)


@partial(jax.jit, static_argnames="devices")
def _drawn(alone: Problem, z, keys, devices: int) -> Drawn:
    def one(shared, lane):
        x, key = lane
        parameters, _ = shared.from_normal(x)
        point, nuisances = shared.physical_point(parameters), shared.nuisance_values(parameters)
        return shared.measurements[0].drawn_pulls(shared.model, point, nuisances, key)

    return spread(lambda shared, lanes: each(lambda lane: one(shared, lane), lanes), devices)(alone, (z, keys))

"""Many descents side by side: L-BFGS directions for all, one batch of gradients a round, each at its own pace."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax

MEMORY = 20
SUFFICIENT = 1e-4  # Armijo's fraction of the expected decrease
NO_GAIN = 1e-7  # a step that gains less ends a descent
SMALLEST_STEP = 1e-6

Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def descend(
    evaluate: Evaluate, starts: np.ndarray, rounds: int, report: Callable[[int], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise from each of `starts` (n, coordinates); (points, values) where each ended.

    `evaluate` gives values and gradients at any number of points, in unbounded coordinates. L-BFGS (optax) with a
    backtracking line search: a round evaluates one trial point of every descent that goes on, at most `rounds` of them.
    A descent ends when a step gains less than `NO_GAIN` or none can be found; `report` gets the number that ended.
    """
    points = np.array(starts, dtype=float)
    values, slopes = (np.array(x) for x in evaluate(points))
    states = _start(jnp.asarray(points))
    directions, states = _directions(jnp.asarray(slopes), states, jnp.asarray(points))
    directions, expected = _downhill(np.asarray(directions), slopes)
    steps, going = np.ones(len(points)), np.isfinite(values) & np.isfinite(slopes).all(axis=1) & (expected < 0.0)
    for _ in range(rounds):
        if not going.any():
            break
        rows = np.flatnonzero(going)
        trials = points[rows] + steps[rows, None] * directions[rows]
        found, found_slopes = evaluate(trials)
        good = np.isfinite(found) & (found <= values[rows] + SUFFICIENT * steps[rows] * expected[rows])
        good &= np.isfinite(found_slopes).all(axis=1)
        taken, missed = rows[good], rows[~good]
        gained = values[taken] - found[good]
        points[taken], values[taken], slopes[taken] = trials[good], found[good], found_slopes[good]
        steps[missed] *= _shortening(values[missed], found[~good], steps[missed] * expected[missed])
        fresh, new_states = _directions(jnp.asarray(slopes), states, jnp.asarray(points))
        is_taken = np.isin(np.arange(len(points)), taken)
        states = _where(jnp.asarray(is_taken), new_states, states)
        fresh, fresh_expected = _downhill(np.asarray(fresh), slopes)
        directions[is_taken], expected[is_taken], steps[is_taken] = fresh[is_taken], fresh_expected[is_taken], 1.0
        going[taken] = (gained > NO_GAIN) & (expected[taken] < 0.0)
        going[missed] = steps[missed] > SMALLEST_STEP
        report(int(np.sum(~going)))
    return points, values


_solver = optax.scale_by_lbfgs(memory_size=MEMORY)


@jax.jit
def _start(points):
    return jax.vmap(_solver.init)(points)


@jax.jit
def _directions(slopes, states, points):
    updates, states = jax.vmap(_solver.update)(slopes, states, points)
    return -jnp.asarray(updates), states


@jax.jit
def _where(chosen, new, old):
    return jax.tree.map(lambda a, b: jnp.where(chosen.reshape((-1,) + (1,) * (a.ndim - 1)), a, b), new, old)


def _downhill(directions: np.ndarray, slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The directions, steepest descent of length at most 1 where they do not lead down, and the expected decrease."""
    expected = np.sum(directions * slopes, axis=1)
    steepest = -slopes / np.maximum(np.linalg.norm(slopes, axis=1, keepdims=True), 1.0)
    wrong = ~(np.isfinite(expected) & (expected < 0.0))
    chosen = np.where(wrong[:, None], steepest, directions)
    return chosen, np.sum(chosen * slopes, axis=1)


def _shortening(values: np.ndarray, found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """How much shorter the next trial is: the minimum of the parabola through value, slope and trial, in [0.1, 0.5]."""
    excess = np.where(np.isfinite(found), found, np.inf) - values - expected
    return np.clip(-expected / (2.0 * np.maximum(excess, 1e-300)), 0.1, 0.5)

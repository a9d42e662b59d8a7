"""Normal coordinates turned so that the parameters are free of the pulls: what proposals are made in.

A measurement that fixes x + C q, of parameters x and pulls q, leaves a posterior that is narrow in x at fixed q and
wide in x alone: a step of the pulls alone, or a draw of the parameters from how they are distributed, hits it hardly
ever. The slopes of the parameters on the pulls, by least squares over points that stand still, say which combinations
x - B q the likelihood sees. Prior and distance know no direction in normal coordinates, so that a rotation brings these
combinations, and what is left of the pulls, to the places of parameters and pulls, and nothing else changes.
"""

import numpy as np
from jaxtyping import Float

Rotations = Float[np.ndarray, "populations coordinates coordinates"]


def freed_of_pulls(points: Float[np.ndarray, "populations points coordinates"], free: int) -> Rotations:
    """Of each population, the rotation R for which the first `free` coordinates of R z are x - B q, normalised.

    Coordinates z are normal ones, the `free` parameters x first and then the pulls q. B: the slopes over `points`. The
    first rows of R span (1, -B), the others its complement (B^T, 1). Without parameters, without pulls, and where the
    parameters know nothing of the pulls, R is 1.
    """
    populations, _, dimension = points.shape
    if free in (0, dimension):
        return np.broadcast_to(np.eye(dimension), (populations, dimension, dimension))
    off = points - points.mean(axis=1, keepdims=True)
    x, q = off[..., :free], off[..., free:]
    ones = [np.broadcast_to(np.eye(n), (populations, n, n)) for n in (free, dimension - free)]
    # one more point of the prior, which knows of no slope: copies of few points span fewer directions than the pulls
    slopes_t = np.linalg.solve(_t(q) @ q + ones[1], _t(q) @ x)
    seen = np.concatenate([ones[0], -_t(slopes_t)], axis=-1)
    left = np.concatenate([slopes_t, ones[1]], axis=-1)
    return np.concatenate([_normalised(seen), _normalised(left)], axis=1)


def turned(points: np.ndarray, rotations: Rotations) -> np.ndarray:
    """R z of points z (population, point, coordinate)."""
    return points @ _t(rotations)


def turned_back(points: np.ndarray, rotations: Rotations) -> np.ndarray:
    """z of points R z."""
    return points @ rotations


def _normalised(rows: np.ndarray) -> np.ndarray:
    """Orthonormal rows that span what the given ones span, by the Cholesky factor of their products."""
    return np.linalg.solve(np.linalg.cholesky(rows @ _t(rows)), rows)


def _t(matrices: np.ndarray) -> np.ndarray:
    return np.swapaxes(matrices, 1, 2)

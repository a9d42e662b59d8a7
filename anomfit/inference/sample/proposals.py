"""New places for one half of every population, worked out from the half that stands still.

Differences of two of its points (ter Braak 2006, differential evolution) take the shape of the posterior, and, for
nuisance pulls, shortened steps of their prior (the preconditioned Crank-Nicolson move of Cotter et al, arXiv:1202.0709)
go with them. Draws of a mixture of Gaussians that is fitted to the half that stands still know nothing of where a point
is, and reach every arm of the posterior at once: they bring the weights of arms into balance.
"""

from dataclasses import dataclass

import numpy as np

from anomfit.inference.sample.mixtures import drawn_points, fitted_mixtures, log_density

ACCEPTED = 0.25  # of differences and steps, which the step sizes aim at
ACROSS = 0.1  # of the moves along a difference have its full length, from one arm of the posterior to another
LONGEST, SHORTEST = 2.0, 0.01  # step sizes, in units of the best one for a Gaussian
BLUR = 1e-4  # in standard deviations of the prior, added to a difference: no direction is left out
TRIED = (0.25, 0.6, 0.15)  # how often: along a difference in all coordinates, in parameters alone, and pulls alone
KINDS = len(TRIED)
COMPONENTS = 12  # of a mixture at most; a third, two thirds or all of it by chance
POINTS = 8  # for each component and coordinate, that a mixture of more than one component has


@dataclass(frozen=True)
class Proposal:
    """`new` places (population, point, coordinate) of points, and of the ratio that Metropolis and Hastings ask for, at
    the new place over the old one: ln of the `prior`'s, and ln of the chances to be proposed, the old place's over the
    new one's (`density`; 0 where both are alike). `kind`: which step size was used (population, point), or None.
    """

    new: np.ndarray
    prior: np.ndarray
    density: np.ndarray
    kind: np.ndarray | None


def along_differences(
    rng: np.random.Generator, now: np.ndarray, steady: np.ndarray, sizes: np.ndarray, free: int
) -> Proposal:
    """Every point of `now` along a difference of two points of `steady`, or its pulls by a step of their prior.

    Coordinates are normal ones, the `free` parameters first and then the pulls. `sizes`: of steps, by kind (`TRIED`).
    """
    populations, half, dimension = now.shape
    kind = _kinds(rng, (populations, half), free, dimension - free)
    first = rng.integers(0, half, (populations, half))
    second = (first + rng.integers(1, half, (populations, half))) % half
    each = np.arange(populations)[:, None]
    difference = steady[each, first] - steady[each, second] + BLUR * rng.normal(size=now.shape)
    moved = np.where(kind == 0, dimension, max(free, 1))
    length = np.where(rng.uniform(size=kind.shape) < ACROSS, 1.0, sizes[kind] * 2.38 / np.sqrt(2.0 * moved))
    is_free = np.arange(dimension) < free
    along = now + length[..., None] * np.where(is_free | (kind == 0)[..., None], difference, 0.0)
    is_pulls = kind == 2
    new = np.where(is_pulls[..., None], np.where(is_free, now, _shortened(rng, now, sizes)), along)
    prior = np.where(is_pulls, 0.0, 0.5 * np.sum(now**2 - new**2, axis=-1))
    return Proposal(new, prior, np.zeros(kind.shape), kind)


def from_mixtures(
    rng: np.random.Generator, now: np.ndarray, steady: np.ndarray, sizes: np.ndarray, free: int
) -> Proposal:
    """Parameters of every point of `now` drawn from a mixture fitted to `steady`; pulls by a step of their prior.

    The step keeps the prior of the pulls, so that only the parameters have a prior and a density in the ratio.
    """
    half = now.shape[1]
    most = int(np.clip(half // (POINTS * free), 1, COMPONENTS))
    components = max(1, most * int(rng.integers(1, 4)) // 3)
    mixtures = fitted_mixtures(rng, steady[..., :free], components)
    drawn = drawn_points(rng, mixtures, half)
    here = now[..., :free]
    density = log_density(mixtures, here) - log_density(mixtures, drawn)
    prior = 0.5 * np.sum(here**2 - drawn**2, axis=-1)
    new = np.concatenate([drawn, _shortened(rng, now[..., free:], sizes)], axis=-1)
    return Proposal(new, prior, density, None)


def adapted_sizes(sizes: np.ndarray, kind: np.ndarray, is_taken: np.ndarray) -> np.ndarray:
    """Step sizes after a move in which steps of this `kind` were taken or not: longer where too many were."""
    tried = np.bincount(kind.ravel(), minlength=KINDS)
    accepted = np.bincount(kind.ravel(), weights=is_taken.ravel(), minlength=KINDS)
    rate = np.where(tried > 0, accepted / np.maximum(tried, 1), ACCEPTED)
    return np.clip(sizes * np.exp(rate - ACCEPTED), SHORTEST, LONGEST)


def _kinds(rng: np.random.Generator, shape: tuple[int, int], free: int, pulls: int) -> np.ndarray:
    """Which move each point tries: where there are no pulls, or nothing else, one kind is left."""
    if free == 0:
        return np.full(shape, 2)
    return rng.choice(KINDS, shape, p=TRIED) if pulls else np.full(shape, 1)


def _shortened(rng: np.random.Generator, now: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """A step of the prior N(0, 1) that leaves it alone: at full length, a new draw of it."""
    step = min(sizes[2], 1.0)
    return np.sqrt(1.0 - step**2) * now + step * rng.normal(size=now.shape)

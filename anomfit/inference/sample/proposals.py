"""New places for one half of every population, worked out from the half that stands still.

Differences of two of its points (ter Braak 2006, differential evolution) take the shape of the posterior, and, for
nuisance pulls, shortened steps of their prior (the preconditioned Crank-Nicolson move of Cotter et al, arXiv:1202.0709)
go with them. A mixture of Gaussians that is fitted to the half that stands still draws some of the parameters anew,
given the others, or all of them. Draws of all reach every arm of the posterior at once, and bring the weights of arms
into balance.
"""

from dataclasses import dataclass

import numpy as np

from anomfit.inference.sample.mixtures import Mixtures, fitted_mixtures, log_density, redrawn_points

ACCEPTED = 0.25  # of differences and steps, which the step sizes aim at
ACROSS = 0.1  # of the moves along a difference have its full length, from one arm of the posterior to another
LONGEST, SHORTEST = 2.0, 0.01  # step sizes, in units of the best one for a Gaussian
BLUR = 1e-4  # in standard deviations of the prior, added to a difference: no direction is left out
TRIED = (0.25, 0.6, 0.15)  # how often: along a difference in all coordinates, in parameters alone, and pulls alone
KINDS = len(TRIED)
COMPONENTS = 12  # of a mixture at most; a third, two thirds or all of it by chance
ALL = 0.67  # of the draws of mixtures are of all parameters
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
    new = np.where(is_pulls[..., None], np.where(is_free, now, _shortened(rng, now, sizes[2])), along)
    prior = np.where(is_pulls, 0.0, 0.5 * np.sum(now**2 - new**2, axis=-1))
    return Proposal(new, prior, np.zeros(kind.shape), kind)


def of_parameters(rng: np.random.Generator, steady: np.ndarray, free: int) -> Mixtures:
    """Mixtures of a random number of components, fitted to the `free` parameters of the points of each population."""
    most = int(np.clip(steady.shape[1] // (POINTS * free), 1, COMPONENTS))
    return fitted_mixtures(rng, steady[..., :free], max(1, most * int(rng.integers(1, 4)) // 3))


def from_mixtures(rng: np.random.Generator, now: np.ndarray, mixtures: Mixtures, sizes: np.ndarray) -> Proposal:
    """Some parameters of every point of `now` drawn anew, and steps of its pulls that leave their prior alone.

    Two of three times it is all of them, which carries points into any arm, but is seldom taken; else two or more, how
    many is chosen by chance, which are taken in every part of the posterior (`mixtures.redrawn_points`). How long the
    steps are is chosen as well: what the parameters may be depends on the pulls.
    """
    free = mixtures.centre.shape[-1]
    here = now[..., :free]
    number = free if rng.uniform() < ALL else int(rng.integers(min(2, free), free + 1))
    new = redrawn_points(rng, mixtures, here, number)
    density = log_density(mixtures, here) - log_density(mixtures, new)
    prior = 0.5 * np.sum(here**2 - new**2, axis=-1)
    pulls = _shortened(rng, now[..., free:], sizes[2] * rng.uniform())
    return Proposal(np.concatenate([new, pulls], axis=-1), prior, density, None)


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


def _shortened(rng: np.random.Generator, now: np.ndarray, size: float) -> np.ndarray:
    """A step of the prior N(0, 1) that leaves it alone: at full length, a new draw of it."""
    step = min(size, 1.0)
    return np.sqrt(1.0 - step**2) * now + step * rng.normal(size=now.shape)

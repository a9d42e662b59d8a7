"""Draws of what tempered populations found, weighted by the likelihood: independent draws, and the evidence.

Populations find the parts of a posterior, but the share that each gives to a part is as good as the few points that it
held there when the part was found. A mixture of Student's t distributions is fitted to each, draws are made of all
mixtures together, and each draw gets the weight likelihood x prior over the density of all mixtures (importance
sampling with a deterministic mixture, Owen and Zhou, J. Am. Stat. Assoc. 95 (2000) 135). The weights need no population
to be right, only every part of the posterior to be in some population; Pareto's k of their tail tells whether the
draws can be trusted (arXiv:1507.02646). Mixtures may be fitted again to what the weights say, and all draws count.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from anomfit.inference.sample.diagnostics import pareto_smoothed
from anomfit.inference.sample.mixtures import Mixtures, fitted_mixtures, log_student_density, student_points
from anomfit.inference.sample.stages import Stages, look
from anomfit.inference.undefined import Watch

COMPONENTS = 8  # of the mixture of each population at most,
POINTS = 20  # for each component and coordinate: a component of few points is too narrow, and its draws' weights vary
WIDE = 0.1  # of the draws, of one distribution fitted to all points, so that no part between the others is left out
FREEDOM = 6.0  # degrees of freedom: tails that reach farther than the points
LEAST_SHARE = 0.05  # of the draws, for each of up to four populations; the others by the square root of its evidence
TOGETHER = 2048  # draws of one round
BEHIND = 50.0  # in the logarithm of a weight, the greatest one: later stages are not asked
TRUSTED = 0.7  # Pareto k of the weights up to which their draws stand for the posterior
GOOD = 0.05  # equal draws for each draw, from which on they are


@dataclass(frozen=True)
class Weighted:
    """`z`: normal coordinates (draw, coordinate); `log_likelihood` there; `log_weights` that add up to 1, smoothed.

    `log_evidence` is the logarithm of the mean weight, with its `error`; `ess` the equal draws that the weights leave;
    `pareto_k` the shape of their tail; `calls` the likelihoods that were computed whole.
    """

    z: np.ndarray
    log_likelihood: np.ndarray
    log_weights: np.ndarray
    log_evidence: float
    error: float
    ess: float
    pareto_k: float
    calls: int

    @property
    def is_trusted(self) -> bool:
        """Whether the draws stand for the posterior."""
        return self.pareto_k < TRUSTED

    @property
    def is_good(self) -> bool:
        """Whether more draws of the same mixtures are worth having."""
        return self.is_trusted and self.ess >= GOOD * len(self.z)


class Fit(NamedTuple):
    """Mixtures that draws are made of, and the `shares` of the draws that each of them gets."""

    mixtures: Mixtures
    shares: np.ndarray


@dataclass(frozen=True)
class Pool:
    """All draws `z` (draw, coordinate) with their `log_likelihood`: of each lot of `fits` so many (`numbers`); `calls`:
    likelihoods that were computed whole.

    Every draw counts as drawn from all fits together (Cornuet et al, Scand. J. Stat. 39 (2012) 798): where the first
    mixtures were too thin, draws of great weight lose it to those that come after.
    """

    fits: tuple[tuple[Fit, ...], ...]
    numbers: tuple[int, ...]
    z: np.ndarray
    log_likelihood: np.ndarray
    calls: int

    def log_weights(self) -> np.ndarray:
        """Logarithms of likelihood x prior over the density of all fits."""
        share = np.log(np.array(self.numbers) / len(self.z))
        each = [part + _log_density(lot, self.z) for part, lot in zip(share, self.fits, strict=True)]
        return self.log_likelihood + _log_normal(self.z) - np.logaddexp.reduce(each, axis=0)

    def weighted(self) -> Weighted:
        """The draws with their weights, and how good these are."""
        log_weights = self.log_weights()
        ess = equal_number(log_weights)
        smoothed, k = pareto_smoothed(np.maximum(log_weights, log_weights.max() - 10.0 * BEHIND))
        return Weighted(
            z=self.z,
            log_likelihood=self.log_likelihood,
            log_weights=smoothed,
            log_evidence=float(np.logaddexp.reduce(log_weights) - np.log(len(self.z))),
            error=float(np.sqrt(max(1.0 / ess - 1.0 / len(self.z), 0.0))),
            ess=ess,
            pareto_k=k,
            calls=self.calls,
        )


def empty_pool(dimension: int) -> Pool:
    """No draws yet."""
    return Pool((), (), np.zeros((0, dimension)), np.zeros(0), 0)


def fits_of(rng: np.random.Generator, populations: np.ndarray, log_evidence: np.ndarray) -> tuple[Fit, ...]:
    """Mixtures fitted to `populations` (population, point, coordinate) of so much evidence, and a wide one to all."""
    _, points, dimension = populations.shape
    mixtures = fitted_mixtures(rng, populations, int(np.clip(points // (POINTS * dimension), 1, COMPONENTS)))
    wide = fitted_mixtures(rng, populations.reshape(1, -1, dimension), 1)
    return Fit(mixtures, (1.0 - WIDE) * _shares(log_evidence)), Fit(wide, np.array([WIDE]))


def with_more(pool: Pool, fits: tuple[Fit, ...], stages: Stages, rng: np.random.Generator, watch: Watch) -> Pool:
    """The pool with `TOGETHER` draws more, of these fits."""
    ends = np.floor(np.cumsum(np.concatenate([fit.shares for fit in fits])) * TOGETHER + 0.5).astype(int)
    numbers = np.split(np.diff(ends, prepend=0), np.cumsum([len(fit.shares) for fit in fits])[:-1])
    drawn = [student_points(rng, fit.mixtures, n, FREEDOM) for fit, n in zip(fits, numbers, strict=True)]
    new = np.concatenate(drawn)
    value, whole = _log_likelihood(stages, new, _log_density(fits, new) - _log_normal(new), watch)
    is_known = bool(pool.fits) and pool.fits[-1] is fits
    if is_known:
        lots, counts = pool.fits, (*pool.numbers[:-1], pool.numbers[-1] + TOGETHER)
    else:
        lots, counts = (*pool.fits, fits), (*pool.numbers, TOGETHER)
    z, log_likelihood = np.concatenate([pool.z, new]), np.concatenate([pool.log_likelihood, value])
    return Pool(lots, counts, z, log_likelihood, pool.calls + whole)


def _log_density(fits: tuple[Fit, ...], z: np.ndarray) -> np.ndarray:
    each = [log_student_density(fit.mixtures, z, FREEDOM) + np.log(fit.shares)[:, None] for fit in fits]
    return np.logaddexp.reduce(np.concatenate(each), axis=0)


def _shares(log_evidence: np.ndarray) -> np.ndarray:
    """Of the draws, by population: none is left out, and one that found little gets few."""
    root = np.exp(0.5 * (log_evidence - np.max(log_evidence)))
    least = LEAST_SHARE * min(1.0, 4.0 / len(root))
    found = np.maximum(root / root.sum(), least)
    return found / found.sum()


def _log_normal(z: np.ndarray) -> np.ndarray:
    """The logarithm of the prior's density in normal coordinates."""
    return -0.5 * np.sum(z**2, axis=1) - 0.5 * z.shape[1] * np.log(2.0 * np.pi)


def equal_number(log_weights: np.ndarray) -> float:
    """Kish's number of equal draws."""
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / np.sum(weights**2))


def _log_likelihood(stages: Stages, z: np.ndarray, log_density: np.ndarray, watch: Watch) -> tuple[np.ndarray, int]:
    """ln L (draw,), and how often it was computed whole: a draw that has no chance is not asked again."""
    found, is_likely, whole = np.zeros(len(z)), np.full(len(z), True), 0
    for stage in range(len(stages.parts)):
        whole = int(is_likely.sum())
        found = found + look(stages, stage, z[None], is_likely[None], watch)[0]
        weights = found - log_density
        is_likely = is_likely & (weights > np.max(weights) - BEHIND)
    return found, whole

"""Draws of what tempered populations found, weighted by the likelihood: independent draws, and the evidence.

Populations find the parts of a posterior, but the share that each gives to a part is as good as the few points that it
held there when the part was found. A mixture of Student's t distributions is fitted to each, draws are made of all
mixtures together, and each draw gets the weight likelihood x prior over the density of all mixtures (importance
sampling with a deterministic mixture, Owen and Zhou, J. Am. Stat. Assoc. 95 (2000) 135). The weights need no population
to be right, only every part of the posterior to be in some population; Pareto's k of their tail tells whether the
draws can be trusted (arXiv:1507.02646).
"""

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from anomfit.inference.sample.diagnostics import pareto_smoothed
from anomfit.inference.sample.mixtures import fitted_mixtures, log_student_density, student_points
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
TRIAL = 4096  # draws, after which it is judged whether the mixtures are good enough
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


def weighted_draws(
    stages: Stages,
    populations: np.ndarray,
    log_evidence: np.ndarray,
    rng: np.random.Generator,
    wanted: float,
    most: int,
    watch: Watch,
    is_trial: bool = False,
    show_progress: bool = False,
) -> Weighted:
    """Draws of mixtures fitted to `populations` (population, point, coordinate), until they are worth `wanted` equal
    ones; `most` of them at most, in rounds of `TOGETHER`. `log_evidence`: of each population. is_trial: after `TRIAL`
    draws go on only if the mixtures are good.
    """
    _, points, dimension = populations.shape
    mixtures = fitted_mixtures(rng, populations, int(np.clip(points // (POINTS * dimension), 1, COMPONENTS)))
    wide = fitted_mixtures(rng, populations.reshape(1, -1, dimension), 1)
    fitted = ((mixtures, (1.0 - WIDE) * _shares(log_evidence)), (wide, np.array([WIDE])))
    z, log_likelihood, log_density, calls = np.zeros((0, dimension)), np.zeros(0), np.zeros(0), 0
    with tqdm(disable=not show_progress, unit="draw") as bar:
        while True:
            numbers = [np.round(TOGETHER * shares).astype(int) for _, shares in fitted]
            numbers[1] += TOGETHER - sum(int(n.sum()) for n in numbers)  # one shape: one program
            lots = zip(fitted, numbers, strict=True)
            new = np.concatenate([student_points(rng, one, n, FREEDOM) for (one, _), n in lots])
            each = [log_student_density(one, new, FREEDOM) + np.log(shares)[:, None] for one, shares in fitted]
            density = np.logaddexp.reduce(np.concatenate(each), axis=0) - _log_normal(new)
            value, whole = _log_likelihood(stages, new, density, watch)
            z, log_likelihood = np.concatenate([z, new]), np.concatenate([log_likelihood, value])
            log_density, calls = np.concatenate([log_density, density]), calls + whole
            log_weights = log_likelihood - log_density
            ess = _equal(log_weights)
            bar.set_description(f"weighted draws of mixtures, worth {ess:.0f} of {wanted:.0f}")
            bar.update(len(new))
            is_over = ess >= wanted or len(z) >= most
            if is_over or (is_trial and len(z) == TRIAL):
                judged = _judged(z, log_likelihood, log_weights, calls)
                if is_over or not judged.is_good:
                    return judged


def _judged(z: np.ndarray, log_likelihood: np.ndarray, log_weights: np.ndarray, calls: int) -> Weighted:
    total = float(np.logaddexp.reduce(log_weights))
    ess = _equal(log_weights)
    smoothed, k = pareto_smoothed(np.maximum(log_weights, log_weights.max() - 10.0 * BEHIND))
    return Weighted(
        z=z,
        log_likelihood=log_likelihood,
        log_weights=smoothed,
        log_evidence=total - float(np.log(len(z))),
        error=float(np.sqrt(max(1.0 / ess - 1.0 / len(z), 0.0))),
        ess=ess,
        pareto_k=k,
        calls=calls,
    )


def _shares(log_evidence: np.ndarray) -> np.ndarray:
    """Of the draws, by population: none is left out, and one that found little gets few."""
    root = np.exp(0.5 * (log_evidence - np.max(log_evidence)))
    least = LEAST_SHARE * min(1.0, 4.0 / len(root))
    found = np.maximum(root / root.sum(), least)
    return found / found.sum()


def _log_normal(z: np.ndarray) -> np.ndarray:
    """The logarithm of the prior's density in normal coordinates."""
    return -0.5 * np.sum(z**2, axis=1) - 0.5 * z.shape[1] * np.log(2.0 * np.pi)


def _equal(log_weights: np.ndarray) -> float:
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

"""Posterior draws of a likelihood from tables or few nodes made those of the exact one, by weights."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.inference.compiled import Forward, forward, holds
from anomfit.inference.sample.chains import Samples
from anomfit.inference.sample.diagnostics import diagnose, pareto_smoothed
from anomfit.inference.sample.likelihoods import equal_draws
from anomfit.measurements.base import StandsIn
from anomfit.measurements.coarse import Coarse
from anomfit.problem import Problem, with_measurements
from anomfit.tables.checking import Errors, over_tolerance
from anomfit.tables.use import Correction

TRUSTED = 0.7  # Pareto k up to which weighted draws stand for the exact posterior, arXiv:1507.02646
ALIKE = 0.9  # of the draws, that weights leave which are close to 1: their tail does not matter
HOPELESS = -1e30  # logarithm of a weight of a draw whose exact likelihood is 0 or none


def corrected(exact: Problem, fast: Problem, samples: Samples, key: Array) -> tuple[Samples, Correction]:
    """`samples`, drawn with the stand-ins of `fast`, as equal draws of the exact posterior, and what that changed.

    The exact likelihood is computed at every draw, and each chain drawn again by its weights, in its own order: with
    weights that hardly vary nearly every draw stays where it was. Where the tail of the weights is too long to be
    trusted, a sentence says so among the problems of the draws.
    """
    places = [i for i, m in enumerate(fast.measurements) if isinstance(m, StandsIn)]
    points = {name: x.ravel() for name, x in samples.values.items()}
    said = [forward(with_measurements(problem, places), points) for problem in (exact, fast)]
    truth, table = (np.sum(one.log_likelihood, axis=0) for one in said)
    log_ratio = np.where(np.isfinite(truth), truth - table, HOPELESS)
    smoothed, k = pareto_smoothed(log_ratio)
    errors = _errors(fast, places, points, said[0], said[1])
    correction = _correction(samples, log_ratio, smoothed, k, errors)
    drawn = _drawn_again(samples, np.maximum(log_ratio, HOPELESS), smoothed, key)
    if not k < TRUSTED and correction.effective < ALIKE * log_ratio.size:
        sentence = (
            "the sampled likelihood is too far from the exact one for these draws to be made exact by weights (Pareto "
            f"k = {k:.2f}, not below {TRUSTED}, {correction.effective:.0f} of {log_ratio.size} draws left): run again "
            "with --exact"
        )
        drawn = replace(drawn, undefined=(*drawn.undefined, sentence))
    if drawn.evidence is not None:
        before = drawn.evidence
        error = None if before.error is None else float(np.hypot(before.error, correction.log_evidence_error))
        total = before.log_evidence + correction.log_evidence
        drawn = replace(drawn, evidence=replace(before, log_evidence=total, error=error))
    return drawn, correction


def _correction(
    samples: Samples, log_ratio: Float[np.ndarray, "draws"], smoothed: Float[np.ndarray, "draws"], k: float, errors: str
) -> Correction:
    weight = np.exp(smoothed - np.logaddexp.reduce(smoothed))
    effective = 1.0 / float(np.sum(weight**2))
    mean, width = {}, {}
    for name, draws in samples.values.items():
        flat = draws.ravel()
        sd, middle = float(np.std(flat)), float(weight @ flat)
        if sd > 0.0:
            mean[name] = (middle - float(np.mean(flat))) / sd
            width[name] = float(np.sqrt(weight @ (flat - middle) ** 2)) / sd - 1.0
    mean_of, width_of = (max(table, key=lambda name, table=table: abs(table[name])) for table in (mean, width))
    # of draws of the tabulated posterior, the mean of exact/tabulated is the ratio of the evidences
    top = float(np.max(log_ratio))
    ratio = np.exp(log_ratio - top)
    error = float(np.std(ratio) / np.mean(ratio) / np.sqrt(_equal_draws(samples)))
    return Correction(
        draws=log_ratio.size,
        effective=effective,
        pareto_k=k,
        mean=mean[mean_of],
        mean_of=mean_of,
        width=width[width_of],
        width_of=width_of,
        log_evidence=top + float(np.log(np.mean(ratio))),
        log_evidence_error=error,
        errors=errors,
    )


def _equal_draws(samples: Samples) -> float:
    """How many independent draws the samples are worth, by the worst coordinate."""
    worth = min((d.ess_bulk for d in samples.diagnostics), default=np.nan)
    return max(1.0, float(worth)) if np.isfinite(worth) else float(np.prod(samples.z.shape[:2]))


def _drawn_again(samples: Samples, log_ratio: np.ndarray, smoothed: np.ndarray, key: Array) -> Samples:
    chains, draws = samples.z.shape[:2]
    change, weights = log_ratio.reshape(chains, draws), np.exp(smoothed - smoothed.max()).reshape(chains, draws)
    if np.ptp(log_ratio) == 0.0:
        chosen = np.tile(np.arange(draws), (chains, 1))
    else:
        chosen = np.stack(
            [np.sort(equal_draws(own / own.sum(), draws, jax.random.fold_in(key, i))) for i, own in enumerate(weights)]
        )
    each = np.arange(chains)[:, None]
    stats = dict(samples.stats)
    for name in ("log_posterior", "log_likelihood"):
        stats[name] = stats[name] + change
    values = {name: x[each, chosen] for name, x in samples.values.items()}
    return replace(
        samples,
        values=values,
        derived={name: x[each, chosen] for name, x in samples.derived.items()},
        z=samples.z[each, chosen],
        stats={name: x[each, chosen] for name, x in stats.items()},
        diagnostics=diagnose(values),
    )


def _errors(fast: Problem, places: list[int], points: dict[str, np.ndarray], truth: Forward, table: Forward) -> str:
    """How far predictions at the draws are off, in units of their tolerance; points outside of a table left out."""
    looked_up = [(i, place) for i, place in enumerate(places) if not isinstance(fast.measurements[place], Coarse)]
    if not looked_up:
        return ""
    held = np.asarray(holds(fast, {name: jnp.asarray(x) for name, x in points.items()}))
    worst, totals = [], []
    for i, place in looked_up:
        reference, found = (
            np.sum([np.asarray(x) for x in one.signal[i].values()], axis=0)[held] for one in (truth, table)
        )
        worst.append(over_tolerance(found, reference, fast.measurements[place]))
        sums = np.sum(reference, axis=1)
        totals.append(np.sum(found, axis=1) / np.where(sums == 0.0, 1.0, sums) - 1.0)
    return Errors(np.max(worst, axis=0), np.max(np.abs(totals), axis=0), len(held)).sentence()

"""Weighted draws of mixtures fitted to populations: densities against SciPy's, arms whose shares are known."""

import jax
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_t
from test_proposals import known
from test_tempered import narrow_arm

from anomfit.inference.sample import populations as populations_module
from anomfit.inference.sample.chains import SampleSettings
from anomfit.inference.sample.mixtures import log_student_density, student_points
from anomfit.inference.sample.populations import samples_of_populations
from anomfit.inference.sample.stages import stages_of
from anomfit.inference.sample.tempered import Tempered
from anomfit.inference.sample.weighted import TOGETHER, empty_pool, fits_of, with_more
from anomfit.inference.undefined import Watch

WATCH = Watch("draws", lambda z: {})


def test_density_of_a_mixture_of_students_is_scipys():
    mixtures, means, covariances = known()
    points = np.random.default_rng(1).normal(size=(40, 3))
    found = log_student_density(mixtures, points, 6.0)
    for i, weights in enumerate(np.exp(mixtures.log_weights)):
        each = [np.log(w) + multivariate_t(m, c, 6.0).logpdf(points) for w, m, c in zip(weights, means, covariances)]
        np.testing.assert_allclose(found[i], logsumexp(each, axis=0), rtol=1e-10)


def test_points_of_a_mixture_of_students_have_its_density():
    """By weights over its density a Gaussian comes out, whose integral and mean are known."""
    mixtures, means, _ = known()
    points = student_points(np.random.default_rng(2), mixtures, np.array([120_000, 0]), 6.0)
    density = log_student_density(mixtures, points, 6.0)[0]
    target = multivariate_t(means[0], np.diag([0.3, 0.3, 0.3]), 50.0)
    weights = np.exp(target.logpdf(points) - density)
    assert weights.mean() == pytest.approx(1.0, abs=5.0 * weights.std() / np.sqrt(len(weights)))
    assert weights.std() < 10.0
    assert (weights @ points) / weights.sum() == pytest.approx(means[0], abs=0.05)


def populations(shares, points=400):
    """Of the arms of `narrow_arm`, exact draws, with these shares of the narrow one, which is to have 0.6."""
    rng, made = np.random.default_rng(3), []
    problem, peak = narrow_arm()
    for share in shares:
        is_narrow = (rng.uniform(size=points) < share)[:, None]
        x = np.where(is_narrow, 1.5, -1.5) + np.where(is_narrow, 0.5, 1.0) * rng.normal(size=(points, 6))
        u = (np.clip(x, -4.99, 4.99) + 5.0) / 10.0
        made.append(np.array(jax.scipy.stats.norm.ppf(u)))
    return problem, peak, np.stack(made)


def log_evidence_of(peak):
    return 3.0 * np.log(2.0 * np.pi) - 6.0 * np.log(10.0) - peak


def pooled(problem, lots, number, seed=4):
    """So many lots of draws of mixtures, fitted to each of `lots` (populations and their evidences)."""
    rng, pool, stages = np.random.default_rng(seed), empty_pool(6), stages_of(problem)
    for z, log_evidence in lots:
        fits = fits_of(rng, z, log_evidence)
        for _ in range(number):
            pool = with_more(pool, fits, stages, rng, WATCH)
    return pool


@pytest.mark.parametrize("log_evidence", [np.zeros(3), np.array([0.0, -3.0, -9.0])])
def test_populations_that_disagree_give_the_shares_and_the_evidence(log_evidence):
    problem, peak, z = populations((0.1, 0.9, 0.5))
    found = pooled(problem, [(z, log_evidence)], 8).weighted()
    assert found.is_good
    assert found.ess >= 4000.0
    assert np.exp(found.log_weights).sum() == pytest.approx(1.0)
    assert found.log_evidence == pytest.approx(log_evidence_of(peak), abs=5.0 * found.error)
    assert found.error < 0.02
    assert np.exp(found.log_weights) @ (found.z.mean(axis=1) > 0.0) == pytest.approx(0.6, abs=0.03)
    assert found.calls <= len(found.z) == 8 * TOGETHER


def test_draws_of_all_fits_count_together():
    """Two lots, one of mixtures far too narrow: its draws lose their weight to the others, and nothing is biased."""
    problem, peak, z = populations((0.6, 0.6))
    narrow = 0.3 * z
    alone = pooled(problem, [(narrow, np.zeros(2))], 2).weighted()
    both = pooled(problem, [(narrow, np.zeros(2)), (z, np.zeros(2))], 2)
    assert both.numbers == (2 * TOGETHER, 2 * TOGETHER)
    found = both.weighted()
    assert not alone.is_good
    assert found.is_trusted
    assert found.ess > 0.3 * len(found.z) > 10.0 * alone.ess
    assert found.log_evidence == pytest.approx(log_evidence_of(peak), abs=5.0 * found.error)


def test_draws_of_mixtures_take_the_place_of_points():
    problem, peak, z = populations((0.1, 0.9))
    value = np.zeros(z.shape[:2])
    found = Tempered(z, value, np.full(2, log_evidence_of(peak)), 1, 100, 50, 1.0, sampled=6)
    settings, key = SampleSettings(chains=2, draws=200, max_draws=200), jax.random.key(1)
    samples = samples_of_populations(problem, found, settings, key, most=8192)
    assert samples.z.shape == (2, 200, 6)
    assert samples.evidence is not None
    assert samples.evidence.weighted == 2048
    assert samples.evidence.pareto_k < 0.7
    assert samples.evidence.log_evidence == pytest.approx(log_evidence_of(peak), abs=0.2)
    assert samples.undefined == ()
    assert np.mean(samples.z.mean(axis=2) > 0.0) == pytest.approx(0.6, abs=0.1)
    again = samples_of_populations(problem, found, settings, key, most=8192)
    np.testing.assert_array_equal(samples.z, again.z)
    points = samples_of_populations(problem, found, settings, key)
    assert points.evidence.weighted is None


def test_mixtures_that_are_not_good_are_fitted_again_to_points_that_were_moved():
    """Populations that are too narrow and a little off: after some rounds the arms have their shares."""
    problem, peak, z = populations((0.6, 0.6))
    off = Tempered(0.5 * z + 0.2, np.zeros(z.shape[:2]), np.zeros(2), 1, 100, 50, 1.0, sampled=6)
    assert not pooled(problem, [(off.z, np.zeros(2))], 2).weighted().is_good
    settings = SampleSettings(2, 1000, max_draws=1000)
    samples = samples_of_populations(problem, off, settings, jax.random.key(1), most=60_000)
    assert samples.evidence.weighted is not None
    assert samples.evidence.ess >= 2000.0
    assert samples.evidence.calls > 50 + samples.evidence.weighted  # moves, too
    assert samples.evidence.log_evidence == pytest.approx(log_evidence_of(peak), abs=0.1)
    assert np.mean(samples.z.mean(axis=2) > 0.0) == pytest.approx(0.6, abs=0.05)


def test_weights_that_cannot_be_trusted_leave_the_points(monkeypatch):
    """Populations far from the posterior: what is said names the shape of the tail."""
    monkeypatch.setattr(populations_module, "ROUNDS", 1)
    problem, _, z = populations((0.6, 0.6))
    off = Tempered(0.05 * z + 1.2, np.zeros(z.shape[:2]), np.zeros(2), 1, 100, 50, 1.0, sampled=6)
    samples = samples_of_populations(problem, off, SampleSettings(2, 200, max_draws=200), jax.random.key(1), most=2048)
    assert samples.evidence.weighted is None
    assert any("Pareto k" in sentence for sentence in samples.undefined)
    assert np.all(np.abs(samples.z - 1.2) < 0.3)

"""Proposals of tempered populations: mixtures against SciPy, and arms whose weights are known."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm
from test_tempered import two_arms

from anomfit.inference.sample import tempered
from anomfit.inference.sample.mixtures import Mixtures, fitted_mixtures, log_density, redrawn_points
from anomfit.inference.sample.proposals import along_differences, from_mixtures, of_parameters
from anomfit.inference.sample.stages import stages_of
from anomfit.inference.undefined import Watch

WEIGHTS = np.array([0.7, 0.3])
MEANS = np.array([[-1.0, 0.5, 0.0], [2.0, -1.0, 0.3]])
FACTORS = np.array([np.diag([0.3, 0.2, 1.0]), [[0.5, 0.0, 0.0], [0.4, 0.1, 0.0], [-0.2, 0.3, 0.6]]])
SPREAD = np.array([[2.0, 0.0, 0.0], [0.5, 1.5, 0.0], [0.3, -0.2, 0.7]])
CENTRE = np.array([0.4, -0.3, 1.0])


def drawn_points(rng, mixtures, number):
    """So many points of each of two mixtures in three coordinates, all of which are drawn anew."""
    return redrawn_points(rng, mixtures, np.zeros((2, number, 3)), 3)


def known():
    """A mixture in three coordinates, its means and its covariances; a second one has the weights exchanged."""
    weights = np.log([WEIGHTS, WEIGHTS[::-1]])
    twice = [np.stack([array, array]) for array in (MEANS, FACTORS, CENTRE[None], SPREAD)]
    means = CENTRE + MEANS @ SPREAD.T
    covariances = np.stack([(SPREAD @ factor) @ (SPREAD @ factor).T for factor in FACTORS])
    return Mixtures(weights, *twice), means, covariances


def test_density_of_a_mixture_is_scipys():
    mixtures, means, covariances = known()
    points = np.random.default_rng(1).normal(size=(2, 40, 3))
    found = log_density(mixtures, points)
    for i, weights in enumerate((WEIGHTS, WEIGHTS[::-1])):
        each = [np.log(w) + multivariate_normal(m, c).logpdf(points[i]) for w, m, c in zip(weights, means, covariances)]
        apart = found[i] - logsumexp(each, axis=0)
        np.testing.assert_allclose(apart, apart[0], atol=1e-9)


def test_draws_of_a_mixture_have_its_moments():
    mixtures, means, covariances = known()
    points = drawn_points(np.random.default_rng(2), mixtures, 200_000)
    for x, weights in zip(points, (WEIGHTS, WEIGHTS[::-1])):
        mean = weights @ means
        off = means - mean
        covariance = np.einsum("c,cij->ij", weights, covariances) + np.einsum("c,ci,cj->ij", weights, off, off)
        np.testing.assert_allclose(x.mean(axis=0), mean, atol=4.0 * np.sqrt(np.diag(covariance).max() / len(x)))
        np.testing.assert_allclose(np.cov(x.T), covariance, rtol=0.02, atol=0.03)


@pytest.mark.parametrize("number", [1, 2])
def test_coordinates_that_stay_do_and_others_have_the_density_of_the_mixture_given_them(number):
    """What is drawn has the moments that a grid of the mixture's density has, where the others are what they were."""
    mixtures, _, _ = known()
    start = np.array([0.2, -0.5, 1.1])
    rng, drawn = np.random.default_rng(8), {}
    for _ in range(40):
        new = redrawn_points(rng, mixtures, np.tile(start, (2, 2000, 1)), number)
        for i in range(2):
            moved = tuple(int(j) for j in np.flatnonzero(np.any(new[i] != start, axis=0)))
            assert len(moved) == number
            drawn.setdefault((i, moved), []).append(new[i][:, moved])
    for (i, moved), points in drawn.items():
        axis = np.linspace(-12.0, 14.0, 1301)
        grid = np.stack(np.meshgrid(*[axis] * number, indexing="ij"), axis=-1).reshape(-1, number)
        places = np.tile(start, (2, len(grid), 1))
        places[:, :, moved] = grid
        weights = np.exp(log_density(mixtures, places)[i])
        mean = weights @ grid / weights.sum()
        spread = np.sqrt(weights @ (grid - mean) ** 2 / weights.sum())
        found = np.concatenate(points)
        np.testing.assert_allclose(found.mean(axis=0), mean, atol=5.0 * spread.max() / np.sqrt(len(found)))
        np.testing.assert_allclose(found.std(axis=0), spread, rtol=0.08)


def test_a_fit_finds_the_mixture_that_points_were_drawn_from():
    mixtures, means, _ = known()
    rng = np.random.default_rng(3)
    points = drawn_points(rng, mixtures, 4000)
    found = fitted_mixtures(rng, points, 2)
    for i, share in enumerate((0.7, 0.3)):
        at = found.centre[i] + found.means[i] @ found.spread[i].T
        order = np.argsort(at[:, 0] - at[:, 1])
        wanted = np.argsort(means[:, 0] - means[:, 1])
        np.testing.assert_allclose(at[order], means[wanted], atol=0.12)
        np.testing.assert_allclose(np.exp(found.log_weights[i][order][0]), share, atol=0.03)


def test_copies_of_one_point_alone_have_a_mixture_too():
    rng = np.random.default_rng(4)
    points = np.repeat(rng.normal(size=(2, 1, 3)), 30, axis=1)
    found = fitted_mixtures(rng, points, 3)
    assert np.isfinite(log_density(found, points)).all()
    assert np.isfinite(drawn_points(rng, found, 5)).all()


def started(share, populations=16, points=256):
    """Exact draws of `two_arms`, but with this share of the lesser arm, as a state at beta = 1."""
    problem, rng = two_arms(), np.random.default_rng(5)
    x = np.where(rng.uniform(size=(populations, points)) < share, -2.0, 2.0) + 0.2 * rng.normal(
        size=(populations, points)
    )
    y = rng.normal(size=(populations, points))
    z = norm.ppf((np.stack([x, y], axis=-1) + 5.0) / 10.0)
    watch = Watch("points", lambda z: {})
    stages = stages_of(problem)
    looks = tempered.look(stages, 0, z, np.full(z.shape[:-1], True), watch)[None]
    nothing, one = np.zeros(populations), np.ones(populations)
    state = tempered._State(z, looks, one, nothing, np.ones(3), 1, 0, 0, 0.0)
    return stages, state, watch


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_draws_of_mixtures_keep_the_weights_of_arms_and_bring_them_about(share):
    """Odds 1 : 4 stay as they are, and 3 : 2 become 1 : 4; means and widths of the arms are those of the target."""
    stages, state, watch = started(share)
    rng = np.random.default_rng(6)
    for _ in range(15):
        mixtures = tuple(of_parameters(rng, state.z[:, other], 2) for _, other in tempered._halves(state))
        state = tempered._moved(stages, state, rng, watch, mixtures)
    x = 10.0 * norm.cdf(state.z[..., 0]) - 5.0
    error = np.sqrt(0.2 * 0.8 / x.size)
    assert np.mean(x < 0.0) == pytest.approx(0.2, abs=3.0 * error)
    assert np.mean(x[x > 0.0]) == pytest.approx(2.0, abs=0.015)
    assert np.std(x[x > 0.0]) == pytest.approx(0.2, rel=0.05)
    assert np.std(10.0 * norm.cdf(state.z[..., 1]) - 5.0) == pytest.approx(1.0, rel=0.05)


def test_pulls_are_moved_by_their_prior_and_parameters_by_the_mixture():
    """The ratio asked for is the parameters' alone: prior and density of the first two of three coordinates."""
    rng = np.random.default_rng(7)
    now, steady = rng.normal(size=(2, 3, 4096, 3))
    sizes = np.array([1.0, 1.0, 0.5])
    found = from_mixtures(rng, now, of_parameters(rng, steady, 2), sizes)
    expected = 0.5 * np.sum(now[..., :2] ** 2 - found.new[..., :2] ** 2, axis=-1)
    np.testing.assert_allclose(found.prior, expected)
    left = np.mean(now[..., 2] * found.new[..., 2])  # sqrt(1 - step^2), of a step below 0.5
    assert np.sqrt(0.75) - 0.03 < left < 1.03
    assert np.std(found.new[..., 2]) == pytest.approx(1.0, abs=0.03)
    assert not np.any(along_differences(rng, now, steady, sizes, free=2).density)


def test_copies_stay_in_one_half_of_a_population():
    """Points drawn again keep their order, so that all copies of a point are neighbours."""
    _, state, _ = started(0.5, populations=2, points=64)
    marks = np.arange(64.0)
    state = replace(state, beta=np.zeros(2), looks=np.stack([[-0.3 * marks, -0.3 * marks[::-1]]]))
    state = replace(state, z=np.repeat(np.stack([marks, marks])[..., None], 2, axis=-1))
    raised = tempered._raised(state, jax.random.key(1))
    assert np.all(np.diff(raised.z[..., 0], axis=1) >= 0.0)
    assert len(np.unique(raised.z[0, :, 0])) < 64

"""Conditional distributions learned from weighted points: their density, the way back, its Jacobian."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from anomfit.inference.learning_conditionals import learn_conditionals
from anomfit.inference.points import Points

ARMS, SHARES = np.array([-1.0, 1.0]), np.array([0.4, 0.6])


def bend(first):
    return 0.4 * first**2 - 0.8


def valley(rng, n):
    """Points of two arms and a bent valley."""
    first = rng.choice(ARMS, n, p=SHARES) + 0.5 * rng.normal(size=n)
    return np.stack([first, bend(first) + 0.5 * rng.normal(size=n)], axis=1)


@pytest.fixture(scope="module")
def cloud():
    """The valley; a fifth of the rows is of no weight and elsewhere."""
    rng = np.random.default_rng(1)
    z = np.concatenate([valley(rng, 4000), rng.normal((0.0, 2.0), size=(1000, 2))])
    weight = np.concatenate([np.full(4000, 1.0 / 4000.0), np.zeros(1000)])
    nothing = np.zeros((1, len(z)))
    return Points(z, signal=nothing, chi_squared=nothing, posterior=weight, found=4000.0)


@pytest.fixture(scope="module")
def learned(cloud):
    stacked = learn_conditionals(cloud, [0, 1], 6000, jax.random.key(1))
    return [jax.tree.map(lambda x, n=n: x[n], stacked) for n in range(2)]


def there(learned, w):
    """z of w and ln |dz/dw|."""
    z, first = learned[0].to_normal(w)
    z, second = learned[1].to_normal(z)
    return z, first + second


def back(learned, z):
    return learned[0].from_normal(learned[1].from_normal(z))


def test_the_density_they_give_is_that_of_the_weighted_points(cloud, learned):
    """Mean surprise above the true density's, in nats, of points that were not learned from."""
    z = valley(np.random.default_rng(3), 2000)
    w = jax.jit(jax.vmap(lambda x: back(learned, x)))(jnp.asarray(z))
    found = norm.logpdf(w).sum(axis=1) - np.asarray(jax.vmap(lambda x: there(learned, x)[1])(w))
    true = logsumexp(norm.logpdf(z[:, :1], ARMS, 0.5), axis=1, b=SHARES) + norm.logpdf(z[:, 1], bend(z[:, 0]), 0.5)
    assert np.mean(true - norm.logpdf(z).sum(axis=1)) > 0.5
    assert np.mean(true - found) < 0.06


def test_the_way_back_is_exact_and_its_jacobian_that_of_the_map(learned):
    for w in np.random.default_rng(2).normal(size=(5, 2)):
        z, log_jacobian = there(learned, jnp.asarray(w))
        np.testing.assert_allclose(back(learned, z), w, atol=1e-9)
        determinant = jnp.linalg.det(jax.jacobian(lambda x: there(learned, x)[0])(jnp.asarray(w)))
        assert float(log_jacobian) == pytest.approx(float(jnp.log(determinant)), rel=1e-8)

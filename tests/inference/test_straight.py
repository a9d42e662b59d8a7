"""The sampler's changes of coordinates: exact whatever has been learned."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomfit.inference.amplitude import Amplitude
from anomfit.inference.conditional import PLACES, Conditional, log_density
from anomfit.inference.network import first_layers
from anomfit.inference.straight import Straight, stack
from anomfit.inference.trend import Trend, features, fit_trend, from_trend, no_trend, to_trend

BENT = Trend(jnp.array([0.5, 0.0, -1.0]), jnp.array([0.3, 1.0, 0.2]), jnp.array([0.4, 0.0, 0.0]), jnp.asarray(0.1))
NARROW = no_trend(3)._replace(scatter=jnp.asarray(0.03))


def random_layers(key, known, outputs):
    """Layers with random weights: nothing learned."""
    *inner, (matrix, offset) = first_layers(key, np.array(known), (8,), outputs)
    return (*inner, (jax.random.normal(jax.random.fold_in(key, 1), matrix.shape), offset + 0.3))


def some_coordinates(seed: int = 0) -> Straight:
    """Two conditional coordinates and an amplitude that depends on both."""
    keys = jax.random.split(jax.random.key(seed), 3)
    conditionals = [
        Conditional(random_layers(keys[0], [False, False, False], PLACES.size), NARROW, jnp.asarray(0)),
        Conditional(random_layers(keys[1], [True, False, False], PLACES.size), BENT, jnp.asarray(2)),
    ]
    amplitude = Amplitude(
        random_layers(keys[2], [True, False, True], 1),
        jnp.array([0.2, 1.0, 0.1]),
        jnp.array([-0.3, 0.0, 0.1]),
        jnp.array([0.2, 0.03, 0.02]),
        jnp.asarray(1),
    )
    return Straight(stack(conditionals), stack([amplitude]))


to_normal = jax.jit(lambda coordinates, w: coordinates.to_normal(w))
from_normal = jax.jit(lambda coordinates, z: coordinates.from_normal(z))
slopes_of_z = jax.jit(jax.jacfwd(lambda coordinates, w: coordinates.to_normal(w)[0], argnums=1))
slope_of_jacobian = jax.jit(jax.grad(lambda coordinates, w: coordinates.to_normal(w)[1], argnums=1))


@settings(max_examples=40, deadline=None)
@given(w=st.lists(st.floats(-4.0, 4.0), min_size=3, max_size=3), seed=st.integers(0, 5))
def test_the_change_is_invertible_and_its_jacobian_is_exact(w, seed):
    coordinates, w = some_coordinates(seed), jnp.array(w)
    z, log_jacobian = to_normal(coordinates, w)
    slopes = slopes_of_z(coordinates, w)
    np.testing.assert_allclose(log_jacobian, jnp.linalg.slogdet(slopes)[1], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(from_normal(coordinates, z), w, rtol=1e-5, atol=1e-5)


def test_the_slope_of_the_jacobian_is_that_of_differences():
    coordinates, w, h = some_coordinates(1), jnp.array([0.3, -0.7, 1.1]), 1e-5
    found = slope_of_jacobian(coordinates, w)
    for i in range(3):
        ahead, behind = (to_normal(coordinates, w.at[i].add(d))[1] for d in (h, -h))
        np.testing.assert_allclose(found[i], (ahead - behind) / (2.0 * h), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("w", [[30.0, 40.0, -30.0], [-30.0, -40.0, 30.0], [0.0, 25.0, 0.0]])
def test_gradients_are_finite_far_outside(w):
    coordinates = some_coordinates()
    assert np.all(np.isfinite(slope_of_jacobian(coordinates, jnp.array(w))))


def test_the_density_that_is_learned_is_the_one_that_is_used():
    # the probability below v, from the change of coordinates, is the integral of the density that the training sees
    coordinates = some_coordinates(2)
    step = jax.tree.map(lambda leaf: leaf[1], coordinates.conditionals)
    grid = jnp.linspace(-17.0, 1.3, 40001)
    others = jnp.array([0.4, 0.0, 0.0])
    seen = features(step.trend, others)
    below = jnp.trapezoid(jnp.exp(jax.vmap(lambda v: log_density(step.layers, seen, v[None]))(grid)), grid)
    odds = 1.7 * step.from_normal(others.at[2].set(to_trend(step.trend, 2, others, jnp.asarray(1.3))[0]))[2]
    np.testing.assert_allclose(jax.nn.sigmoid(odds), below, rtol=1e-6)


def test_a_network_of_zeros_leaves_a_nearly_normal_coordinate():
    layers = ((jnp.zeros((3, 4)), jnp.zeros(4)), (jnp.zeros((4, PLACES.size)), jnp.zeros(PLACES.size)))
    step = Conditional(layers, no_trend(3), jnp.asarray(0))
    z = jax.vmap(lambda x: step.to_normal(jnp.array([x, 0.0, 0.0]))[0][0])(jnp.linspace(-2.0, 2.0, 9))
    np.testing.assert_allclose(z, jnp.linspace(-2, 2, 9), atol=0.25)


@settings(deadline=None)
@given(v=st.floats(-18.0, 18.0), first=st.floats(-8.0, 8.0))
def test_a_trend_is_undone_and_its_slope_is_that_of_the_map(v, first):
    others = jnp.array([first, 0.3, 0.0])
    z, log_slope = to_trend(BENT, 2, others, jnp.asarray(v))
    assert float(from_trend(BENT, 2, others.at[2].set(z))) == pytest.approx(v, rel=1e-6, abs=1e-6)
    slope = jax.grad(lambda x: to_trend(BENT, 2, others, x)[0])(jnp.asarray(v))
    assert float(log_slope) == pytest.approx(float(jnp.log(slope)), rel=1e-9, abs=1e-9)


def test_the_farthest_number_of_the_narrowest_coordinate_lies_outside_every_prior():
    reached = NARROW.scatter * 3.0 * np.sinh(18.0 / 3.0)
    assert reached > 12.0


def test_a_trend_is_learned_from_weighted_points():
    rng = np.random.default_rng(1)
    first = 2.0 + 0.1 * rng.normal(size=3000)
    z = np.stack([first, rng.normal(size=3000), 3.0 * (first - 2.0) - 1.0 + 0.05 * rng.normal(size=3000)], axis=1)
    z[2000:, 2] += 4.0
    weight = np.where(np.arange(3000) < 2000, 1.0 / 2000.0, 0.0)
    found = fit_trend(z, weight, 2000.0, 2, np.array([True, True, False]))
    assert float(found.scatter) == pytest.approx(0.05, rel=0.1)  # tanh bends the trend a little
    assert float(found.slope[0] / found.spread[0]) == pytest.approx(3.0, rel=0.1)
    assert float(found.slope[1]) == pytest.approx(0.0, abs=0.01)
    assert float(found.slope[2]) == 0.0

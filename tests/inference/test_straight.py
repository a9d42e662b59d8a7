"""The sampler's changes of coordinates: exact whatever has been learned."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomfit.inference.sample.amplitude import Amplitude
from anomfit.inference.sample.conditional import PLACES, Conditional, log_density
from anomfit.inference.sample.network import first_layers
from anomfit.inference.sample.straight import Straight, stack


def random_layers(key, known, outputs):
    """Layers with random weights: nothing learned."""
    *inner, (matrix, offset) = first_layers(key, np.array(known), (8,), outputs)
    return (*inner, (jax.random.normal(jax.random.fold_in(key, 1), matrix.shape), offset + 0.3))


def some_coordinates(seed: int = 0) -> Straight:
    """Two conditional coordinates and an amplitude that depends on both."""
    keys = jax.random.split(jax.random.key(seed), 3)
    conditionals = [
        Conditional(random_layers(keys[0], [False, False, False], PLACES.size), jnp.asarray(0)),
        Conditional(random_layers(keys[1], [True, False, False], PLACES.size), jnp.asarray(2)),
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
    # the probability below z, from the change of coordinates, is the integral of the density that the training sees
    coordinates = some_coordinates(2)
    step = jax.tree.map(lambda leaf: leaf[1], coordinates.conditionals)
    grid = jnp.linspace(-11.0, 1.3, 40001)
    others = jnp.array([0.4, 0.0, 0.0])
    below = jnp.trapezoid(jnp.exp(jax.vmap(lambda z: log_density(step.layers, others, z[None]))(grid)), grid)
    odds = 1.7 * step.from_normal(others.at[2].set(1.3))[2]
    np.testing.assert_allclose(jax.nn.sigmoid(odds), below, rtol=1e-6)


def test_a_network_of_zeros_leaves_a_nearly_normal_coordinate():
    layers = ((jnp.zeros((3, 4)), jnp.zeros(4)), (jnp.zeros((4, PLACES.size)), jnp.zeros(PLACES.size)))
    step = Conditional(layers, jnp.asarray(0))
    z = jax.vmap(lambda x: step.to_normal(jnp.array([x, 0.0, 0.0]))[0][0])(jnp.linspace(-2.0, 2.0, 9))
    np.testing.assert_allclose(z, jnp.linspace(-2, 2, 9), atol=0.25)

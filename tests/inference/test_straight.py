"""The sampler's change of coordinates: exact whatever it has learned, and worth its while."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import Numbers, ToyMeasurement, ToyModel

from anomfit.inference.nuts import Tuning
from anomfit.inference.sample import SampleSettings, sample
from anomfit.inference.straight import Straight, learn
from anomfit.parameters import Parameter
from anomfit.problem import build_problem


def some_coordinates(seed: int = 0, width: float = 0.03) -> Straight:
    """A network with random weights: nothing learned."""
    keys = jax.random.split(jax.random.key(seed), 2)
    layers = ((jax.random.normal(keys[0], (2, 8)), jnp.zeros(8)), (0.3 * jax.random.normal(keys[1], (8, 1)), 0.5))
    return Straight(layers, jnp.asarray(width), 1)


def shell():
    """A rate y^2 e^(3 x) measured to 10 %, x and ln y over wide ranges: a thin slanted band."""
    names = [("x", -1.0, 1.0, "uniform"), ("y", 1e-3, 1e3, "log-uniform")]
    model = ToyModel(
        "shell",
        [Parameter(n, n, "1", low, high, prior, n) for n, low, high, prior in names],
        lambda p: jnp.stack([p["y"] ** 2 * jnp.exp(3.0 * p["x"])]),
    )
    chosen = model.parametrisations["own"]
    object.__setattr__(chosen, "amplitudes", {"y": Numbers})
    measurement = ToyMeasurement(jnp.array([1.0]), jnp.array([[100.0]]))
    return build_problem(model, [measurement], "own", list(chosen.parameters), {})


@settings(max_examples=50, deadline=None)
@given(w=st.lists(st.floats(-4.0, 4.0), min_size=3, max_size=3), seed=st.integers(0, 5))
def test_the_change_is_invertible_and_its_jacobian_is_exact(w, seed):
    coordinates, w = some_coordinates(seed), jnp.array(w)
    z, log_jacobian = coordinates.to_normal(w)
    slopes = jax.jacfwd(lambda x: coordinates.to_normal(x)[0])(w)
    np.testing.assert_allclose(log_jacobian, jnp.linalg.slogdet(slopes)[1], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(coordinates.from_normal(z), w, rtol=1e-5, atol=1e-5)


def test_gradients_are_finite_far_outside():
    coordinates = some_coordinates()
    for w in ([30.0, 40.0, -30.0], [-30.0, -40.0, 30.0], [0.0, 25.0, 0.0]):
        assert np.all(np.isfinite(jax.grad(lambda x: coordinates.to_normal(x)[1])(jnp.array(w))))


def test_it_learns_where_the_rate_is_right():
    problem = shell()
    coordinates = learn(problem, jax.random.key(1))
    assert coordinates is not None
    x = np.linspace(-0.9, 0.9, 7)
    u = 0.5 * (1.0 + x)
    z = jax.scipy.stats.norm.ppf(jnp.asarray(u))
    there = jax.vmap(lambda a: coordinates.to_normal(jnp.array([a, 0.0]))[0])(z)
    values = jax.vmap(lambda a: problem.from_normal(a)[0])(there)
    np.testing.assert_allclose(np.log(values["y"]), -1.5 * x, atol=0.15)


def test_nothing_is_learned_where_no_rate_is_measured():
    problem = shell()
    object.__setattr__(problem.parametrisation, "amplitudes", {})
    assert learn(problem, jax.random.key(1)) is None


@pytest.mark.slow
def test_the_posterior_is_that_of_plain_coordinates():
    # y^2 e^(3x) = 1 +- 0.1 for x uniform in (-1, 1) and ln y uniform: x stays uniform (up to the band's slight shift)
    found = sample(shell(), jax.random.key(2), SampleSettings(4, 500, 2000, Tuning(warmup=300)))
    x, y = found.values["x"], found.values["y"]
    assert all(d.good for d in found.diagnostics)
    error = 1.0 / np.sqrt(min(d.ess_bulk for d in found.diagnostics))
    assert abs(x.mean()) < 4.0 * error * np.sqrt(1.0 / 3.0)
    assert abs(x.var() - 1.0 / 3.0) < 0.05
    rate = y**2 * np.exp(3.0 * x)
    # prior d ln y = d rate / (2 rate): a normal density times 1/rate
    grid = np.linspace(0.4, 1.6, 4001)
    density = np.exp(-0.5 * ((grid - 1.0) / 0.1) ** 2) / grid
    expected = np.average(grid, weights=density)
    assert abs(rate.mean() - expected) < 4.0 * error * 0.1
    assert abs(rate.std() / np.sqrt(np.average((grid - expected) ** 2, weights=density)) - 1.0) < 0.1

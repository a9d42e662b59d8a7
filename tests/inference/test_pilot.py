"""The first look: it learns where the rate is right, and the posterior does not depend on what it learned."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import ToyMeasurement, ToyModel

from anomfit.inference.coordinates import values_at_normal
from anomfit.inference.sample import pilot
from anomfit.inference.sample.chains import SampleSettings, sample
from anomfit.inference.sample.learning_amplitudes import driven, learn_amplitudes
from anomfit.inference.sample.nuts import Tuning
from anomfit.inference.sample.points import draw, effective, together
from anomfit.inference.sample.straight import Straight
from anomfit.parameters import Parameter
from anomfit.problem import build_problem


def shell(amplitudes=("y",)):
    """A rate y^2 e^(3 x) measured to 10 %, x and ln y over wide ranges: a thin slanted band."""
    names = [("x", -1.0, 1.0, "uniform"), ("y", 1e-3, 1e3, "log-uniform")]
    model = ToyModel(
        "shell",
        [Parameter(n, n, "1", low, high, prior, n) for n, low, high, prior in names],
        lambda p: jnp.stack([p["y"] ** 2 * jnp.exp(3.0 * p["x"])]),
    )
    chosen = model.parametrisations["own"]
    object.__setattr__(chosen, "amplitudes", amplitudes)
    measurement = ToyMeasurement(jnp.array([1.0]), jnp.array([[100.0]]))
    return build_problem(model, [measurement], "own", list(chosen.parameters), {})


def test_it_finds_the_measurement_that_an_amplitude_drives():
    assert driven(shell()) == {1: 0}
    assert driven(shell(())) == {}
    assert driven(shell(("x",))) == {}  # no amplitude, whatever the hint says


def test_it_learns_where_the_rate_is_right():
    problem = shell()
    points = draw(problem, Straight(), jax.random.key(1), 4096, 300.0)
    (step,) = learn_amplitudes(problem, {1: 0}, points, 4096, jax.random.key(2))
    x = np.linspace(-0.9, 0.9, 7)
    z = jax.scipy.stats.norm.ppf(jnp.asarray(0.5 * (1.0 + x)))
    there = jax.vmap(lambda a: step.to_normal(jnp.array([a, 0.0]))[0])(z)
    np.testing.assert_allclose(np.log(values_at_normal(problem, np.asarray(there))["y"]), -1.5 * x, atol=0.1)


def test_points_of_two_rounds_keep_the_better_ones_weight():
    problem = shell()
    first = draw(problem, Straight(), jax.random.key(1), 512, 50.0)
    second = draw(problem, Straight(), jax.random.key(2), 512, 50.0)
    both = together(first, second)
    np.testing.assert_allclose(both.posterior.sum(), 1.0)
    np.testing.assert_allclose(both.weight.sum(), 1.0)
    assert both.found == first.found + second.found
    assert effective(both.posterior) > max(first.effective, second.effective)


def test_nothing_is_learned_where_no_rate_is_measured():
    assert pilot.look(shell(()), jax.random.key(1), 4) is None


@pytest.mark.slow
def test_the_posterior_is_that_of_plain_coordinates():
    # y^2 e^(3x) = 1 +- 0.1 for x uniform in (-1, 1) and ln y uniform: x stays uniform (up to the band's slight shift)
    found = sample(shell(), jax.random.key(2), SampleSettings(4, 500, 2000, Tuning(warmup=100)))
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

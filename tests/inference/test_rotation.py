"""Parameters freed of the pulls: what the rotation is, and a posterior that is narrow between the two."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import ToyMeasurement, ToyModel, linear_parameter

from anomfit.inference.sample.rotation import freed_of_pulls, turned, turned_back
from anomfit.inference.sample.tempered import sample_tempered
from anomfit.parameters import Nuisance
from anomfit.problem import build_problem

SMEARING = np.array([[0.9, -0.4, 0.2], [0.1, 0.6, -1.1]])  # of two parameters by three pulls


def smeared(rng, width, populations=2, points=4000):
    """Points of which x + C q is 0 to `width`, for pulls q of their prior."""
    q = rng.normal(size=(populations, points, 3))
    x = width * rng.normal(size=(populations, points, 2)) - q @ SMEARING.T
    return np.concatenate([x, q], axis=-1)


def test_it_is_a_rotation_and_there_is_a_way_back():
    points = smeared(np.random.default_rng(1), 0.1, points=40)
    rotations = freed_of_pulls(points, free=2)
    np.testing.assert_allclose(rotations @ np.swapaxes(rotations, 1, 2), [np.eye(5)] * 2, atol=1e-13)
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0)
    np.testing.assert_allclose(turned_back(turned(points, rotations), rotations), points, atol=1e-13)


def test_the_first_coordinates_are_what_is_seen_and_the_others_leave_it_alone():
    """x + C q spans the first two; a step in the other three does not change it; they are independent of each other."""
    points = smeared(np.random.default_rng(2), 0.01)
    rotations = freed_of_pulls(points, free=2)
    seen = np.concatenate([np.eye(2), SMEARING], axis=1)
    np.testing.assert_allclose(seen @ np.swapaxes(rotations[:, 2:], 1, 2), 0.0, atol=2e-3)
    found = turned(points, rotations)
    assert np.all(found[..., :2].std(axis=1) < 0.01)  # x itself scatters by 1, x + C q by 0.01
    np.testing.assert_allclose(found[..., 2:].std(axis=1), 1.0, rtol=0.7)
    for one in found:
        assert np.all(np.abs(np.corrcoef(one.T)[:2, 2:]) < 0.1)


def test_where_parameters_know_nothing_of_pulls_nothing_is_turned():
    rng = np.random.default_rng(3)
    x, q = rng.normal(size=(2, 30, 2)), rng.normal(size=(2, 30, 3))
    points = np.concatenate([np.repeat(x, 2, axis=1), np.stack([q, -q], axis=2).reshape(2, 60, 3)], axis=-1)
    np.testing.assert_allclose(freed_of_pulls(points, free=2), [np.eye(5)] * 2, atol=1e-14)


@pytest.mark.parametrize("free", [0, 5])
def test_without_parameters_and_without_pulls_points_stay_bit_for_bit(free):
    points = np.random.default_rng(4).normal(size=(2, 30, 5))
    rotations = freed_of_pulls(points, free)
    np.testing.assert_array_equal(turned(points, rotations), points)
    np.testing.assert_array_equal(turned_back(points, rotations), points)


def test_copies_of_one_point_have_a_rotation_too():
    points = np.repeat(np.random.default_rng(5).normal(size=(2, 1, 5)), 30, axis=1)
    np.testing.assert_allclose(freed_of_pulls(points, free=2), [np.eye(5)] * 2, atol=1e-13)


@pytest.mark.slow
def test_a_posterior_that_is_narrow_between_parameters_and_pulls():
    """x and y, each with the sum of six pulls, are measured to 0.02; the pulls alone smear them by 1.

    Without the rotation populations scatter by 0.08 to 0.1, and the evidence comes out too small by 0.1.
    """
    pulls = tuple(Nuisance(f"shift{i}", "s", 0.0, 1.0 / np.sqrt(6.0), "a toy shift") for i in range(6))
    parameters = (linear_parameter("x"), linear_parameter("y"))
    data = ToyMeasurement(jnp.array([0.5, -0.5]), jnp.eye(2) / 0.02**2, nuisances=pulls)
    model = ToyModel("sum", parameters, lambda point: jnp.stack([point["x"], point["y"]]))
    problem = build_problem(model, [data], "own", parameters, {})
    found = sample_tempered(problem, jax.random.key(1), populations=8, points=500, moves=16)
    expected = np.log(2.0 * np.pi * 0.02**2 / 100.0)
    assert np.logaddexp.reduce(found.log_evidence) - np.log(8) == pytest.approx(expected, abs=0.1)
    values, _ = jax.vmap(problem.from_normal)(jnp.asarray(found.z.reshape(-1, 8)))
    shift = sum(np.asarray(values[pull.name]) for pull in pulls) / np.sqrt(6.0)
    x, y = np.asarray(values["x"]), np.asarray(values["y"])
    assert [np.mean(x + shift), np.mean(y + shift)] == pytest.approx([0.5, -0.5], abs=0.002)
    assert [np.std(x + shift), np.std(y + shift)] == pytest.approx([0.02, 0.02], rel=0.06)
    assert np.std(shift) == pytest.approx(1.0, rel=0.06)
    scatter = x.reshape(8, 500).mean(axis=1).std(ddof=1)
    assert scatter < 0.07  # of 500 independent draws 0.045

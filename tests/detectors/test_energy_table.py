import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.detectors import karmen, lsnd
from anomfit.detectors.energy_table import at, box_average, differences, onto_grid, tabulate

EDGES = np.array([0.02, 0.036, 0.06])


@pytest.mark.parametrize("detector", [lsnd, karmen])
def test_boxes_are_averaged_as_by_adaptive_quadrature(detector):
    table = detector.energy_bins(EDGES[:-1], EDGES[1:])

    def response(energy):
        return detector.energy_response(np.array([energy]), EDGES[:-1], EDGES[1:])[0]

    for low, high in ((0.003, 0.2), (0.015, 0.025), (0.0355, 0.0365), (0.058, 0.07)):
        found = box_average(table, jnp.asarray(low), jnp.asarray(high))
        for k in range(2):
            area, _ = quad(lambda e, k=k: response(e)[k], low, high, points=EDGES, limit=200)
            expected = area / (high - low)
            assert float(found[k]) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("detector", [lsnd, karmen])
def test_the_table_is_the_response_between_its_points(detector):
    energy = np.linspace(0.004, 0.2, 501)
    table = detector.energy_bins(EDGES[:-1], EDGES[1:])
    expected = detector.energy_response(energy, EDGES[:-1], EDGES[1:])
    np.testing.assert_allclose(at(table, jnp.asarray(energy)), expected, atol=3e-3)


def test_cubics_are_exact_in_the_root_of_the_energy():
    table = tabulate(lambda e: np.stack([np.ones_like(e), np.sqrt(e)], axis=1), 0.25, 51)
    low, high = jnp.asarray(0.04), jnp.asarray(0.16)
    mean_root = 2.0 / 3.0 * (0.4**3 - 0.2**3) / 0.12
    np.testing.assert_allclose(box_average(table, low, high), [1.0, mean_root], rtol=1e-9)


def test_the_average_has_the_derivative_of_the_integral():
    table = lsnd.energy_bins(EDGES[:1], EDGES[1:2])
    low, high = 0.015, 0.05
    slope = jax.grad(lambda h: box_average(table, jnp.asarray(low), h)[0])(jnp.asarray(high))
    mean = float(box_average(table, jnp.asarray(low), jnp.asarray(high))[0])
    edge = lsnd.energy_response(np.array([high]), EDGES[:1], EDGES[1:2])[0, 0]
    assert float(slope) == pytest.approx((edge - mean) / (high - low), rel=1e-3)


def test_l_over_e_of_an_electron_lies_in_one_of_the_bins_when_its_energy_is_inside():
    edges = np.linspace(400.0, 1700.0, 27)  # m/GeV, all that 20 to 60 MeV can give
    every = lsnd.l_over_e_bins(edges[:-1], edges[1:])
    window = lsnd.energy_bins(np.array([0.02]), np.array([0.06]))
    np.testing.assert_allclose(every.response.sum(axis=1), window.response[:, 0], atol=1e-9)


def test_an_angle_table_keeps_the_number_of_events():
    table = lsnd.angle_table(np.linspace(-1, 1, 11), 20)
    np.testing.assert_allclose(table.sum(axis=1), np.eye(20)[0], atol=1e-12)


def test_items_on_the_grid_add_up_to_their_function():
    """`onto_grid` with values and slopes is `at`, summed over items: a smooth function, right to its fourth order."""
    points, step = 60, 0.05

    def function(x):
        return np.exp(-0.5 * ((x - 1.4) / 0.3) ** 2)

    rng = np.random.default_rng(5)
    place, weight = rng.uniform(0.0, points - 1, 300), rng.uniform(0.0, 1.0, 300)
    place[:2] = 0.0, points - 1
    values, slopes = onto_grid(jnp.asarray(place), jnp.asarray(weight), points)
    grid = function(step * np.arange(points))
    total = values @ grid + slopes @ (differences(points) @ grid)
    assert float(total) == pytest.approx(float(weight @ function(step * place)), rel=2e-5)
    assert float(jnp.sum(values)) == pytest.approx(weight.sum(), rel=1e-12)

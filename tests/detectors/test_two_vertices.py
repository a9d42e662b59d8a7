"""Two vertices in a sphere and in a slab: against points drawn at random, closed formulas and limits."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from scipy.integrate import quad

from anomfit.detectors.containment import containment
from anomfit.detectors.two_vertices import Slab, Sphere, both, classes

SPHERE = Sphere(5.0, 6.1)


@pytest.mark.parametrize("flights", [(0.01, 0.3), (2.0, 1.0), (30.0, 20.0), (0.5, 200.0)])
@pytest.mark.parametrize("sphere", [SPHERE, Sphere(1.6, 1.6)], ids=["fiducial", "all"])
def test_classes_are_those_of_random_points(flights, sphere):
    rng, number = np.random.default_rng(7), 400_000
    radius, cosine = sphere.outer * rng.random(number) ** (1 / 3), rng.uniform(-1, 1, number)
    z, across = radius * cosine, radius * np.sqrt(1 - cosine**2)
    first = z + rng.exponential(flights[0], number)
    second = first + rng.exponential(flights[1], number)
    near, far = (place**2 + across**2 < sphere.inner**2 for place in (first, second))
    found = classes(sphere, *map(jnp.asarray, flights))
    for share, chosen in zip(found, (near, near & ~far, ~near & far, near & far), strict=True):
        counted = chosen.mean()
        assert abs(float(share) - counted) < 4.0 * np.sqrt(counted / number) + 5e-6


def test_one_vertex_is_contained():
    """Of births in the inner sphere, to what `containment` leaves of its own rule."""
    flights = jnp.asarray([1e-3, 0.1, 1.0, 10.0, 1e3])
    share = containment(flights, SPHERE.inner, SPHERE.outer) * (SPHERE.inner / SPHERE.outer) ** 3
    np.testing.assert_allclose(SPHERE.first(flights), share, rtol=5e-5)


def test_a_slab_by_hand():
    """Births evenly along a line, both flights exponential."""
    slab, first, second, low, high = Slab(17.7), 0.8, 6.0, 4.8, 11.0

    def of_distance(distance):
        inside = quad(lambda z: 1.0 - np.exp(-z / first), 0.0, 17.7 - distance)[0]
        return np.exp(-distance / second) / second * inside / 17.7

    expected = quad(of_distance, low, high, epsrel=1e-12)[0]
    assert float(both(slab, jnp.asarray(first), jnp.asarray(second), low, high)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("place", [SPHERE, Slab(17.7)], ids=["sphere", "slab"])
@pytest.mark.parametrize("second", [0.0, 1e-4, 0.3, 5.0, 1e4])
def test_bins_of_distance_add_up(place, second):
    """To all of them; a daughter that decays at once has both vertices where the first is."""
    edges, flights = (0.0, 0.2, 1.0, 5.0, 12.0, 40.0), (jnp.asarray(0.4), jnp.asarray(second))
    parts = [float(both(place, *flights, low, high)) for low, high in pairwise(edges)]
    whole = float(both(place, *flights))
    assert sum(parts) == pytest.approx(whole, rel=1e-9)
    assert whole <= float(place.first(flights[0])) * (1.0 + 1e-9)
    if second == 0.0:
        assert whole == pytest.approx(float(place.first(flights[0])), rel=1e-6)
    assert float(both(place, *flights, 36.0, 40.0)) == 0.0


@pytest.mark.parametrize("place", [SPHERE, Slab(17.7)], ids=["sphere", "slab"])
def test_shares_have_right_gradients(place):
    @jax.jit
    def shares(flights):
        return jnp.stack([*classes(place, *flights), both(place, *flights, 1.0, 3.0)])

    for flights in ((0.01, 0.3), (2.0, 2.0), (3.0, 400.0)):
        check_grads(shares, (tuple(map(jnp.asarray, flights)),), order=1, modes=["fwd", "rev"], rtol=1e-6, atol=1e-7)
    slopes = jax.jacfwd(shares)((jnp.asarray(0.0), jnp.asarray(0.0)))
    assert all(np.all(np.isfinite(slope)) for slope in slopes)

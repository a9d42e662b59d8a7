"""Containment against toy decays and its limits."""

import numpy as np
import pytest

from anomfit.detectors.containment import containment

INNER, OUTER = 5.0, 6.106


def directions(rng, n):
    vectors = rng.normal(size=(n, 3))
    return vectors / np.linalg.norm(vectors, axis=1)[:, None]


@pytest.mark.parametrize("length", [0.3, 2.0, 7.0, 40.0])
def test_toy_decays(length):
    rng, n = np.random.default_rng(11), 1_000_000
    birth = directions(rng, n) * OUTER * rng.random((n, 1)) ** (1 / 3)
    decay = birth + directions(rng, n) * rng.exponential(length, (n, 1))
    inside = np.mean(np.sum(decay**2, axis=1) < INNER**2)
    prompt = (INNER / OUTER) ** 3
    error = np.sqrt(inside * (1 - inside) / n) / prompt
    assert float(containment(length, INNER, OUTER)) == pytest.approx(inside / prompt, abs=4 * error)


def test_prompt_and_far_decays():
    assert float(containment(1e-9, INNER, OUTER)) == pytest.approx(1.0, rel=1e-12)
    far = np.array([1e4, 1e6, 1e9]) * np.asarray(containment(np.array([1e4, 1e6, 1e9]), INNER, OUTER))
    np.testing.assert_allclose(far, far[-1], rtol=2e-3)  # falls as 1/L
    # the mean chord inside the inner sphere of a flight from a random place: toy average of the path length
    rng, n = np.random.default_rng(2), 400_000
    birth = directions(rng, n) * OUTER * rng.random((n, 1)) ** (1 / 3)
    along = np.sum(birth * directions(rng, n), axis=1)
    reach = along**2 - np.sum(birth**2, axis=1) + INNER**2
    root = np.sqrt(np.maximum(reach, 0.0))
    path = np.maximum(-along + root, 0.0) - np.maximum(-along - root, 0.0)
    mean, error = path.mean(), path.std() / np.sqrt(n)
    assert far[-1] == pytest.approx(mean / (INNER / OUTER) ** 3, abs=4 * error / (INNER / OUTER) ** 3)

"""Jumps between points drawn afresh leave the target as it is."""

import numpy as np

from anomfit.inference.sample.jumps import _walk


def test_the_walk_reaches_the_target_from_anywhere():
    # three states proposed with equal chance, with these target probabilities
    target, rng, chains = np.array([0.6, 0.3, 0.1]), np.random.default_rng(1), 40000
    proposed = rng.integers(0, 3, (chains, 40))
    chosen = _walk(np.full(chains, np.log(0.1)), np.log(target)[proposed], np.log(rng.uniform(size=(chains, 40))))
    at = np.where(chosen >= 0, proposed[np.arange(chains), chosen], 2)
    np.testing.assert_allclose(np.bincount(at) / chains, target, atol=0.01)


def test_a_walk_that_begins_in_the_target_stays_in_it():
    target, rng, chains = np.array([0.6, 0.3, 0.1]), np.random.default_rng(2), 40000
    begun = rng.choice(3, chains, p=target)
    proposed = rng.integers(0, 3, (chains, 1))
    chosen = _walk(np.log(target)[begun], np.log(target)[proposed], np.log(rng.uniform(size=(chains, 1))))
    at = np.where(chosen >= 0, proposed[:, 0], begun)
    np.testing.assert_allclose(np.bincount(at) / chains, target, atol=0.01)


def test_what_the_posterior_excludes_is_never_accepted():
    chosen = _walk(np.zeros(3), np.full((3, 5), -np.inf), np.log(np.random.default_rng(3).uniform(size=(3, 5))))
    assert np.all(chosen == -1)

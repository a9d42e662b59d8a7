"""A problem's coordinates: round trips, the prior's density, a posterior finite with its gradient everywhere.

And its leaves: what measurements share is computed once.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import kstest

from anomfit.cards import load_card, problem_from_card
from anomfit.catalogue import find_measurement
from anomfit.problem import build_problem


@pytest.fixture(scope="module")
def problem():
    return problem_from_card(load_card("two-higgs-doublet-miniboone"))


def cube(n, free, seed=1):
    return jax.random.uniform(jax.random.key(seed), (n, free), minval=0.01, maxval=0.99)


def test_cube_round_trip(problem):
    u = cube(200, len(problem.free))
    values, _ = jax.vmap(problem.from_cube)(u)
    np.testing.assert_allclose(jax.vmap(problem.to_cube)(values), u, atol=1e-9)
    total = values["m_N1"] + values["m_hprime"]
    assert bool(jnp.all(total < values["m_N2"]))


def test_prior_is_log_uniform_over_the_open_masses(problem):
    """Uniform quantiles weighted by exp(log_weight) are uniform in (ln m_N1, ln m_hprime | m_N2): against rejection."""
    n = 60_000
    u = jax.random.uniform(jax.random.key(4), (n, len(problem.free)))
    values, log_weight = jax.vmap(problem.from_cube)(u)
    weight = np.exp(np.asarray(log_weight))
    ranges = {p.name: (p.low, p.high) for p in problem.free}
    rng = np.random.default_rng(9)
    masses = {name: np.exp(rng.uniform(*np.log(ranges[name]), 4 * n)) for name in ("m_N2", "m_hprime", "m_N1")}
    keep = masses["m_N1"] + masses["m_hprime"] < masses["m_N2"]
    chosen = rng.random(n) < weight / weight.max()
    for name in masses:
        ours, theirs = np.log(np.asarray(values[name])[chosen]), np.log(masses[name][keep])
        assert kstest(ours, theirs).pvalue > 1e-3, name
    for a, b in (("m_N1", "m_hprime"), ("m_N1", "m_N2")):
        ours = np.corrcoef(*(np.log(np.asarray(values[k])[chosen]) for k in (a, b)))[0, 1]
        theirs = np.corrcoef(*(np.log(masses[k][keep]) for k in (a, b)))[0, 1]
        assert ours == pytest.approx(theirs, abs=0.03)


@pytest.mark.slow
def test_posterior_and_gradient_are_finite(problem):
    z = 2.0 * jax.random.normal(jax.random.key(3), (64, len(problem.names)))
    run = jax.jit(lambda p, z: jax.lax.map(jax.value_and_grad(p.log_posterior), z, batch_size=8))
    value, gradient = run(problem, z)
    assert bool(jnp.all(jnp.isfinite(value)))
    assert bool(jnp.all(jnp.isfinite(gradient)))


def test_angles_and_quantiles_name_the_same_place(problem):
    u = cube(1, len(problem.free))[0]
    angle = jnp.concatenate([jnp.arcsin(2 * u - 1), jnp.zeros(len(problem.nuisances))])
    by_angle, (by_cube, _) = problem.from_angle(angle), problem.from_cube(u)
    for name, value in by_cube.items():
        assert float(by_angle[name]) == pytest.approx(float(value), rel=1e-12)


def lsnd_and(problem, *others):
    """LSND's L/E and other measurements, everything else as in the default card."""
    measurements = [find_measurement(name) for name in ("lsnd:l-over-e", *others)]
    fixed = {name: float(value) for name, value in problem.fixed.items()}
    return build_problem(problem.model, measurements, problem.parametrisation.name, problem.free, fixed)


def test_a_shared_array_is_one_leaf(problem):
    both = lsnd_and(problem, "lsnd:high-energy")
    leaves, structure = jax.tree.flatten(both)
    assert len({id(leaf) for leaf in leaves}) == len(leaves)
    assert len(leaves) < len(jax.tree.leaves(both.measurements)) + len(both.fixed)
    again = jax.tree.unflatten(structure, leaves)
    assert all(a is b for a, b in zip(jax.tree.leaves(again.measurements), jax.tree.leaves(both.measurements)))
    first, second = (measurement.chain.sources[0].flux for measurement in again.measurements)
    assert first is second


def test_detectors_with_fluxes_of_one_shape_share_its_leaves(problem):
    """KARMEN's neutrinos are LSND's but for their number, which stands in the exposure."""
    lsnd, karmen = lsnd_and(problem, "karmen").measurements
    for ours, theirs in zip(lsnd.chain.sources, karmen.chain.sources, strict=True):
        assert ours.flux is theirs.flux
        assert float(ours.exposure[0]) != float(theirs.exposure[0])

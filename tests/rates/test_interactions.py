"""Interactions by target and by term: sums of kernels times couplings, and against the nodes of `pair_events`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles.reactions import events_of

from anomfit.beams.booster import CH2, miniboone_beam
from anomfit.models.dark_scalar import dark_scalar
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics.exchange import ScalarExchange, d_sigma_d_q_squared, pairs_of
from anomfit.physics.targets import FormFactors, stack_targets
from anomfit.rates.interactions import interactions
from anomfit.rates.pair_events import Nodes

TARGETS = stack_targets(CH2)
FORMS = FormFactors("dipole", "measured", 0.775, "fermi-gas")


def exchange(number: int, seed: int = 3) -> ScalarExchange:
    rng = np.random.default_rng(seed)
    mass, y, F_p, F_n = (jnp.asarray(x) for x in rng.uniform(0.05, 1.0, (4, number)))
    return ScalarExchange(jnp.asarray(0.2), mass, y, F_p, F_n, FORMS)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_sum_over_terms_is_the_square_of_the_sum_over_scalars(number):
    """The charge of a target, weighted with propagators and squared, against couplings times kernels."""
    scalars = exchange(number)
    e_nu, q_squared = jnp.full(len(CH2), 1.1), jnp.asarray([0.01, 0.2, 0.3])
    one = scalars._replace(mass=jnp.ones(1), y=jnp.ones(1), F_p=jnp.ones(1), F_n=jnp.ones(1))
    nucleons = np.asarray(TARGETS.protons + TARGETS.neutrons)
    bare = np.asarray(d_sigma_d_q_squared(one, e_nu, q_squared, TARGETS)) / nucleons**2
    bare = bare * (1.0 + np.asarray(q_squared)) ** 2
    charge = np.outer(TARGETS.protons, scalars.F_p) + np.outer(TARGETS.neutrons, scalars.F_n)
    amplitude = np.sum(scalars.y * charge / (np.asarray(q_squared)[:, None] + scalars.mass**2), axis=1)
    expected = bare * np.asarray(amplitude) ** 2
    np.testing.assert_allclose(d_sigma_d_q_squared(scalars, e_nu, q_squared, TARGETS), expected, rtol=1e-12)


def test_kernels_know_nothing_of_couplings():
    """A fit may work them out once for given masses."""
    first, second = exchange(2), exchange(2, seed=8)._replace(mass=exchange(2).mass)
    at = jnp.full(len(CH2), 1.1), jnp.full(len(CH2), 0.1)
    np.testing.assert_array_equal(first.kernel(*at, TARGETS), second.kernel(*at, TARGETS))
    assert first.kernel(*at, TARGETS).shape == (len(CH2), len(pairs_of(2))) == first.couplings(TARGETS).shape


@pytest.mark.parametrize(("model", "point"), [(two_higgs_doublet, "table-I"), (dark_scalar, "bp1")])
def test_interactions_are_what_pair_events_make(model, point):
    """Two rules: nodes in the neutrino's energy and Q^2, and in N's energy and angle."""
    beam = miniboone_beam()
    at = {name: jnp.asarray(float(value)) for name, value in model.points[point].items()}
    (reaction,) = model.reactions(at, {})
    by_energy = jax.jit(interactions)(reaction.production, beam) * reaction.visible
    made = jax.jit(lambda p: events_of(model, p, beam, Nodes()).made)(at)
    np.testing.assert_allclose(made, by_energy, rtol=1e-3)


def test_nothing_is_made_above_the_flux():
    heavy = exchange(1)._replace(m_N=jnp.asarray(50.0))
    value, slope = jax.value_and_grad(lambda m: jnp.sum(interactions(heavy._replace(m_N=m), miniboone_beam())))(50.0)
    assert float(value) == 0.0
    assert float(slope) == 0.0

"""Fewer masses of pairs: sums over polynomials stay, closed decays too, rates move by less than the tolerance."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.physics.dark_neutrinos import PAIR_MASSES
from anomfit.physics.reaction import with_masses


def reactions_at(name, **changes):
    point = {key: jnp.asarray(float(value)) for key, value in dark_seesaw.points[name].items()}
    mixings = dark_seesaw.parametrisations["mixings"].from_physical(point)
    return dark_seesaw.reactions({**mixings, **{key: jnp.asarray(value) for key, value in changes.items()}}, {})


@pytest.mark.parametrize("number", [4, 6, 12])
def test_sums_over_polynomials_in_the_mass_stay(number):
    for reaction in reactions_at("BP-B"):
        fewer = with_masses(reaction, number)
        decays = len(reaction.pairs.mass) // PAIR_MASSES
        assert len(fewer.pairs.mass) == decays * number
        for power in range(number):
            sums = [
                jnp.sum((pairs.branching * pairs.mass**power).reshape(decays, -1), axis=1)
                for pairs in (reaction.pairs, fewer.pairs)
            ]
            np.testing.assert_allclose(sums[1], sums[0], rtol=1e-9)
        assert float(fewer.visible) == pytest.approx(float(reaction.visible), rel=1e-10)
        assert set(np.asarray(fewer.pairs.mass)) <= set(np.asarray(reaction.pairs.mass))


def test_as_many_masses_or_more_change_nothing():
    (reaction, *_) = reactions_at("BP-B")
    assert with_masses(reaction, PAIR_MASSES) is reaction


def test_slopes_are_finite_where_a_decay_is_closed():
    """N_5 -> N_4 e+e- closed: all its masses are one."""

    def total(ratio):
        fewer = with_masses(reactions_at("BP-B", m_N4_over_m_N5=ratio)[1], 6)
        return jnp.sum(fewer.pairs.branching * jnp.cos(10.0 * fewer.pairs.mass))

    with_slope = jax.jit(jax.value_and_grad(total))
    for ratio in (-0.5, -0.9999, 0.9999):
        value, slope = with_slope(ratio)
        assert np.isfinite(value)
        assert np.isfinite(slope)

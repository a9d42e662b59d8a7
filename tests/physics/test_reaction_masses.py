"""Fewer masses of pairs: sums over polynomials stay, closed decays too, rates move by less than the tolerance."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.physics.dark_neutrinos import PAIR_MASSES
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.reaction import with_masses

RESONANT = {
    **{"U_mu4": 1.116e-3, "U_mu6": 1.014e-4, "alpha_D": 0.0156, "epsilon": 0.0131, "theta_46": -0.1187},
    **{"m_N4_over_m_N5": 0.3569, "m_N5_over_m_N6": 0.6981, "m_N6": 0.2233},
}


def reactions_at(name, **changes):
    point = {key: jnp.asarray(float(value)) for key, value in dark_seesaw.points[name].items()}
    mixings = dark_seesaw.parametrisations["mixings"].from_physical(point)
    return dark_seesaw.reactions({**mixings, **{key: jnp.asarray(value) for key, value in changes.items()}}, {})


@pytest.mark.parametrize("number", [4, 6, 12, 13])
def test_sums_over_polynomials_along_the_nodes_stay(number):
    place, _ = unit_legendre(PAIR_MASSES)
    for reaction in reactions_at("BP-B"):
        fewer = with_masses(reaction, number)
        decays = len(reaction.pairs.mass) // PAIR_MASSES
        assert len(fewer.pairs.mass) == decays * number
        masses = np.asarray(reaction.pairs.mass).reshape(decays, -1)
        for power in range(number):
            before = (np.asarray(reaction.pairs.branching).reshape(decays, -1) * place**power).sum(axis=1)
            for own, kept, ratios, old in zip(
                masses,
                np.asarray(fewer.pairs.mass).reshape(decays, -1),
                np.asarray(fewer.pairs.branching).reshape(decays, -1),
                before,
                strict=True,
            ):
                at = place[np.searchsorted(own, kept)] if np.ptp(own) else None
                if at is not None:
                    assert np.sum(ratios * at**power) == pytest.approx(old, rel=1e-9)
        assert float(fewer.visible) == pytest.approx(float(reaction.visible), rel=1e-10)
        assert set(np.asarray(fewer.pairs.mass)) <= set(np.asarray(reaction.pairs.mass))


def test_a_resonance_at_the_end_of_the_masses_makes_no_huge_ratios():
    """m_Z' 5 per cent above m_5 - m_4: eight of its sixteen masses lie in the last twentieth of their range."""
    point = {**RESONANT, "m_Zprime": 0.10577785807254278}
    for reaction in dark_seesaw.reactions({name: jnp.asarray(x) for name, x in point.items()}, {}):
        fewer = with_masses(reaction, 12)
        total = float(jnp.sum(jnp.abs(reaction.pairs.branching)))
        assert float(jnp.max(jnp.abs(fewer.pairs.branching))) < 3.0 * total
        assert float(fewer.visible) == pytest.approx(float(reaction.visible), rel=1e-12)


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

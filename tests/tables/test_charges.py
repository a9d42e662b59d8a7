"""Charges of targets as isoscalar and isovector couplings, beside those of scalar exchange itself."""

import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.beams.booster import miniboone_beam
from anomfit.detectors import miniboone
from anomfit.physics.exchange import ScalarExchange, pairs_of
from anomfit.physics.targets import FormFactors, Target, stack_targets
from anomfit.tables.exchanged.charges import Couplings, couplings_of, groups_of, is_held, products, strongest, weights

OIL_IN_EARTH = stack_targets(miniboone.in_earth(miniboone_beam()).scatterers)
OTHERS = stack_targets(
    (
        Target("proton", 0.938, 1.0, 1, 0),
        Target("neutron", 0.940, 1.0, 0, 1),
        Target("Ar40", 37.2, 1.0, 18, 22),
        Target("Fe56", 52.1, 1.0, 26, 30),
        Target("C12", 11.2, 1.0, 6, 6),
    )
)


def exchange(F_p, F_n, y=(1e-2, 2e-2)):
    words = FormFactors("dipole", "measured", 0.8)
    return ScalarExchange(jnp.asarray(0.13), jnp.array([0.7, 0.02]), *map(jnp.asarray, (y, F_p, F_n)), words)


@pytest.mark.parametrize("targets", [OIL_IN_EARTH, OTHERS], ids=["oil in earth", "others"])
@pytest.mark.parametrize(
    ("F_p", "F_n"),
    [([1e-3, -2e-3], [1e-3, -2e-3]), ([1e-3, -2e-3], [4e-3, -1e-4]), ([1e-3, 3e-3], [0.0, -4e-3])],
)
def test_products_in_groups_are_products_of_charges(targets, F_p, F_n):
    production = exchange(F_p, F_n)
    each, known = couplings_of(production), weights(targets)
    wanted = np.asarray(production.couplings(targets))
    for term, (i, j, many) in enumerate(pairs_of(2)):
        one, other = (Couplings(each.isoscalar[k], each.isovector[k]) for k in (i, j))
        for is_own, groups in zip((targets.is_nucleus, ~targets.is_nucleus), groups_of(targets), strict=True):
            found = products(one, other, groups)
            total = sum(known[:, group[0]] * many * x for group, x in zip(groups, found, strict=True))
            np.testing.assert_allclose(np.asarray(total)[is_own], wanted[is_own, term], rtol=1e-12, atol=1e-18)


def test_where_protons_and_neutrons_are_as_many_one_kernel_serves_nuclei():
    assert groups_of(OIL_IN_EARTH) == (((0,),), ((0, 2), (1,)))
    assert groups_of(OTHERS) == (((0,), (1,), (2,)), ((0, 2), (1,)))
    assert groups_of(OTHERS._replace(is_nucleus=np.zeros(5, dtype=bool)))[0] == ()


def test_ratios_between_nothing_and_infinity_are_held_and_none_is_stronger_than_said():
    held = [([1.0, 2.0], [1.0, 0.0]), ([0.0, 2.0], [1.0, 3.0]), ([0.0, 1.0], [0.0, 1.0]), ([-1.0, 1.0], [-0.1, 9.0])]
    assert all(bool(is_held(exchange(F_p, F_n))) for F_p, F_n in held)
    assert not bool(is_held(exchange([1.0, 1.0], [1.0, -1e-3])))
    groups = groups_of(OTHERS)[0]
    for F_n in (0.0, 0.3, 1.0, 5.0, 1e9):
        one = couplings_of(exchange([1.0, 1.0], [F_n, F_n], (1.0, 1.0)))
        unit = Couplings(*(np.asarray(x)[0] / np.asarray(one.isoscalar)[0] for x in one))
        found = np.array(products(unit, unit, groups))
        assert np.all(np.abs(found) <= strongest(groups) * (1.0 + 1e-9))

"""What the charges Z F_p + N F_n of targets put into a rate: products of isoscalar and isovector couplings.

With a = (F_p + F_n)/2 and b = (F_p - F_n)/2 a target's charge is (Z + N) a + (Z - N) b, and the product of two scalars'
charges a quadratic form in (a, b). Nuclei with as many protons as neutrons know a alone, protons and neutrons
a a' + b b' and a b' + b a': one kernel for the former and two for the latter, whatever F_n/F_p is.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.physics.exchange import ScalarExchange
from anomfit.physics.targets import Targets

ISOVECTOR = 1.0  # |b/a| up to which tables are made: F_p and F_n have the same sign
STRONGEST = (1.0, 2.0 * ISOVECTOR, ISOVECTOR**2)  # what a a', a b' + b a', b b' can be, for a = a' = 1

Groups = tuple[tuple[int, ...], ...]  # static: which of the three products share a kernel


class Couplings(NamedTuple):
    """Isoscalar and isovector couplings to nucleons; any shape."""

    isoscalar: Float[Array, "..."]
    isovector: Float[Array, "..."]


def couplings_of(production: ScalarExchange) -> Couplings:
    """Those of each scalar, times its coupling to neutrinos."""
    half = 0.5 * production.y
    return Couplings(half * (production.F_p + production.F_n), half * (production.F_p - production.F_n))


def products(one: Couplings, other: Couplings, groups: Groups) -> list[Float[Array, "..."]]:
    """By group, the sum of what multiplies its kernel."""
    of = (
        one.isoscalar * other.isoscalar,
        one.isoscalar * other.isovector + one.isovector * other.isoscalar,
        one.isovector * other.isovector,
    )
    return [sum((of[i] for i in group[1:]), start=of[group[0]]) for group in groups]


def strongest(groups: Groups) -> np.ndarray:
    """By group, the largest of `products` for isoscalar couplings of 1."""
    return np.array([sum(STRONGEST[i] for i in group) for group in groups])


def weights(targets: Targets) -> Float[np.ndarray, "targets 3"]:
    """What of each product a target has."""
    size, excess = targets.protons + targets.neutrons, targets.protons - targets.neutrons
    return np.stack([size**2, size * excess, excess**2], axis=-1)


def groups_of(targets: Targets) -> tuple[Groups, Groups]:
    """Of nuclei and of nucleons: products that all of them have in the same proportion share a kernel."""
    kinds = (targets.is_nucleus, ~targets.is_nucleus)
    nuclei, nucleons = (_grouped(weights(targets)[is_own]) for is_own in kinds)
    return nuclei, nucleons


def _grouped(table: Float[np.ndarray, "targets 3"]) -> Groups:
    found: dict[tuple[float, ...], list[int]] = {}
    for i, column in enumerate(table.T.tolist()):
        if any(column):
            found.setdefault(tuple(column), []).append(i)
    return tuple(map(tuple, found.values()))


def is_held(production: ScalarExchange):
    """Whether tables are made for the ratio of couplings to neutrons and protons of every scalar."""
    a, b = production.F_p + production.F_n, production.F_p - production.F_n
    return jnp.all(jnp.abs(b) <= ISOVECTOR * (1.0 + 1e-9) * jnp.abs(a))

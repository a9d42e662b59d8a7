"""Functions of the momentum transfer that couplings and heavier mediators put into a rate, in few orthogonal functions.

The amplitude of a light scalar h and heavier ones is, for each target, g_h/(Q^2 + h^2) + A(Q^2), A the sum of
g/(Q^2 + m^2) over the heavier. A rate is linear in the three functions S, S A and S A^2 of Q^2, S the squared form
factor of a nucleon or 1 for a nucleus, whose form factor depends on no parameter. What they can be for scalars above a
mass, and dipoles between two, is a family of smooth functions: a few of its principal functions hold it. A rate is then
a sum over these, and their coefficients are known from S and A at a few nodes.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial.chebyshev import chebpts1, chebvander

from anomfit.physics.nucleon_scalar import dipole
from anomfit.physics.polynomials import chebyshev

POWERS = (0, 1, 2)  # of A


@dataclass(frozen=True)
class Family:
    """What the functions are smooth on, static. GeV, GeV^2.

    highest: of Q^2; nodes: of Q^2; shift: added to Q^2 in the logarithm in which they are polynomials, once a typical
    dipole and propagators are divided out; heavy: range of the heavier scalars' masses; dipole: range of the dipole
    mass, None where there is none; kept: principal functions smaller than that, of the largest of each power of A, are
    left out.
    """

    highest: float
    nodes: int
    shift: float = 0.04
    heavy: tuple[float, float] = (0.2, 100.0)
    dipole: tuple[float, float] | None = None
    kept: float = 1e-4

    @property
    def typical_dipole(self) -> float:
        """In the middle of the range."""
        assert self.dipole is not None
        return float(np.sqrt(self.dipole[0] * self.dipole[1]))


class Transfers(NamedTuple):
    """Nodes in Q^2 (GeV^2); for each power of A, coefficients of the functions from values at the nodes, and of
    Chebyshev polynomials in ln(Q^2 + shift) for the functions over `_typical`.
    """

    nodes: np.ndarray
    project: tuple[np.ndarray, ...]  # (nodes, functions)
    functions: tuple[np.ndarray, ...]  # (degrees, functions)
    strongest: tuple[np.ndarray, ...]  # (functions,): what the coefficients can be, for couplings of 1


@lru_cache
def transfers(family: Family) -> Transfers:
    """The principal functions of a family, by singular values at the nodes."""
    with jax.ensure_compile_time_eval():  # also where it is asked for in a trace
        return _transfers(family)


def _transfers(family: Family) -> Transfers:
    x = chebpts1(family.nodes)
    nodes = np.exp(_middle(family) + _half(family) * x) - family.shift
    masses = np.geomspace(*family.heavy, 60)
    shapes = np.ones((1, family.nodes))
    if family.dipole is not None:
        shapes = np.stack([np.asarray(dipole(nodes, M)) ** 2 for M in np.linspace(*family.dipole, 25)])
    to_degrees = (2.0 / family.nodes) * chebvander(x, family.nodes - 1).T
    to_degrees[0] *= 0.5
    project, functions, strongest = [], [], []
    for power in POWERS:
        weight = (nodes + family.shift) ** power  # what a kernel has in place of a second or third propagator
        heavy = np.ones((1, family.nodes)) if power == 0 else (1.0 / (nodes + masses[:, None] ** 2)) ** power
        members = (shapes[:, None] * heavy).reshape(-1, family.nodes)
        rows = members * weight
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        _, size, right = np.linalg.svd(rows, full_matrices=False)
        right = right[size > family.kept * size[0]].T
        project.append(weight[:, None] * right)
        strongest.append(np.max(np.abs(members @ project[-1]), axis=0))
        typical = np.asarray(_typical(family, nodes, power))
        functions.append(to_degrees @ (right / (weight * typical)[:, None]))
    return Transfers(nodes, tuple(project), tuple(functions), tuple(strongest))


def at_transfer(family: Family, q_squared: Float[Array, "..."]) -> tuple[Float[Array, "... functions"], ...]:
    """The principal functions of each power of A at Q^2 (GeV^2); constant beyond the highest."""
    place = (jnp.log(jnp.maximum(q_squared, 0.0) + family.shift) - _middle(family)) / _half(family)
    degrees = chebyshev(jnp.clip(place, -1.0, 1.0)[..., None], family.nodes)[..., 0]
    found = zip(POWERS, transfers(family).functions, strict=True)
    return tuple(_typical(family, q_squared, power)[..., None] * (degrees @ functions) for power, functions in found)


def _typical(family: Family, q_squared, power: int):
    """What the functions of a power of A are like, so that their ratio to it is nearly flat."""
    shape = 1.0 if family.dipole is None else dipole(q_squared, family.typical_dipole) ** 2
    return shape / (q_squared + 0.25) ** power


def _middle(family: Family) -> float:
    return 0.5 * float(np.log(family.shift) + np.log(family.highest + family.shift))


def _half(family: Family) -> float:
    return 0.5 * float(np.log(family.highest + family.shift) - np.log(family.shift))

"""nu + target -> N + target + scalar: which targets share nodes, how many nodes there are, and what is knocked out.

All of it is static but for the energy that knocks a nucleon out. Protons and neutrons share nodes at the mean of their
masses, and so do the nuclei of a detector, and those of its surroundings: rates are linear in 1/M, which is averaged,
to second orders that are below 1e-4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float

from anomfit.physics.boson_strahlung import BosonStrahlung, Coherent, Isoscalar, recoiling_mass
from anomfit.physics.constants import HBAR_C_FM
from anomfit.physics.nuclei import nucleus
from anomfit.physics.nucleon_vector import DIPOLE_MASS_SQUARED
from anomfit.physics.targets import Target


@dataclass(frozen=True)
class RadiatedNodes:
    """Numbers of nodes, static: energies of the scalar, its directions (for nuclei and for nucleons), energies of the
    neutrino for cross sections and for fluxes, which have kinks, Q^2 of nuclei and of nucleons, whose blocking by
    others has a kink and whose form factor reaches far; thresholds at which fluxes are folded (`projected_flux`).

    What is made is smooth, what a detector sees of it need not be: pairs are looked at at `pairs` energies, to which
    what is made is handed on, and in `seen` directions (as many as it is made in, if None).
    """

    energy: int = 24
    angle: int = 10
    neutrino: int = 14
    flux: int = 72
    transfer: int = 8
    of_nucleon: int = 16
    starts: int = 256
    pairs: int = 64
    seen: int | None = None


NODES = RadiatedNodes()


class Group(NamedTuple):
    """Targets that share nodes: nuclei, or nucleons; static. `place`: their numbers among all targets."""

    mass: float
    own: float  # Q^2 that their form factor has as its scale, GeV^2; the largest
    targets: tuple[Target, ...]
    place: tuple[int, ...]

    @property
    def is_nucleus(self) -> bool:
        """Whether they are nuclei."""
        return self.targets[0].is_nucleus


def groups_of(
    targets: Sequence[Target], parts: Sequence[Sequence[Target]], bound: Sequence[bool] | None = None
) -> tuple[Group, ...]:
    """Nuclei of each part (counts are those there) together, the first part's first; all nucleons together.

    bound: for each target whether it must be knocked out; those are then apart from the others.
    """
    found, taken = [], set()
    for part in parts:
        counts = {one.alone: one.count for one in part if one.is_nucleus and one.alone not in taken}
        taken.update(counts)
        found.append(counts)
    flags = bound or (False,) * len(targets)
    for flag in (True, False):
        found.append({one: 1.0 for one, own in zip(targets, flags, strict=True) if own == flag and not one.is_nucleus})
    return tuple(_group(targets, counts) for counts in found if counts)


def _group(targets: Sequence[Target], counts: Mapping[Target, float]) -> Group:
    """Kinematics are linear in 1/M: it is averaged with the strengths that targets have at Q^2 = 0."""
    weights = np.array([count * (one.protons + one.neutrons) ** 2 for one, count in counts.items()])
    mass = float(np.sum(weights) / np.sum(weights / np.array([one.mass for one in counts])))
    alike = tuple(replace(one, mass=mass) for one in counts)
    place = tuple(list(targets).index(one) for one in counts)
    return Group(mass, max(_scale(one) for one in counts), alike, place)


def _scale(target: Target) -> float:
    """Q^2 on which a form factor falls, GeV^2."""
    if not target.is_nucleus:
        return DIPOLE_MASS_SQUARED
    return 3.0 * (HBAR_C_FM / nucleus(target.name).charge_radius) ** 2


class KnockedOut(NamedTuple):
    """Which targets must be knocked out (static), and the kinetic energy (GeV) for it with its width (static)."""

    bound: tuple[bool, ...]
    energy: Float[Array, ""]
    width: float


class Setup(NamedTuple):
    """What is static: targets, nodes, and between which energies of the scalar (GeV) it is made."""

    groups: tuple[Group, ...]
    nodes: RadiatedNodes
    lowest: float
    highest: float
    isoscalar: Isoscalar
    coherent: Coherent
    bound: tuple[bool, ...] | None  # as `KnockedOut`; None where no recoil is asked for
    width: float


def is_bound(setup: Setup, group: Group) -> bool:
    """Whether a recoil that knocks it out is asked for."""
    return setup.bound is not None and setup.bound[group.place[0]]


def recoiling(process: BosonStrahlung, group: Group) -> Group:
    """The group with the mass of what recoils: a nucleon's where a nucleus stands for A^2 of them."""
    if process.coherent == "nucleus" or not group.is_nucleus:
        return group
    masses = [recoiling_mass(process, target) for target in group.targets]
    return group._replace(mass=float(np.mean(masses)))

"""nu + target -> N + target + scalar: rates on fixed nodes for couplings of 1, with slopes in the masses.

Outer nodes are the scalar's energy and angle in the laboratory, inner ones the neutrino's energy above the threshold of
each and Q^2; the azimuth of the recoil is exact (`physics.radiated_scalar`). Nuclei and single nucleons have directions
of their own.

Protons and neutrons share nodes at the mean of their masses, and so do the nuclei of a detector, and those of its
surroundings: rates are linear in 1/M, which is averaged, to second orders that are below 1e-4.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero
from jax.scipy.special import erf
from jaxtyping import Array, Bool, Float

from anomfit.physics.boson_strahlung import (
    BosonStrahlung,
    Coherent,
    Isoscalar,
    nucleon_structures,
    recoiling_mass,
)
from anomfit.physics.constants import HBAR_C_FM
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.nuclei import nucleus
from anomfit.physics.nucleon_vector import DIPOLE_MASS_SQUARED
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.radiated_scalar import (
    Amplitude,
    Scalar,
    amplitude,
    at_transfer,
    opening,
    place_of,
    shared,
    transfers,
)
from anomfit.physics.series import chebyshev_places, chebyshev_series, evaluate_series
from anomfit.physics.targets import FormFactors, Target, allowed_fraction, of_nucleus, stack_targets
from anomfit.rates.projected_flux import ProjectedFlux, stretched, weights_above


@dataclass(frozen=True)
class RadiatedNodes:
    """Numbers of nodes, static: energies of the scalar, its directions (for nuclei and for nucleons), energies of the
    neutrino for cross sections and for fluxes, which have kinks, Q^2 of nuclei and of nucleons, whose blocking by
    others has a kink and whose form factor reaches far; thresholds at which fluxes are folded (`projected_flux`).
    """

    energy: int = 24
    angle: int = 10
    neutrino: int = 14
    flux: int = 72
    transfer: int = 8
    of_nucleon: int = 16
    starts: int = 256


NODES = RadiatedNodes()
SHORTEST = 1e-3  # GeV, of a range of energies
END = 30.0  # in units of a nucleus's own Q^2, from where on its squared form factor is below 1e-8
SERIES = 24  # terms of the form factor of a nucleus
TOP = END / (END + 2.0)  # of the coordinate in which it is a series
REACH = 5.0  # widths of the smooth threshold of a recoil on either side of which it is 0 or 1


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


class Variables(NamedTuple):
    """What rates are not linear in, one number each: masses, and the energy that knocks a nucleon out (GeV)."""

    m_N: Float[Array, ""]
    m_scalar: Float[Array, ""]
    m_vector: Float[Array, ""]
    knock_out: Float[Array, ""]


class Given(NamedTuple):
    """Numbers that are no parameters of a model."""

    form_factors: FormFactors
    flux: ProjectedFlux


class Kernel(NamedTuple):
    """Scalars on nodes, group by group, for couplings and an exposure of 1: directions, and rates on each target.

    per_momentum: rate per GeV of the energy, over the momentum, with the weights of directions in it.
    """

    cosine: tuple[Float[Array, "energies directions"], ...]
    per_momentum: tuple[Float[Array, "energies directions targets beams"], ...]


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def kernel(setup: Setup, variables: Variables, given: Given) -> Kernel:
    """What a flux makes; nothing, with no slope, where the process is closed.

    Slopes in the few variables are worked out together with the values, forwards: millions of products at nodes are
    not kept for the way back.
    """
    return _kernel(setup, variables, given)


def _kernel_jvp(setup: Setup, primals, tangents):
    """Slopes in those variables that move, in one pass with the values; in what else moves by a pass of its own."""
    variables, given = primals
    along, of_given = tangents
    moving = [i for i, step in enumerate(along) if not _is_zero(step)]
    if moving:
        found, slopes = _with_slopes(setup, variables, given, jnp.eye(len(variables))[np.array(moving)])
        steps = jnp.stack([along[i] for i in moving])
        moved = jax.tree.map(lambda slope: jnp.tensordot(steps, slope, axes=1), slopes)
    else:
        found = _kernel(setup, variables, given)
        moved = jax.tree.map(jnp.zeros_like, found)
    more = _moved(lambda other: _kernel(setup, variables, other), given, of_given)
    return found, moved if more is None else jax.tree.map(jnp.add, moved, more)


def _with_slopes(setup: Setup, variables: Variables, given: Given, directions: Float[Array, "directions variables"]):
    """Values, and slopes along directions on a new first axis.

    An amplitude at a node of Q^2 depends on many numbers behind its place (`Behind`). Its slopes in them are worked out
    once, backwards, whatever the number of directions.
    """

    def along(of, *moved):
        """Values of a function of variables (and integrals), and slopes along the directions."""

        def towards(*step):
            return jax.jvp(of, (variables, *(value for value, _ in moved)), (Variables(*step[0]), *step[1:]))

        return jax.vmap(towards, out_axes=(None, 0))(directions, *(slope for _, slope in moved))

    behind, moved_behind = along(lambda v: _places(setup, v, given))
    integrals = [
        _summed(setup, group, given, *each) for group, *each in zip(setup.groups, behind, moved_behind, strict=True)
    ]
    found, moved = zip(*integrals, strict=True)
    return along(lambda v, values: _folded(setup, v, given, values), (found, moved))


def _moved(of: Callable[[Given], Kernel], given: Given, steps) -> Kernel | None:
    """What changes along the steps that are not 0; None where all are."""
    leaves, kind = jax.tree.flatten(given)
    moving = {i: step for i, step in enumerate(jax.tree.leaves(steps, is_leaf=_is_zero)) if not _is_zero(step)}
    if not moving:
        return None

    def at(some):
        return of(kind.unflatten([some.get(i, leaf) for i, leaf in enumerate(leaves)]))

    return jax.jvp(at, ({i: leaves[i] for i in moving},), (moving,))[1]


def _is_zero(step) -> bool:
    return isinstance(step, SymbolicZero)


kernel.defjvp(_kernel_jvp, symbolic_zeros=True)


def _kernel(setup: Setup, variables: Variables, given: Given) -> Kernel:
    behind = _places(setup, variables, given)
    each = [_summed(setup, group, given, at)[0] for group, at in zip(setup.groups, behind, strict=True)]
    return _folded(setup, variables, given, each)


def _process(setup: Setup, variables: Variables, given: Given) -> BosonStrahlung:
    one = jnp.ones(())
    masses = (variables.m_N, variables.m_scalar, variables.m_vector)
    return BosonStrahlung(*masses, one, one, one, given.form_factors, setup.isoscalar, setup.coherent)


def _places(setup: Setup, variables: Variables, given: Given) -> list["Behind"]:
    process = _process(setup, variables, given)
    return [
        _behind(setup, process, group, _outer(setup, process, group, given.flux.end), variables.knock_out)
        for group in (_recoiling(process, group) for group in setup.groups)
    ]


def _folded(setup: Setup, variables: Variables, given: Given, integrals: Sequence[Array]) -> Kernel:
    process = _process(setup, variables, given)
    cosines, made = [], []
    for group, integral in zip((_recoiling(process, group) for group in setup.groups), integrals, strict=True):
        outer = _outer(setup, process, group, given.flux.end)
        sections = integral.reshape(-1, setup.nodes.neutrino, *outer.start.shape)
        per_node = weights_above(given.flux, jnp.where(outer.is_open, outer.start, 0.0))
        found = jnp.where(outer.is_open, jnp.sum(sections[:, None] * per_node, axis=2), 0.0)
        made.append(jnp.moveaxis(found * outer.weight, (0, 1), (2, 3)))
        cosines.append(outer.cosine)
    return Kernel(tuple(cosines), tuple(made))


def _recoiling(process: BosonStrahlung, group: Group) -> Group:
    """The group with the mass of what recoils: a nucleon's where a nucleus stands for A^2 of them."""
    if process.coherent == "nucleus" or not group.is_nucleus:
        return group
    masses = [recoiling_mass(process, target) for target in group.targets]
    return group._replace(mass=float(np.mean(masses)))


def directions(process: BosonStrahlung, highest_energy, group: Group, energy, nodes: int):
    """Cosines of the scalar to the beam and weights, (energies, directions): logarithmic in 1 - cos above what masses
    and the form factor of a nucleus let it be, down to where no neutrino is energetic enough.
    """
    u, w = unit_legendre(nodes)
    momentum = pair_momentum(energy, process.m_scalar)
    momentum = jnp.where(momentum > 0.0, momentum, 1.0)
    still = Scalar(energy, jnp.zeros_like(momentum), jnp.zeros_like(momentum))
    least = opening(process, still, group.mass)  # the threshold's numerator, over M - E_h where that is positive
    needed = least.start * jnp.where(least.reach > 0.0, least.reach, 1.0) / highest_energy
    lowest = (needed - group.mass + energy) / momentum
    soft = process.m_vector**2
    if group.is_nucleus:
        soft = 1.0 / (1.0 / soft + 1.0 / group.own)
        # the target takes E - p cos of momentum at least
        lowest = jnp.maximum(lowest, (energy - np.sqrt(END * group.own)) / momentum)
    span = (1.0 - jnp.clip(lowest, -1.0, 1.0))[:, None]
    pole = (soft + process.m_N**2 + process.m_scalar**2) / (2.0 * energy * momentum)
    scale = jnp.clip(pole, 1e-7, 1.0)[:, None]
    stretch = jnp.log1p(span / scale)
    away = scale * jnp.expm1(stretch * u)
    return 1.0 - away, w * stretch * (away + scale)


class Outer(NamedTuple):
    """Places of the scalar: their cosines and weights, above which energy of the neutrino (GeV) the process is open
    there, up to the flux's end, and whether it is.
    """

    scalar: Scalar  # a harmless one where it does not
    cosine: Float[Array, "energies directions"]
    weight: Float[Array, "energies directions"]
    start: Float[Array, "energies directions"]
    span: Float[Array, "energies directions"]
    is_open: Bool[Array, "energies directions"]


def _outer(setup: Setup, process: BosonStrahlung, group: Group, end) -> Outer:
    energy, _ = energies(process, end, setup.lowest, setup.highest, setup.nodes.energy)
    cosine, weight = directions(process, end, group, energy, setup.nodes.angle)
    energy = jnp.broadcast_to(energy[:, None], cosine.shape)
    scalar = Scalar(energy, pair_momentum(energy, process.m_scalar), cosine)
    at = opening(process, scalar, group.mass)
    is_open = (at.reach > 0.0) & (at.start < end)
    # closed: forward, and so fast that it opens for some neutrino, above which one is looked at
    fast = process.m_scalar * (1.0 + process.m_scalar / group.mass)
    harmless = Scalar(jnp.sqrt(fast**2 + process.m_scalar**2), fast, jnp.ones(()))
    scalar = Scalar(*(jnp.where(is_open, own, other) for own, other in zip(scalar, harmless, strict=True)))
    start = opening(process, scalar, group.mass).start
    return Outer(scalar, cosine, jnp.asarray(weight), start, jnp.where(is_open, end - start, 1.0), is_open)


class Behind(NamedTuple):
    """What an integral over Q^2 depends on, for each place and each energy of the neutrino behind it.

    first, part and last are those of `radiated_scalar.place_of`: where the recoil starts to be enough, if one is asked
    for, from where on it is, and the end.
    """

    of: Amplitude
    first: Float[Array, "neutrino places"]
    part: Float[Array, "neutrino places"]
    last: Float[Array, "neutrino places"]
    scale: Float[Array, "neutrino places"]  # on which nodes in Q^2 lie
    knock_out: Float[Array, "neutrino places"]


def _behind(setup: Setup, process: BosonStrahlung, group: Group, outer: Outer, knock_out) -> Behind:
    M = group.mass
    # a root of the excess, as N's momentum at the threshold, becomes linear; the first axis is the neutrino's energy
    u = unit_legendre(setup.nodes.neutrino)[0][:, None, None]
    excess, _ = stretched(u**2, outer.span)
    e_nu = outer.start + excess
    of = amplitude(process, outer.scalar, M, e_nu, shared(process, outer.scalar, M, e_nu, excess))
    low, high = of.low, of.high
    if group.is_nucleus:
        high = jnp.maximum(low, jnp.minimum(high, END * group.own))
    first = part = low
    if _is_bound(setup, group):
        reach = REACH * setup.width
        first = jnp.clip(2.0 * M * (knock_out - reach), low, high)
        part = jnp.clip(2.0 * M * (knock_out + reach), low, high)
    scale = 1.0 / (1.0 / group.own + 1.0 / process.m_vector**2)
    first, part, last = (place_of(q_squared, scale) for q_squared in (first, part, high))
    behind = Behind(of, first, part, last, scale, knock_out)
    return jax.tree.map(lambda x: jnp.broadcast_to(x, e_nu.shape).reshape(len(u), -1), behind)


def _summed(setup: Setup, group: Group, given: Given, at: Behind, moved: Behind | None = None):
    """(Integral over Q^2 for each target on a new first axis, its slopes): along directions, the first axis of `moved`.

    Node after node, and for slopes one energy of the neutrino after the other: what is in work stays small.
    """
    one = jnp.ones(())
    process = BosonStrahlung(one, one, one, one, one, one, given.form_factors, setup.isoscalar, setup.coherent)
    group = _recoiling(process, group)
    left = _what_is_left(setup, process, group)
    of_spin_0 = group.is_nucleus and process.coherent == "nucleus"
    number = setup.nodes.transfer if group.is_nucleus else setup.nodes.of_nucleon
    panels = [(number, lambda at: (at.part, at.last, at.scale))]
    if _is_bound(setup, group):
        panels.append((setup.nodes.transfer, lambda at: (at.first, at.part, at.scale)))

    def density(of, q_squared):
        structures = (1.0, None) if of_spin_0 else nucleon_structures(process, q_squared, group.mass)
        return at_transfer(of, q_squared, *structures)

    def on_way(u, first, last, scale):
        return transfers(first, last, scale, u)

    def values(at, ends, nodes):
        def add(total, node):
            u, w = node
            q_squared, slope = on_way(u, *ends(at))
            return total + density(at.of, q_squared) * (w * slope) * left(q_squared, at.knock_out), None

        return jax.lax.scan(add, jnp.zeros((len(group.targets), *at.part.shape)), nodes)[0]

    def with_slopes(at, moved, ends, nodes):
        # loops one after the other: in a single one the compiler computes what directions share again for each
        def at_node(u):
            q_squared, slope = on_way(u, *ends(at))
            value, back = jax.vjp(density, at.of, q_squared)
            in_of, in_q = back(slope)
            kept, kept_in_q = jax.jvp(lambda q: left(q, at.knock_out), (q_squared,), (jnp.ones_like(q_squared),))
            kept_in_threshold = None
            if _is_bound(setup, group):
                of_threshold = jax.jvp(lambda e: left(q_squared, e), (at.knock_out,), (jnp.ones_like(q_squared),))
                kept_in_threshold = value * slope * of_threshold[1]
            return value, value * slope, in_of, in_q, kept, value * slope * kept_in_q, kept_in_threshold

        u, w = nodes
        value, product, in_of, in_q, kept, in_kept, in_threshold = jax.lax.map(at_node, u)

        def along(node):
            u, value, in_of, in_q = node

            def towards(*steps):
                return jax.jvp(partial(on_way, u), ends(at), steps)[1]

            q_moved, slope_moved = jax.vmap(towards)(*ends(moved))
            pairs = zip(jax.tree.leaves(in_of), jax.tree.leaves(moved.of), strict=True)
            return q_moved, sum((own * step for own, step in pairs), in_q * q_moved + value * slope_moved)

        q_moved, value_moved = jax.lax.map(along, (u, value, in_of, in_q))

        def add(sums, node):
            w, product, kept, in_kept, in_threshold, q_moved, value_moved = node
            step = value_moved[:, None] * kept + in_kept * q_moved[:, None]
            if in_threshold is not None:
                step = step + in_threshold * moved.knock_out[:, None]
            return (sums[0] + w * product * kept, sums[1] + w * step), None

        shape = (len(group.targets), *at.part.shape)
        zero = jnp.zeros(shape), jnp.zeros((len(moved.part), *shape))
        return jax.lax.scan(add, zero, (w, product, kept, in_kept, in_threshold, q_moved, value_moved))[0]

    def of_panel(block, number, ends):
        at, moved = block
        nodes = tuple(map(jnp.asarray, unit_legendre(number)))
        found = (values(at, ends, nodes), None) if moved is None else with_slopes(at, moved, ends, nodes)
        start, end, _ = ends(at)
        return jax.tree.map(lambda x: jnp.where(start > end, x, 0.0), found)  # exactly 0 where nothing is left

    def of_block(block):
        return jax.tree.map(lambda *parts: sum(parts), *(of_panel(block, *panel) for panel in panels))

    if moved is None:
        return of_block((at, None))
    found = jax.lax.map(of_block, (at, jax.tree.map(lambda x: jnp.moveaxis(x, 1, 0), moved)))
    return jax.tree.map(lambda x: jnp.moveaxis(x, 0, -2), found)


def _is_bound(setup: Setup, group: Group) -> bool:
    return setup.bound is not None and setup.bound[group.place[0]]


def _what_is_left(setup: Setup, process: BosonStrahlung, group: Group):
    """A function of Q^2 and `Variables.knock_out`, for each target on a new first axis: what the form factor of a
    nucleus, or binding and the threshold of a nucleon that must be knocked out, leave of the rate on a point, or on a
    free nucleon.
    """
    if group.is_nucleus:
        series = [_nuclear_series(process, target, group.own) for target in group.targets]

        def of_nuclei(q_squared, _):
            x = jnp.minimum(q_squared / (q_squared + 2.0 * group.own), TOP)
            return jnp.stack([evaluate_series(one, (2.0 / TOP) * x - 1.0) ** 2 for one in series])

        return of_nuclei

    def of_nucleons(q_squared, knock_out):
        each = [
            allowed_fraction(0, q_squared, stack_targets((target,)), process.form_factors) for target in group.targets
        ]
        left = jnp.stack([jnp.broadcast_to(one, q_squared.shape) for one in each])
        if not _is_bound(setup, group):
            return left
        recoil = q_squared / (2.0 * group.mass)
        return left * 0.5 * (1.0 + erf((recoil - knock_out) / (np.sqrt(2.0) * setup.width)))

    return of_nucleons


def _nuclear_series(process: BosonStrahlung, target: Target, own: float) -> Float[Array, "terms"]:
    """A F of a nucleus up to END in Q^2/(Q^2 + 2 own); its square is W1 of `boson_strahlung.structures`."""
    x = 0.5 * TOP * (chebyshev_places(SERIES) + 1.0)
    factor = of_nucleus(jnp.asarray(2.0 * own * x / (1.0 - x)), target.name, process.form_factors)
    return chebyshev_series((target.protons + target.neutrons) * factor)


def pair_momentum(energy, mass):
    """Momentum of a boson, GeV."""
    return safe_sqrt((energy - mass) * (energy + mass))


# -- a beam -----------------------------------------------------------------------------------------------------------


def energies(process: BosonStrahlung, highest_energy, lowest: float, highest: float, nodes: int):
    """Energies of the scalar and weights between what can be made and what can be seen; harmless where it is closed."""
    u, w = unit_legendre(nodes)
    end = jnp.minimum(highest, highest_energy - process.m_N)  # the target keeps what it has
    start = jnp.maximum(lowest, process.m_scalar)
    above, slope = stretched(u, jnp.maximum(end - start, SHORTEST))
    return start + above, jnp.where(end > start, w * slope, 0.0)

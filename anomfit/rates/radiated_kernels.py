"""nu + target -> N + target + scalar: rates on fixed nodes for couplings of 1, with slopes in the masses.

Outer nodes are the scalar's energy and angle in the laboratory, inner ones the neutrino's energy above the threshold of
each and Q^2; the azimuth of the recoil is exact (`physics.radiated_scalar`). Nuclei and single nucleons have directions
of their own.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Bool, Float

from anomfit.physics.boson_strahlung import BosonStrahlung
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.radiated_scalar import Scalar, amplitude, opening, place_of, shared
from anomfit.physics.targets import FormFactors
from anomfit.rates.projected_flux import ProjectedFlux, stretched, weights_above
from anomfit.rates.radiated_setup import Group, Setup, is_bound, recoiling
from anomfit.rates.radiated_transfers import END, Behind, over_transfers

SHORTEST = 1e-3  # GeV, of a range of energies
REACH = 5.0  # widths of the smooth threshold of a recoil on either side of which it is 0 or 1


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
        over_transfers(setup, group, given.form_factors, *each)
        for group, *each in zip(setup.groups, behind, moved_behind, strict=True)
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
    each = [
        over_transfers(setup, group, given.form_factors, at)[0] for group, at in zip(setup.groups, behind, strict=True)
    ]
    return _folded(setup, variables, given, each)


def _process(setup: Setup, variables: Variables, given: Given) -> BosonStrahlung:
    one = jnp.ones(())
    masses = (variables.m_N, variables.m_scalar, variables.m_vector)
    return BosonStrahlung(*masses, one, one, one, given.form_factors, setup.isoscalar, setup.coherent)


def _places(setup: Setup, variables: Variables, given: Given) -> list[Behind]:
    process = _process(setup, variables, given)
    return [
        _behind(setup, process, group, _outer(setup, process, group, given.flux.end), variables.knock_out)
        for group in (recoiling(process, group) for group in setup.groups)
    ]


def _folded(setup: Setup, variables: Variables, given: Given, integrals: Sequence[Array]) -> Kernel:
    process = _process(setup, variables, given)
    cosines, made = [], []
    for group, integral in zip((recoiling(process, group) for group in setup.groups), integrals, strict=True):
        outer = _outer(setup, process, group, given.flux.end)
        sections = integral.reshape(-1, setup.nodes.neutrino, *outer.start.shape)
        per_node = weights_above(given.flux, jnp.where(outer.is_open, outer.start, 0.0))
        found = jnp.where(outer.is_open, jnp.sum(sections[:, None] * per_node, axis=2), 0.0)
        made.append(jnp.moveaxis(found * outer.weight, (0, 1), (2, 3)))
        cosines.append(outer.cosine)
    return Kernel(tuple(cosines), tuple(made))


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
    if is_bound(setup, group):
        reach = REACH * setup.width
        first = jnp.clip(2.0 * M * (knock_out - reach), low, high)
        part = jnp.clip(2.0 * M * (knock_out + reach), low, high)
    scale = 1.0 / (1.0 / group.own + 1.0 / process.m_vector**2)
    first, part, last = (place_of(q_squared, scale) for q_squared in (first, part, high))
    behind = Behind(of, first, part, last, scale, knock_out)
    return jax.tree.map(lambda x: jnp.broadcast_to(x, e_nu.shape).reshape(len(u), -1), behind)


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

"""nu + target -> N + target + scalar, scalar -> pair: the pairs of one beam on fixed nodes; they are made directly.

Outer nodes are the scalar's energy and angle in the laboratory, inner ones the neutrino's energy above the threshold of
each and Q^2; the azimuth of the recoil is exact (`physics.radiated_scalar`). Nuclei and single nucleons have directions
of their own. Couplings multiply kernels of m_N and of the masses of scalar and vector, target by target.

Protons and neutrons share nodes at the mean of their masses, and so do the nuclei of a detector, and those of its
surroundings: rates are linear in 1/M, which is averaged, to second orders that are below 1e-4.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf
from jaxtyping import Array, Float

from anomfit.beams.flux import Beam
from anomfit.physics.boson_strahlung import BosonStrahlung, nucleon_structures, recoiling_mass, structures
from anomfit.physics.constants import HBAR_C_FM
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.nuclei import nucleus
from anomfit.physics.nucleon_vector import DIPOLE_MASS_SQUARED
from anomfit.physics.polynomials import cubic
from anomfit.physics.quadrature import interpolation, unit_legendre
from anomfit.physics.radiated_scalar import Scalar, amplitudes, opening, shared, transfers
from anomfit.physics.reaction import RadiatedReaction
from anomfit.physics.targets import Target, allowed_fraction, stack_targets


@dataclass(frozen=True)
class RadiatedNodes:
    """Numbers of nodes, static: energies of the scalar, its directions (for nuclei and for nucleons), energies of the
    neutrino for cross sections and for fluxes, which have kinks, Q^2 of nuclei and of nucleons, whose blocking by
    others has a kink and whose form factor reaches far.
    """

    energy: int = 24
    angle: int = 10
    neutrino: int = 14
    flux: int = 72
    transfer: int = 8
    of_nucleon: int = 16


NODES = RadiatedNodes()
SOFT = 0.4  # GeV: above a start, nodes in energy are linear below and logarithmic beyond
SHORTEST = 1e-3  # GeV, of a range of energies
END = 30.0  # in units of a nucleus's own Q^2, from where on its squared form factor is below 1e-8
POINTS = 256  # at which the form factor of a nucleus is worked out
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


class Source(NamedTuple):
    """Neutrinos: their flux (1/cm^2/GeV) by energy, with an axis of beams, the exposures, and where they end (GeV)."""

    flux_at: Callable[[Float[Array, "..."]], Float[Array, "... beams"]]
    exposure: Float[Array, "beams"]
    highest_energy: Float[Array, ""]


class Scalars(NamedTuple):
    """Scalars on nodes: rate per GeV of their energy, over their momentum, with the weights of directions in it."""

    per_momentum: Float[Array, "energies directions rows beams"]
    cosine: Float[Array, "energies directions"]


def scalars(
    process: BosonStrahlung,
    source: Source,
    groups: tuple[Group, ...],
    rows: Float[Array, "rows targets"],
    energy: Float[Array, "energies"],
    nodes: RadiatedNodes,
    knock_out: KnockedOut | None = None,
) -> Scalars:
    """Scalars of these energies (GeV) that a source makes, directions of each group one after the other.

    process: with couplings of 1; rows: what the cross section on each target is multiplied with, for each row.
    Nothing is made, with no slope, where the process is closed: `energy` may then be anything above the mass.
    """
    made, cosines = [], []
    for group in (_recoiling(process, group) for group in groups):
        cosine, weight = directions(process, source, group, energy, nodes.angle)
        found = _in_group(process, source, group, rows[:, np.array(group.place)], energy, cosine, nodes, knock_out)
        made.append(found * weight[..., None, None])
        cosines.append(cosine)
    return Scalars(jnp.concatenate(made, axis=1) * source.exposure, jnp.concatenate(cosines, axis=1))


def _recoiling(process: BosonStrahlung, group: Group) -> Group:
    """The group with the mass of what recoils: a nucleon's where a nucleus stands for A^2 of them."""
    if process.coherent == "nucleus" or not group.is_nucleus:
        return group
    masses = [recoiling_mass(process, target) for target in group.targets]
    return group._replace(mass=float(np.mean(masses)))


def directions(process: BosonStrahlung, source: Source, group: Group, energy, nodes: int):
    """Cosines of the scalar to the beam and weights, (energies, directions): logarithmic in 1 - cos above what masses
    and the form factor of a nucleus let it be, down to where no neutrino is energetic enough.
    """
    u, w = unit_legendre(nodes)
    momentum = pair_momentum(energy, process.m_scalar)
    momentum = jnp.where(momentum > 0.0, momentum, 1.0)
    still = Scalar(energy, jnp.zeros_like(momentum), jnp.zeros_like(momentum))
    least = opening(process, still, group.mass)  # the threshold's numerator, over M - E_h where that is positive
    needed = least.start * jnp.where(least.reach > 0.0, least.reach, 1.0) / source.highest_energy
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


def _in_group(process: BosonStrahlung, source: Source, group: Group, rows, energy, cosine, nodes, knock_out):
    """Rates over the momentum of the scalar, (energies, directions, rows, beams)."""
    M = group.mass
    u, _ = unit_legendre(nodes.neutrino)
    energy = jnp.broadcast_to(energy[:, None], cosine.shape)
    scalar = Scalar(energy, pair_momentum(energy, process.m_scalar), cosine)
    at = opening(process, scalar, M)
    end = source.highest_energy
    is_open = (at.reach > 0.0) & (at.start < end)
    # closed: forward, and so fast that it opens for some neutrino, above which one is looked at
    fast = process.m_scalar * (1.0 + process.m_scalar / M)
    harmless = Scalar(jnp.sqrt(fast**2 + process.m_scalar**2), fast, jnp.ones(()))
    scalar = Scalar(*(jnp.where(is_open, own, other) for own, other in zip(scalar, harmless, strict=True)))
    start = opening(process, scalar, M).start
    span = jnp.where(is_open, end - start, 1.0)
    # a root of the excess, as N's momentum at the threshold, becomes linear
    excess, _ = stretched(u**2, span[..., None])
    e_nu = start[..., None] + excess
    scalar = Scalar(*(part[..., None] for part in scalar))
    kin = shared(process, scalar, M, e_nu, excess)
    low, high = kin.lowest, kin.highest
    if group.is_nucleus:
        high = jnp.maximum(low, jnp.minimum(high, END * group.own))
    scale = 1.0 / (1.0 / group.own + 1.0 / process.m_vector**2)
    q_squared, w_q = _transfers(low, high, scale, nodes, group, knock_out)
    one, two = amplitudes(process, scalar, M, e_nu, kin, q_squared)
    flux = _projected_flux(source, is_open, start, span, nodes)
    of_spin_0 = group.is_nucleus and process.coherent == "nucleus"
    if of_spin_0:
        section = w_q * one
    else:
        W1, W2 = nucleon_structures(process, q_squared, M)
        section = w_q * (one * W1 + two * W2)
    if group.is_nucleus:
        spin_0 = replace(process, coherent="nucleus")
        left = [_looked_up(spin_0, target, q_squared) for target in group.targets]
    else:
        left = [_left(process, group, i, q_squared, knock_out) for i in range(len(group.targets))]
    # the barrier keeps XLA from computing the amplitude again for each target
    section, left = jax.lax.optimization_barrier((section, left))
    by_target = jnp.stack([jnp.sum(section * part, axis=-1) for part in left], axis=-1)
    return jnp.einsum("ednt,ednb,rt->edrb", by_target, flux, rows)


def _projected_flux(source: Source, is_open, start, span, nodes: RadiatedNodes):
    """What multiplies a cross section at few energies of the neutrino, between which it is smooth, as fluxes are not:
    (energies, directions, neutrino, beams).
    """
    u, w = unit_legendre(nodes.flux)
    excess, slope = stretched(u**2, span[..., None])
    weight = jnp.where(is_open[..., None], 2.0 * u * w * slope, 0.0)
    flux = source.flux_at(jnp.where(is_open[..., None], start[..., None] + excess, 0.0)) * weight[..., None]
    return jnp.einsum("edfb,fn->ednb", flux, interpolation(nodes.neutrino, nodes.flux))


def _looked_up(process: BosonStrahlung, target: Target, q_squared):
    """W1 of a nucleus at many Q^2: cubics between points even in Q^2/(Q^2 + scale), with exact slopes."""
    scale = 2.0 * _scale(target)
    place = np.linspace(0.0, 1.0 - 0.5 / POINTS, POINTS)

    def at(place):
        return structures(process, target, scale * place / (1.0 - place))[0]

    values, slopes = jax.jvp(at, (jnp.asarray(place),), (jnp.full(POINTS, place[1]),))
    x = q_squared / ((q_squared + scale) * place[1])
    return cubic(values, slopes, jnp.minimum(x, POINTS - 1.0))


def _transfers(low, high, scale, nodes: RadiatedNodes, group: Group, knock_out: KnockedOut | None):
    """Q^2 and weights; where nucleons must be knocked out, two panels that part above the threshold."""
    if knock_out is None or not _is_bound(group, knock_out):
        return transfers(low, high, scale, nodes.transfer if group.is_nucleus else nodes.of_nucleon)
    reach = REACH * knock_out.width
    start = jnp.clip(2.0 * group.mass * (knock_out.energy - reach), low, high)
    part = jnp.clip(2.0 * group.mass * (knock_out.energy + reach), low, high)
    panels = (transfers(start, part, scale, nodes.transfer), transfers(part, high, scale, nodes.of_nucleon))
    return tuple(jnp.concatenate(pieces, axis=-1) for pieces in zip(*panels, strict=True))


def _is_bound(group: Group, knock_out: KnockedOut) -> bool:
    return knock_out.bound[group.place[0]]


def _left(process: BosonStrahlung, group: Group, i: int, q_squared, knock_out: KnockedOut | None):
    """What binding, and the threshold of a nucleon that must be knocked out, leave of the rate on a free nucleon."""
    left = allowed_fraction(0, q_squared, stack_targets((group.targets[i],)), process.form_factors)
    if knock_out is None or not _is_bound(group, knock_out):
        return left
    recoil = q_squared / (2.0 * group.mass)
    return left * 0.5 * (1.0 + erf((recoil - knock_out.energy) / (np.sqrt(2.0) * knock_out.width)))


def stretched(u, top):
    """Energies from 0 to `top` and their slopes at u in (0, 1): logarithmic above SOFT."""
    stretch = jnp.log1p(top / SOFT)
    grown = SOFT * jnp.exp(stretch * u)
    return grown - SOFT, stretch * grown


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


def all_made(reaction: RadiatedReaction, beam: Beam, nodes: RadiatedNodes) -> tuple[Float[Array, "energies"], Scalars]:
    """Energies of the scalar and what a beam makes of all of them, weights in the rates; rows are those of
    `Beam.counts`.
    """
    process = reaction.production.bare
    energy, weight = energies(process, beam.highest_energy, 0.0, np.inf, nodes.energy)
    made = _made(reaction, beam, energy, nodes)
    return energy, made._replace(per_momentum=made.per_momentum * weight[:, None, None, None])


def _made(reaction: RadiatedReaction, beam: Beam, energy, nodes: RadiatedNodes) -> Scalars:
    scatterers = beam.scatterers
    rows = jnp.asarray(beam.counts()) * reaction.production.couplings(stack_targets(scatterers))[:, 0]
    source = Source(beam.flux_at, beam.exposure, beam.highest_energy)
    return scalars(reaction.production.bare, source, _groups(beam), rows, energy, nodes)


def _groups(beam: Beam) -> tuple[Group, ...]:
    return groups_of(beam.scatterers, (beam.composition, beam.surroundings))


class Radiated(NamedTuple):
    """Pairs that are made directly: fields of `PairEvents`, for those at the energies (GeV) `energy`.

    made: all of them, of any energy, with a branching ratio of 1.
    """

    rate: Float[Array, "energies directions component beam"]
    cosine: Float[Array, "energies directions"]
    onto: Float[Array, "energies pairs"]
    energy: Float[Array, "pairs"]
    made: Float[Array, "component beam"]


def radiated_events(
    reaction: RadiatedReaction, beam: Beam, lowest: float, highest: float, pairs: int, nodes: RadiatedNodes = NODES
) -> Radiated:
    """Pairs between `lowest` and `highest` (GeV), worked out at fewer energies than there are of `pairs`.

    What is made is smooth in the energy once it is divided by the momentum: that is handed on, its directions with it.
    """
    process = reaction.production.bare

    def nodes_of(number):
        energy, weight = energies(process, beam.highest_energy, lowest, highest, number)
        momentum = pair_momentum(energy, process.m_scalar)
        return energy, weight * momentum

    energy, weight = nodes_of(nodes.energy)
    fine, fine_weight = nodes_of(pairs)
    found = _made(reaction, beam, energy, nodes)
    some = weight > 0.0
    onto = jnp.asarray(interpolation(nodes.energy, pairs)).T * fine_weight / jnp.where(some, weight, 1.0)[:, None]
    return Radiated(
        rate=found.per_momentum * weight[:, None, None, None],
        cosine=found.cosine,
        onto=onto,
        energy=fine,
        made=scalars_made(reaction, beam, nodes),
    )


def scalars_made(
    reaction: RadiatedReaction, beam: Beam, nodes: RadiatedNodes = NODES
) -> Float[Array, "component beam"]:
    """Scalars of any energy that a beam makes, whatever they decay to."""
    energy, made = all_made(reaction, beam, nodes)
    return jnp.einsum("e,edcb->cb", pair_momentum(energy, reaction.production.bare.m_scalar), made.per_momentum)


# -- detectors that see the recoil ------------------------------------------------------------------------------------


class AfterRecoil(NamedTuple):
    """Scalars of one source by target (axis `targets`), made with a recoil that is seen, all weights in the rate."""

    energy: Float[Array, "energies"]
    cosine: Float[Array, "energies directions"]
    rate: Float[Array, "energies directions targets"]


def after_recoil(
    reaction: RadiatedReaction,
    source: Source,
    composition: tuple[Target, ...],
    knocked_out: KnockedOut,
    nodes: RadiatedNodes = NODES,
) -> AfterRecoil:
    """Those of all energies that a source with one flux makes on a molecule; `knocked_out` is for each scatterer."""
    process = reaction.production.bare
    alone = tuple(one.alone for one in composition)
    strength = reaction.production.couplings(stack_targets(alone))[:, 0] * np.array([one.count for one in composition])
    energy, weight = energies(process, source.highest_energy, 0.0, np.inf, nodes.energy)
    groups = groups_of(alone, (composition,), knocked_out.bound)
    made = scalars(process, source, groups, jnp.diag(strength), energy, nodes, knocked_out)
    weight = weight * pair_momentum(energy, process.m_scalar)
    return AfterRecoil(energy, made.cosine, made.per_momentum[..., 0] * weight[:, None, None])

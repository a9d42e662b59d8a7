"""nu + target -> N + target + scalar, scalar -> pair: the pairs of one beam on fixed nodes; they are made directly.

Couplings multiply `radiated_kernels`, kernels of m_N and of the masses of scalar and vector, target by target.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.beams.flux import Beam
from anomfit.physics.boson_strahlung import BosonStrahlung
from anomfit.physics.quadrature import interpolation
from anomfit.physics.reaction import RadiatedReaction
from anomfit.physics.targets import Target, stack_targets
from anomfit.rates.projected_flux import project
from anomfit.rates.radiated_kernels import Given, Variables, directions, energies, kernel, pair_momentum
from anomfit.rates.radiated_setup import NODES, Group, KnockedOut, RadiatedNodes, Setup, groups_of, recoiling

EVERYTHING = (0.0, float(np.inf))  # GeV, energies of the scalar


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
    bare: BosonStrahlung,
    source: Source,
    groups: tuple[Group, ...],
    rows: Float[Array, "rows targets"],
    between: tuple[float, float],
    nodes: RadiatedNodes,
    knock_out: KnockedOut | None = None,
) -> Scalars:
    """Scalars at `energies` between two (GeV) that a source makes, directions of each group one after the other.

    bare: with couplings of 1; rows: what the cross section on each target is multiplied with, for each row.
    """
    bound, energy, width = (None, 0.0, 1.0) if knock_out is None else knock_out
    setup = Setup(groups, nodes, *between, bare.isoscalar, bare.coherent, bound, width)
    flux = project(source.flux_at, source.highest_energy, nodes.neutrino, nodes.flux, nodes.starts)
    numbers = map(jnp.asarray, (bare.m_N, bare.m_scalar, bare.m_vector, energy))
    found = kernel(setup, Variables._make(numbers), Given(bare.form_factors, flux))
    made = [
        jnp.einsum("edtb,rt->edrb", own, rows[:, np.array(group.place)])
        for own, group in zip(found.per_momentum, groups, strict=True)
    ]
    cosines = found.cosine
    if nodes.seen is not None:
        energy, _ = energies(bare, flux.end, *between, nodes.energy)
        handed_on = [
            _in_seen_directions(bare, flux.end, group, energy, one, nodes)
            for group, one in zip(groups, made, strict=True)
        ]
        cosines, made = zip(*handed_on, strict=True)
    return Scalars(jnp.concatenate(made, axis=1) * source.exposure, jnp.concatenate(cosines, axis=1))


def _in_seen_directions(bare: BosonStrahlung, end, group: Group, energy, made, nodes: RadiatedNodes):
    """(cosines, rates) of a group in `nodes.seen` directions, by polynomials in the coordinate of those it has."""
    assert nodes.seen is not None
    group = recoiling(bare, group)
    _, weight = directions(bare, end, group, energy, nodes.angle)
    cosine, new = directions(bare, end, group, energy, nodes.seen)
    some = weight > 0.0
    density = made / jnp.where(some, weight, 1.0)[:, :, None, None]
    onto = jnp.asarray(interpolation(nodes.angle, nodes.seen))
    return cosine, jnp.einsum("sd,edrb->esrb", onto, density) * new[:, :, None, None]


def all_made(reaction: RadiatedReaction, beam: Beam, nodes: RadiatedNodes) -> tuple[Float[Array, "energies"], Scalars]:
    """Energies of the scalar and what a beam makes of all of them, weights in the rates; rows are those of
    `Beam.counts`.
    """
    process = reaction.production.bare
    energy, weight = energies(process, beam.highest_energy, *EVERYTHING, nodes.energy)
    made = _made(reaction, beam, EVERYTHING, nodes)
    return energy, made._replace(per_momentum=made.per_momentum * weight[:, None, None, None])


def _made(reaction: RadiatedReaction, beam: Beam, between: tuple[float, float], nodes: RadiatedNodes) -> Scalars:
    scatterers = beam.scatterers
    rows = jnp.asarray(beam.counts()) * reaction.production.couplings(stack_targets(scatterers))[:, 0]
    source = Source(beam.flux_at, beam.exposure, beam.highest_energy)
    return scalars(reaction.production.bare, source, _groups(beam), rows, between, nodes)


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
    reaction: RadiatedReaction, beam: Beam, lowest: float, highest: float, nodes: RadiatedNodes = NODES
) -> Radiated:
    """Pairs between `lowest` and `highest` (GeV), worked out at fewer energies than there are of pairs.

    What is made is smooth in the energy once it is divided by the momentum: that is handed on, its directions with it.
    """
    process = reaction.production.bare

    def nodes_of(number):
        energy, weight = energies(process, beam.highest_energy, lowest, highest, number)
        momentum = pair_momentum(energy, process.m_scalar)
        return energy, weight * momentum

    _, weight = nodes_of(nodes.energy)
    fine, fine_weight = nodes_of(nodes.pairs)
    found = _made(reaction, beam, (lowest, highest), nodes)
    some = weight > 0.0
    onto = jnp.asarray(interpolation(nodes.energy, nodes.pairs)).T * fine_weight / jnp.where(some, weight, 1.0)[:, None]
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
    energy, weight = energies(process, source.highest_energy, *EVERYTHING, nodes.energy)
    groups = groups_of(alone, (composition,), knocked_out.bound)
    made = scalars(process, source, groups, jnp.diag(strength), EVERYTHING, nodes, knocked_out)
    weight = weight * pair_momentum(energy, process.m_scalar)
    return AfterRecoil(energy, made.cosine, made.per_momentum[..., 0] * weight[:, None, None])

"""Pairs of an upscattering in a calorimeter that may see the neutron too: counts by target."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.detectors.containment import after_two_flights, containment
from anomfit.detectors.energy_table import EnergyTable, at, box_average
from anomfit.detectors.lsnd import RING, flight_length
from anomfit.detectors.pairs import see_pairs
from anomfit.physics.reaction import OneReaction, RadiatedReaction, Reaction
from anomfit.rates.radiated_events import AfterRecoil, KnockedOut, Source, after_recoil
from anomfit.rates.recoil_events import Boxes, KnockOut, NeutrinoSource, Parents, RecoilNodes, boxes, produce

COMPONENTS = ("neutron", "proton", "coherent")
BOUND = (True, True, False, False)  # as beams.lampf.SCATTERERS: neutron, bound proton, free proton, carbon
OF_TARGET = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])  # components of targets
KNOCK_OUT_WIDTH = 0.001  # GeV; smooths the threshold, an assumption itself


@dataclass(frozen=True)
class RecoilPairChain:
    """What turns pairs into counts: sources, response, how a pair is seen, nodes, spheres of containment."""

    sources: tuple[NeutrinoSource, ...]
    table: EnergyTable
    ring: str  # "sum" or "ring"
    nodes: RecoilNodes
    spheres: tuple[float, float]  # m: where decays are seen, where N is made


jax.tree_util.register_dataclass(
    RecoilPairChain, data_fields=["sources", "table"], meta_fields=["ring", "nodes", "spheres"]
)


def pair_counts(reaction: OneReaction, chain: RecoilPairChain, knock_out: Float[Array, ""]):
    """(counts, made): pairs in each bin, (sources, components, bins), and all that are made, (sources, components).

    No efficiency but the response's and the containment of the decay is in the counts. knock_out: GeV.
    """
    if isinstance(reaction, RadiatedReaction):
        return _radiated_counts(reaction, chain, knock_out)
    parents = parents_of(reaction, chain, knock_out)
    found = boxes(parents, reaction, chain.nodes.path)
    averages = _by_parent(box_average, seen_table(reaction, chain, parents), found.low, found.high)
    average = jnp.einsum("pcb,pc->pb", averages, found.share)
    by_component = jnp.sum(parents.rate, axis=1) @ OF_TARGET.T
    of_source = chain.nodes.of_source()
    counts = jnp.einsum("sp,pk,pb->skb", of_source, by_component, average)
    return counts, of_source @ by_component * reaction.visible


def parents_of(reaction: Reaction, chain: RecoilPairChain, knock_out) -> Parents:
    """N of all sources, one after the other."""
    threshold = KnockOut(knock_out, KNOCK_OUT_WIDTH)
    return produce(chain.sources, BOUND, chain.nodes, reaction.production, threshold)


def radiated(reaction: RadiatedReaction, chain: RecoilPairChain, knock_out) -> list[AfterRecoil]:
    """Scalars of each source, which decay to the pair."""
    knocked_out = KnockedOut(BOUND, knock_out, KNOCK_OUT_WIDTH)
    return [
        after_recoil(
            reaction,
            Source(source.flux_at, source.exposure, jnp.asarray(source.highest_energy)),
            source.composition,
            knocked_out,
            chain.nodes.radiated,
        )
        for source in chain.sources
    ]


def _radiated_counts(reaction: RadiatedReaction, chain: RecoilPairChain, knock_out):
    table = seen_table(reaction, chain)
    counts, made = [], []
    for each in radiated(reaction, chain, knock_out):
        by_component = reaction.branching * jnp.sum(each.rate, axis=1) @ OF_TARGET.T
        counts.append(by_component.T @ at(table, each.energy))
        made.append(jnp.sum(by_component, axis=0))
    return jnp.stack(counts), jnp.stack(made)


def _radiated_moments(reaction: RadiatedReaction, chain: RecoilPairChain, knock_out, waves: int):
    table, wave = seen_table(reaction, chain), np.arange(waves)
    moments = []
    for each in radiated(reaction, chain, knock_out):
        blurred = jnp.exp(-0.25 * wave * (wave + 1) * _tilt(each.energy, reaction, chain)[:, None])
        made = jnp.einsum("edt,edl,ct->ecl", each.rate, legendre(each.cosine, waves), OF_TARGET)
        moments.append(jnp.einsum("ecl,el,eb->clb", reaction.branching * made, blurred, at(table, each.energy)))
    return jnp.stack(moments)


def seen_table(reaction: OneReaction, chain: RecoilPairChain, parents: Parents | None = None) -> EnergyTable:
    """The response to a pair by its energy: the sum or the more significant ring, times the decay's containment.

    With an axis of parents in front where N flies before it decays. parents: None where the boson has none.
    """
    energy = chain.table.energies
    response = chain.table.response
    if chain.ring == "ring":
        seen = see_pairs(jnp.maximum(energy, reaction.pair.mass), reaction.pair.mass, RING, lambda visible, whole: 1.0)
        response = jnp.einsum("ew,ewb->eb", seen.weight, at(chain.table, seen.energy))
    inside = partial(containment, inner=chain.spheres[0], outer=chain.spheres[1])
    if isinstance(reaction, RadiatedReaction):
        length = flight_length(
            energy, reaction.pair.mass, 0.0 if reaction.pair.flight is None else reaction.pair.flight
        )
        return EnergyTable(response * inside(length)[:, None], chain.table.step)
    assert parents is not None  # every N has its energy
    if reaction.pair.flight is None:
        kept = inside(reaction.flight * parents.momentum)
        return EnergyTable(response * kept[:, None, None], chain.table.step)
    length = flight_length(energy, reaction.pair.mass, reaction.pair.flight)
    if reaction.prompt:
        return EnergyTable(response * inside(length)[:, None], chain.table.step)
    kept = after_two_flights(inside, (reaction.flight * parents.momentum)[:, None], length[None, :])
    return EnergyTable(response * kept[..., None], chain.table.step)


def _by_parent(look_up, table: EnergyTable, *at_parents):
    """A look-up in one table, or in those of all parents, at numbers with an axis of parents in front."""
    if table.response.ndim == 2:
        return look_up(table, *at_parents)
    return jax.vmap(lambda response, *own: look_up(EnergyTable(response, table.step), *own))(
        table.response, *at_parents
    )


def pair_moments(reaction: OneReaction, chain: RecoilPairChain, knock_out, waves: int, decays: int = 48):
    """Legendre moments of the direction of the pairs in each bin of energy: (sources, components, waves, bins)."""
    if isinstance(reaction, RadiatedReaction):
        return _radiated_moments(reaction, chain, knock_out, waves)
    parents = parents_of(reaction, chain, knock_out)
    table = seen_table(reaction, chain, parents)
    found = boxes(parents, reaction, chain.nodes.path)
    made = jnp.einsum("prt,prtl->plt", parents.rate, legendre(parents.cosine, waves))
    energy, cosine, weight = _decay_nodes(parents, found, reaction.production.m_N, decays)
    tilt = _tilt(energy, reaction, chain)
    wave = np.arange(waves)
    blurred = legendre(cosine, waves) * jnp.exp(-0.25 * wave * (wave + 1) * tilt[..., None])
    seen = jnp.einsum("pcd,pcdb,pcdl->plb", weight, _by_parent(at, table, energy), blurred)
    return jnp.einsum("sp,ct,plt,plb->sclb", chain.nodes.of_source(), OF_TARGET, made, seen, optimize="optimal")


def legendre(x, n: int):
    """P_0 ... P_{n-1} on a new last axis."""
    rows = [jnp.ones_like(x), x]
    for l in range(1, n - 1):
        rows.append(((2 * l + 1) * x * rows[l] - l * rows[l - 1]) / (l + 1))
    return jnp.stack(rows[:n], axis=-1)


def _decay_nodes(parents: Parents, found: Boxes, m_N, n: int):
    """Energies, cosines to N's flight and weights of the boson, (parents, channels, decays)."""
    x, w = np.polynomial.legendre.leggauss(n)
    centre, half = 0.5 * (found.high + found.low)[..., None], 0.5 * (found.high - found.low)[..., None]
    along = parents.momentum[:, None, None] * found.e_star[:, None]
    along = (along + parents.energy[:, None, None] * found.p_star[:, None] * x) / m_N
    across = found.p_star[:, None] ** 2 * (1.0 - x**2)
    energy = centre + half * x
    cosine = along / jnp.sqrt(along**2 + across + 1e-24)
    return energy, cosine, found.share[..., None] * jnp.broadcast_to(0.5 * w, energy.shape)


def _tilt(energy, reaction: OneReaction, chain: RecoilPairChain):
    """sin^2 of the angle between what is seen and the pair: 0 for the sum."""
    if chain.ring == "sum":
        return jnp.zeros_like(energy)
    return see_pairs(energy, reaction.pair.mass, RING, lambda visible, whole: 1.0).tilt

"""Pairs of many masses from one heavy neutrino, through a boson that does not fly: production, and decays in two rules.

The masses of a decay are nodes of a quadrature, so that every second one of them may have other nodes for what else is
integrated: parents' energies and pairs' energies lie on Gauss-Legendre nodes for one half of the masses and on those of
the anti-Gaussian rule for the other. What one half misses the other makes good, as twice the nodes would, whether the
masses are spread out or, near a real boson, all the same.
"""

from typing import NamedTuple, TypeGuard

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.beams.flux import Beam
from anomfit.physics.aligned_pairs import quadrupole_in_flight
from anomfit.physics.quadrature import interpolation_from, unit_anti_legendre, unit_legendre
from anomfit.physics.reaction import AnyReaction, Channel, Spectrum, SpreadReaction
from anomfit.rates import pair_events as one_mass
from anomfit.rates.pair_events import Nodes

HALVES = 2


class SpreadEvents(NamedTuple):
    """What a beam makes, and the decays to pairs on fixed nodes, each with a branching ratio of 1.

    Production as in `PairEvents`. Masses of pairs stand in groups of one half of a decay's masses, which `group` sorts
    any array of `Spectrum` into; groups take turns in the rule of their nodes, and `onto` has one of each.
    """

    rate: Float[Array, "energies directions component beam"]
    cos_parent: Float[Array, "energies directions"]
    flight: Float[Array, "energies"]  # m, mean of the parents; 0 where they decay at once
    onto: Float[Array, "halves energies parents"]
    share: Float[Array, "groups masses parents decays"]  # quadrature weight and the chance that the pair is alone
    energy: Float[Array, "groups masses parents decays"]  # GeV, of the pair
    cos_decay: Float[Array, "groups masses parents decays"]
    turned: Float[Array, "groups masses parents decays"] | None  # of an alignment, what is left in the laboratory
    made: Float[Array, "component beam"]


def comes_in_halves(reaction: AnyReaction) -> TypeGuard[SpreadReaction]:
    """Whether `spread_events` can be asked for: virtual bosons, isotropic decays and an even number of masses each."""
    return (
        isinstance(reaction, SpreadReaction)
        and reaction.pairs.flight is None
        and reaction.pairs.asymmetry is None
        and reaction.masses is not None
        and reaction.masses % HALVES == 0
    )


def group(reaction: SpreadReaction, array: Float[Array, " pairs ..."]) -> Float[Array, "groups masses ..."]:
    """What belongs to each pair, in the groups of `SpreadEvents`: of a decay every second mass, then the others."""
    assert reaction.masses is not None
    rows = np.arange(len(reaction.pairs.mass)).reshape(-1, reaction.masses // HALVES, HALVES)
    return array[np.swapaxes(rows, 1, 2).reshape(-1, rows.shape[1])]


def spread_events(reaction: SpreadReaction, beam: Beam, nodes: Nodes) -> SpreadEvents:
    """The events of a reaction that `comes_in_halves`. Two rules share the work of `Nodes.spread`: each has four fifths
    of its energies of pairs.
    """
    parents, polar = nodes.spread[0] + 1, max(2, round(0.8 * nodes.spread[1]))
    exchange = reaction.production
    pairs = reaction.pairs._replace(branching=jnp.ones_like(reaction.pairs.mass))
    whole = reaction.of(jax.tree.map(lambda array: array[0], pairs))  # knows all masses, by `among`
    span = one_mass.seen_range(nodes, beam, whole)
    rate, cos_parent, p_N = one_mass.production(beam, nodes, span, exchange)
    everything = one_mass.all_made(beam, nodes, exchange)
    u_parent, u, w = _two_rules(parents)[0], *_two_rules(polar)
    onto = [interpolation_from(place, nodes.energy) for place in (u_parent[0, :-1], u_parent[1])]
    onto[0] = np.pad(onto[0], ((0, 0), (0, 1)))
    turns = np.arange(len(group(reaction, pairs.mass))) % HALVES

    def of_half(one: Spectrum, u_parent, u, w):
        e_N, p_N, _ = one_mass.parent_energy(u_parent, span, exchange.m_N, nodes.hard)
        rest = one_mass.rest_frame(exchange.m_N, one.mass, Channel(one.branching, one.daughter_mass, one.second))
        share, energy, cosine, _ = one_mass.decays(nodes, (u, w), e_N, p_N, exchange.m_N, rest)
        turned = quadrupole_in_flight(e_N[:, None], exchange.m_N, energy, one.mass, rest.e_star)
        return share, energy, cosine, turned

    grouped = jax.tree.map(lambda array: group(reaction, array), pairs)
    over_masses = jax.vmap(of_half, in_axes=(0, None, None, None))
    share, energy, cosine, turned = jax.vmap(over_masses)(grouped, *(jnp.asarray(x[turns]) for x in (u_parent, u, w)))
    return SpreadEvents(
        rate=rate,
        cos_parent=cos_parent,
        flight=jnp.zeros_like(p_N) if reaction.prompt else reaction.flight * p_N,
        onto=jnp.asarray(np.stack(onto)),
        share=share,
        energy=energy,
        cos_decay=cosine,
        turned=None if pairs.alignment is None else turned,
        made=everything * reaction.visible,
    )


def _two_rules(n: int) -> tuple[Float[np.ndarray, "halves n"], Float[np.ndarray, "halves n"]]:
    """Nodes and weights of Gauss-Legendre's rule, with a last node of weight 0, and of the anti-Gaussian one to it."""
    (u, w), (anti_u, anti_w) = unit_legendre(n - 1), unit_anti_legendre(n)
    return np.stack([np.append(u, 0.5), anti_u]), np.stack([np.append(w, 0.0), anti_w])

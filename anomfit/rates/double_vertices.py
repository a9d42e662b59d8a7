"""nu + target -> N + target, N -> daughter + pair, daughter -> X + pair: events with two pairs, on fixed nodes.

N flies before the first vertex, the daughter between the two: their distance along the daughter's flight has the
density exp(-l/L)/L, L the daughter's c tau/m times its momentum. Pairs appear where their parents decay, as they do
from virtual bosons: the flight of a real boson of its own is left out.

The first decay follows the polarisation of N. The second is isotropic in the daughter's rest frame, which is exact for
Majorana neutrinos and leaves out the polarisation that a Dirac daughter has from the first decay.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.beams.flux import Beam
from anomfit.errors import reject
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.reaction import OneReaction, RadiatedReaction, Spectrum, summed
from anomfit.physics.two_body import is_open, two_body_energy, two_body_momentum
from anomfit.rates.pair_events import Nodes, all_parents
from anomfit.rates.radiated_events import RadiatedNodes, all_made, pair_momentum

T = TypeVar("T")


@dataclass(frozen=True)
class DoubleNodes:
    """Numbers of quadrature nodes, static.

    made, angle: energies and directions of N as it is made; parent: energies of N at which its decays are worked out;
    first, second: directions of the pairs in the rest frames of N and of its daughter; hard,
    transfer: as in `Nodes`.
    """

    made: int = 112
    angle: int = 22
    parent: int = 32
    first: int = 8
    second: int = 6
    hard: float = 3.0
    transfer: float = 0.15

    def __post_init__(self):
        for name in ("made", "angle", "parent", "first", "second"):
            if getattr(self, name) < 2:
                raise reject(f"nodes.{name}", getattr(self, name), "give at least 2")


class Emission(NamedTuple):
    """A pair of fixed mass and what is left, from a parent in flight; energies in GeV, cosines to the parent's flight.

    cos_star: the pair's direction in the parent's rest frame.
    """

    energy: Float[Array, "..."]
    rest: Float[Array, "..."]
    cos_pair: Float[Array, "..."]
    cos_rest: Float[Array, "..."]
    cos_star: Float[Array, "..."]


class Twice(NamedTuple):
    """The second pairs: the share of the daughters that make each, and how they come out.

    share adds up to the branching ratio; `again` is the axis of their masses and daughters, `second` of directions.
    """

    share: Float[Array, "again second"]
    emitted: Emission  # (parents, first, again, second)


class DoubleVertices(NamedTuple):
    """N that decay to a pair of one mass, and what their daughter does; lengths in m, energies in GeV.

    rate: events with the first pair, wherever it is, quadrature weights included. first_flight, second_flight: mean
    flights of N and of the daughter. again: branching ratio of the daughter to a second pair; twice: None where the
    model does not say which pairs these are.
    """

    rate: Float[Array, "parents first component beam"]
    first: Emission  # (parents, first)
    daughter_momentum: Float[Array, "parents first"]
    first_flight: Float[Array, "parents 1"]
    second_flight: Float[Array, "parents first"]
    again: Float[Array, ""]
    twice: Twice | None


def double_vertices(reaction: OneReaction, beam: Beam, nodes: DoubleNodes) -> DoubleVertices:
    """Chains of a reaction with a single channel (`over_channels`), as `over_reactions` hands it on, in a beam.

    A radiated boson decays once: its pair is the first one, the flight before it the boson's, and there is no second.
    """
    if isinstance(reaction, RadiatedReaction):
        return _once(reaction, beam, nodes)
    (channel,) = reaction.channels
    exchange, mass = reaction.production, reaction.pair.mass
    of_pairs = Nodes(made=nodes.made, angle=nodes.angle, parent=nodes.parent, hard=nodes.hard, transfer=nodes.transfer)
    parents = all_parents(exchange, beam, of_pairs, reaction.asymmetry is not None)
    energy, momentum = parents.energy[:, None], parents.momentum[:, None]
    u, w = unit_legendre(nodes.first)
    first = emission(energy, momentum, exchange.m_N, mass, channel.daughter_mass, jnp.asarray(2.0 * u - 1.0))
    rate = parents.rate[:, None]
    if parents.along is not None:
        steered = jnp.asarray(reaction.asymmetry) * first.cos_star
        rate = rate + steered[..., None, None] * parents.along[:, None]
    daughter = safe_sqrt(first.rest**2 - channel.daughter_mass**2)
    nothing = jnp.zeros_like(mass)
    second = channel.second
    return DoubleVertices(
        rate=rate * (channel.branching * w)[:, None, None],
        first=first,
        daughter_momentum=daughter,
        first_flight=jnp.zeros_like(momentum) if reaction.prompt else reaction.flight * momentum,
        second_flight=jnp.zeros_like(daughter) if second is None else second.flight * daughter,
        again=nothing if second is None else second.branching,
        twice=None
        if second is None or second.pairs is None
        else _twice(first.rest, daughter, channel.daughter_mass, second.pairs, nodes),
    )


def _once(reaction: RadiatedReaction, beam: Beam, nodes: DoubleNodes) -> DoubleVertices:
    of_scalar = RadiatedNodes(energy=nodes.parent, angle=min(RadiatedNodes().angle, nodes.angle))
    energy, made = all_made(reaction, beam, of_scalar)
    momentum = pair_momentum(energy, reaction.pair.mass)[:, None]
    rate = jnp.sum(made.per_momentum, axis=1) * (reaction.branching * momentum)[..., None]
    energy, nothing, ones = energy[:, None], jnp.zeros_like(momentum), jnp.ones_like(momentum)
    return DoubleVertices(
        rate=rate[:, None],
        first=Emission(energy, nothing, ones, ones, ones),
        daughter_momentum=nothing,
        first_flight=nothing if reaction.pair.flight is None else reaction.pair.flight * momentum,
        second_flight=nothing,
        again=jnp.zeros(()),
        twice=None,
    )


def over_channels(reaction: OneReaction, of_one: Callable[[OneReaction], T]) -> T:
    """The sum of what `of_one` finds for each channel of a reaction alone, for `double_vertices`."""
    if isinstance(reaction, RadiatedReaction):
        return of_one(reaction)
    return summed([of_one(replace(reaction, channels=(channel,))) for channel in reaction.channels])


def emission(e_parent, p_parent, m_parent, mass, m_rest, cos_star) -> Emission:
    """A pair of this mass, sent at cos_star to the parent's flight; harmless (at rest) where the decay is closed."""
    e_parent, p_parent, cos_star = jnp.asarray(e_parent), jnp.asarray(p_parent), jnp.asarray(cos_star)
    opened = is_open(m_parent, mass, m_rest)
    heavy = jnp.where(opened, m_parent, mass + m_rest)
    e_star, p_star = two_body_energy(heavy, mass, m_rest), two_body_momentum(m_parent, mass, m_rest)
    energy = (e_parent * e_star + p_parent * p_star * cos_star) / heavy
    across_squared = p_star**2 * (1.0 - cos_star) * (1.0 + cos_star)
    along = (p_parent * e_star + e_parent * p_star * cos_star) / heavy
    left = p_parent - along
    rest = (e_parent * (heavy - e_star) - p_parent * p_star * cos_star) / heavy
    return Emission(
        energy, rest, _cosine(along, across_squared), _cosine(left, across_squared), cos_star + 0.0 * energy
    )


def _cosine(along, across_squared):
    """The cosine of a momentum with these parts; 1 for one at rest."""
    squared = along**2 + across_squared
    moves = squared > 0.0
    return jnp.where(moves, along / jnp.sqrt(jnp.where(moves, squared, 1.0)), 1.0)


def _twice(energy, momentum, m_daughter, pairs: Spectrum, nodes: DoubleNodes) -> Twice:
    u, w = unit_legendre(nodes.second)
    mass, left = pairs.mass[:, None], pairs.daughter_mass[:, None]
    emitted = emission(energy[..., None, None], momentum[..., None, None], m_daughter, mass, left, 2.0 * u - 1.0)
    return Twice(pairs.branching[:, None] * w, emitted)

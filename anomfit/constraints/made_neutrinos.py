"""What a beam's neutrinos make in a model, by how it is made: N alone by an exchange, or N with a radiated scalar."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.capabilities import Upscatters, pair_reactions
from anomfit.parameters import Point
from anomfit.physics.boson_strahlung import Nodes, Radiation, cross_section
from anomfit.physics.exchange import Exchange
from anomfit.physics.reaction import RadiatedReaction, Reaction, SpreadReaction, over_parts
from anomfit.physics.targets import Target, stack_targets


class Alone(NamedTuple):
    """nu + target -> N + target: how, and with what probability N shows no pair, flights of any length included."""

    exchange: Exchange
    unseen: Float[Array, ""]


def made_alone(model: Upscatters, point: Point, nuisances: Point) -> tuple[Alone, ...]:
    """Each way to make N without a scalar, once: reactions that share one differ in N's decays, which add up."""
    shared: dict[int, list[Reaction | SpreadReaction]] = {}
    for reaction in model.reactions(point, nuisances):
        if isinstance(reaction, Reaction | SpreadReaction):
            shared.setdefault(id(reaction.production), []).append(reaction)
    return tuple(Alone(same[0].production, 1.0 - _clipped(map(_visible, same))) for same in shared.values())


def over_radiated(
    model: Upscatters, point: Point, nuisances: Point, of_one: Callable[[RadiatedReaction], Array]
) -> Float[Array, "..."]:
    """What `of_one` finds for the reactions with a radiated boson, added, 0 without any; alike ones in one batch."""
    radiated = [one for one in model.reactions(point, nuisances) if isinstance(one, RadiatedReaction)]
    alike: dict[object, list[RadiatedReaction]] = {}
    for one in radiated:
        alike.setdefault(jax.tree.structure(one), []).append(one)
    total = jnp.zeros(())
    for same in alike.values():
        stacked = jax.tree.map(lambda *leaves: jnp.stack(list(map(jnp.asarray, leaves))), *same)
        total = total + jnp.sum(jax.vmap(of_one)(stacked), axis=0)
    return total


def over_decays(
    model: Upscatters, point: Point, nuisances: Point, of_one: Callable[[Reaction], Array]
) -> Float[Array, "..."]:
    """The sum of what `of_one` finds for each reaction whose pairs come from decays of N, 0 without any."""
    seen = pair_reactions(model, point, nuisances)
    found = [one for one in seen if not isinstance(one, RadiatedReaction)]
    return sum((over_parts(one, of_one) for one in found), start=jnp.zeros(()))  # type: ignore[arg-type]


def radiated_section(process: Radiation, e_nu: Float[Array, ""], target: Target, nodes: Nodes) -> Float[Array, ""]:
    """Cross section (cm^2) of nu + target -> N + target + scalar at one energy (GeV)."""
    strength = process.couplings(stack_targets((target,)))[0, 0]
    return strength * cross_section(process.bare, e_nu, target, nodes)


def _visible(reaction: Reaction | SpreadReaction) -> Float[Array, ""]:
    """Branching ratio of N to a pair; 0 of an N that nobody sees."""
    return jnp.zeros(()) if isinstance(reaction, Reaction) and not reaction.channels else reaction.visible


def _clipped(shares: Iterable[Float[Array, ""]]) -> Float[Array, ""]:
    """The sum of shares, from rounding above 1 brought back to it."""
    return jnp.minimum(sum(shares, start=jnp.zeros(())), 1.0)

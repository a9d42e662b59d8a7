"""What a detector counts of a model's radiated scalars, looked up."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from anomfit.capabilities import Upscatters, pair_reactions
from anomfit.detectors.surroundings import OWN_COMPONENTS
from anomfit.parameters import Point
from anomfit.physics.boson_strahlung import BosonStrahlung
from anomfit.physics.reaction import RadiatedReaction
from anomfit.tables.radiated.grid import Grid, Masses
from anomfit.tables.radiated.kernels import Counter, Strahlung, decayed
from anomfit.tables.radiated.table import RadiatedTable, look_up
from anomfit.tables.store import table_folder


@dataclass(frozen=True)
class LookedUp:
    """A detector and its table; strahlung: static, of which reaction."""

    counter: Counter
    table: RadiatedTable
    strahlung: Strahlung

    @property
    def folder(self) -> Path:
        """Where the table is kept."""
        return folder_of(self.counter, self.strahlung, self.table.grid)

    def counts(self, reactions: Sequence[RadiatedReaction]) -> Float[Array, "components beams bins"]:
        """Pairs of all reactions: coherent and incoherent births inside, and births outside if there are any; not a
        number outside of the table.
        """
        return sum((self._of_one(reaction) for reaction in reactions[1:]), start=self._of_one(reactions[0]))

    def holds(self, reactions: Sequence[RadiatedReaction]) -> Bool[Array, ""]:
        """Whether the table holds the masses of all reactions."""
        return jnp.all(jnp.stack([self.table.grid.holds(_masses(one)) for one in reactions]))

    def _of_one(self, reaction: RadiatedReaction) -> Float[Array, "components beams bins"]:
        masses, production = _masses(reaction), reaction.production
        assert isinstance(production, BosonStrahlung)
        strength = (production.g * production.charge * production.G) ** 2 / masses.m_vector**2 * reaction.branching
        made = strength * look_up(self.table, masses)
        shares = decayed(self.counter, made.shape[1], reaction)
        own, *around = made[:OWN_COMPONENTS], *made[OWN_COMPONENTS:]
        seen = jnp.einsum("cqbk,q->cbk", own, shares.own)
        if around:
            outside = jnp.tensordot(shares.beyond, jnp.sum(own, axis=0), axes=1)
            outside += jnp.tensordot(shares.outside, around[0], axes=1)
            seen = jnp.concatenate([seen, outside[None]])
        return jnp.where(self.table.grid.holds(masses), seen, jnp.nan)


jax.tree_util.register_dataclass(LookedUp, data_fields=["counter", "table"], meta_fields=["strahlung"])


def folder_of(counter: Counter, strahlung: Strahlung, grid: Grid) -> Path:
    """Where a table is kept, whether or not it is there."""
    return table_folder((*counter.static, strahlung, grid), counter.leaves)


def radiated(model: object, point: Point, nuisances: Point) -> list[RadiatedReaction]:
    """The model's reactions, which are of this kind (`planning` has seen to it)."""
    assert isinstance(model, Upscatters)
    found = []
    for reaction in pair_reactions(model, point, nuisances):
        assert isinstance(reaction, RadiatedReaction)
        found.append(reaction)
    return found


def _masses(reaction: RadiatedReaction) -> Masses:
    process = reaction.production.bare
    return Masses(process.m_N, process.m_scalar, process.m_vector)

"""What a detector counts of a model's radiated scalars, looked up."""

from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from anomfit.capabilities import Upscatters, pair_reactions
from anomfit.parameters import Point
from anomfit.physics.boson_strahlung import BosonStrahlung
from anomfit.physics.reaction import RadiatedReaction
from anomfit.tables.blocks import BlockTable, look_up
from anomfit.tables.counters import Counter, decayed, in_sight
from anomfit.tables.radiated.grid import Grid, Masses
from anomfit.tables.radiated.kernels import Strahlung
from anomfit.tables.store import table_folder


@dataclass(frozen=True)
class LookedUp:
    """A detector and its table; strahlung: static, of which reaction."""

    counter: Counter
    table: BlockTable
    strahlung: Strahlung

    @property
    def folder(self) -> Path:
        """Where the table is kept."""
        return folder_of(self.counter, self.strahlung, self.table.grid)

    def counts(self, model: object, point: Point, nuisances: Point) -> Float[Array, "components beams bins"]:
        """Pairs of all reactions: coherent and incoherent births inside, and births outside if there are any; not a
        number outside of the table.
        """
        first, *others = (self._of_one(reaction) for reaction in _radiated(model, point, nuisances))
        return sum(others, start=first)

    def holds(self, model: object, point: Point, nuisances: Point) -> Bool[Array, ""]:
        """Whether the table holds the masses of all reactions."""
        each = [self.table.grid.holds(_masses(one)) for one in _radiated(model, point, nuisances)]
        return jnp.all(jnp.stack(each))

    def _of_one(self, reaction: RadiatedReaction) -> Float[Array, "components beams bins"]:
        masses, production = _masses(reaction), reaction.production
        assert isinstance(production, BosonStrahlung)
        strength = (production.g * production.charge * production.G) ** 2 / masses.m_vector**2 * reaction.branching
        found = look_up(self.table, masses)
        kernels = [jnp.tensordot(*both, axes=1) for both in zip(found.over_size, self.table.spectra, strict=True)]
        made = strength * found.size[:, None, None, None] * jnp.stack(kernels).astype(found.size.dtype)
        return jnp.where(self.table.grid.holds(masses), in_sight(made, decayed(self.counter, reaction.pair)), jnp.nan)


jax.tree_util.register_dataclass(LookedUp, data_fields=["counter", "table"], meta_fields=["strahlung"])


def folder_of(counter: Counter, strahlung: Strahlung, grid: Grid) -> Path:
    """Where a table is kept, whether or not it is there."""
    return table_folder((*counter.static, strahlung, grid), counter.leaves)


def _radiated(model: object, point: Point, nuisances: Point) -> list[RadiatedReaction]:
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

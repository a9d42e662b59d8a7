"""What MiniBooNE counts of a model's exchanged scalars, looked up in its own, compressed table."""

from dataclasses import dataclass, replace
from pathlib import Path

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from anomfit.detectors.flight_tables import tabulated_shares
from anomfit.measurements.miniboone import PairChain
from anomfit.parameters import Point
from anomfit.physics.reaction import Reaction
from anomfit.physics.two_body import two_body_energy
from anomfit.tables.exchanged.grid import Grid, Masses
from anomfit.tables.exchanged.miniboone.compression import KINDS
from anomfit.tables.exchanged.miniboone.table import Table, look_up
from anomfit.tables.exchanged.reactions import Kind, coefficients, is_inside, only_reaction
from anomfit.tables.exchanged.scattering import Scattering
from anomfit.tables.flights import flight_momenta
from anomfit.tables.store import table_folder


@dataclass(frozen=True)
class LookedUp:
    """The detector and its table; scattering and kind: static."""

    chain: PairChain
    table: Table
    scattering: Scattering
    kind: Kind

    @property
    def folder(self) -> Path:
        """Where the table is kept."""
        return folder_of(self.chain, self.scattering, self.table.grid)

    def holds(self, model: object, point: Point, nuisances: Point) -> Bool[Array, ""]:
        """Whether the table holds what the model's reaction needs."""
        return is_inside(only_reaction(model, point, nuisances), self.table.grid, self.scattering, self.kind)

    def counts(self, model: object, point: Point, nuisances: Point) -> Float[Array, "components beams bins"]:
        """Coherent, incoherent and from outside; not a number outside of the table."""
        reaction, chain = only_reaction(model, point, nuisances), self.chain
        flight = reaction.pair.flight
        assert flight is not None
        shares = tabulated_shares(flight * flight_momenta(reaction.pair.mass, chain.nodes), chain.around)
        own, *around = self._coupled(reaction)
        # numbers of all points on one matrix first: a share is another at every point
        born = jnp.einsum("cr,rbkq->cbkq", own, self.table.spectra[0]).astype(float)
        parts = list(jnp.einsum("cbkq,q->cbk", born, shares[0]))
        if around:
            outside = jnp.einsum("r,rbkq->bkq", jnp.sum(around[0], axis=0), self.table.spectra[1]).astype(float)
            parts.append(jnp.einsum("bkq,q->bk", jnp.sum(born, axis=0), shares[1]) + outside @ shares[2])
        inside = is_inside(reaction, self.table.grid, self.scattering, self.kind)
        return jnp.where(inside, jnp.stack(parts), jnp.nan)

    def _coupled(self, reaction: Reaction) -> list[Float[Array, "kinds principal"]]:
        """Principal spectra's parts by place of birth, coherent and incoherent, channels and couplings put in."""
        m_N, pair = reaction.production.m_N, reaction.pair.mass
        table = self.table
        number, powers = table.blocks, table.blocks // KINDS
        blocks = [jnp.zeros(())] * len(table.turns)
        for channel, is_massless in zip(reaction.channels, self.kind.massless, strict=True):
            energy = two_body_energy(m_N, pair, channel.daughter_mass)
            found = look_up(table, table.grid.coordinates(Masses(m_N, pair, energy)), is_massless)
            weight = channel.branching * jnp.exp(found.size)
            blocks = [block + weight[i] * found.over_size[i % number] for i, block in enumerate(blocks)]
        strengths = coefficients(reaction, self.scattering, self.kind)
        parts = []
        for i, (block, turn) in enumerate(zip(blocks, table.turns, strict=True)):
            by_term = jnp.einsum("g,gtr->tr", block.astype(turn.dtype), turn)
            strength = strengths[i % number].astype(turn.dtype)
            parts.append(jnp.sum(strength[:, None] * by_term, axis=0))
        sums = [sum(parts[i : i + powers][1:], start=parts[i]) for i in range(0, len(parts), powers)]
        return [jnp.stack(sums[i : i + KINDS]) for i in range(0, len(sums), KINDS)]


jax.tree_util.register_dataclass(LookedUp, data_fields=["chain", "table"], meta_fields=["scattering", "kind"])


def folder_of(chain: PairChain, scattering: Scattering, grid: Grid) -> Path:
    """Where a table is kept, whether or not it is there."""
    targets = (chain.beam.composition, chain.beam.surroundings)
    static = (chain.selection.name, chain.nodes, chain.around, scattering, grid, targets)
    return table_folder(static, replace(chain, of_spread=None))

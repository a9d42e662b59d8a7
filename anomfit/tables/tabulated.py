"""MiniBooNE with its pairs looked up in a table: same data, same likelihood, the exact rule's kernels."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from anomfit.capabilities import Upscatters
from anomfit.detectors import miniboone as detector
from anomfit.detectors.assumed_surroundings import births_factor
from anomfit.detectors.flight_tables import tabulated_shares
from anomfit.measurements.base import Prediction
from anomfit.measurements.miniboone import COMPONENTS, OUTSIDE, MiniBooneQuasiElastic, PairChain
from anomfit.measurements.stand_in import LooksPairsUp
from anomfit.parameters import Point
from anomfit.physics.exchange import ScalarExchange
from anomfit.physics.nucleon_scalar import dipole
from anomfit.physics.reaction import Reaction
from anomfit.physics.two_body import two_body_energy
from anomfit.tables.charges import Couplings, couplings_of, is_held, products
from anomfit.tables.compression import KINDS
from anomfit.tables.flights import flight_momenta
from anomfit.tables.grids import Grid, Masses
from anomfit.tables.kernels import Scattering
from anomfit.tables.store import table_folder
from anomfit.tables.table import Table, look_up
from anomfit.tables.transfers import transfers


class Kind(NamedTuple):
    """What a model's reaction is known to be, static: which scalar of the exchange makes the pair, and which of the
    channels have a daughter without mass.
    """

    light: int
    massless: tuple[bool, ...]


class KeptTable(NamedTuple):
    """A table and the folder that it is kept in."""

    folder: Path
    table: Table


@dataclass(frozen=True)
class TabulatedMiniBoone(LooksPairsUp[MiniBooneQuasiElastic]):
    """`exact` with pairs from `table`; outside of what the table holds the prediction is not a number.

    scattering and kind: static.
    """

    exact: MiniBooneQuasiElastic
    table: Table
    scattering: Scattering
    kind: Kind

    @property
    def tables(self) -> tuple["KeptTable", ...]:
        """One, with the folder that it is kept in."""
        return (KeptTable(folder_of(self.exact.chain, self.scattering, self.table.grid), self.table),)

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Selected events in the bins by component; what is made before any efficiency is not in the table."""
        assert isinstance(model, Upscatters)  # build_problem checks it for the user
        (reaction,) = model.reactions(point, nuisances)
        assert isinstance(reaction, Reaction)
        counts = self.counts(reaction)
        signal: dict[str, Array] = dict(zip(COMPONENTS, counts, strict=False))
        if self.exact.chain.beam.surroundings:
            signal[OUTSIDE] = births_factor(detector.NAME, nuisances) * counts[-1]
        return Prediction(signal=signal, before_efficiency={})

    def holds_at(self, model: object, point: Point, nuisances: Point) -> Bool[Array, ""]:
        """Whether the table holds a physical point of the model."""
        assert isinstance(model, Upscatters)
        (reaction,) = model.reactions(point, nuisances)
        assert isinstance(reaction, Reaction)
        return self.holds(reaction)

    def holds(self, reaction: Reaction) -> Bool[Array, ""]:
        """Whether the table holds what the reaction needs: its masses, ratios F_n/F_p, dipole, and no second pair."""
        production = reaction.production
        assert isinstance(production, ScalarExchange)
        light, nucleons = self.kind.light, self.scattering.nucleons
        heavy = jnp.delete(production.mass, light, assume_unique_indices=True)
        inside = self.table.grid.holds(Masses(production.m_N, reaction.pair.mass, reaction.pair.mass))
        inside &= jnp.all((heavy >= nucleons.heavy[0]) & (heavy <= nucleons.heavy[1]))
        if nucleons.dipole is not None:
            mass = jnp.asarray(production.form_factors.M_S)
            inside &= (mass >= nucleons.dipole[0]) & (mass <= nucleons.dipole[1])
        inside &= is_held(production)
        for channel in reaction.channels:
            if channel.second is not None:
                inside &= channel.second.branching == 0.0
        return inside

    def counts(self, reaction: Reaction) -> Float[Array, "components bins"]:
        """Coherent, incoherent and from outside, the beams' bins one after the other."""
        chain = self.exact.chain
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
        counts = jnp.stack(parts).reshape(len(parts), -1)
        return jnp.where(self.holds(reaction), counts, jnp.nan)

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
        coefficients = self._coefficients(reaction)
        parts = []
        for i, (block, turn) in enumerate(zip(blocks, table.turns, strict=True)):
            by_term = jnp.einsum("g,gtr->tr", block.astype(turn.dtype), turn)
            strength = coefficients[i % number].astype(turn.dtype)
            parts.append(jnp.sum(strength[:, None] * by_term, axis=0))
        sums = [sum(parts[i : i + powers][1:], start=parts[i]) for i in range(0, len(parts), powers)]
        return [jnp.stack(sums[i : i + KINDS]) for i in range(0, len(sums), KINDS)]

    def _coefficients(self, reaction: Reaction) -> list[Float[Array, "terms"]]:
        """Of the terms of each block: products of charges, in groups, times what functions of Q^2 are made of."""
        production = reaction.production
        assert isinstance(production, ScalarExchange)
        each, light = couplings_of(production), self.kind.light
        heavy = [i for i in range(production.mass.shape[0]) if i != light]
        found = []
        for family, groups in zip(self.scattering.families, self.scattering.charges, strict=True):
            known = transfers(family)
            shape = 1.0 if family.dipole is None else dipole(known.nodes, production.form_factors.M_S) ** 2
            reach = [1.0 / (known.nodes + production.mass[i] ** 2) for i in heavy]
            nothing = jnp.zeros(family.nodes)
            own = Couplings(*(one[light] + nothing for one in each))
            others = Couplings(*(sum((one[i] * r for i, r in zip(heavy, reach, strict=True)), nothing) for one in each))
            for power, project in enumerate(known.project):
                left, right = ((own, own), (own, others), (others, others))[power]
                many = 2.0 if power == 1 else 1.0
                by_group = [many * shape * product @ project for product in products(left, right, groups)]
                found.append(jnp.concatenate(by_group))
        return found


jax.tree_util.register_dataclass(TabulatedMiniBoone, data_fields=["exact", "table"], meta_fields=["scattering", "kind"])


def folder_of(chain: PairChain, scattering: Scattering, grid: Grid) -> Path:
    """Where a table is kept, whether or not it is there."""
    targets = (chain.beam.composition, chain.beam.surroundings)
    static = (chain.selection.name, chain.nodes, chain.around, scattering, grid, targets)
    return table_folder(static, replace(chain, of_spread=None))

"""What a detector counts of radiated scalars for couplings of 1 at given masses: by component, flight, beam and bin.

Everything comes from the rules of `rates.pair_events` and of the detector, asked for one momentum of the scalar after
the other: a scalar counts by how close it is to it (`tables.flights`), instead of by how many decay in sight.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.beams import Beam
from anomfit.detectors import miniboone
from anomfit.detectors.flight_tables import tabulated_shares
from anomfit.detectors.forward_pairs import counts_below
from anomfit.detectors.neutrino_electron import chances_to_pass
from anomfit.detectors.pairs import see_pairs
from anomfit.detectors.shower_energies import see_energies
from anomfit.detectors.shower_response import expected
from anomfit.detectors.surroundings import Surroundings
from anomfit.measurements.miniboone import PairChain
from anomfit.measurements.neutrino_electron import PairSample
from anomfit.physics.boson_strahlung import BosonStrahlung, Coherent, Isoscalar
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.reaction import Pair, RadiatedReaction
from anomfit.physics.targets import FormFactors
from anomfit.rates.pair_events import Nodes, all_pair_events, pair_events
from anomfit.tables.flights import flight_momenta, lagrange
from anomfit.tables.radiated.grid import Masses


@dataclass(frozen=True)
class Strahlung:
    """What is static of how scalars are made: words of `FormFactors` and of `BosonStrahlung`."""

    nucleus: str
    bound: str
    slope: float
    isoscalar: Isoscalar
    coherent: Coherent

    def reaction(self, masses: Masses) -> RadiatedReaction:
        """With couplings of 1 and scalars that are all pairs, at once."""
        one = jnp.ones(())
        forms = FormFactors("constant", self.nucleus, 1.0, self.bound, self.slope)
        process = BosonStrahlung(*masses, one, one, one, forms, self.isoscalar, self.coherent)
        return RadiatedReaction(process, Pair(masses.m_scalar, jnp.zeros(())), one)


class Counter(Protocol):
    """A detector that counts pairs in one or more beams."""

    @property
    def beam(self) -> Beam:
        """Where they are made."""
        ...

    @property
    def around(self) -> Surroundings:
        """Where they decay."""
        ...

    @property
    def nodes(self) -> Nodes:
        """Which energies are seen."""
        ...

    @property
    def static(self) -> tuple:
        """All that is static of what is counted, with a `repr` of its own, for a digest."""
        ...

    @property
    def leaves(self) -> Any:
        """All else of it, arrays."""
        ...

    def counted(self, reaction: RadiatedReaction) -> Float[Array, "components flights beams bins"]:
        """Pairs that are made in the detector, coherently and incoherently, and around it if the beam has that."""
        ...


@dataclass(frozen=True)
class InOil:
    """MiniBooNE's bins."""

    chain: PairChain
    flights: int = 9

    @property
    def beam(self) -> Beam:
        """With the earth around the tank, or without."""
        return self.chain.beam

    @property
    def around(self) -> Surroundings:
        """The oil, the vault and the earth."""
        return self.chain.around

    @property
    def nodes(self) -> Nodes:
        """Of the exact rule."""
        return self.chain.nodes

    @property
    def static(self) -> tuple:
        """Targets, selection, nodes and surroundings."""
        chain = self.chain
        targets = (chain.beam.composition, chain.beam.surroundings)
        return "miniboone", self.flights, targets, chain.selection.name, chain.nodes, chain.around

    @property
    def leaves(self) -> Any:
        """Beam and response."""
        return self.chain.beam, self.chain.response

    def counted(self, reaction: RadiatedReaction) -> Float[Array, "components flights beams bins"]:
        """As `measurements.miniboone` counts them."""
        chain, mass = self.chain, reaction.pair.mass
        events = miniboone.selected(pair_events(reaction, chain.beam, chain.nodes))
        energy = jnp.asarray(see_energies(chain.response.table.shape[0]))
        seen = see_pairs(energy, mass, chain.selection, miniboone.relative_efficiency)
        near = lagrange(safe_sqrt(energy**2 - mass**2), mass, chain.nodes, self.flights)
        components = events.rate.shape[2]
        arrives = jnp.einsum("cd,eq->cqde", jnp.eye(components), near)
        arrives = arrives.reshape(-1, *arrives.shape[2:])
        found = expected(chain.response, events, seen._replace(arrives=arrives))
        return found.reshape(components, self.flights, *found.shape[1:])


@dataclass(frozen=True)
class InForwardSample:
    """Bins of E theta^2 in a sample of neutrino-electron scattering."""

    sample: PairSample
    flights: int = 12

    @property
    def beam(self) -> Beam:
        """With the rock around the detector, or without."""
        return self.sample.beam

    @property
    def around(self) -> Surroundings:
        """The detector and the rock."""
        return self.sample.around

    @property
    def nodes(self) -> Nodes:
        """Of the exact rule."""
        return self.sample.nodes

    @property
    def static(self) -> tuple:
        """Targets, cuts, nodes and surroundings, and what the chances to be below the edges are worked out from.

        Not these themselves: their last digits depend on how many devices there are.
        """
        sample, forward = self.sample, self.sample.forward
        targets = (sample.beam.composition, sample.beam.surroundings)
        below = (forward.edges, forward.lowest, forward.highest, *(part.shape for part in forward.below))
        return sample.detector, self.flights, targets, sample.cuts, sample.nodes, sample.around, below

    @property
    def leaves(self) -> Any:
        """Beam and edges."""
        return self.sample.beam, self.sample.edges

    def counted(self, reaction: RadiatedReaction) -> Float[Array, "components flights beams bins"]:
        """As `measurements.neutrino_electron` counts them, between edges in E theta^2."""
        sample, mass = self.sample, reaction.pair.mass
        events = all_pair_events(reaction, sample.beam, sample.nodes)
        weights = events.share * chances_to_pass(events, sample.cuts, (sample.nodes.lowest, sample.nodes.highest))
        near = lagrange(safe_sqrt(events.energy**2 - mass**2), mass, sample.nodes, self.flights)
        # all components count as births inside, as further beams: shares are put in later
        components, beams = events.rate.shape[2:]
        together = events._replace(rate=events.rate.reshape(*events.rate.shape[:2], 1, -1))
        below = jax.lax.map(
            lambda share: counts_below(sample.forward, together, weights, share[None])[0], jnp.moveaxis(near, -1, 0)
        )
        between = jnp.diff(below, axis=1, prepend=0.0).reshape(*below.shape[:2], components, beams)
        return jnp.einsum("qecb->cqbe", between)


class Decayed(NamedTuple):
    """Shares that decay in sight at the momenta of `flights`, by where the birth was (`surroundings.shares`)."""

    own: Float[Array, "flights"]
    beyond: Float[Array, "flights"]
    outside: Float[Array, "flights"]


def decayed(counter: Counter, flights: int, reaction: RadiatedReaction) -> Decayed:
    """Of a reaction's scalars."""
    assert reaction.pair.flight is not None
    momenta = flight_momenta(reaction.pair.mass, counter.nodes, flights)
    return Decayed(*tabulated_shares(reaction.pair.flight * momenta, counter.around))


for kind in (InOil, InForwardSample):
    name = "chain" if kind is InOil else "sample"
    jax.tree_util.register_dataclass(kind, data_fields=[name], meta_fields=["flights"])

"""What detectors count of pairs on a beam's nodes, by flight, beam and bin: the same rules as for a prediction.

A kernel knows no lifetime: pairs count by how close their momentum is to each of a few (`flights`), at which the share
that decays in sight is put in afterwards.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.beams import Beam
from anomfit.constraints.base import Constraint
from anomfit.detectors import miniboone
from anomfit.detectors.flight_tables import tabulated_shares
from anomfit.detectors.forward_pairs import counts_below
from anomfit.detectors.neutrino_electron import chances_to_pass
from anomfit.detectors.pairs import see_pairs
from anomfit.detectors.shower_energies import see_energies
from anomfit.detectors.shower_response import expected
from anomfit.detectors.surroundings import OWN_COMPONENTS, Surroundings
from anomfit.measurements.base import Measurement
from anomfit.measurements.miniboone import MiniBooneQuasiElastic, PairChain
from anomfit.measurements.neutrino_electron import NeutrinoElectron, PairSample
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.reaction import Pair
from anomfit.rates.pair_events import Nodes, PairEvents, all_pair_events, pair_events
from anomfit.tables.flights import flight_momenta, lagrange

SAMPLE = "measured"  # under which the data of a limit have the sample in which it counts pairs


class Counter(Protocol):
    """A detector that counts pairs in one or more beams; flights: static, at how many momenta."""

    @property
    def flights(self) -> int:
        """Momenta."""
        ...

    @property
    def beam(self) -> Beam:
        """Where pairs are made."""
        ...

    @property
    def around(self) -> Surroundings:
        """Where they decay."""
        ...

    @property
    def nodes(self) -> Nodes:
        """Of the exact rule: which energies are seen."""
        ...

    @property
    def static(self) -> tuple:
        """All that is static of what is counted, with a `repr` of its own, for a digest."""
        ...

    @property
    def leaves(self) -> Any:
        """All else of it, arrays."""
        ...

    @property
    def rule(self) -> Callable[[Any, Beam, Nodes], PairEvents]:
        """Pairs of a reaction on the nodes, in a form that `counted` takes."""
        ...

    def counted(self, events: PairEvents) -> Float[Array, "components flights beams bins"]:
        """Of each component of the rates, whatever these are."""
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
        return "miniboone", self.flights, _targets(self.beam), chain.selection.name, chain.nodes, chain.around

    @property
    def leaves(self) -> Any:
        """Beam and response."""
        return self.chain.beam, self.chain.response

    @property
    def rule(self) -> Callable[[Any, Beam, Nodes], PairEvents]:
        """As `measurements.miniboone` makes them."""
        return pair_events

    def counted(self, events: PairEvents) -> Float[Array, "components flights beams bins"]:
        """As `measurements.miniboone` counts them."""
        chain = self.chain
        energy = jnp.asarray(see_energies(chain.response.table.shape[0]))
        seen = see_pairs(energy, events.mass, chain.selection, miniboone.relative_efficiency)
        components = events.rate.shape[2]
        arrives = jnp.einsum("cd,eq->cqde", jnp.eye(components), _near(energy, events.mass, self))
        arrives = arrives.reshape(-1, *arrives.shape[2:])
        found = expected(chain.response, miniboone.selected(events), seen._replace(arrives=arrives))
        return found.reshape(components, self.flights, *found.shape[1:])


@dataclass(frozen=True)
class InForwardSample:
    """Between edges of E theta^2 in a sample of neutrino-electron scattering."""

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
        below = (forward.edges, forward.lowest, forward.highest, *(part.shape for part in forward.below))
        return sample.detector, self.flights, _targets(self.beam), sample.cuts, sample.nodes, sample.around, below

    @property
    def leaves(self) -> Any:
        """Beam and edges."""
        return self.sample.beam, self.sample.edges

    @property
    def rule(self) -> Callable[[Any, Beam, Nodes], PairEvents]:
        """As `measurements.neutrino_electron` makes them."""
        return all_pair_events

    def counted(self, events: PairEvents) -> Float[Array, "components flights beams bins"]:
        """As `measurements.neutrino_electron` counts them."""
        sample = self.sample
        weights = events.share * chances_to_pass(events, sample.cuts, (sample.nodes.lowest, sample.nodes.highest))
        near = _near(events.energy, events.mass, self)
        # all components count as births inside, as further beams: shares are put in later
        components, beams = events.rate.shape[2:]
        together = events._replace(rate=events.rate.reshape(*events.rate.shape[:2], 1, -1))
        below = jax.lax.map(
            lambda share: counts_below(sample.forward, together, weights, share[None])[0], jnp.moveaxis(near, -1, 0)
        )
        between = jnp.diff(below, axis=1, prepend=0.0).reshape(*below.shape[:2], components, beams)
        return jnp.einsum("qecb->cqbe", between)


def counters_of(measurement: Measurement) -> list[Counter]:
    """The detectors in which a measurement or limit counts pairs that fly; none where it counts something else."""
    if isinstance(measurement, MiniBooneQuasiElastic):
        return [InOil(replace(measurement.chain, of_spread=None))]
    counted = measurement.data.get(SAMPLE) if isinstance(measurement, Constraint) else measurement
    if isinstance(counted, NeutrinoElectron):
        return [InForwardSample(sample) for sample in counted.samples_of_pairs]
    return []


class Decayed(NamedTuple):
    """Shares that decay in sight at the momenta of `flights`, by where the birth was (`surroundings.shares`)."""

    own: Float[Array, "flights"]
    beyond: Float[Array, "flights"]
    outside: Float[Array, "flights"]


def decayed(counter: Counter, pair: Pair) -> Decayed:
    """Of what decays to the pair."""
    assert pair.flight is not None
    momenta = flight_momenta(pair.mass, counter.nodes, counter.flights)
    return Decayed(*tabulated_shares(pair.flight * momenta, counter.around))


def in_sight(made: Float[Array, "births flights beams bins"], shares: Decayed) -> Float[Array, "components beams bins"]:
    """Pairs that decay in sight. births: coherent and incoherent in the detector and, if there are any, around it;
    components: those of the detector, and everything born outside of it.
    """
    own, around = made[:OWN_COMPONENTS], made[OWN_COMPONENTS:]
    seen = jnp.einsum("cqbk,q->cbk", own, shares.own)
    if not len(around):
        return seen
    outside = jnp.tensordot(shares.beyond, jnp.sum(own, axis=0), axes=1)
    outside += jnp.tensordot(shares.outside, jnp.sum(around, axis=0), axes=1)
    return jnp.concatenate([seen, outside[None]])


def _near(energy: Float[Array, "*energies"], mass, counter: Counter) -> Float[Array, "*energies flights"]:
    """How close pairs with these energies are to each of the momenta."""
    return lagrange(safe_sqrt(energy**2 - mass**2), mass, counter.nodes, counter.flights)


def _targets(beam: Beam) -> tuple:
    return beam.composition, beam.surroundings


for kind, name in ((InOil, "chain"), (InForwardSample, "sample")):
    jax.tree_util.register_dataclass(kind, data_fields=[name], meta_fields=["flights"])

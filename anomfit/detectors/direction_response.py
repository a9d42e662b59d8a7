"""Bins of a pair's visible energy, and an efficiency that depends on the pair's direction to the beam.

Energy and angle separate, so that no table has both axes: the efficiency at the angle between beam and pair, averaged
over the azimuth about the parent, is sum_l c_l P_l(parent to beam) P_l(pair to parent) (addition theorem), one number
for each parent and decay, however many waves the efficiency needs.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.detectors.flight_tables import with_arrivals
from anomfit.detectors.pairs import Seen
from anomfit.detectors.shower_energies import energy_basis, to_coefficients
from anomfit.detectors.shower_response import associated, of_all_leptons
from anomfit.physics.polynomials import legendre
from anomfit.rates.pair_events import PairEvents


@dataclass(frozen=True)
class DirectionResponse:
    """P(bin | visible energy) as Chebyshev coefficients, and Legendre coefficients c_l of the efficiency; leaves."""

    table: Float[Array, "energies bins"]
    waves: Float[Array, "waves"]


jax.tree_util.register_dataclass(DirectionResponse, data_fields=["table", "waves"], meta_fields=[])


def expected_by_direction(
    response: DirectionResponse, events: PairEvents, seen: Seen
) -> Float[Array, "component beam bins"]:
    """Events in each bin, as `shower_response.expected` has them; what is seen is the whole pair: its tilt is 0."""
    return of_all_leptons(partial(_counts, response), events, seen)


def _counts(response: DirectionResponse, events: PairEvents, seen: Seen) -> Float[Array, "component beam bins"]:
    """Events in each bin from shares and weights alone."""
    n = len(response.table)
    seen_from = partial(_by_decay, response.waves, events, seen.arrives)
    passing = seen_from(legendre, events.rate) * events.share
    if events.spin is not None:
        spin = events.spin
        passing += seen_from(legendre, spin.along) * events.share * spin.cos_star
        passing += seen_from(associated, spin.across) * events.share * spin.sin_star
    # number of pairs around each of the table's energies: what multiplies the acceptance there
    of_pair = energy_basis(events.energy, n)
    arrives = None if events.decay_length_per_momentum is None else seen.arrives
    if arrives is not None and events.parent_flight is not None:
        pairs = jnp.einsum("cbpd,pid->cbpi", passing, of_pair) @ to_coefficients(n)
        pairs = jnp.einsum("cbpe,pq,scqe->sbe", pairs, events.parent_flight.onto, arrives)
    else:
        pairs = jnp.einsum("cbpd,pid->cbi", passing, of_pair) @ to_coefficients(n)
        pairs = pairs if arrives is None else jnp.einsum("cbe,sce->sbe", pairs, arrives)
    visible = jnp.einsum("ew,eiw->ei", seen.weight, energy_basis(seen.energy, n))
    return pairs @ (visible @ response.table)


def _by_decay(waves: Float[Array, "waves"], events: PairEvents, arrives, basis, rates):
    """Parents made, times the efficiency for each of their decays: (component, beam, parents, decays)."""
    rates, _ = with_arrivals(events, rates, arrives)
    made = jnp.einsum("elt,etcb->elcb", basis(events.cos_parent, len(waves)) * waves[:, None], rates)
    made = jnp.einsum("ep,elcb->pcbl", events.onto, made)
    return jnp.einsum("pcbl,pld->cbpd", made, basis(events.cos_decay, len(waves)))

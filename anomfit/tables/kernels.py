"""Kernels of MiniBooNE's pairs at given masses: by function of the momentum transfer, component, beam, bin and flight.

Everything comes from the rule of `rates.pair_events`, `detectors.miniboone` and `detectors.shower_response`: the same
nodes, contracted in another order. What is made is computed once for all energies of the decay. The flight of the pair
enters by the share that decays in sight, a smooth function of its momentum between whose values at a few momenta
Lagrange's polynomials stand.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial.chebyshev import chebpts1

from anomfit.beams import Beam
from anomfit.detectors import miniboone as detector
from anomfit.detectors.pairs import Selection, see_pairs
from anomfit.detectors.shower_energies import energy_basis, see_energies, to_coefficients
from anomfit.detectors.shower_response import ShowerResponse
from anomfit.detectors.surroundings import OWN_COMPONENTS
from anomfit.physics.exchange import ScalarExchange, fully_polarised
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.polynomials import legendre
from anomfit.physics.reaction import Channel, Pair, Reaction
from anomfit.physics.targets import FormFactors, Targets, stack_targets
from anomfit.rates.pair_events import Nodes, PairEvents, pair_events
from anomfit.tables.transfers import Family, at_transfer, transfers

FLIGHTS = 9  # momenta at which the share that decays in sight is asked for
SOFT = 0.05  # GeV: momenta above it lie evenly in their logarithm


@dataclass(frozen=True)
class Scattering:
    """What is static of how N is made: families of functions for nuclei and nucleons, F_n/F_p, and form factors.

    The nucleon's own form factor is in the functions; `nucleus` and `bound` are words of `FormFactors`.
    """

    nuclei: Family
    nucleons: Family
    neutron: float
    nucleus: str
    bound: str

    @property
    def families(self) -> tuple[Family, Family]:
        """Of the two kinds of components: coherent, incoherent."""
        return self.nuclei, self.nucleons

    @property
    def counts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """How many functions a power of the heavier scalars' amplitude has, by kind."""
        nuclei, nucleons = (transfers(family).functions for family in self.families)
        return tuple(f.shape[1] for f in nuclei), tuple(f.shape[1] for f in nucleons)


class Made(NamedTuple):
    """Exchange of one light scalar with the functions of Q^2 of a `Scattering` as terms, those of nuclei first."""

    m_N: Float[Array, ""]
    lightest: Float[Array, ""]
    products: Float[Array, "targets terms"]
    scattering: Scattering

    def couplings(self, targets: Targets) -> Float[Array, "targets terms"]:
        """Those given."""
        return self.products

    def kernel(self, e_nu, q_squared, targets: Targets) -> Float[Array, "... targets terms"]:
        """That of the light scalar, times functions of Q^2 and, for each power, one propagator less."""
        chosen, one = self.scattering, jnp.ones(1)
        form_factors = FormFactors("constant", chosen.nucleus, 1.0, chosen.bound)
        light = ScalarExchange(self.m_N, self.lightest[None], one, one, one, form_factors)
        common, propagator = light.kernel(e_nu, q_squared, targets), (q_squared + self.lightest**2)[..., None]
        parts = [
            is_own * propagator**power * functions
            for family, is_own in zip(chosen.families, self._kinds(targets), strict=True)
            for power, functions in enumerate(at_transfer(family, q_squared))
        ]
        # the terms are asked for one by one: the barrier has them computed once
        return jax.lax.optimization_barrier(common * jnp.concatenate(parts, axis=-1))

    def polarised_kernel(self, e_nu, q_squared, flown, targets: Targets):
        """Fully polarised, as scalar exchange is."""
        return fully_polarised(self.kernel(e_nu, q_squared, targets), flown)

    def _kinds(self, targets: Targets):
        return np.where(targets.is_nucleus, 1.0, 0.0)[:, None], np.where(targets.is_nucleus, 0.0, 1.0)[:, None]


def made_kernels(
    m_N: Float[Array, ""],
    pair: Float[Array, ""],
    daughters: Float[Array, "energies"],
    chain: "Chain",
    scattering: Scattering,
) -> Float[Array, "energies terms places beams bins flights"]:
    """Kernels for one parent and one pair mass and the daughters' masses, GeV.

    terms: functions of nuclei, then of nucleons; places: born in the detector, and in its surroundings if there are
    any; flights: what multiplies the shares that decay in sight at the momenta `flight_momenta`.
    """
    events, rate = _events(m_N, pair, daughters, chain, scattering)
    events = detector.selected(events)
    n, waves, _ = chain.response.table.shape
    number = len(daughters)
    made = jnp.einsum("elt,etx->elx", legendre(events.cos_parent, waves), rate.reshape(*rate.shape[:2], -1))
    made = jnp.einsum("ep,elx->plx", events.onto, made)
    seen = _seen(pair, chain)

    def of_daughter(share, cos_decay, energy):
        of_pair = energy_basis(energy, n)
        decays = jnp.einsum("pld,pid->pli", legendre(cos_decay, waves) * share[:, None, :], of_pair)
        pairs = jnp.einsum("plx,pli->xli", made, decays)
        return jnp.tensordot(pairs, seen, axes=2)

    def split(array):
        return jnp.moveaxis(array.reshape(array.shape[0], number, -1), 1, 0)

    counts = jax.lax.map(
        lambda one: of_daughter(*one), (split(events.share), split(events.cos_decay), split(events.energy))
    )
    return counts.reshape(number, *rate.shape[2:], *counts.shape[2:])


class Chain(NamedTuple):
    """Beam, table of the response, and (static) selection and nodes."""

    beam: Beam
    response: ShowerResponse
    selection: Selection
    nodes: Nodes


def _events(m_N, pair, daughters, chain: Chain, scattering: Scattering):
    """Events with one channel a daughter, and rates (energies, directions, terms, places, beams)."""
    targets = stack_targets(chain.beam.scatterers)
    charge = (targets.protons + scattering.neutron * targets.neutrons) ** 2
    counts = [sum(functions) for functions in scattering.counts]
    kinds = np.repeat([0, 1], counts)
    channels = tuple(Channel(jnp.ones(()), daughter) for daughter in daughters)

    def events_of(products) -> PairEvents:
        made = Made(m_N, pair, products, scattering)
        return pair_events(
            Reaction(made, jnp.zeros(()), Pair(pair, None), channels, prompt=True), chain.beam, chain.nodes
        )

    alone = np.eye(sum(counts))[:, None, :] * charge[:, None]
    rates = jax.vmap(lambda products: events_of(products).rate)(
        jnp.asarray(alone)
    )  # term first, component last but one
    own = jnp.where(kinds[:, None, None, None] == 0, rates[..., 0, :], rates[..., 1, :])
    parts = [own] + [rates[..., OWN_COMPONENTS + i, :] for i in range(rates.shape[-2] - OWN_COMPONENTS)]
    return events_of(jnp.asarray(alone[0])), jnp.moveaxis(jnp.stack(parts, axis=1), (0, 1), (2, 3))


def _seen(pair, chain: Chain) -> Float[Array, "waves energies bins flights"]:
    """Bins from pairs' coefficients, one to a wave and energy; flights as above."""
    table = chain.response.table
    n, waves, _ = table.shape
    energy = see_energies(n)
    seen = see_pairs(energy, pair, chain.selection, detector.relative_efficiency)
    visible = jnp.einsum("ew,eiw->ei", seen.weight, energy_basis(seen.energy, n))
    wave = np.arange(waves)
    tilted = jnp.exp(-0.25 * (wave * (wave + 1))[:, None] * seen.tilt)
    bins = jnp.einsum("le,ei,ilk->lek", tilted, visible, table)
    between = lagrange(safe_sqrt(energy**2 - pair**2), pair, chain.nodes)
    return jnp.einsum("ie,lek,eq->likq", to_coefficients(n), bins, between)


def flight_momenta(pair: Float[Array, ""], nodes: Nodes) -> Float[Array, "flights"]:
    """Momenta (GeV) of the pair at which its flight is asked for: Chebyshev's points in ln(p + SOFT)."""
    low, high = _momentum_range(pair, nodes)
    return jnp.exp(0.5 * (low + high) + 0.5 * (high - low) * chebpts1(FLIGHTS)) - SOFT


def lagrange(
    momentum: Float[Array, "energies"], pair: Float[Array, ""], nodes: Nodes
) -> Float[Array, "energies flights"]:
    """Lagrange's polynomials of those momenta."""
    low, high = _momentum_range(pair, nodes)
    place = jnp.clip((2.0 * jnp.log(momentum + SOFT) - low - high) / (high - low), -1.0, 1.0)
    at = chebpts1(FLIGHTS)
    own = np.eye(FLIGHTS, dtype=bool)
    factors = jnp.where(own, 1.0, place[:, None, None] - at) / np.where(own, 1.0, at[:, None] - at)
    return jnp.prod(factors, axis=-1)


def _momentum_range(pair, nodes: Nodes):
    """Logarithms of momenta + SOFT between which pairs are seen; smooth in the mass of the pair, unlike the momentum at
    the lowest energy seen.
    """
    low = nodes.lowest * jnp.exp(-2.0 * (pair / nodes.lowest) ** 2)
    return jnp.log(low + SOFT), jnp.log(nodes.highest + SOFT)

"""The response of a detector to pairs of many masses: what `shower_response` and `direction_response` do with one mass,
with what is seen tabulated in the mass.

Bins of a pair depend on its energy, its direction (in Legendre waves) and its mass. The dependence on the mass is a sum
of few functions (`mass_tables`), so that decays to pairs of all masses are added up before they meet any bin. Energies
are in Chebyshev polynomials of a stretched logarithm, which has their resolution more even than the logarithm itself.
"""

import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial.chebyshev import chebpts1

from anomfit.detectors.direction_response import DirectionResponse
from anomfit.detectors.flight_tables import arrivals, tabulated_shares
from anomfit.detectors.mass_tables import MassTable, build_mass_table
from anomfit.detectors.pairs import Selection, see_pairs
from anomfit.detectors.shower_energies import HIGHEST, LOWEST, energy_basis, to_coefficients
from anomfit.detectors.shower_response import ShowerResponse
from anomfit.detectors.surroundings import Surroundings
from anomfit.physics.polynomials import chebyshev, legendre
from anomfit.physics.reaction import SpreadReaction
from anomfit.rates.spread_events import HALVES, SpreadEvents, group

BEND = 0.9  # of the stretched logarithm: 0 is the logarithm, nodes are even at 1
AT_ONCE = 2  # masses, of a group or a part of it


class SpreadTable(NamedTuple):
    """Tables by (functions of the mass, waves, energies, bins): for isotropic leptons, and for what alignment adds.

    There are no waves in those of `build_direction_table`.
    """

    isotropic: MassTable
    aligned: MassTable


def stretched_energies(n: int) -> np.ndarray:
    """Energies (GeV) of pairs at which a response is to be known."""
    place = np.arcsin(BEND * chebpts1(n)) / np.arcsin(BEND)
    return np.sqrt(LOWEST * HIGHEST) * (HIGHEST / LOWEST) ** (0.5 * place)


def stretched_basis(energy: Float[Array, "... x"], n: int) -> Float[Array, "... n x"]:
    """Chebyshev polynomials at energies in GeV, before the last axis."""
    place = (2.0 * jnp.log(energy) - np.log(LOWEST * HIGHEST)) / np.log(HIGHEST / LOWEST)
    return chebyshev(jnp.sin(np.arcsin(BEND) * jnp.clip(place, -1.0, 1.0)) / BEND, n)


def build_spread_table(
    response: ShowerResponse,
    selection: Selection,
    relative_efficiency,
    isotropic: tuple[int, int],
    aligned: tuple[int, int],
) -> SpreadTable:
    """Tables of so many (energies, waves) each, from a response of as many waves or more."""
    table = np.asarray(response.table)

    def of_mass(size: tuple[int, int], is_aligned: bool, mass):
        energies, waves = size
        wave = np.arange(waves)
        seen = see_pairs(stretched_energies(energies), mass, selection, relative_efficiency, is_aligned)
        weight = seen.weight if seen.quadrupole is None else seen.quadrupole
        visible = jnp.einsum("ew,eiw->ei", weight, energy_basis(seen.energy, len(table)))
        bins = jnp.einsum("ei,ilk->elk", visible, table[:, :waves])
        tilted = bins * jnp.exp(-0.25 * (wave * (wave + 1)) * seen.tilt[:, None])[..., None]
        return jnp.einsum("ie,elk->lik", to_coefficients(energies), tilted)

    sizes = ((isotropic, False), (aligned, True))
    return SpreadTable(*(build_mass_table(partial(of_mass, *chosen)) for chosen in sizes))


def expected_of_spread(
    table: SpreadTable, reaction: SpreadReaction, events: SpreadEvents, around: Surroundings
) -> Float[Array, "split beam bins"]:
    """Events in each bin, as `shower_response.expected` has them; the events' shares hold the efficiency."""
    kinds, events, rates = _prepared(table, reaction, events, around)
    waves, energies = ([kind.table.arrays.shape[axis] for kind in kinds] for axis in (1, 2))
    made = jnp.einsum("elt,etx->elx", legendre(events.cos_parent, max(waves)), rates.reshape(*rates.shape[:2], -1))
    made = jnp.einsum("hep,elx->hlxp", events.onto, made)

    def of_few(half, cos_decay, energy, shares):
        basis = legendre(cos_decay, max(waves)), stretched_basis(energy, max(energies))
        directions, powers = jax.lax.optimization_barrier(basis)
        found = []
        for n, m, share in zip(waves, energies, shares, strict=True):
            decays = jnp.einsum("mpld,mpid->mpli", directions[..., :n, :] * share[..., None, :], powers[..., :m, :])
            found.append(jnp.einsum("lxp,mpli->lxmi", made[half, :n], decays))
        return tuple(found)

    counts = []
    for kind, pairs in zip(kinds, _over_masses(of_few, kinds, events), strict=True):
        total = jnp.einsum("fmq,flxmi->qlix", _few_at_once(kind.weight), pairs)
        counts.append(jnp.einsum("qlix,qlik->xk", total, kind.table.arrays))
    return sum(counts[1:], start=counts[0]).reshape(*rates.shape[2:], -1)


class _Kind(NamedTuple):
    """Isotropic leptons, or what alignment adds: the table, shares, and the functions of the masses times branching."""

    table: MassTable
    share: Float[Array, "groups masses parents decays"]
    weight: Float[Array, "groups masses functions"]


def _prepared(table: SpreadTable, reaction: SpreadReaction, events: SpreadEvents, around: Surroundings):
    """The kinds of leptons, the events, and rates by what the result is split into."""
    arrive = arrivals(tabulated_shares(events.flight, around), events.rate.shape[2])
    rates = jnp.einsum("etcb,sce->etsb", events.rate, arrive)

    def kind(chosen: MassTable, share, factor) -> _Kind:
        weight = chosen.functions(reaction.pairs.mass) * factor[:, None]
        return _Kind(chosen, share, group(reaction, weight))

    kinds = [kind(table.isotropic, events.share, reaction.pairs.branching)]
    if reaction.pairs.alignment is not None:
        assert events.turned is not None  # they come together
        aligned = reaction.pairs.branching * reaction.pairs.alignment
        kinds.append(kind(table.aligned, events.share * events.turned, aligned))
    # the barrier keeps XLA from computing the cheap upstream arrays again inside every product behind it
    shares, cos_decay, energy, rates = jax.lax.optimization_barrier(
        (tuple(kind.share for kind in kinds), events.cos_decay, events.energy, rates)
    )
    kinds = [kind._replace(share=share) for kind, share in zip(kinds, shares, strict=True)]
    return kinds, events._replace(cos_decay=cos_decay, energy=energy), rates


def _over_masses(of_few, kinds: list[_Kind], events: SpreadEvents):
    """What `of_few` finds for a few masses, one lot after the other, stacked: what belongs to a lot stays in the fast
    memory. On the way back it is worked out again, which takes less time than keeping it.
    """
    groups, masses = events.energy.shape[:2]
    half = np.repeat(np.arange(groups) % HALVES, masses // math.gcd(masses, AT_ONCE))
    lots = jax.tree.map(_few_at_once, (events.cos_decay, events.energy, tuple(kind.share for kind in kinds)))
    again = jax.checkpoint(of_few, prevent_cse=False)
    return jax.lax.map(lambda lot: again(*lot), (half, *lots))


def _few_at_once(array: Float[Array, "groups masses ..."]) -> Float[Array, "lots few ..."]:
    """What belongs to the masses, in the lots of `_over_masses`."""
    few = math.gcd(array.shape[1], AT_ONCE)
    return array.reshape(-1, few, *array.shape[2:])


def build_direction_table(response: DirectionResponse, selection: Selection, energies: int) -> SpreadTable:
    """Tables by (functions of the mass, energies, bins) of a detector that sees whole pairs, all directions alike."""
    table = np.asarray(response.table)

    def of_mass(is_aligned: bool, mass):
        seen = see_pairs(stretched_energies(energies), mass, selection, lambda visible, whole: 1.0, is_aligned)
        weight = seen.weight if seen.quadrupole is None else seen.quadrupole
        visible = jnp.einsum("ew,eiw->ei", weight, energy_basis(seen.energy, len(table)))
        return jnp.einsum("je,ei,ik->jk", to_coefficients(energies), visible, table)

    return SpreadTable(*(build_mass_table(partial(of_mass, is_aligned)) for is_aligned in (False, True)))


def expected_of_spread_by_direction(
    table: SpreadTable,
    waves: Float[Array, "waves"],
    reaction: SpreadReaction,
    events: SpreadEvents,
    around: Surroundings,
) -> Float[Array, "split beam bins"]:
    """Events in each bin, as `direction_response.expected_by_direction` has them; waves: those of its efficiency."""
    kinds, events, rates = _prepared(table, reaction, events, around)
    energies = table.isotropic.arrays.shape[1]
    of_parent = legendre(events.cos_parent, len(waves)) * waves[:, None]
    made = jnp.einsum("elt,etx->elx", of_parent, rates.reshape(*rates.shape[:2], -1))
    made = jnp.einsum("hep,elx->hplx", events.onto, made)

    def of_few(half, cos_decay, energy, shares):
        basis = legendre(cos_decay, len(waves)), stretched_basis(energy, energies)
        directions, powers = jax.lax.optimization_barrier(basis)
        passing = jnp.einsum("plx,mpld->mpxd", made[half], directions)
        return tuple(jnp.einsum("mpxd,mpid->mxi", passing * share[..., None, :], powers) for share in shares)

    counts = []
    for kind, pairs in zip(kinds, _over_masses(of_few, kinds, events), strict=True):
        total = jnp.einsum("fmq,fmxi->xqi", _few_at_once(kind.weight), pairs)
        counts.append(jnp.einsum("xqi,qik->xk", total, kind.table.arrays))
    return sum(counts[1:], start=counts[0]).reshape(*rates.shape[2:], -1)

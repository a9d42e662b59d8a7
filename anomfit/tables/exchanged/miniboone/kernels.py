"""Kernels of MiniBooNE's pairs at given masses: by function of the momentum transfer and product of charges, place of
birth, beam, bin and flight.

Everything comes from the rule of `rates.pair_events`, `detectors.miniboone` and `detectors.shower_response`: the same
nodes, contracted in another order. What is made is computed once for all energies of the decay, and handed on in a few
combinations, as most of the terms are nearly alike. The flight of the pair enters by the share that decays in sight, a
smooth function of its momentum between whose values at a few momenta Lagrange's polynomials stand.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.beams import Beam
from anomfit.detectors import miniboone as detector
from anomfit.detectors.pairs import Selection, see_pairs
from anomfit.detectors.shower_energies import energy_basis, see_energies, to_coefficients
from anomfit.detectors.shower_response import ShowerResponse
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.polynomials import legendre
from anomfit.rates.pair_events import Nodes
from anomfit.tables.exchanged.scattering import Scattering, events_by_function, to_terms
from anomfit.tables.flights import lagrange

COMBINATIONS = 56  # of what is made: they leave out some 1e-6 of a block
SMALLEST = 1e-200  # of what is divided by


def made_kernels(
    m_N: Float[Array, ""],
    pair: Float[Array, ""],
    daughters: Float[Array, "energies"],
    chain: "Chain",
    scattering: Scattering,
) -> Float[Array, "energies terms places beams bins flights"]:
    """Kernels for one parent and one pair mass and the daughters' masses, GeV.

    terms: block by block, as in `Scattering`; places: born in the detector, and in its surroundings if there are
    any; flights: what multiplies the shares that decay in sight at the momenta `flight_momenta`.
    """
    events, rate = events_by_function(m_N, pair, daughters, chain.beam, chain.nodes, scattering)
    rate = jnp.moveaxis(to_terms(jnp.moveaxis(rate, 2, 0), chain.beam, scattering), (0, 1), (2, 3))
    events = detector.selected(events)
    n, waves, _ = chain.response.table.shape
    number = len(daughters)
    made = jnp.einsum("elt,etx->elx", legendre(events.cos_parent, waves), rate.reshape(*rate.shape[:2], -1))
    made = jnp.einsum("ep,elx->plx", events.onto, made)
    few, back = _combined(made.reshape(*made.shape[:2], *rate.shape[2:]), scattering)
    seen = _seen(pair, chain)

    def of_daughter(share, cos_decay, energy):
        of_pair = energy_basis(energy, n)
        decays = jnp.einsum("pld,pid->pli", legendre(cos_decay, waves) * share[:, None, :], of_pair)
        pairs = jnp.einsum("plx,pli->xli", few, decays)
        return jnp.tensordot(back, jnp.tensordot(pairs, seen, axes=2), axes=1)

    def split(array):
        return jnp.moveaxis(array.reshape(array.shape[0], number, -1), 1, 0)

    counts = jax.lax.map(
        lambda one: of_daughter(*one), (split(events.share), split(events.cos_decay), split(events.energy))
    )
    return counts.reshape(number, *rate.shape[2:], *counts.shape[2:])


def _combined(made: Float[Array, "parents waves terms places beams"], scattering: Scattering):
    """(few, back): the combinations that hold nearly all, (parents, waves, few), and what each gives to every term,
    place and beam, (terms x places x beams, few).

    Errors count over the size of a block at its strongest couplings, at every energy of the parent alike: at the
    threshold of a decay only the few hardest make pairs that are seen. The range of a matrix is found by its product
    with random directions, once improved: Halko, Martinsson, Tropp, arXiv:0909.4061.
    """
    strength = scattering.strongest
    blocks = np.repeat(np.arange(len(strength)), [len(one) for one in strength])
    by_term = np.concatenate(strength)[:, None, None]
    squared = jnp.sum((made * by_term) ** 2, axis=(0, 1, 4))
    sizes = jnp.sqrt(jnp.stack([jnp.sum(squared[blocks == b], axis=0) for b in range(len(strength))]))
    scale = jnp.maximum(sizes, SMALLEST)[blocks][..., None] / by_term
    rows = made / scale
    parents = jnp.maximum(jnp.sqrt(jnp.sum(rows**2, axis=(1, 2, 3, 4))), SMALLEST)[:, None, None]
    flat = (rows.reshape(*made.shape[:2], -1) / parents).reshape(made.shape[0] * made.shape[1], -1)
    few = min(COMBINATIONS, *flat.shape)
    directions = np.random.default_rng(1).normal(size=(flat.shape[1], few))
    basis, _ = jnp.linalg.qr(flat.T @ (flat @ directions))
    back = basis.reshape(*made.shape[2:], few) * scale[..., None]
    return (flat @ basis).reshape(*made.shape[:2], few) * parents, back.reshape(-1, few)


class Chain(NamedTuple):
    """Beam, table of the response, and (static) selection and nodes."""

    beam: Beam
    response: ShowerResponse
    selection: Selection
    nodes: Nodes


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

"""e+e- pairs of a scalar-mediated upscattering in a calorimeter that may see the neutron too: counts by target."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.capabilities import UpscattersByScalars
from anomfit.detectors.containment import containment
from anomfit.detectors.energy_table import EnergyTable, at, box_average
from anomfit.detectors.lsnd import RING, flight_length
from anomfit.detectors.pairs import see_pairs
from anomfit.parameters import Point
from anomfit.physics.constants import HBAR_C_M
from anomfit.physics.nucleon_scalar import SIGMA_TERM_SCALE
from anomfit.physics.recoil_upscattering import (
    Boxes,
    KnockOut,
    NeutrinoSource,
    Parents,
    RecoilNodes,
    boxes,
    produce,
)
from anomfit.physics.scalar_upscattering import FormFactors, ScalarMediators

COMPONENTS = ("neutron", "proton", "coherent")
BOUND = (True, True, False, False)  # as beams.lampf.SCATTERERS: neutron, bound proton, free proton, carbon
OF_TARGET = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])  # components of targets
KNOCK_OUT_WIDTH = 0.001  # GeV; smooths the threshold, an assumption itself
SMALLEST_WIDTH = 1e-40  # GeV: keeps decay lengths and branching ratios finite where everything is closed


@dataclass(frozen=True)
class RecoilPairChain:
    """What turns pairs into counts: sources, response, how a pair is seen, nodes, spheres of containment."""

    sources: tuple[NeutrinoSource, ...]
    table: EnergyTable
    ring: str  # "sum" or "ring"
    nodes: RecoilNodes
    spheres: tuple[float, float]  # m: where decays are seen, where N_2 is made


jax.tree_util.register_dataclass(
    RecoilPairChain, data_fields=["sources", "table"], meta_fields=["ring", "nodes", "spheres"]
)


class Signal(NamedTuple):
    """A model's part of the rate at one point: masses in GeV, probabilities of both channels, c tau / m in m/GeV."""

    m_N2: Float[Array, ""]
    m_hprime: Float[Array, ""]
    daughters: Float[Array, "2"]
    share: Float[Array, "2"]
    decay_length_per_momentum: Float[Array, ""]
    mediators: ScalarMediators
    form_factors: FormFactors


def signal_at(model: UpscattersByScalars, point: Point, nuisances: Point) -> Signal:
    """The ingredients of a rate at a physical point."""
    scalars = model.scalars(point)
    F_p, F_n = model.nucleon_couplings(point)
    scale = nuisances.get(SIGMA_TERM_SCALE.name, SIGMA_TERM_SCALE.mean)
    to_electrons, to_others = model.hprime_widths(point)
    width = jnp.maximum(to_electrons + to_others, SMALLEST_WIDTH)
    widths = jnp.stack(model.heavy_neutrino_widths(point))
    return Signal(
        m_N2=point["m_N2"],
        m_hprime=point["m_hprime"],
        daughters=jnp.stack([point["m_N1"], jnp.zeros_like(point["m_N1"])]),
        share=widths[:2] / jnp.maximum(jnp.sum(widths), SMALLEST_WIDTH) * (to_electrons / width),
        decay_length_per_momentum=HBAR_C_M / (width * point["m_hprime"]),
        mediators=ScalarMediators(
            mass=scalars.mass,
            y=point["y_nu"] * scalars.doublet,
            F_p=scale * F_p * scalars.doublet,
            F_n=scale * F_n * scalars.doublet,
        ),
        form_factors=model.form_factors(nuisances),
    )


def pair_counts(signal: Signal, chain: RecoilPairChain, knock_out: Float[Array, ""]):
    """(counts, made): pairs in each bin, (sources, components, bins), and all that are made, (sources, components).

    No efficiency but the response's and the containment of the decay is in the counts. knock_out: GeV.
    """
    parents = parents_of(signal, chain, knock_out)
    found = boxes(parents, signal.m_N2, signal.m_hprime, signal.daughters, signal.share)
    average = jnp.einsum("pcb,c->pb", box_average(seen_table(signal, chain), found.low, found.high), found.share)
    by_component = jnp.sum(parents.rate, axis=1) @ OF_TARGET.T
    of_source = chain.nodes.of_source()
    counts = jnp.einsum("sp,pk,pb->skb", of_source, by_component, average)
    return counts, of_source @ by_component * jnp.sum(found.share)


def parents_of(signal: Signal, chain: RecoilPairChain, knock_out) -> Parents:
    """N_2 of all sources, one after the other."""
    threshold = KnockOut(knock_out, KNOCK_OUT_WIDTH)
    return produce(chain.sources, BOUND, chain.nodes, signal.m_N2, signal.mediators, signal.form_factors, threshold)


def seen_table(signal: Signal, chain: RecoilPairChain) -> EnergyTable:
    """The response to a pair by its energy: the sum or the more significant ring, times the decay's containment."""
    energy = chain.table.energies
    response = chain.table.response
    if chain.ring == "ring":
        seen = see_pairs(jnp.maximum(energy, signal.m_hprime), signal.m_hprime, RING, lambda visible, whole: 1.0)
        response = jnp.einsum("ew,ewb->eb", seen.weight, at(chain.table, seen.energy))
    length = flight_length(energy, signal.m_hprime, signal.decay_length_per_momentum)
    inside = containment(length, *chain.spheres)
    return EnergyTable(response * inside[:, None], chain.table.step)


def pair_moments(signal: Signal, chain: RecoilPairChain, knock_out, waves: int, decays: int = 48):
    """Legendre moments of the direction of the pairs in each bin of energy: (sources, components, waves, bins)."""
    table = seen_table(signal, chain)
    parents = parents_of(signal, chain, knock_out)
    found = boxes(parents, signal.m_N2, signal.m_hprime, signal.daughters, signal.share)
    made = jnp.einsum("prt,prtl->plt", parents.rate, legendre(parents.cosine, waves))
    energy, cosine, weight = _decay_nodes(parents, found, signal.m_N2, decays)
    tilt = _tilt(energy, signal, chain)
    wave = np.arange(waves)
    blurred = legendre(cosine, waves) * jnp.exp(-0.25 * wave * (wave + 1) * tilt[..., None])
    seen = jnp.einsum("pcd,pcdb,pcdl->plb", weight, at(table, energy), blurred)
    return jnp.einsum("sp,ct,plt,plb->sclb", chain.nodes.of_source(), OF_TARGET, made, seen, optimize="optimal")


def legendre(x, n: int):
    """P_0 ... P_{n-1} on a new last axis."""
    rows = [jnp.ones_like(x), x]
    for l in range(1, n - 1):
        rows.append(((2 * l + 1) * x * rows[l] - l * rows[l - 1]) / (l + 1))
    return jnp.stack(rows[:n], axis=-1)


def _decay_nodes(parents: Parents, found: Boxes, m_N2, n: int):
    """Energies, cosines to N_2's flight and weights of h', (parents, channels, decays)."""
    x, w = np.polynomial.legendre.leggauss(n)
    centre, half = 0.5 * (found.high + found.low)[..., None], 0.5 * (found.high - found.low)[..., None]
    along = parents.momentum[:, None, None] * found.e_star[:, None]
    along = (along + parents.energy[:, None, None] * found.p_star[:, None] * x) / m_N2
    across = found.p_star[:, None] ** 2 * (1.0 - x**2)
    energy = centre + half * x
    cosine = along / jnp.sqrt(along**2 + across + 1e-24)
    return energy, cosine, found.share[:, None] * jnp.broadcast_to(0.5 * w, energy.shape)


def _tilt(energy, signal: Signal, chain: RecoilPairChain):
    """sin^2 of the angle between what is seen and the pair: 0 for the sum."""
    if chain.ring == "sum":
        return jnp.zeros_like(energy)
    return see_pairs(energy, signal.m_hprime, RING, lambda visible, whole: 1.0).tilt

"""nu + target -> N_2 + target, N_2 -> X h', h' -> pair: the events of one beam on fixed quadrature nodes.

Production nodes are (E_N, cos theta_N) in the lab, common to every target and beam. The decay is isotropic in N_2's
rest frame where the couplings conserve parity (N_2's spin leaves no trace once X's is summed over); otherwise its
asymmetry acts on the full polarisation that scalar exchange gives (`polarised_decay`). For antineutrinos both
polarisation and asymmetry change sign: their product, all that enters, is the same.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from anomfit.beams.flux import Beam
from anomfit.capabilities import PairEvents, PairSpin
from anomfit.errors import reject
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.polarised_decay import longitudinal_polarisation, transverse_polarisation
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.scalar_upscattering import FormFactors, ScalarMediators, production_rate
from anomfit.physics.two_body import two_body_energy, two_body_momentum


@dataclass(frozen=True)
class Nodes:
    """Numbers of quadrature nodes, static; the azimuth of h' about N_2 is exact.

    energy: production energies, enough to follow the flux's kinks; angle: of N_2; parent: energies of N_2 at which its
    decay is worked out, interpolated to the production energies; polar: energies of h' in a decay, for each channel.
    lowest, highest: GeV, pair energies outside of which the experiment sees nothing; nodes are not spent there.
    """

    energy: int = 192
    angle: int = 22
    parent: int = 64
    polar: int = 32
    lowest: float = 0.1
    highest: float = 2.1

    def __post_init__(self):
        for name in ("energy", "angle", "parent", "polar"):
            if getattr(self, name) < 2:
                raise reject(f"nodes.{name}", getattr(self, name), "give at least 2")
        if not 0.0 < self.lowest < self.highest:
            raise reject("nodes.lowest", self.lowest, "give 0 < lowest < highest")


def pair_events(
    beam: Beam,
    nodes: Nodes,
    m_N2,
    mediators: ScalarMediators,
    form_factors: FormFactors,
    m_hprime,
    daughters: Float[Array, "channels"],
    branching: Float[Array, "channels"],
    decay_length_per_momentum,
    asymmetry: float = 0.0,
) -> PairEvents:
    """The h' pairs of N_2 -> X h' for daughters X of masses `daughters` (GeV) with these branching ratios.

    decay_length_per_momentum: c tau / m of h', m/GeV. A closed channel must have branching ratio 0. asymmetry: static,
    alpha of `polarised_decay.scalar_asymmetry`, of all channels alike.
    """
    channels = [_channel(m_N2, m_hprime, daughter) for daughter in daughters]
    span = _seen_range(nodes, beam, m_N2, m_hprime, channels)
    rate, cos_N = _production(beam, nodes, span, m_N2, mediators, form_factors)
    u_parent, _ = unit_legendre(nodes.parent)
    e_parent, p_parent, _ = _parent_energy(u_parent, span, m_N2)
    decays = [_decays(nodes, e_parent, p_parent, m_N2, channel, branching[i]) for i, channel in enumerate(channels)]
    share, energy, cos_decay, cos_star = (jnp.concatenate(part, axis=-1) for part in zip(*decays, strict=True))
    everything, _ = _production(beam, nodes, (m_N2, beam.highest_energy), m_N2, mediators, form_factors)
    return PairEvents(
        rate=rate,
        cos_parent=cos_N,
        onto=jnp.asarray(_interpolation(nodes.parent, nodes.energy)),
        share=share,
        energy=energy,
        cos_decay=cos_decay,
        made=jnp.sum(everything, axis=(0, 1)) * jnp.sum(branching),
        mass=m_hprime,
        decay_length_per_momentum=decay_length_per_momentum,
        spin=_spin(asymmetry, nodes, span, m_N2, cos_N, cos_star) if asymmetry else None,
    )


def _spin(asymmetry: float, nodes: Nodes, span, m_N2, cos_N, cos_star) -> PairSpin:
    """The steering of decays at rest-frame cosines `cos_star` by the polarisation of N_2 on the production nodes."""
    e_N, p_N, _ = _parent_energy(unit_legendre(nodes.energy)[0], span, m_N2)
    beta = (p_N / e_N)[:, None]
    return PairSpin(
        along=asymmetry * longitudinal_polarisation(cos_N, beta),
        across=asymmetry * transverse_polarisation(cos_N, beta),
        cos_star=cos_star,
        sin_star=safe_sqrt((1.0 - cos_star) * (1.0 + cos_star)),
    )


class _Channel(NamedTuple):
    """h' in N_2's rest frame; harmless (at rest) where the channel is closed."""

    is_open: Bool[Array, ""]
    e_star: Float[Array, ""]
    p_star: Float[Array, ""]


def _channel(m_N2, m_hprime, daughter) -> _Channel:
    is_open = m_N2 > m_hprime + daughter
    energy = jnp.where(is_open, two_body_energy(m_N2, m_hprime, daughter), m_hprime)
    return _Channel(is_open, energy, two_body_momentum(m_N2, m_hprime, daughter))


def _seen_range(nodes: Nodes, beam: Beam, m_N2, m_hprime, channels):
    """Energies of N_2 between which some h' has an energy that can be seen: rapidities of N_2 and h' add up."""

    def rapidity(energy):
        x = energy / m_hprime
        return jnp.log(jnp.maximum(x, 1.0) + safe_sqrt(x**2 - 1.0))

    start, end = jnp.asarray(jnp.inf), jnp.asarray(0.0)
    for channel in channels:
        own = jnp.arcsinh(channel.p_star / m_hprime)
        first = m_N2 * jnp.cosh(jnp.maximum(rapidity(nodes.lowest) - own, 0.0))
        last = m_N2 * jnp.cosh(jnp.minimum(rapidity(nodes.highest) + own, 20.0))
        start = jnp.where(channel.is_open, jnp.minimum(start, first), start)
        end = jnp.where(channel.is_open, jnp.maximum(end, last), end)
    some = end > 0.0
    top = jnp.where(some, jnp.minimum(end, beam.highest_energy), beam.highest_energy)
    return jnp.minimum(jnp.where(some, start, m_N2), beam.highest_energy), top


def _production(beam: Beam, nodes: Nodes, span, m_N2, mediators: ScalarMediators, form_factors: FormFactors):
    """Weighted rates and cosines on the nodes in (E_N, cos theta_N) over a range of energies."""
    u, w = unit_legendre(nodes.energy)
    e_N, p_N, slope = _parent_energy(u, span, m_N2)
    cos_N, w_angle = _angle_nodes(beam, nodes.angle, e_N, p_N, m_N2, jnp.min(mediators.mass))
    rate = production_rate(beam, e_N[:, None], p_N[:, None], cos_N, m_N2, mediators, form_factors)
    return rate * ((w * slope)[:, None] * w_angle)[..., None, None], cos_N


def _parent_energy(u, span, m_N2):
    """E_N, p_N and dE_N/du for u in (0, 1): logarithmic, compressed in the flux's tail.

    ln[(1 + K/s)/(1 + K/t)] is linear in u, K = E_N - start, s = 0.4 GeV, t = 3 GeV. What the decay gives is smooth in
    K at N_2's threshold too; the root of K in the production there costs the rule less than 1e-5.
    """
    soft, hard = 0.4, 3.0
    start, end = span
    top = jnp.maximum(end - start, 1e-3)
    stretch = jnp.log((1.0 + top / soft) / (1.0 + top / hard))
    grown = jnp.exp(stretch * u)
    above = (grown - 1.0) / (1.0 / soft - grown / hard)
    slope = stretch / (1.0 / (soft + above) - 1.0 / (hard + above))
    e_N = start + above
    return e_N, safe_sqrt((e_N - m_N2) * (e_N + m_N2)), slope


@lru_cache
def _interpolation(coarse: int, fine: int) -> np.ndarray:
    """Values at the `fine` Legendre nodes from those at the `coarse` ones (barycentric, exact for polynomials)."""
    x, w = unit_legendre(coarse)
    barycentric = (-1.0) ** np.arange(coarse) * np.sqrt(x * (1.0 - x) * w)
    difference = unit_legendre(fine)[0][:, None] - x
    on_node = np.abs(difference) < 1e-14
    terms = barycentric / np.where(on_node, 1.0, difference)
    matrix = terms / terms.sum(axis=1, keepdims=True)
    return np.where(on_node.any(axis=1, keepdims=True), on_node, matrix)


def _angle_nodes(beam: Beam, n: int, e_N, p_N, m_N2, m_light):
    """Nodes in cos theta_N, logarithmic in 1 - cos theta above the angle where the lightest mediator's pole is felt."""
    u, w = unit_legendre(n)
    lightest = min(target.mass for target in beam.scatterers)
    recoil = (2.0 * lightest * e_N - m_N2**2) / (2.0 * beam.highest_energy)
    lowest = jnp.maximum((recoil + e_N - lightest) / p_N, -1.0)
    span = (1.0 - jnp.minimum(lowest, 1.0))[:, None]
    pole = (m_light**2 + 0.25 * m_N2**4 / e_N**2) / (2.0 * e_N * p_N)
    scale = jnp.clip(pole, 1e-7, 1.0)[:, None]
    stretch = jnp.log1p(span / scale)
    one_minus_cos = scale * jnp.expm1(stretch * u)
    return 1.0 - one_minus_cos, w * stretch * (one_minus_cos + scale)


def _decays(nodes: Nodes, e_N, p_N, m_N2, channel: _Channel, branching):
    """Weights, lab energy and cosine to N_2's flight of h' in one channel: nodes in ln E_h' over what can be seen;
    and the cosine in the rest frame.

    The energy is flat between gamma (E* - beta p*) and gamma (E* + beta p*). A closed channel (branching ratio 0)
    becomes a harmless narrow box.
    """
    u, w = unit_legendre(nodes.polar)
    centre = e_N * channel.e_star / m_N2
    half = jnp.maximum(p_N * channel.p_star / m_N2, 1e-9 * centre)
    low = jnp.clip(centre - half, nodes.lowest, nodes.highest)
    high = jnp.clip(centre + half, nodes.lowest, nodes.highest)
    span = jnp.log1p((high - low) / low)[:, None]
    energy = low[:, None] * jnp.exp(span * u)
    share = branching * w * span * energy / (2.0 * half[:, None])
    cos_star = jnp.clip((energy - centre[:, None]) / half[:, None], -1.0, 1.0)
    along = (p_N[:, None] * channel.e_star + e_N[:, None] * channel.p_star * cos_star) / m_N2
    across_squared = channel.p_star**2 * (1.0 - cos_star) * (1.0 + cos_star)
    return share, energy, along / jnp.sqrt(along**2 + across_squared), cos_star

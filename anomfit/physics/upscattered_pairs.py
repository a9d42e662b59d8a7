"""nu + target -> N_2 + target, N_2 -> X h', h' -> pair: the events of one beam on fixed quadrature nodes.

Production nodes are (E_N, cos theta_N) in the lab, common to every target and beam; the decay is isotropic in N_2's
rest frame (a scalar vertex with real couplings conserves parity, so the helicity of N_2 leaves no trace once X's is
summed over).
"""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.beams.flux import Beam
from anomfit.capabilities import PairEvents
from anomfit.errors import InputError
from anomfit.physics import kinematics
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.scalar_upscattering import FormFactors, ScalarMediators, production_rate
from anomfit.physics.two_body import two_body_energy, two_body_momentum


@dataclass(frozen=True)
class Nodes:
    """Numbers of quadrature nodes: energy and angle of N_2, angle of h' to it (its azimuth is exact). Static.

    lowest: GeV, the pair energy below which the experiment sees nothing; nodes are not spent there.
    """

    energy: int = 40
    angle: int = 24
    polar: int = 12
    lowest: float = 0.095

    def __post_init__(self):
        for name in ("energy", "angle", "polar"):
            if getattr(self, name) < 1:
                raise InputError(f"nodes: {name} must be at least 1, got {getattr(self, name)}")


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
) -> PairEvents:
    """The h' pairs of N_2 -> X h' for daughters X of masses `daughters` (GeV) with these branching ratios.

    decay_length_per_momentum: c tau / m of h', m/GeV. A closed channel must have branching ratio 0.
    """
    e_N, p_N, w_energy = _energy_nodes(beam, nodes, m_N2)
    cos_N, w_angle = _angle_nodes(beam, nodes.angle, e_N, p_N, m_N2, jnp.min(mediators.mass))
    rate = production_rate(beam, e_N[:, None], p_N[:, None], cos_N, m_N2, mediators, form_factors)
    rate = rate * (w_energy[:, None] * w_angle)[..., None, None]
    share, energy, cos_decay = _decay_nodes(nodes.polar, e_N, p_N, m_N2, m_hprime, daughters, branching)
    return PairEvents(
        rate=rate,
        cos_parent=cos_N,
        share=share,
        energy=energy,
        cos_decay=cos_decay,
        mass=m_hprime,
        decay_length_per_momentum=decay_length_per_momentum,
    )


def _energy_nodes(beam: Beam, nodes: Nodes, m_N2):
    """Nodes in E_N to the flux's end: quadratic at the threshold, logarithmic above some 0.2 GeV."""
    u, w = unit_legendre(nodes.energy)
    start = jnp.maximum(m_N2, nodes.lowest)
    scale = 0.2
    stretch = jnp.log1p((beam.highest_energy - start) / scale)
    above = scale * jnp.expm1(stretch * u**2)
    e_N = start + above
    return e_N, jnp.sqrt((e_N - m_N2) * (e_N + m_N2)), w * 2.0 * stretch * u * (above + scale)


def _angle_nodes(beam: Beam, n: int, e_N, p_N, m_N2, m_light):
    """Nodes in cos theta_N, logarithmic in 1 - cos theta above the angle where the lightest mediator's pole is felt."""
    u, w = unit_legendre(n)
    lightest = min(target.mass for target in beam.composition)
    recoil = (2.0 * lightest * e_N - m_N2**2) / (2.0 * beam.highest_energy)
    lowest = jnp.maximum((recoil + e_N - lightest) / p_N, -1.0)
    span = (1.0 - jnp.minimum(lowest, 1.0))[:, None]
    pole = (m_light**2 + 0.25 * m_N2**4 / e_N**2) / (2.0 * e_N * p_N)
    scale = jnp.clip(pole, 1e-7, 1.0)[:, None]
    stretch = jnp.log1p(span / scale)
    one_minus_cos = scale * jnp.expm1(stretch * u)
    return 1.0 - one_minus_cos, w * stretch * (one_minus_cos + scale)


def _decay_nodes(n: int, e_N, p_N, m_N2, m_hprime, daughters, branching):
    """Weights, lab energy and cosine to N_2's flight of h', the channels' nodes one after the other."""
    u, w = unit_legendre(n)
    cos_star = jnp.tile(2.0 * u - 1.0, daughters.shape[0])
    share = (branching[:, None] * w).reshape(-1)
    e_star = jnp.repeat(_hprime_energy(m_N2, m_hprime, daughters), n, total_repeat_length=share.shape[0])
    p_star = jnp.repeat(two_body_momentum(m_N2, m_hprime, daughters), n, total_repeat_length=share.shape[0])
    energy, along, across = kinematics.boosted_daughter(e_N[:, None], p_N[:, None], m_N2, e_star, p_star, cos_star)
    return share, energy, along / jnp.sqrt(along**2 + across**2)


def _hprime_energy(m_N2, m_hprime, daughters):
    """Energy of h' in N_2's rest frame; a closed channel (branching ratio 0) gets a harmless m_hprime."""
    is_open = m_N2 > m_hprime + daughters
    return jnp.where(is_open, two_body_energy(m_N2, m_hprime, daughters), m_hprime)

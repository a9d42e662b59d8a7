"""nu + target -> N + target in the energy of N and the recoil, and N -> X + boson: for detectors that see the recoil.

Beside `pair_events`, whose nodes are the angles of N: with E_nu = E_N + T the Jacobian is 1, a threshold on the recoil
T is an edge of the rule, and where only energies are measured the box of the boson's energies is integrated exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf
from jaxtyping import Array, Float

from anomfit.errors import reject
from anomfit.physics.exchange import Exchange, d_sigma_d_q_squared
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.reaction import Reaction
from anomfit.physics.targets import Target, stack_targets
from anomfit.physics.two_body import two_body_energy, two_body_momentum
from anomfit.rates.radiated_setup import NODES as OF_RADIATED
from anomfit.rates.radiated_setup import RadiatedNodes

REACH = 5.0  # widths of the smooth threshold on either side of which it is 0 or 1


class NeutrinoSource(Protocol):
    """One flux on one molecule: `Beam` with a single flux, or a spectrum of its own."""

    @property
    def composition(self) -> tuple[Target, ...]:
        """The scatterers."""
        ...

    @property
    def exposure(self) -> Float[Array, "1"]:
        """Molecules."""
        ...

    @property
    def highest_energy(self) -> float | Float[Array, ""]:
        """GeV."""
        ...

    def flux_at(self, energy: Float[Array, "..."]) -> Float[Array, "... 1"]:
        """1/cm^2/GeV."""
        ...


@dataclass(frozen=True)
class RecoilNodes:
    """Numbers of quadrature nodes, static: energies of N for each source, and recoils in each of two panels.

    path: m, along which a second pair would be noticed: such events are no events with one pair. radiated: of a scalar
    that is radiated off the mediator, and has no parent.
    """

    parent: tuple[int, ...] = (40, 16)
    recoil: int = 8
    path: float = 3.0
    radiated: RadiatedNodes = OF_RADIATED

    def __post_init__(self):
        for number in (*self.parent, self.recoil):
            if number < 2:
                raise reject("nodes", number, "give at least 2")

    def of_source(self) -> np.ndarray:
        """Matrix (sources, parents): 1 where a node belongs to the source."""
        return np.repeat(np.eye(len(self.parent)), self.parent, axis=1)


class KnockOut(NamedTuple):
    """Kinetic energy (GeV) a bound nucleon needs to leave its nucleus, and the width of that threshold."""

    energy: Float[Array, ""]
    width: float


class Parents(NamedTuple):
    """N on the nodes: rate (interactions, weights included), lab energy and momentum, cosine to the beam."""

    rate: Float[Array, "parents recoils targets"]
    energy: Float[Array, "parents"]
    momentum: Float[Array, "parents"]
    cosine: Float[Array, "parents recoils targets"]


class Boxes(NamedTuple):
    """The boson of N's decays, by channel: its energy is flat from `low` to `high` with total probability `share`."""

    share: Float[Array, "parents channels"]
    low: Float[Array, "parents channels"]
    high: Float[Array, "parents channels"]
    e_star: Float[Array, "channels"]
    p_star: Float[Array, "channels"]


def produce(
    sources: Sequence[NeutrinoSource],
    bound: tuple[bool, ...],
    nodes: RecoilNodes,
    exchange: Exchange,
    knock_out: KnockOut,
) -> Parents:
    """N made by the sources on one molecule, one source after the other on the first axis.

    `bound` says, target by target, whether the knock-out threshold applies: a normal distribution function of the
    recoil. Nothing is made, with no slope, when N is too heavy.
    """
    u, w = (np.concatenate(x)[:, None] for x in zip(*(unit_legendre(n) for n in nodes.parent), strict=True))
    end = (nodes.of_source().T @ jnp.stack([jnp.asarray(source.highest_energy) for source in sources]))[:, None]
    is_open = exchange.m_N < end
    m_N = jnp.where(is_open, exchange.m_N, 0.5 * end)  # closed: any mass that can be made will do
    e_N = m_N + (end - m_N) * u**2  # a root of E_N - m_N, as the momentum at threshold, becomes linear
    p_N = safe_sqrt((e_N - m_N) * (e_N + m_N))
    targets = stack_targets(sources[0].composition)
    recoil, weight = _recoil_nodes(end, bound, nodes.recoil, e_N, p_N, targets.mass, exchange, knock_out)
    weight = weight * jnp.where(is_open, 2.0 * (end - m_N) * u * w, 0.0)[..., None]
    e_N, p_N, m_N = e_N[..., None], p_N[..., None], m_N[..., None]
    e_nu, q_squared = e_N + recoil, jnp.asarray(2.0 * targets.mass * recoil)
    slope = d_sigma_d_q_squared(exchange, e_nu, q_squared, targets) * 2.0 * targets.mass
    freed = jnp.where(
        np.asarray(bound), 0.5 * (1.0 + erf((recoil - knock_out.energy) / (np.sqrt(2.0) * knock_out.width))), 1.0
    )
    parts = jnp.split(e_nu, np.cumsum(nodes.parent)[:-1])
    flux = jnp.concatenate([s.flux_at(part)[..., 0] for s, part in zip(sources, parts, strict=True)])
    exposure = nodes.of_source().T @ jnp.stack([source.exposure[0] for source in sources])
    rate = (
        slope * freed * flux * targets.number * weight * exposure[:, None, None]
    )  # detectors differ in the last alone
    product = 2.0 * e_nu * jnp.maximum(p_N, 1e-12)
    cosine = jnp.clip((2.0 * e_nu * e_N - m_N**2 - q_squared) / product, -1.0, 1.0)
    return Parents(rate, e_N[:, 0, 0], p_N[:, 0, 0], cosine)


def boxes(parents: Parents, reaction: Reaction, path: float) -> Boxes:
    """Energies of the boson in each channel, as if N's decays were isotropic.

    A second pair within `path` (m) is looked for at the mean energy of N's daughter.
    """
    m_N, boson = reaction.production.m_N, reaction.pair.mass
    daughters = jnp.stack([channel.daughter_mass for channel in reaction.channels])
    is_open = m_N > boson + daughters
    e_star = jnp.where(is_open, two_body_energy(m_N, boson, daughters), boson)
    p_star = two_body_momentum(m_N, boson, daughters)
    centre = parents.energy[:, None] * e_star / m_N
    half = jnp.maximum(parents.momentum[:, None] * p_star / m_N, 1e-4 * centre)
    shares = [
        jnp.broadcast_to(channel.branching * channel.alone(parents.energy - centre[:, i], path), parents.energy.shape)
        for i, channel in enumerate(reaction.channels)
    ]
    share = jnp.stack(shares, axis=1)
    return Boxes(share, centre - half, centre + half, e_star, p_star)


def _recoil_nodes(end, bound, n: int, e_N, p_N, mass, exchange: Exchange, knock_out: KnockOut):
    """Recoils and weights, (parents, 2 n, targets): logarithmic above the lightest boson's pole, in two panels.

    They part above the knock-out threshold of bound nucleons, below which the rule does not go, and at the geometric
    middle for the others. Recoils lie between those of N along and against the beam, and below the flux's end.
    """
    backward = jnp.minimum((e_N + p_N) ** 2 / (2.0 * (mass - e_N - p_N)), end - e_N)
    lowest = jnp.minimum((e_N - p_N) ** 2 / (2.0 * (mass - e_N + p_N)), backward)
    pole = exchange.lightest**2 / (2.0 * mass) + 1e-9
    reach = REACH * knock_out.width
    starts = jnp.clip(knock_out.energy - reach, lowest, backward)
    parts = jnp.clip(knock_out.energy + reach, lowest, backward)
    middle = safe_sqrt((lowest + pole) * (backward + pole)) - pole
    low, part = jnp.where(np.asarray(bound), starts, lowest), jnp.where(np.asarray(bound), parts, middle)
    panels = [_logarithmic(n, low, part, pole), _logarithmic(n, part, backward, pole)]
    return tuple(jnp.concatenate(pieces, axis=1) for pieces in zip(*panels, strict=True))


def _logarithmic(n: int, low, high, scale):
    u, w = (x[:, None] for x in unit_legendre(n))
    low, high = low[:, None, :], high[:, None, :]
    stretch = jnp.log((high + scale) / (low + scale))
    shifted = (low + scale) * jnp.exp(stretch * u)
    return shifted - scale, w * stretch * shifted

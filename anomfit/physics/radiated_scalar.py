"""nu + target -> N + target + scalar in the scalar's energy and angle in the laboratory; the rest is a rule in Q^2.

With K = k - q_h, which N and the target share out, d^3 k' d^3 p' is dQ^2 dphi/(8 M |K|), phi the azimuth of the
target's recoil about K, and
    d sigma/dE_h dcos = p_h/(512 pi^3 M^2 E_nu |K|) int dQ^2 <|M|^2>.
|M|^2 of `boson_strahlung` is, but for the propagator 1/D^2, a polynomial of third degree in D = m^2 - t1, which is
a + b cos(phi): with R^2 = a^2 - b^2 the means over phi are
    <D^-2> = a/R^3,   <D^-1> = 1/R,   <D> = a.
GeV throughout, the target at rest.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.boson_strahlung import BosonStrahlung
from anomfit.physics.constants import GEV2_TO_CM2
from anomfit.physics.quadrature import unit_legendre


class Scalar(NamedTuple):
    """The scalar's energy, momentum (GeV) and cosine to the beam, arrays that broadcast."""

    energy: Float[Array, "..."]
    momentum: Float[Array, "..."]
    cosine: Float[Array, "..."]


class Opening(NamedTuple):
    """Where the process opens for a scalar: E_nu > start if `reach` > 0; else no neutrino is energetic enough.

    reach: M - E_h + p_h cos; the invariant mass squared of N and the target rises as 2 reach E_nu.
    """

    start: Float[Array, "..."]
    reach: Float[Array, "..."]


def opening(process: BosonStrahlung, scalar: Scalar, M: float) -> Opening:
    """The smallest neutrino's energy for a scalar, from (k + p - q_h)^2 > (m_N + M)^2."""
    reach = M - scalar.energy + scalar.momentum * scalar.cosine
    rest = 0.5 * (process.m_N**2 - process.m_scalar**2) + M * (process.m_N + scalar.energy)
    return Opening(rest / jnp.where(reach > 0.0, reach, 1.0), reach)


class Shared(NamedTuple):
    """K = k - q_h, and what N and the target may do with it; K_squared_less: K^2 - m_N^2; w_squared: (K + p)^2."""

    energy: Float[Array, "..."]
    momentum_squared: Float[Array, "..."]
    K_squared_less: Float[Array, "..."]
    h_k: Float[Array, "..."]
    w_squared: Float[Array, "..."]
    lowest: Float[Array, "..."]
    highest: Float[Array, "..."]


def shared(process: BosonStrahlung, scalar: Scalar, M: float, e_nu, excess) -> Shared:
    """Limits of Q^2 for a neutrino of energy e_nu, `excess` above `opening`, which must be open."""
    reach = M - scalar.energy + scalar.momentum * scalar.cosine
    across_squared = scalar.momentum**2 * (1.0 - scalar.cosine) * (1.0 + scalar.cosine)
    h_k = e_nu * (process.m_scalar**2 + across_squared)
    h_k = h_k / (scalar.energy + scalar.momentum * scalar.cosine)  # E - p cos without its cancellation
    h_k = jnp.where(scalar.cosine > 0.0, h_k, e_nu * (scalar.energy - scalar.momentum * scalar.cosine))
    less = process.m_scalar**2 - 2.0 * h_k - process.m_N**2
    energy = e_nu - scalar.energy
    momentum_squared = energy**2 - process.m_scalar**2 + 2.0 * h_k
    above = 2.0 * reach * excess
    together = (process.m_N + M) ** 2
    w_squared = together + above
    half = 2.0 * M**2 / w_squared * (momentum_squared + 0.5 * (energy / M + 1.0) * less)
    spread = M / w_squared * jnp.sqrt(momentum_squared * above * (above + 4.0 * process.m_N * M))
    highest = half + spread
    lowest = M**2 * less**2 / (w_squared * highest)
    return Shared(energy, momentum_squared, less, h_k, w_squared, lowest, highest)


def transfers(low: Float[Array, "..."], high: Float[Array, "..."], scale: ArrayLike, nodes: int):
    """Q^2 from `low` to `high` on a new last axis, and weights: even in (Q^2 + scale)^(-1/4), GeV^2.

    As good as a logarithm, and no exponential is asked for at every node.
    """
    u, w = unit_legendre(nodes)
    first, last = (jnp.sqrt(1.0 / jnp.sqrt(end + scale))[..., None] for end in (low, high))
    inverse = 1.0 / (first + (last - first) * u)
    shifted = inverse**4
    return shifted - scale, 4.0 * w * (first - last) * shifted * inverse


def amplitudes(process: BosonStrahlung, scalar: Scalar, M: float, e_nu, kin: Shared, q_squared):
    """(A1, A2): what multiplies W1 and W2 in d sigma/dE_h dcos dQ^2 over p_h, with the couplings of the process out.

    cm^2/GeV^4 over the couplings' GeV^2; smooth where the scalar stands still. q_squared has one axis more than the
    other arrays.
    """
    e_nu, K0, K2, less, h_k, w2 = (
        x[..., None] for x in (e_nu, kin.energy, kin.momentum_squared, kin.K_squared_less, kin.h_k, kin.w_squared)
    )
    low, high = kin.lowest[..., None], kin.highest[..., None]
    E, p, cosine = (x[..., None] for x in scalar)
    N2, S2, V2 = process.m_N**2, process.m_scalar**2, process.m_vector**2
    recoil = q_squared / (2.0 * M)
    q2_k_prime = 0.5 * (less + q_squared)
    # D = a + b cos(phi)
    along = K0 * recoil - q2_k_prime + q_squared  # |K| |q| cos, to K
    a = V2 - S2 + q_squared - 2.0 * E * recoil + 2.0 * (e_nu * p * cosine - p**2) * along / K2
    across = w2 / M**2 * (q_squared - low) * (high - q_squared) * (p * e_nu / K2) ** 2 * (1.0 - cosine**2)
    R2 = a**2 - across
    inverse = 1.0 / jnp.sqrt(R2)
    mean_2, mean_1 = a * inverse**3, inverse
    # products as numbers and slopes in D, which is 1/2 or -1/2 of each
    k_k = 0.5 * (N2 - V2)
    q2_h = 0.5 * (V2 - S2 + q_squared)
    q2_k = q2_k_prime + q2_h - q_squared
    P_k, P_h = 2.0 * M * e_nu + q2_k, 2.0 * M * E + q2_h
    P_k_prime = 2.0 * M * (K0 - recoil) + q2_k_prime
    long, longer = 4.0 * N2 / V2, 2.0 * N2 / V2**2
    trace = 4.0 * M**2 + q_squared

    def mean(c0, c1, c2, c3):
        return c0 * mean_2 + c1 * mean_1 + c2 + c3 * a

    one = mean(
        4.0 * P_k * P_k_prime - 2.0 * trace * k_k + long * P_h * P_k + longer * k_k * P_h**2,
        -2.0 * P_k_prime - trace - 0.5 * long * (P_h + P_k) + longer * (0.5 * P_h**2 - k_k * P_h),
        0.25 * long + longer * (0.25 * k_k - 0.5 * P_h),
        0.125 * longer,
    )
    two = mean(
        2.0 * q_squared * k_k
        - 4.0 * q2_k * q2_k_prime
        - long * (q2_h * q2_k + q_squared * h_k)
        - longer * k_k * (q2_h**2 + q_squared * S2),
        q_squared
        + 2.0 * q2_k_prime
        + 0.5 * long * (q2_h + q2_k)
        - longer * (0.5 * (q2_h**2 + q_squared * S2) - k_k * q2_h),
        -0.25 * long - longer * (0.25 * k_k - 0.5 * q2_h),
        -0.125 * longer,
    )
    common = GEV2_TO_CM2 / (512.0 * jnp.pi**3 * M**2 * e_nu * jnp.sqrt(K2)) / (q_squared + V2) ** 2
    return common * one, common * two

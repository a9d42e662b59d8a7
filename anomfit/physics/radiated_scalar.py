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


def place_of(q_squared: Float[Array, "..."], scale: ArrayLike) -> Float[Array, "..."]:
    """(Q^2 + scale)^(-1/4), in which nodes are even: as good as a logarithm, with no exponential at every node."""
    return jnp.sqrt(1.0 / jnp.sqrt(q_squared + scale))


def transfers(first: Float[Array, "..."], last: Float[Array, "..."], scale: ArrayLike, u: ArrayLike):
    """Q^2 (GeV^2) at u in (0, 1) between two ends, which `place_of` gives, and its slope there."""
    inverse = 1.0 / (first + (last - first) * u)
    shifted = inverse**4
    return shifted - scale, 4.0 * (first - last) * shifted * inverse


class Means(NamedTuple):
    """What multiplies <D^-2>, <D^-1>, 1 and <D>: coefficients in powers of Q^2."""

    inverse_squared: tuple[Float[Array, "..."], ...]
    inverse: tuple[Float[Array, "..."], ...]
    one: tuple[Float[Array, "..."], ...]
    itself: tuple[Float[Array, "..."], ...]


class Amplitude(NamedTuple):
    """|M|^2 as a function of Q^2 behind one place of scalar and neutrino: the parts that have no Q^2 in them.

    a: coefficients of a of the module's docstring in powers of Q^2; across: b^2 over (Q^2 - low)(high - Q^2).
    """

    a: tuple[Float[Array, "..."], Float[Array, "..."]]
    across: Float[Array, "..."]
    low: Float[Array, "..."]
    high: Float[Array, "..."]
    W1: Means
    W2: Means
    common: Float[Array, "..."]
    pole: Float[Array, ""]


def amplitude(process: BosonStrahlung, scalar: Scalar, M: float, e_nu, kin: Shared) -> Amplitude:
    """For arrays that broadcast; `kin` of `shared`. With P = p + p', products of momenta are at most linear in Q^2."""
    E, p, cosine = scalar
    K0, K2, less = kin.energy, kin.momentum_squared, kin.K_squared_less
    N2, S2, V2 = process.m_N**2, process.m_scalar**2, process.m_vector**2
    above = V2 - S2
    turned = 2.0 * (e_nu * p * cosine - p**2) / K2
    # products as numbers and slopes in D, which is 1/2 or -1/2 of each
    k_k = 0.5 * (N2 - V2)
    q2_k = 0.5 * (less + above)  # q2.h = (above + Q^2)/2 and q2.k' = (less + Q^2)/2
    P_k = 2.0 * M * e_nu + q2_k
    P_h = 2.0 * M * E + 0.5 * above  # + Q^2/2
    P_k_prime = 2.0 * M * K0 + 0.5 * less  # - Q^2/2
    long, longer = 4.0 * N2 / V2, 2.0 * N2 / V2**2
    one = Means(
        (
            4.0 * P_k * P_k_prime - 8.0 * M**2 * k_k + long * P_h * P_k + longer * k_k * P_h**2,
            -2.0 * (P_k + k_k) + 0.5 * long * P_k + longer * k_k * P_h,
            0.25 * longer * k_k,
        ),
        (
            -2.0 * P_k_prime - 4.0 * M**2 - 0.5 * long * (P_h + P_k) + longer * P_h * (0.5 * P_h - k_k),
            -0.25 * long + 0.5 * longer * (P_h - k_k),
            0.125 * longer,
        ),
        (0.25 * long + longer * (0.25 * k_k - 0.5 * P_h), -0.25 * longer),
        (0.125 * longer,),
    )
    two = Means(
        (
            -2.0 * q2_k * less - 0.5 * long * above * q2_k - 0.25 * longer * k_k * above**2,
            2.0 * (k_k - q2_k) - long * (0.5 * q2_k + kin.h_k) - longer * k_k * (0.5 * above + S2),
            -0.25 * longer * k_k,
        ),
        (
            less + 0.5 * long * (0.5 * above + q2_k) - 0.5 * longer * above * (0.25 * above - k_k),
            2.0 + 0.25 * long - 0.5 * longer * (0.5 * above + S2 - k_k),
            -0.125 * longer,
        ),
        (-0.25 * long - 0.25 * longer * (k_k - above), 0.25 * longer),
        (-0.125 * longer,),
    )
    return Amplitude(
        a=(above - 0.5 * turned * less, 1.0 - E / M + 0.5 * turned * (K0 / M + 1.0)),
        across=kin.w_squared / M**2 * (p * e_nu / K2) ** 2 * (1.0 - cosine) * (1.0 + cosine),
        low=kin.lowest,
        high=kin.highest,
        W1=one,
        W2=two,
        common=GEV2_TO_CM2 / (512.0 * jnp.pi**3 * M**2 * e_nu * jnp.sqrt(K2)),
        pole=V2,
    )


def at_transfer(of: Amplitude, q_squared: Float[Array, "..."], W1, W2=None) -> Float[Array, "..."]:
    """d sigma/dE_h dcos dQ^2 over p_h for the structures W1 and W2 (None: 0), with couplings of 1.

    cm^2/GeV^4 over the couplings' GeV^2; smooth where the scalar stands still. q_squared is between the limits.
    """
    a = of.a[0] + of.a[1] * q_squared
    inverse = 1.0 / jnp.sqrt(a**2 - of.across * ((q_squared - of.low) * (of.high - q_squared)))
    means = (a * inverse**3, inverse, jnp.ones_like(a), a)

    def summed(coefficients: Means):
        return sum(_power_series(part, q_squared) * mean for part, mean in zip(coefficients, means, strict=True))

    total = summed(of.W1) * W1 if W2 is None else summed(of.W1) * W1 + summed(of.W2) * W2
    return of.common * total / (q_squared + of.pole) ** 2


def _power_series(coefficients, x):
    total = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        total = coefficient + x * total
    return total

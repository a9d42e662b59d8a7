"""What a limit on a dark photon means for a scalar: production and branching ratios compared at one mass.

L = -y phi lbar l against a vector with coupling eps e. Lepton masses are neglected in production.
"""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.vector_decays import dark_photon_widths


def annihilation_squared(s, t, u, m, is_scalar: bool):
    """Spin-averaged |M|^2/(e^2 g^2) of e+e- -> gamma X with X of mass m and coupling g, electrons massless.

    Vector: 2 (t^2 + u^2 + 2 s m^2)/(t u); scalar: (s^2 + m^4)/(t u).
    """
    top = s**2 + m**4 if is_scalar else 2.0 * (t**2 + u**2 + 2.0 * s * m**2)
    return top / (t * u)


def annihilation_ratio(m: ArrayLike, root_s: ArrayLike, cos_max: ArrayLike) -> Float[Array, "..."]:
    """sigma(e+e- -> gamma phi)/sigma(e+e- -> gamma V) at equal couplings, photon within |cos theta| < cos_max.

    The integrals of `annihilation_squared`; atanh(c)/(2 atanh(c) - c) for m -> 0. Closed: 0.
    """
    s, m2 = jnp.asarray(root_s) ** 2, jnp.asarray(m) ** 2
    closed = s <= m2
    a, c = jnp.arctanh(cos_max), jnp.asarray(cos_max)
    vector = (s - m2) ** 2 * (2.0 * a - c) + 4.0 * s * m2 * a
    return jnp.where(closed, 0.0, (s**2 + m2**2) * a / vector)


def vector_shares(m: ArrayLike) -> tuple[Float[Array, "..."], Float[Array, "..."], Float[Array, "..."]]:
    """Branching ratios of a dark photon of mass m (GeV) to (e+e-, mu+mu-, hadrons), 20 per cent for hadrons."""
    electrons, muons, hadrons = dark_photon_widths(m, 1.0)
    total = electrons + muons + hadrons
    total = jnp.where(total > 0.0, total, 1.0)  # below the electrons
    return electrons / total, muons / total, hadrons / total


def radiation_squared(s_1, s_2, m, root_s, is_scalar: bool):
    """Sum over spins of |M|^2/(e^2 g^2) of gamma* -> mu-(1) mu+(2) X, massless muons, s_i = (p_i + k)^2.

    Scalar: 8 [2 (p_1 k)(p_2 k) - m^2 p_1 p_2] (1/s_1^2 + 1/s_2^2) + 32 (p_1 k)(p_2 k)/(s_1 s_2). Vector: 8 [(s_1^2 +
    s_2^2 + 2 s_12 (s + m^2))/(s_1 s_2) - s m^2 (1/s_1^2 + 1/s_2^2)], crossed from quark + antiquark -> two photons.
    """
    s = root_s**2
    s_12 = s + m**2 - s_1 - s_2
    k_1, k_2 = 0.5 * (s_1 - m**2), 0.5 * (s_2 - m**2)
    squares = 1.0 / s_1**2 + 1.0 / s_2**2
    if is_scalar:
        return 8.0 * (2.0 * k_1 * k_2 - 0.5 * m**2 * s_12) * squares + 32.0 * k_1 * k_2 / (s_1 * s_2)
    return 8.0 * ((s_1**2 + s_2**2 + 2.0 * s_12 * (s + m**2)) / (s_1 * s_2) - s * m**2 * squares)


def radiation_ratio(m: ArrayLike, root_s: ArrayLike, nodes: int = 48) -> Float[Array, ""]:
    """Rate of e+e- -> mu+mu- phi over that of a vector of the same mass and coupling, radiated off massless muons.

    Integral over the Dalitz plot s_1 s_2 > m^2 s, s_1 + s_2 < s + m^2, in logarithms. Radiation off the electrons,
    which a vector of L_mu - L_tau does not have either, is left out.
    """
    u, weight = unit_legendre(nodes)
    x, w = u**2 * (3.0 - 2.0 * u), 6.0 * u * (1.0 - u) * weight  # dense at both ends
    m2, s = jnp.asarray(m) ** 2, jnp.asarray(root_s) ** 2
    s_1 = m2 * (s / m2) ** x
    low, high = (m2 * s / s_1)[:, None], (s + m2 - s_1)[:, None]
    s_2 = low * (high / low) ** x
    measure = (w * s_1)[:, None] * w * s_2 * jnp.log(high / low)
    parts = [jnp.sum(measure * radiation_squared(s_1[:, None], s_2, m, root_s, kind)) for kind in (True, False)]
    return parts[0] / parts[1]

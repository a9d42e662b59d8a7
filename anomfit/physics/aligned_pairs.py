"""How the leptons of V -> l+ l- line up with V's flight: V made in N -> nu V is mostly longitudinal where N is heavy.

Helicity 0 goes as 1 - beta^2 cos^2, +1 and -1 together as 2 - beta^2 + beta^2 cos^2, cos between a lepton and the
direction from which N's rest frame moves away, in V's rest frame. In powers of spherical harmonics only the monopole
and the quadrupole are there, and a turn of the axis multiplies the quadrupole by P_2.
"""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.kinematics import safe_sqrt


def lepton_alignment(transverse: ArrayLike, m_V: ArrayLike, m_lepton: ArrayLike) -> Float[Array, "..."]:
    """A of the density 1 + A P_2(cos) for a fraction `transverse` of V with helicity +1 or -1; masses in GeV.

    beta^2 (3 transverse - 2)/(3 - beta^2): -1 for longitudinal V, 1/2 for transverse, 0 for unpolarised ones. Both
    leptons have the same; the difference of helicities +1 and -1 acts on parity alone. 0 at and below the threshold.
    """
    ratio = 2.0 * jnp.asarray(m_lepton) / jnp.asarray(m_V)
    beta_squared = safe_sqrt((1.0 - ratio) * (1.0 + ratio)) ** 2
    return beta_squared * (3.0 * jnp.asarray(transverse) - 2.0) / (3.0 - beta_squared)


def quadrupole_in_flight(e_N, m_N, energy, m_V, e_star) -> Float[Array, "..."]:
    """P_2(cos) between the directions in which N's rest frame and the laboratory move in V's rest frame.

    GeV, arrays that broadcast: N's and V's energies in the laboratory, V's in N's rest frame. The three velocities make
    a hyperbolic triangle, whose law of cosines gives the angle at V. 0 where V is at rest in either frame.
    """
    p_star = safe_sqrt((e_star - m_V) * (e_star + m_V))
    product = p_star * safe_sqrt((energy - m_V) * (energy + m_V))
    moves = product > 1e-12
    cosine = (e_star * energy - m_V**2 * e_N / m_N) / jnp.where(moves, product, 1.0)
    return jnp.where(moves, 1.5 * jnp.clip(cosine, -1.0, 1.0) ** 2 - 0.5, 0.0)

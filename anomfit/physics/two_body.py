"""Kinematics of a decay into two bodies: momentum and energy of the daughters in the parent's rest frame.

PDG review "Kinematics", two-body decays. Masses are scalars or arrays that broadcast; units GeV.
"""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float


def kallen(a: ArrayLike, b: ArrayLike, c: ArrayLike) -> Float[Array, "..."]:
    """The Källén function a^2 + b^2 + c^2 - 2ab - 2bc - 2ca of squared masses, GeV^4; negative when closed."""
    a, b, c = jnp.asarray(a), jnp.asarray(b), jnp.asarray(c)
    return (a - b - c) ** 2 - 4.0 * b * c


def is_open(m_parent: ArrayLike, m_1: ArrayLike, m_2: ArrayLike) -> Array:
    """Whether the parent is heavier than its daughters together (False at threshold); masses in GeV, not negative."""
    return jnp.asarray(m_parent) > jnp.asarray(m_1) + jnp.asarray(m_2)


def two_body_momentum(m_parent: ArrayLike, m_1: ArrayLike, m_2: ArrayLike) -> Float[Array, "..."]:
    """Momentum of either daughter in the parent's rest frame, GeV; exactly 0, gradient too, when the decay is closed.

    sqrt(Källén(m_parent^2, m_1^2, m_2^2)) / (2 m_parent), from the factors of the Källén function, which keeps its
    digits next to the threshold. At and below threshold: 0, slope 0.
    """
    m_parent, m_1, m_2 = jnp.broadcast_arrays(jnp.asarray(m_parent), jnp.asarray(m_1), jnp.asarray(m_2))
    opened = is_open(m_parent, m_1, m_2)
    heavy = jnp.where(opened, m_parent, 1.0)
    sum_, difference = jnp.where(opened, m_1 + m_2, 0.0), jnp.where(opened, m_1 - m_2, 0.0)
    factors = (heavy - sum_) * (heavy + sum_) * (heavy - difference) * (heavy + difference)
    return jnp.where(opened, jnp.sqrt(factors) / (2.0 * heavy), 0.0)


def two_body_energy(m_parent: ArrayLike, m_1: ArrayLike, m_2: ArrayLike) -> Float[Array, "..."]:
    """Energy of daughter 1 in the parent's rest frame, GeV; m_1 (at rest) when the decay is closed.

    (m_parent^2 + m_1^2 - m_2^2) / (2 m_parent): smooth up to the threshold, where it is m_1, and never below m_1.
    """
    m_parent, m_1, m_2 = jnp.broadcast_arrays(jnp.asarray(m_parent), jnp.asarray(m_1), jnp.asarray(m_2))
    opened = is_open(m_parent, m_1, m_2)
    heavy = jnp.where(opened, m_parent, 1.0)
    return jnp.where(opened, 0.5 * (heavy + (m_1 - m_2) * (m_1 + m_2) / heavy), m_1)

"""What binding does to scattering off the nucleons of a nucleus one by one: the final states that are taken.

Each function is a factor of the rate on one bound nucleon at the three-momentum transfer |q|, and describes the same
exclusion on its own: never multiply two. Free nucleons have none.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

SMALLEST_MOMENTUM = 1e-6  # GeV: keeps the slope of a root finite
BOUND: Mapping[str, str] = MappingProxyType(
    {
        "none": "bound nucleons scatter as free ones at rest",
        "fermi-gas": "Pauli blocking of a Fermi gas, (3x - x^3)/2 for x = |q|/2k_F below 1",
        "closure": "what elastic scattering leaves of the sum over all final states, 1 - F^2(q)",
    }
)


def momentum_squared(q_squared: ArrayLike, m_target: ArrayLike) -> Float[Array, "..."]:
    """|q|^2 = Q^2 + T^2 in GeV^2 with the recoil T = Q^2/2M of a target at rest; Q^2 in GeV^2, M in GeV."""
    q_squared = jnp.asarray(q_squared)
    return q_squared * (1.0 + q_squared / (4.0 * jnp.asarray(m_target) ** 2))


def fermi_gas(momentum_squared: ArrayLike, fermi_momentum: ArrayLike) -> Float[Array, "..."]:
    """Fraction of a Fermi sphere of radius k_F (GeV) that a shift by |q| moves out of it: (3x - x^3)/2, x = |q|/2k_F.

    1 from x = 1 on. Value and slope are continuous there, the second derivative is not. Below |q| = 1 keV: 3e-6 or less
    and no slope.
    """
    momentum = jnp.sqrt(jnp.maximum(jnp.asarray(momentum_squared), SMALLEST_MOMENTUM**2))
    x = jnp.minimum(momentum / (2.0 * jnp.asarray(fermi_momentum)), 1.0)
    return x * (1.5 - 0.5 * x**2)


def closure(form_factor: Float[Array, "..."]) -> Float[Array, "..."]:
    """1 - F^2 for the nucleus's form factor at |q|: exact for 4He's closed shell of an oscillator, too large beyond."""
    return 1.0 - form_factor**2


def allowed(
    name: str,
    momentum_squared: Float[Array, "..."],
    fermi_momentum: float,
    form_factor: Callable[[Float[Array, "..."]], Float[Array, "..."]],
) -> Float[Array, "..."]:
    """The factor called `name`, "fermi-gas" or "closure"; form_factor: the nucleus's, of |q|^2."""
    if name == "closure":
        return closure(form_factor(momentum_squared))
    assert name == "fermi-gas"
    return fermi_gas(momentum_squared, fermi_momentum)

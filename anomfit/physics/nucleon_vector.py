"""Form factors of nucleons for a vector that couples to a conserved charge: Sachs' G_E and G_M. GeV."""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

MAGNETIC_MOMENTS = {"proton": 2.7928473446, "neutron": -1.9130427}  # nuclear magnetons, CODATA 2022
DIPOLE_MASS_SQUARED = 0.71  # GeV^2, the nucleons' standard electromagnetic dipole
GALSTER = 5.6  # of the neutron's electric form factor: Galster et al., Nucl. Phys. B 32 (1971) 221


def sachs_form_factors(
    nucleon: str, q_squared: ArrayLike, m_target: ArrayLike
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """(G_E, G_M) of the "proton" or "neutron" at Q^2 in GeV^2: dipoles with 0.71 GeV^2, the neutron's G_E Galster's."""
    dipole = (1.0 + jnp.asarray(q_squared) / DIPOLE_MASS_SQUARED) ** -2
    magnetic = MAGNETIC_MOMENTS[nucleon] * dipole
    if nucleon == "proton":
        return dipole, magnetic
    tau = jnp.asarray(q_squared) / (4.0 * jnp.asarray(m_target) ** 2)
    return -tau * magnetic / (1.0 + GALSTER * tau), magnetic

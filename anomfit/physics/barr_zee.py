"""The share of a lepton's magnetic moment that comes from a scalar's coupling to two photons."""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float


def photon_coupling_moment(
    m_lepton: ArrayLike, m_scalar: ArrayLike, y: ArrayLike, kappa: ArrayLike, cutoff: ArrayLike
) -> Float[Array, "..."]:
    """Delta a_l = y kappa m_l/(4 pi^2) ln(Lambda/m_S) for L = -y S lbar l - (kappa/4) S F F; dimensionless.

    The leading logarithm only, between the scalar's mass and the cutoff at which the coupling is made (GeV; kappa in
    GeV^-1): Davoudiasl and Marciano, PRD 98 (2018) 075011; arXiv:2005.08920 equation 10. Meant for a lepton lighter
    than the scalar; what the logarithm leaves out is of the order of 1/ln(Lambda/m_S).
    """
    logarithm = jnp.log(jnp.asarray(cutoff) / jnp.asarray(m_scalar))
    return jnp.asarray(y) * jnp.asarray(kappa) * jnp.asarray(m_lepton) / (4.0 * jnp.pi**2) * logarithm

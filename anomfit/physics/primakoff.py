"""A light boson of spin 0 made from photons: its coupling from its width.

L = -(g/4) S F F for a scalar, -(g/4) a F F~ for a pseudoscalar. Both have the width g^2 m^3/(64 pi), and at high energy
and small angles the same coherent production off nuclei: the photon's polarisation vector times (scalar) or crossed
with (pseudoscalar) the momentum transfer enters, so that the two differ by a turn of the polarisation by 90 degrees,
over which unpolarised photons average (B.B - E.E against E.B of two fields, one of them the nucleus's E).
"""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float


def squared_photon_coupling(mass: ArrayLike, to_photons: ArrayLike) -> Float[Array, "..."]:
    """g^2 (GeV^-2) of a boson of mass `mass` (GeV) and partial width `to_photons` (GeV): 64 pi width/m^3."""
    return 64.0 * jnp.pi * jnp.asarray(to_photons) / jnp.asarray(mass) ** 3

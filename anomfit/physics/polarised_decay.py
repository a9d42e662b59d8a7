"""Which way a polarised heavy neutrino sends its scalar: N -> nu S with unequal couplings to both chiralities.

L = S nubar (a_L P_L + a_R P_R) N + h.c., nu massless, N Dirac. a_R makes left-handed neutrinos, a_L right-handed ones.
With equal mixings of both chiralities (arXiv:2005.08920: U^L = U^R) the decay conserves parity and is isotropic,
whatever the polarisation; that paper's section II states the opposite. Majorana N with real couplings: isotropic too.
"""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.kinematics import safe_sqrt


def scalar_asymmetry(a_L: ArrayLike, a_R: ArrayLike) -> Float[Array, "..."]:
    """alpha of (1/Gamma) dGamma/dcos = (1 + alpha cos)/2, cos between N's spin and S's direction in N's rest frame.

    (|a_R|^2 - |a_L|^2)/(|a_R|^2 + |a_L|^2): a left-handed neutrino flies against the spin, so that S follows it. 0
    without couplings. Real couplings; dimensionless.
    """
    left, right = jnp.asarray(a_L) ** 2, jnp.asarray(a_R) ** 2
    total = left + right
    some = total > 0.0
    return jnp.where(some, (right - left) / jnp.where(some, total, 1.0), 0.0)


def longitudinal_polarisation(cos_theta: ArrayLike, beta: ArrayLike) -> Float[Array, "..."]:
    """Polarisation along its flight of an N made from a left-handed massless neutrino by scalar exchange.

    The exchange carries no spin: in its rest frame N is fully polarised against the beam neutrino's direction there.
    By aberration that direction has cosine (cos theta - beta)/(1 - beta cos theta) to N's flight, theta and beta N's
    angle to the beam and velocity in the laboratory; the polarisation is minus that. Below 1 in size the rest is
    transverse, in the plane of the scattering. For an incoming antineutrino the sign is the other.
    """
    cos_theta, beta = jnp.asarray(cos_theta), jnp.asarray(beta)
    return -(cos_theta - beta) / (1.0 - beta * cos_theta)


def transverse_polarisation(cos_theta: ArrayLike, beta: ArrayLike) -> Float[Array, "..."]:
    """The rest of it, across N's flight and counted positive towards the beam: -sin theta/(gamma (1 - beta cos theta)).

    With `longitudinal_polarisation` squares add to 1.
    """
    cos_theta, beta = jnp.asarray(cos_theta), jnp.asarray(beta)
    sine, inverse_gamma = safe_sqrt((1.0 - cos_theta) * (1.0 + cos_theta)), safe_sqrt((1.0 - beta) * (1.0 + beta))
    return -sine * inverse_gamma / (1.0 - beta * cos_theta)

"""nu + target -> N + target by the exchange of light bosons: couplings apart from kernels of the masses. GeV.

d sigma/dQ^2 = sum over terms of couplings x kernel. A term is a pair of exchanged bosons: each with itself, and the
interference of each two. Couplings know the target's charges and nothing of kinematics; kernels know masses alone, so
that they can be tabulated.
"""

from itertools import combinations_with_replacement
from typing import NamedTuple, Protocol

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.physics.constants import GEV2_TO_CM2
from anomfit.physics.extremes import smallest
from anomfit.physics.polarised_decay import longitudinal_polarisation, transverse_polarisation
from anomfit.physics.targets import FormFactors, Targets, scalar_structure


class Flown(NamedTuple):
    """N in the laboratory: energy and momentum (GeV), cosine to the beam; they broadcast to a kernel's arrays."""

    energy: Float[Array, "... #targets"]
    momentum: Float[Array, "... #targets"]
    cosine: Float[Array, "... #targets"]


class Exchange(Protocol):
    """What turns a neutrino of the beam into a heavy one, N; the beam's neutrino is left handed."""

    @property
    def m_N(self) -> Float[Array, ""]:
        """Mass of what is made, GeV."""
        ...

    @property
    def lightest(self) -> Float[Array, ""]:
        """Mass that sets the scale on which nodes in Q^2 lie, GeV."""
        ...

    def couplings(self, targets: Targets) -> Float[Array, "targets terms"]:
        """Products of couplings and charges, dimensionless."""
        ...

    def kernel(
        self, e_nu: Float[Array, "... targets"], q_squared: Float[Array, "... targets"], targets: Targets
    ) -> Float[Array, "... targets terms"]:
        """d sigma/dQ^2 in cm^2/GeV^2 for couplings of 1, at Q^2 inside its limits."""
        ...

    def polarised_kernel(
        self, e_nu: Float[Array, "... targets"], q_squared: Float[Array, "... targets"], flown: Flown, targets: Targets
    ) -> tuple[Float[Array, "... targets terms"], Float[Array, "... targets terms"]]:
        """The kernel times N's polarisation along its flight, and across it, as `polarisation` counts them.

        For antineutrinos both have the other sign.
        """
        ...


def d_sigma_d_q_squared(
    exchange: Exchange, e_nu: Float[Array, "... targets"], q_squared: Float[Array, "... targets"], targets: Targets
) -> Float[Array, "... targets"]:
    """d sigma/dQ^2 per target in cm^2/GeV^2, for Q^2 (GeV^2) inside its limits.

    The last axis of e_nu (GeV) and q_squared is that of the targets. Where some of the nucleons of a target are bound,
    it is the mean over those nucleons and the free ones.
    """
    return jnp.sum(exchange.kernel(e_nu, q_squared, targets) * exchange.couplings(targets), axis=-1)


def polarised_d_sigma_d_q_squared(
    exchange: Exchange,
    e_nu: Float[Array, "... targets"],
    q_squared: Float[Array, "... targets"],
    flown: Flown,
    targets: Targets,
) -> tuple[Float[Array, "... targets"], Float[Array, "... targets"]]:
    """d sigma/dQ^2 per target (cm^2/GeV^2) times N's polarisation along its flight, and across it."""
    couplings = exchange.couplings(targets)
    along, across = exchange.polarised_kernel(e_nu, q_squared, flown, targets)
    return jnp.sum(along * couplings, axis=-1), jnp.sum(across * couplings, axis=-1)


def polarisation(
    exchange: Exchange,
    e_nu: Float[Array, "... targets"],
    q_squared: Float[Array, "... targets"],
    flown: Flown,
    targets: Targets,
) -> tuple[Float[Array, "... targets"], Float[Array, "... targets"]]:
    """Polarisation of an N made by a neutrino: along its flight, and across it, positive towards the beam.

    Of a spin along s in N's rest frame, (n(+s) - n(-s))/(n(+s) + n(-s)); 0 where nothing is made. `flown` belongs to
    e_nu and q_squared (GeV, GeV^2). None of it is out of the plane of the scattering.
    """
    section = d_sigma_d_q_squared(exchange, e_nu, q_squared, targets)
    some = section > 0.0
    along, across = polarised_d_sigma_d_q_squared(exchange, e_nu, q_squared, flown, targets)
    safe = jnp.where(some, section, 1.0)
    return jnp.where(some, along / safe, 0.0), jnp.where(some, across / safe, 0.0)


def pairs_of(number: int) -> tuple[tuple[int, int, float], ...]:
    """(i, j, 1 or 2) for each term of the square of a sum of this many bosons."""
    return tuple((i, j, 1.0 if i == j else 2.0) for i, j in combinations_with_replacement(range(number), 2))


class ScalarExchange(NamedTuple):
    """Neutral scalars of mass m (GeV) that couple nu-N with y and the nucleons with F_p, F_n (dimensionless).

    L = sum_phi ( y_phi nubar P_R N + h.c. ) + F_phi phi (target scalar density), real couplings. The nucleon's spin is
    averaged. The same for Dirac and Majorana N and for antineutrinos. Abdallah, Gandhi, Roy, arXiv:2010.06159, section
    IV; amplitudes rederived and tested against explicit Dirac matrices.
    """

    m_N: Float[Array, ""]
    mass: Float[Array, "scalars"]
    y: Float[Array, "scalars"]
    F_p: Float[Array, "scalars"]
    F_n: Float[Array, "scalars"]
    form_factors: FormFactors

    @property
    def lightest(self) -> Float[Array, ""]:
        """The lightest scalar's mass, GeV."""
        return smallest(self.mass)

    def couplings(self, targets: Targets) -> Float[Array, "targets terms"]:
        """y_i y_j times the charges Z F_p + N F_n of both, twice that for different scalars."""
        charge = self.y * (targets.protons[:, None] * self.F_p + targets.neutrons[:, None] * self.F_n)
        products = [many * charge[:, i] * charge[:, j] for i, j, many in pairs_of(self.mass.shape[0])]
        return jnp.stack(products, axis=-1)

    def kernel(self, e_nu, q_squared, targets: Targets) -> Float[Array, "... targets terms"]:
        """|M|^2 / (64 pi M^2 E_nu^2) with the propagators of both scalars of a term, cm^2/GeV^2."""
        amplitude = squared_amplitude(q_squared, self.m_N, targets.mass, targets.is_nucleus)
        common = amplitude * scalar_structure(q_squared, targets, self.form_factors)
        common = GEV2_TO_CM2 * common / (64.0 * jnp.pi * targets.mass**2 * e_nu**2)
        reach = [1.0 / (q_squared + mass**2) for mass in self.mass]
        return jnp.stack([common * reach[i] * reach[j] for i, j, _ in pairs_of(len(reach))], axis=-1)

    def polarised_kernel(self, e_nu, q_squared, flown: Flown, targets: Targets):
        """Fully polarised against the beam's direction in N's rest frame (`polarised_decay`)."""
        return fully_polarised(self.kernel(e_nu, q_squared, targets), flown)


def fully_polarised(
    kernel: Float[Array, "... targets terms"], flown: Flown
) -> tuple[Float[Array, "... targets terms"], Float[Array, "... targets terms"]]:
    """A kernel of scalar exchange times N's polarisation along its flight, and across it."""
    beta = flown.momentum / flown.energy
    along, across = longitudinal_polarisation(flown.cosine, beta), transverse_polarisation(flown.cosine, beta)
    return kernel * along[..., None], kernel * across[..., None]


def squared_amplitude(q_squared, m_N, m_target, is_nucleus):
    """|M|^2 in GeV^4 for a coupling and a propagator of 1: (m_N^2 + Q^2)(4M^2 + Q^2), of spin 0 (m_N^2 + Q^2) 4M^2."""
    return (m_N**2 + q_squared) * (4.0 * m_target**2 + jnp.where(is_nucleus, 0.0, q_squared))

"""Light neutral bosons of any spin as searches see them: masses, couplings, partial widths; and widths of scalars.

Masses and widths in GeV, couplings dimensionless. A closed channel has width 0 and gradient 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.constants import HBAR, HBAR_C_M
from anomfit.physics.meson_constants import M_CHARGED_PION, M_NEUTRAL_PION
from anomfit.physics.nucleon_scalar import M_D, M_U
from anomfit.physics.two_body import is_open, two_body_momentum

SMALLEST_WIDTH = 1e-40  # GeV: keeps the lifetime of a decoupled boson finite
Spin = Literal["scalar", "pseudoscalar", "vector", "any"]
Channel = Literal["electrons", "muons", "hadrons", "photons", "invisible", "semivisible"]


@dataclass(frozen=True)
class LightBosons:
    """Light neutral bosons of one spin, one an entry; `LightBosons.of` builds them and fills in what is 0.

    L = -g_f phi fbar f of a scalar, -i g_f phi fbar gamma5 f of a pseudoscalar, -g_f V_mu fbar gamma^mu f of a vector
    (a dark photon: g_f = e eps Q_f). g_nu: vertex of nu_mu, the heavy neutrino that is made in scattering, and the
    boson. spin is static; "any" stands for several spins together (`joined`).

    Widths are partial ones. Invisible: to light neutrinos or what never decays in a detector. Semi-visible: to heavy
    neutrinos whose own decays show; semivisible_flight is the c tau/m (m/GeV) of what makes them visible, 0 if at once.
    """

    spin: Spin
    mass: Float[Array, " bosons"]
    g_e: Float[Array, " bosons"]
    g_mu: Float[Array, " bosons"]
    g_tau: Float[Array, " bosons"]
    g_u: Float[Array, " bosons"]
    g_d: Float[Array, " bosons"]
    g_nu: Float[Array, " bosons"]
    to_electrons: Float[Array, " bosons"]
    to_muons: Float[Array, " bosons"]
    to_hadrons: Float[Array, " bosons"]
    to_photons: Float[Array, " bosons"]
    to_invisible: Float[Array, " bosons"]
    to_semivisible: Float[Array, " bosons"]
    semivisible_flight: Float[Array, " bosons"]

    @classmethod
    def of(cls, spin: Spin, mass: ArrayLike, **numbers: ArrayLike) -> "LightBosons":
        """Bosons from scalars or arrays by field, all brought to one axis; a field that is left out is 0."""
        given = dict.fromkeys(NUMBERS, 0.0) | {"mass": mass, **numbers}
        arrays = [jnp.atleast_1d(jnp.asarray(value, dtype=float)) for value in given.values()]
        return cls(spin, **dict(zip(given, jnp.broadcast_arrays(*arrays), strict=True)))

    @property
    def width(self) -> Float[Array, " bosons"]:
        """Total width, GeV; never quite 0."""
        seen = self.to_electrons + self.to_muons + self.to_hadrons
        return jnp.maximum(seen + self.to_invisible + self.to_semivisible + self.to_photons, SMALLEST_WIDTH)

    @property
    def lifetime(self) -> Float[Array, " bosons"]:
        """Mean lifetime at rest, s."""
        return HBAR / self.width

    @property
    def decay_length_per_momentum(self) -> Float[Array, " bosons"]:
        """c tau / m, m/GeV: times the momentum this is the mean decay length."""
        return HBAR_C_M / (self.width * self.mass)

    def partial_width(self, *channels: Channel) -> Float[Array, " bosons"]:
        """Partial width to any of the channels, GeV."""
        return sum((getattr(self, f"to_{channel}") for channel in channels), start=jnp.zeros_like(self.mass))

    def branching_ratio(self, *channels: Channel) -> Float[Array, " bosons"]:
        """Branching ratio to any of the channels."""
        return self.partial_width(*channels) / self.width


NUMBERS = tuple(field.name for field in fields(LightBosons) if field.name != "spin")
jax.tree_util.register_dataclass(LightBosons, data_fields=NUMBERS, meta_fields=("spin",))


def joined(families: Sequence[LightBosons]) -> LightBosons:
    """Bosons of every spin along one axis, for what does not ask for the spin."""
    spin: Spin = families[0].spin
    arrays = {name: jnp.concatenate([getattr(family, name) for family in families]) for name in NUMBERS}
    return LightBosons(spin if all(family.spin == spin for family in families) else "any", **arrays)


def of_spin(families: Sequence[LightBosons], *spins: Spin) -> LightBosons:
    """The bosons with one of these spins along one axis; there must be one."""
    return joined([family for family in families if family.spin in spins])


def width_to_majorana_pair(mass: ArrayLike, m_1: ArrayLike, m_2: ArrayLike, g: ArrayLike, relative_cp: int):
    """Width of phi -> N_1 N_2 for two different Majorana states, L = g phi N1bar N2: g the full coefficient.

    g^2 [m^2 - (m_1 + eta m_2)^2] p*/(4 pi m^2), eta the relative CP parity (a scalar vertex for +1, a pseudoscalar one
    for -1). Crossed from `scalar_decays.width_fermion_to_fermion_scalar`.
    """
    mass = jnp.asarray(mass)
    momentum = two_body_momentum(mass, m_1, m_2)
    difference = jnp.asarray(m_1) + relative_cp * jnp.asarray(m_2)
    squared = 2.0 * jnp.asarray(g) ** 2 * (mass - difference) * (mass + difference)
    return squared * momentum / (8.0 * jnp.pi * mass**2)


def width_to_neutrino_and_majorana(mass: ArrayLike, m_N: ArrayLike, y: ArrayLike) -> Float[Array, "..."]:
    """Width of phi -> nu N and nubar N, L = y phi nubar P_R N + h.c., N Majorana: y^2 m/(8 pi) (1 - m_N^2/m^2)^2.

    For a Dirac N the two modes are nu Nbar and nubar N, with the same sum.
    """
    mass, m_N = jnp.broadcast_arrays(jnp.asarray(mass), jnp.asarray(m_N))
    opened = is_open(mass, m_N, 0.0)
    ratio = m_N / jnp.where(opened, mass, 1.0)
    width = jnp.asarray(y) ** 2 * mass / (8.0 * jnp.pi) * ((1.0 - ratio) * (1.0 + ratio)) ** 2
    return jnp.where(opened, width, 0.0)


def width_to_pions(mass: ArrayLike, y_u: ArrayLike, y_d: ArrayLike) -> Float[Array, "..."]:
    """Width of phi -> pi+ pi- and pi0 pi0 at leading order of chiral perturbation theory, an order of magnitude.

    <pi pi| y_u ubar u + y_d dbar d |0> = B (y_u + y_d) for pi+ pi- and for pi0 pi0 (identical: 1/2), B = m_pi^2/(m_u +
    m_d): Donoghue, Gasser, Leutwyler, Nucl. Phys. B 343 (1990) 341, whose dispersive form factors are larger by up to
    ten below 1 GeV.
    """
    mass = jnp.asarray(mass)
    amplitude = M_CHARGED_PION**2 / (M_U + M_D) * (jnp.asarray(y_u) + jnp.asarray(y_d))
    charged = two_body_momentum(mass, M_CHARGED_PION, M_CHARGED_PION)
    neutral = two_body_momentum(mass, M_NEUTRAL_PION, M_NEUTRAL_PION)
    return amplitude**2 * (charged + 0.5 * neutral) / (8.0 * jnp.pi * mass**2)

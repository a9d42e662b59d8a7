"""Heavy neutrinos as searches for their mixing see them: masses, mixings, what they decay to, and how far they fly.

Masses and widths in GeV, mixings squared. States of a dark photon (`dark_neutrinos`) get their weak decays added; that
W and Z interfere with a virtual Z' is left out.
"""

from dataclasses import dataclass, fields
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.physics.constants import HBAR_C_M
from anomfit.physics.dark_neutrinos import DarkNeutrinos, decays, decays_of_states, total_widths
from anomfit.physics.heavy_neutrino_decays import weak_widths
from anomfit.physics.light_bosons import SMALLEST_WIDTH

FLAVOURS = ("electron", "muon", "tau")


@dataclass(frozen=True)
class HeavyNeutrinos:
    """States along one axis, in any order.

    mass: signed for Majorana states, by CP parity (with real mixings). U_e, U_mu, U_tau: |U_alpha j|^2. Partial widths:
    to_electrons with e+e- beside neutrinos of any mass, to_muons with a muon or more, to_hadrons with pions and no
    muon, to_photons with photons; width is the total one. cascade[j, k]: branching ratio of N_j to N_k and anything.
    Static: majorana; flavours, those of `FLAVOURS` with which the model's states mix at all.
    """

    mass: Float[Array, " states"]
    U_e: Float[Array, " states"]
    U_mu: Float[Array, " states"]
    U_tau: Float[Array, " states"]
    to_electrons: Float[Array, " states"]
    to_muons: Float[Array, " states"]
    to_hadrons: Float[Array, " states"]
    to_photons: Float[Array, " states"]
    width: Float[Array, " states"]
    cascade: Float[Array, "states states"]
    majorana: bool
    flavours: tuple[str, ...] = ("muon",)

    @property
    def size(self) -> Float[Array, " states"]:
        """Masses without their signs, GeV."""
        return jnp.abs(self.mass)

    @property
    def visible(self) -> Float[Array, " states"]:
        """Width into what leaves a vertex that can be seen, GeV."""
        return self.to_electrons + self.to_muons + self.to_hadrons + self.to_photons

    def mixing(self, flavour: str) -> Float[Array, " states"]:
        """|U_alpha j|^2 with a flavour of `FLAVOURS`."""
        return {"electron": self.U_e, "muon": self.U_mu, "tau": self.U_tau}[flavour]

    @property
    def flight(self) -> Float[Array, " states"]:
        """c tau/m in m/GeV: times the momentum this is the mean decay length."""
        return HBAR_C_M / (self.width * self.size)


NUMBERS = tuple(field.name for field in fields(HeavyNeutrinos) if field.name not in ("majorana", "flavours"))
jax.tree_util.register_dataclass(HeavyNeutrinos, data_fields=NUMBERS, meta_fields=("majorana", "flavours"))


def of_dark_photon(states: DarkNeutrinos) -> HeavyNeutrinos:
    """The states of a dark photon: decays through Z', and weak ones besides."""
    numbers = {field.name: getattr(states, field.name) for field in fields(states) if field.name != "majorana"}
    return _of_dark_photon(numbers, states.majorana)


@partial(jax.jit, static_argnames="majorana")
def _of_dark_photon(numbers, majorana: bool) -> HeavyNeutrinos:
    """`of_dark_photon`, traced once for all the constraints that ask for it."""
    states = DarkNeutrinos(**numbers, majorana=majorana)
    found, number = decays(states), len(states.mass)
    parent, daughter = decays_of_states(number)
    of_parent = np.eye(number)[parent]
    U_e, U_mu, U_tau = states.mixings
    if states.has_other_flavours:
        weak = jax.vmap(partial(weak_widths, majorana=majorana))(states.size, U_e, U_mu, U_tau)
    else:
        weak = jax.vmap(lambda m, mixing: weak_widths(m, 0.0, mixing, 0.0, majorana=majorana))(states.size, U_mu)
    width = total_widths(states, found) + weak.to_unlike + weak.to_muon_pion + weak.to_hadrons  # the rest is in it
    each = sum(found, start=jnp.zeros_like(found.to_electrons))
    to_state = of_parent[:, :, None] * np.eye(number)[np.maximum(daughter, 0)][:, None, :]
    cascade = jnp.einsum("d,djk->jk", each * (daughter >= 0), to_state) / width[:, None]
    nothing = jnp.zeros_like(width)
    return HeavyNeutrinos(
        mass=states.mass,
        U_e=U_e,
        U_mu=U_mu,
        U_tau=U_tau,
        to_electrons=found.to_electrons @ of_parent + weak.to_electrons,
        to_muons=found.to_muons @ of_parent + weak.to_muons,
        to_hadrons=found.to_hadrons @ of_parent + weak.to_hadrons,
        to_photons=nothing,
        width=width,
        cascade=cascade,
        majorana=majorana,
        flavours=FLAVOURS if states.has_other_flavours else ("muon",),
    )


def weak_states(mass: ArrayLike, U_e: ArrayLike, U_mu: ArrayLike, U_tau: ArrayLike, *, majorana: bool):
    """States that decay by their mixing alone: masses (signed if Majorana) and squared mixings, arrays of one length.

    All three flavours count as mixed, whatever the numbers.
    """
    arrays = [jnp.atleast_1d(jnp.asarray(x, dtype=float)) for x in (mass, U_e, U_mu, U_tau)]
    mass, U_e, U_mu, U_tau = jnp.broadcast_arrays(*arrays)
    found = jax.vmap(partial(weak_widths, majorana=majorana))(jnp.abs(mass), U_e, U_mu, U_tau)
    width = jnp.maximum(found.total, SMALLEST_WIDTH)
    return HeavyNeutrinos(
        mass=mass,
        U_e=U_e,
        U_mu=U_mu,
        U_tau=U_tau,
        to_electrons=found.to_electrons,
        to_muons=found.to_muons,
        to_hadrons=found.to_hadrons,
        to_photons=jnp.zeros_like(mass),
        width=width,
        cascade=jnp.zeros((mass.shape[0], mass.shape[0])),
        majorana=majorana,
        flavours=FLAVOURS,
    )


def momentum_in_flight(energy_at_rest: ArrayLike, m_N: ArrayLike, m_parent: ArrayLike, momentum: ArrayLike):
    """Momentum (GeV) of an N with the mean energy that a parent of this momentum gives it; positive everywhere.

    E = gamma E*, E* the energy in the parent's rest frame. At rest: that of the two-body decay.
    """
    gamma = jnp.sqrt(1.0 + (jnp.asarray(momentum) / jnp.asarray(m_parent)) ** 2)
    squared = (gamma * jnp.asarray(energy_at_rest)) ** 2 - jnp.asarray(m_N) ** 2
    return jnp.sqrt(jnp.maximum(squared, SLOWEST**2))


SLOWEST = 1e-4
"""GeV, of an N that a decay at its threshold leaves at rest."""


def seen_inside(states: HeavyNeutrinos, size: ArrayLike, momentum: ArrayLike) -> Float[Array, " states"]:
    """Probability that N of this momentum (GeV) shows its decay within `size` (m) of where it is made."""
    return states.visible / states.width * -jnp.expm1(-jnp.asarray(size) / (states.flight * jnp.asarray(momentum)))


def log_seen_in_window(
    width: ArrayLike, share: ArrayLike, size: ArrayLike, distance: ArrayLike, length: ArrayLike, momenta: ArrayLike
) -> Float[Array, "..."]:
    """ln of the mean probability to decay, visibly, between `distance` and `distance` + `length` (m); finite.

    width and mass `size` in GeV, scalars; share: the visible branching ratio; momenta: GeV, equally frequent.
    exp(-L/lambda) (1 - exp(-l/lambda)) share, lambda = p/(m Gamma): l m Gamma_visible/p for a long life.
    """
    per_metre = jnp.asarray(size) * jnp.asarray(width) / (HBAR_C_M * jnp.asarray(momenta))
    decays_inside = jnp.log(jnp.maximum(-jnp.expm1(-jnp.asarray(length) * per_metre), 1e-300))
    mean = jax.nn.logsumexp(decays_inside - jnp.asarray(distance) * per_metre) - jnp.log(jnp.size(momenta))
    return mean + jnp.log(jnp.maximum(share, 1e-300))

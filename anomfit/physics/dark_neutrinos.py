"""Heavy neutrinos N_j that a dark photon Z' couples to each other and to light ones: widths, spectra, reactions.

g_X Z'_mu Nbar_j gamma^mu (V_jk P_L - V_jk^* P_R) N_k of Majorana states, with P_L alone and V_jk of Dirac ones
(arXiv:2007.11813, appendix A, with V^* in place of V^dagger). Lighter states come first: a state decays to those before
it. Masses and widths in GeV.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.physics import three_body_decays, vector_decays, weak_decays
from anomfit.physics.constants import E_CHARGE, HBAR_C_M, M_E, M_MU
from anomfit.physics.heavy_neutrino_decays import weak_widths
from anomfit.physics.light_bosons import SMALLEST_WIDTH
from anomfit.physics.reaction import Second, Spectrum, SpreadReaction
from anomfit.physics.targets import FormFactors
from anomfit.physics.two_body import is_open
from anomfit.physics.vector_exchange import VectorExchange

PAIR_MASSES = 16  # nodes in the mass of a pair (`three_body_decays.pair_mass_nodes` has their errors)

LEAST = 1e-12  # chance to show within 1 m/GeV below which a flight is as good as endless


@dataclass(frozen=True)
class DarkNeutrinos:
    """The states, lighter ones first, and Z'. Couplings hold the gauge coupling g_X.

    mass: signed for Majorana states, by CP parity; to_light: g_X times the root of sum |V_jl|^2 over the light l, of
    decays; produced: g_X V of the light state that a beam of nu_mu is; between: g_X |V_jk|, symmetric; light: that of
    light neutrinos alone; mixing_squared: |U_mu j|^2. majorana is static. phase: arg V_jk between Majorana states of
    these signed masses, rad, antisymmetric; None where all V_jk are real, which costs nothing. to_others: widths of N_j
    to N_k, or a light neutrino, and something else that is not seen, by `decays_of_states`; None without any.
    electron_squared, tau_squared: |U_e j|^2 and |U_tau j|^2; both None of states that mix with nu_mu alone.
    """

    mass: Float[Array, " states"]
    to_light: Float[Array, " states"]
    produced: Float[Array, " states"]
    between: Float[Array, "states states"]
    light: Float[Array, ""]
    mixing_squared: Float[Array, " states"]
    m_Zprime: Float[Array, ""]
    epsilon: Float[Array, ""]
    majorana: bool
    phase: Float[Array, "states states"] | None = None
    to_others: Float[Array, " decays"] | None = None
    electron_squared: Float[Array, " states"] | None = None
    tau_squared: Float[Array, " states"] | None = None

    @property
    def size(self) -> Float[Array, " states"]:
        """Masses without their signs, GeV."""
        return jnp.abs(self.mass)

    @property
    def has_other_flavours(self) -> bool:
        """Whether the states mix with nu_e and nu_tau too; static."""
        return self.electron_squared is not None or self.tau_squared is not None

    @property
    def mixings(self) -> tuple[Float[Array, " states"], Float[Array, " states"], Float[Array, " states"]]:
        """|U_e j|^2, |U_mu j|^2 and |U_tau j|^2."""
        nothing = jnp.zeros_like(self.mixing_squared)
        electron, tau = (nothing if x is None else x for x in (self.electron_squared, self.tau_squared))
        return electron, self.mixing_squared, tau

    def parity(self, j, k) -> Float[Array, "..."]:
        """eta of two states: Re(V^2)/|V|^2 times the signs of Majorana masses, 0 for Dirac states.

        Rates of Majorana states are linear in it: the axial current's part is (1 + eta)/2, the vector current's the
        rest, and the two do not interfere where the pair's or the beams' spins are not looked at.
        """
        if not self.majorana:
            return jnp.zeros(np.shape(j))
        signs = jnp.sign(self.mass[j] * self.mass[k])
        return signs if self.phase is None else signs * jnp.cos(2.0 * self.phase[j, k])


class ZprimeWidths(NamedTuple):
    """Partial widths of Z' in GeV; to_neutrinos: light ones alone; to_heavy: with at least one heavy one, by pair."""

    to_electrons: Float[Array, ""]
    to_muons: Float[Array, ""]
    to_hadrons: Float[Array, ""]
    to_neutrinos: Float[Array, ""]
    to_heavy: Float[Array, " pairs"]

    @property
    def total(self) -> Float[Array, ""]:
        """The sum, never quite 0."""
        return jnp.maximum(sum(self[:-1], start=jnp.sum(self.to_heavy)), SMALLEST_WIDTH)


def pairs_of_states(number: int) -> tuple[np.ndarray, np.ndarray]:
    """States j and k of the entries of `to_heavy`: each with a light one (k = -1), with those before, and itself."""
    found = [(j, k) for j in range(number) for k in (-1, *range(j + 1))]
    return np.array([j for j, _ in found]), np.array([k for _, k in found])


def zprime_widths(states: DarkNeutrinos) -> ZprimeWidths:
    """Partial widths of Z'. Identical Majorana states have half of different ones' width, as N_j and anti-N_j have."""
    m, epsilon = states.m_Zprime, states.epsilon
    electrons, muons, hadrons = vector_decays.dark_photon_widths(m, epsilon)
    j, k = pairs_of_states(len(states.mass))
    with_light = k < 0
    g = jnp.where(with_light, states.to_light[j], states.between[j, k])
    other = jnp.where(with_light, 0.0, states.size[k])
    eta = jnp.where(with_light, 0.0, states.parity(j, k))
    heavy = jnp.where(j == k, 0.5, 1.0) * vector_decays.width_to_neutrinos(m, g, states.size[j], other, eta)
    light = vector_decays.width_to_chiral_pair(m, states.light, 0.0, 0.0)
    return ZprimeWidths(electrons, muons, hadrons, light, heavy)


class Decays(NamedTuple):
    """Partial widths (GeV) of N_j -> N_k (or a light neutrino, k = -1) and what Z', real or virtual, decays to."""

    to_electrons: Float[Array, " decays"]
    to_muons: Float[Array, " decays"]
    to_hadrons: Float[Array, " decays"]
    to_others: Float[Array, " decays"]


def decays_of_states(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Parent j and daughter k of each entry of `Decays`; -1 stands for the light neutrinos."""
    found = [(j, k) for j in range(number) for k in (-1, *range(j))]
    return np.array([j for j, _ in found]), np.array([k for _, k in found])


class _Kinematics(NamedTuple):
    """Masses, coupling and CP parity of each decay; multiplicity: 1/2 of Dirac states at the same coupling."""

    m_j: Float[Array, " decays"]
    m_k: Float[Array, " decays"]
    g: Float[Array, " decays"]
    eta: Float[Array, " decays"]
    multiplicity: float


def _kinematics(states: DarkNeutrinos) -> _Kinematics:
    j, k = decays_of_states(len(states.mass))
    with_light = k < 0
    return _Kinematics(
        states.size[j],
        jnp.where(with_light, 0.0, states.size[k]),
        jnp.where(with_light, states.to_light[j], states.between[j, k]),
        jnp.where(with_light, 0.0, states.parity(j, k)),
        1.0 if states.majorana else 0.5,
    )


def decays(states: DarkNeutrinos) -> Decays:
    """All of them. A real Z' decays as it does alone; a virtual one to e+e-, mu+mu- and hadrons."""
    at, widths = _kinematics(states), zprime_widths(states)
    m_Zprime = states.m_Zprime
    real = is_open(at.m_j, at.m_k, m_Zprime)
    resonance = jnp.where(real, widths.total, 0.0)  # below its shell what Z' decays to is closed, or far
    on_shell = at.multiplicity * three_body_decays.width_to_neutrino_vector(at.m_j, at.m_k, m_Zprime, at.g, at.eta)
    charge = E_CHARGE * states.epsilon * at.g

    def virtual(m_j, m_k, g, eta, resonance):
        leptons = [
            three_body_decays.width_to_neutrino_leptons(m_j, m_k, m_lepton, m_Zprime, g, eta, resonance)
            for m_lepton in (M_E, M_MU)
        ]
        return (*leptons, three_body_decays.width_to_neutrino_hadrons(m_j, m_k, m_Zprime, g, eta, resonance))

    found = jax.vmap(virtual)(at.m_j, at.m_k, charge, at.eta, resonance)
    visible = (widths.to_electrons, widths.to_muons, widths.to_hadrons)
    electrons, muons, hadrons = (
        jnp.where(real, on_shell * own / widths.total, at.multiplicity * off_shell)
        for own, off_shell in zip(visible, found, strict=True)
    )
    rest = jnp.where(real, on_shell * (1.0 - sum(visible, start=jnp.zeros(())) / widths.total), 0.0)
    others = rest if states.to_others is None else rest + states.to_others
    return Decays(electrons, muons, hadrons, others)


def total_widths(states: DarkNeutrinos, found: Decays) -> Float[Array, " states"]:
    """Total widths (GeV) of the states: through Z', and weak ones to leptons by their mixing; never quite 0."""
    parent, _ = decays_of_states(len(states.mass))
    of_parent = np.eye(len(states.mass))[parent]
    through = sum(found, start=jnp.zeros_like(found.to_electrons)) @ of_parent

    def of_muon_alone(m, mixing_squared):
        three = weak_decays.width_to_three_neutrinos(m, mixing_squared, majorana=states.majorana)
        pairs = [
            weak_decays.width_to_neutrino_leptons(
                m, mixing_squared, m_lepton, charged_current=own, majorana=states.majorana
            )
            for m_lepton, own in ((M_E, False), (M_MU, True))
        ]
        return three + pairs[0] + pairs[1]

    def of_all_flavours(m, electron, muon, tau):
        each = weak_widths(m, electron, muon, tau, majorana=states.majorana)
        return each.to_neutrinos + each.to_electrons + (each.to_muons - each.to_unlike - each.to_muon_pion)

    if states.has_other_flavours:
        weak = jax.vmap(of_all_flavours)(states.size, *states.mixings)
    else:  # the same numbers in less
        weak = jax.vmap(of_muon_alone)(states.size, states.mixing_squared)
    return jnp.maximum(through + weak, SMALLEST_WIDTH)


def reactions(
    states: DarkNeutrinos, form_factors: FormFactors, zprime_flies: bool = True, made: Sequence[int] | None = None
) -> tuple[SpreadReaction, ...]:
    """nu_mu + target -> N_j + target, N_j -> N_k e+e- and nu e+e-: one for each state.

    zprime_flies: whether a real Z' may fly as far as a detector could tell; without it rates are faster. made: places
    of the states that a beam makes, where a symmetry forbids the others; all of them if None.
    """
    found, at = decays(states), _kinematics(states)
    total, widths = total_widths(states, found), zprime_widths(states)
    parent, daughter = decays_of_states(len(states.mass))
    flight = HBAR_C_M / (total * states.size)
    to_pairs = found.to_electrons @ np.eye(len(states.mass))[parent] / total
    spectra = _spectra(states, found, at, total, widths)
    by_state = []
    for j in range(len(states.mass)) if made is None else made:
        own = parent == j
        pairs = jax.tree.map(lambda array, own=own: array[own].reshape(-1), spectra)
        k = np.repeat(daughter[own], PAIR_MASSES)
        second = Second(
            jnp.where(k < 0, 0.0, to_pairs[k]), jnp.where(k < 0, 0.0, flight[k]), _again(spectra, daughter[own], j)
        )
        numbers = (states.m_Zprime, states.produced[j], E_CHARGE * states.epsilon)
        mass, g, charge = (jnp.reshape(number, (1,)) for number in numbers)
        exchange = VectorExchange(states.size[j], mass, g, charge, None, form_factors)
        pairs = pairs._replace(second=second, flight=pairs.flight if zprime_flies else None)
        by_state.append(SpreadReaction(exchange, flight[j], pairs, masses=PAIR_MASSES))
    return tuple(by_state)


def _again(spectra: Spectrum, daughters: np.ndarray, most: int) -> Spectrum | None:
    """Pairs of the daughters of a state, (pairs, pairs of the daughter); None for the lightest one.

    most: how many decays the heaviest daughter has. Others are filled up with pairs of branching ratio 0.
    """
    if most == 0:
        return None
    parent, _ = decays_of_states(most)  # of the daughters, which stand before those of heavier states
    place, real = np.zeros((len(daughters), most), dtype=int), np.zeros((len(daughters), most))
    for row, k in enumerate(daughters):
        own = np.flatnonzero(parent == k)
        place[row, : len(own)], real[row, : len(own)] = own, 1.0

    def of_daughters(array):
        return jnp.repeat(array[place].reshape(len(daughters), -1), PAIR_MASSES, axis=0)

    found = jax.tree.map(of_daughters, spectra)
    return found._replace(branching=found.branching * np.repeat(np.repeat(real, PAIR_MASSES, 1), PAIR_MASSES, 0))


def _spectra(states: DarkNeutrinos, found: Decays, at: _Kinematics, total, widths: ZprimeWidths) -> Spectrum:
    """Pairs of all decays, (decays, masses); second pairs are not in it."""
    parent, _ = decays_of_states(len(states.mass))

    def masses(m_j, m_k, eta, resonance):
        return three_body_decays.pair_mass_nodes(m_j, m_k, M_E, states.m_Zprime, eta, PAIR_MASSES, resonance)

    of_real = is_open(at.m_j, at.m_k, states.m_Zprime)
    mass, weight = jax.vmap(masses)(at.m_j, at.m_k, at.eta, jnp.where(of_real, widths.total, 0.0))
    m_j, m_k, eta, real = (x[:, None] for x in (at.m_j, at.m_k, at.eta, of_real))
    whole = jnp.ones_like(mass)
    return Spectrum(
        branching=(found.to_electrons / total[parent])[:, None] * weight,
        daughter_mass=m_k * whole,
        mass=mass,
        flight=jnp.where(real, HBAR_C_M / (widths.total * states.m_Zprime), 0.0) * whole,
        alignment=three_body_decays.pair_alignment(m_j, m_k, M_E, mass, eta),
        asymmetry=None if states.majorana else vector_decays.vector_asymmetry(m_j, m_k, mass),
    )


class Fates(NamedTuple):
    """What becomes of the states: pairs of electrons, visible decays and lifetimes.

    spectra: pairs of every decay of `decays_of_states`, (decays, masses); visible: fraction of the decays with e+e-,
    mu+mu- or hadrons, by state; flight: c tau/m, m/GeV, by state.
    """

    spectra: Spectrum
    visible: Float[Array, " states"]
    flight: Float[Array, " states"]


def fates(states: DarkNeutrinos) -> Fates:
    """Spectra, visible fractions and flights of all states."""
    found = decays(states)
    total = total_widths(states, found)
    spectra = _spectra(states, found, _kinematics(states), total, zprime_widths(states))
    return Fates(spectra, _visible_fractions(found, total), HBAR_C_M / (total * states.size))


def _visible_fractions(found: Decays, total: Float[Array, " states"]) -> Float[Array, " states"]:
    """Fraction of each state's decays with e+e-, mu+mu- or hadrons, of its `total` width."""
    parent, _ = decays_of_states(len(total))
    return (found.to_electrons + found.to_muons + found.to_hadrons) @ np.eye(len(total))[parent] / total


def chances_to_show(states: DarkNeutrinos, *distances: float) -> Float[Array, "..."]:
    """Chance of each state to decay to something seen within these distances (m/GeV), 1 m/GeV if none is given."""
    found = decays(states)
    total = total_widths(states, found)
    of_distance = jnp.asarray(distances)[:, None] if distances else 1.0
    return -_visible_fractions(found, total) * jnp.expm1(-total * states.size * of_distance / HBAR_C_M)


def visible_flight(states: DarkNeutrinos, widths: ZprimeWidths) -> Float[Array, ""]:
    """The c tau/m (m/GeV) with which as many heavy neutrinos from Z' show e+e-, mu+mu- or hadrons within 1 m/GeV.

    One number for all pairs of states, weighted with their widths; very long where none shows anything.
    """
    shows = chances_to_show(states)
    j, k = pairs_of_states(len(states.mass))
    hidden = (1.0 - shows[j]) * jnp.where(k < 0, 1.0, 1.0 - shows[k])
    some = jnp.sum(widths.to_heavy) > 0.0
    weight = widths.to_heavy / jnp.where(some, jnp.sum(widths.to_heavy), 1.0)
    chance = jnp.clip(jnp.sum(weight * (1.0 - hidden)), LEAST, 1.0 - LEAST)
    return -1.0 / jnp.log1p(-chance)

"""Chains N_j -> N_k e+e-, N_k -> N_l e+e- in MiniBooNE, event by event with random numbers: plain NumPy.

Nothing of the library but numbers of the beam, lifetimes and branching ratios, which are given: neutrinos are drawn
from the flux, Q^2 and the decays' Dalitz plots with squared amplitudes from traces, momenta are boosted in three
dimensions, vertices lie in a sphere, each flight in its own direction. GeV, m, neutrino mode.
"""

from dataclasses import dataclass

import numpy as np

from anomfit.physics.constants import M_E
from oracles.dark_photon import Given, cross_section
from oracles.upscattering import TARGETS, fluxes, transfer_limits

POOL = 6  # drawn for one that is kept, with a chance that goes as its weight
SOFT = 0.01  # GeV^2, below which Q^2 is drawn evenly


@dataclass(frozen=True)
class Decay:
    """A heavy neutrino to another (None: a light one) and a pair, with its branching ratio and relative CP parity."""

    to: int | None
    branching: float
    parity: float


@dataclass(frozen=True)
class Heavy:
    """Mass (GeV), c tau (m), product of couplings that makes it, and its decays to pairs."""

    mass: float
    c_tau: float
    product: float
    decays: tuple[Decay, ...]


@dataclass(frozen=True)
class Events:
    """One array entry an event; positions (m) by component, energies (GeV). No second pair: its energy is nan."""

    weight: np.ndarray
    coherent: np.ndarray
    first: np.ndarray
    second: np.ndarray
    flight: np.ndarray  # of the daughter, to where it decays to anything
    energy_first: np.ndarray
    energy_second: np.ndarray
    cos_second: np.ndarray  # of the daughter to the beam

    def inside(self, radius):
        """Whether the first and the second pair are within a radius."""
        has = ~np.isnan(self.energy_second)
        near = [np.sum(place**2, axis=0) < radius**2 for place in (self.first, self.second)]
        return near[0], near[1] & has


def simulate(states: tuple[Heavy, ...], m_Zprime: float, number: int, outer: float, rng) -> list[Events]:
    """`number` events of each state and target, which share the weight of all."""
    return [
        _events(states, j, m_Zprime, target, number, outer, rng)
        for j, state in enumerate(states)
        if state.product > 0
        for target in TARGETS
    ]


def _events(states, j, m_Zprime, target, number, outer, rng) -> Events:
    state, mass = states[j], target[0]
    knots, heights = fluxes()
    threshold = state.mass + state.mass**2 / (2 * mass)
    grid = np.linspace(threshold, knots[-1], 20001)
    flux = np.interp(grid, knots, heights[0])
    total = np.concatenate([[0.0], np.cumsum(0.5 * (flux[1:] + flux[:-1]) * np.diff(grid))])
    e_nu = np.interp(rng.random(POOL * number) * total[-1], total, grid)
    low, high = transfer_limits(e_nu, state.mass, mass)
    span = np.log((high + SOFT) / (low + SOFT))
    q_squared = (low + SOFT) * np.exp(rng.random(POOL * number) * span) - SOFT
    given = Given(state.mass, (m_Zprime,), state.product)
    weight = total[-1] * span * (q_squared + SOFT) * cross_section(e_nu, q_squared, target, given) * target[1]
    kept = rng.choice(len(weight), number, p=weight / weight.sum())
    e_nu, q_squared, weight = e_nu[kept], q_squared[kept], np.full(number, weight.mean() / number)
    energy = e_nu - q_squared / (2 * mass)
    momentum = np.sqrt(energy**2 - state.mass**2)
    cosine = (2 * e_nu * energy - state.mass**2 - q_squared) / (2 * e_nu * momentum)
    parent = np.array([energy, *_momentum(momentum, cosine, rng)])
    birth = _momentum(outer * rng.random(number) ** (1 / 3), rng.uniform(-1, 1, number), rng)
    kind, branching = _choose(state.decays, number, rng)
    first, rest = _decay(states, state, kind, parent, m_Zprime, rng)
    where = birth + rng.exponential(state.c_tau, number) / state.mass * parent[1:]
    weight = weight * branching
    second, flight, energy_second = np.full_like(where, np.inf), np.full(number, np.inf), np.full(number, np.nan)
    for k, daughter in enumerate(states[:j]):
        own = np.flatnonzero(np.array([decay.to == k for decay in state.decays])[kind])
        if len(own) == 0:
            continue
        again, chance = _choose(daughter.decays, len(own), rng)
        pair, _ = _decay(states, daughter, again, rest[:, own], m_Zprime, rng)
        has = rng.random(len(own)) < chance
        step = rng.exponential(daughter.c_tau, len(own)) / daughter.mass
        one = own[has]
        second[:, one] = where[:, one] + step[has] * rest[1:, one]
        flight[one] = step[has] * np.sqrt(np.sum(rest[1:, one] ** 2, axis=0))
        energy_second[one] = pair[0, has]
    along = rest[3] / np.sqrt(np.sum(rest[1:] ** 2, axis=0))
    coherent = np.full(number, target[2] + target[3] > 1)
    return Events(weight, coherent, where, second, flight, first[0], energy_second, along)


def _choose(decays, number, rng):
    """Which decay, and the branching ratio of all of them together."""
    each = np.array([decay.branching for decay in decays])
    return rng.choice(len(each), number, p=each / each.sum()), each.sum()


def _decay(states, state, kind, parent, m_Zprime, rng):
    """Four-momenta of the pair and of what is left, in the laboratory."""
    pair, rest = np.empty_like(parent), np.empty_like(parent)
    for i, decay in enumerate(state.decays):
        own = np.flatnonzero(kind == i)
        if len(own) == 0:
            continue
        m_k = 0.0 if decay.to is None else states[decay.to].mass
        found = three_bodies(state.mass, m_k, decay.parity, m_Zprime, len(own), rng)
        pair[:, own], rest[:, own] = (boost(four, parent[:, own]) for four in found)
    return pair, rest


def three_bodies(m_j, m_k, parity, m_Zprime, number, rng):
    """Four-momenta of the pair and of N_k at rest: of many flat in s and directions, those that the amplitude takes."""
    drawn = POOL * number
    s = rng.uniform(4 * M_E**2, (m_j - m_k) ** 2, drawn)
    root = np.sqrt(s)
    p_k = np.sqrt(np.maximum((m_j**2 - (m_k + root) ** 2) * (m_j**2 - (m_k - root) ** 2), 0.0)) / (2 * m_j)
    p_e = np.sqrt(s / 4 - M_E**2)
    # leptons in the pair's frame, about any direction: a boost along a random one follows
    electron = np.array([root / 2, *_momentum(p_e, rng.uniform(-1, 1, drawn), rng)])
    positron = electron * np.array([1, -1, -1, -1])[:, None]
    direction = _momentum(np.ones(drawn), rng.uniform(-1, 1, drawn), rng)
    pair = np.array([np.sqrt(p_k**2 + s), *(p_k * direction)])
    left = np.array([np.sqrt(p_k**2 + m_k**2), *(-p_k * direction)])
    electron, positron = boost(electron, pair), boost(positron, pair)
    parent = np.zeros_like(pair)
    parent[0] = m_j
    traced = amplitude(parent, left, electron, positron, parity * m_j * m_k)
    weight = p_k * p_e / root * traced / (s - m_Zprime**2) ** 2
    kept = rng.choice(drawn, number, p=weight / weight.sum())
    return pair[:, kept], left[:, kept]


def amplitude(p, k, p_1, p_2, flipped):
    """Product of the traces of both lines: 2 (p p_1)(k p_2) + ..., with m_j m_k of the sign of the parity."""
    heavy, light = dot(p, k) + flipped, dot(p_1, p_2) + M_E**2
    symmetric = 2 * (dot(p, p_1) * dot(k, p_2) + dot(p, p_2) * dot(k, p_1))
    return symmetric - 2 * dot(p, k) * light - 2 * dot(p_1, p_2) * heavy + 4 * heavy * light


def dot(a, b):
    return a[0] * b[0] - np.sum(a[1:] * b[1:], axis=0)


def boost(four, frame):
    """From the rest frame of `frame` to where it has this momentum."""
    mass = np.sqrt(dot(frame, frame))
    along = np.sum(frame[1:] * four[1:], axis=0)
    energy = (frame[0] * four[0] + along) / mass
    return np.array([energy, *(four[1:] + frame[1:] * (four[0] + energy) / (frame[0] + mass))])


def _momentum(size, cosine, rng):
    phi, sine = rng.uniform(0, 2 * np.pi, len(size)), np.sqrt(np.maximum(1 - cosine**2, 0.0))
    return size * np.array([sine * np.cos(phi), sine * np.sin(phi), cosine])

"""Pairs of heavy neutrinos in a collider's detector: how often nothing is seen, and how often one false photon.

A pseudo-photon is N_j -> N_k e+e- inside of the calorimeter, with leptons so close that they make one shower, while
everything else leaves the detector unseen (arXiv:2007.11813, section III). Pairs of states stand in the order of
`dark_neutrinos.pairs_of_states`, decays in that of `decays_of_states`. Energies in GeV, lengths in m.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.detectors.babar import Frame, Layers, chances, in_laboratory, layers, narrow_fraction
from anomfit.physics.dark_neutrinos import DarkNeutrinos, Fates, decays_of_states, pairs_of_states
from anomfit.physics.dark_pairs import angular_density, polarisation, transverse_fraction
from anomfit.physics.quadrature import unit_legendre, unit_midpoint
from anomfit.physics.two_body import two_body_energy, two_body_momentum

ANGLES, DIRECTIONS = 10, 24
"""Nodes in the direction of N_j to the beam, and in the energy of the pair; a test doubles them."""

SLOWEST = 1e-3  # GeV, smallest momentum that counts: keeps flights finite
FLATTEST = 1e-3  # smallest sine of a polar angle that counts: keeps paths to a cylinder finite
AT_REST = Frame(1.0, 0.0)  # type: ignore[arg-type]


EVERY_ENERGY = (0.0, 1e3)  # GeV


class View(NamedTuple):
    """How a detector looks at pairs, static: geometry, range of cos, and when two leptons make one shower.

    geometry: a word of `babar.GEOMETRIES`. low and high: cos between what is seen and the electron beam in the centre
    of mass. sine_half_angle: of half of the angle below which the leptons make one shower.
    """

    geometry: str
    low: float
    high: float
    sine_half_angle: float


class PseudoPhotons(NamedTuple):
    """Energies in the centre of mass (GeV) and expected numbers of events, (decays, partners, masses, directions)."""

    energy: Float[Array, "decays partners masses directions"]
    events: Float[Array, "decays partners masses directions"]
    in_calorimeter: Float[Array, ""]  # decays to e+e- with an unseen partner: any energy, angle and fate of the rest


def partners_of_states(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(k, place, times), each (states, partners): partner k of state j, -1 for a light one, the place of the pair.

    times: 2 where both of the pair are j, of which either may be the one that is seen.
    """
    first, second = pairs_of_states(number)
    places = {(int(j), int(k)): i for i, (j, k) in enumerate(zip(first, second, strict=True))}
    k = np.array([[-1, *range(number)]] * number)
    j = np.arange(number)[:, None] * np.ones_like(k)
    place = np.vectorize(lambda a, b: places[max(a, b), min(a, b)])(j, k)
    return k, place, np.where(j == k, 2.0, 1.0)


def unseen(known: Fates, state: np.ndarray, momentum: ArrayLike, path: ArrayLike) -> Float[Array, "..."]:
    """Chance that a state (index array, -1: light) of this momentum (GeV) shows nothing along a path (m)."""
    flight, visible = known.flight[state], jnp.where(state < 0, 0.0, known.visible[state])
    length = flight * jnp.maximum(jnp.asarray(momentum), SLOWEST)
    return 1.0 + visible * jnp.expm1(-jnp.asarray(path) / length)


class _Produced(NamedTuple):
    """A state with each partner in the laboratory, (states, partners, angles), and the layers that it flies through."""

    weight: Float[Array, "states partners angles"]  # of the angle
    energy: Float[Array, "states partners angles"]
    momentum: Float[Array, "states partners angles"]
    at: Layers
    partner_unseen: Float[Array, "states partners angles"]


def _nodes(low: float, high: float, number: int) -> tuple[np.ndarray, np.ndarray]:
    x, w = unit_legendre(number)
    return low + (high - low) * x, (high - low) * w


def _with_partners(states: DarkNeutrinos, root_s):
    """(E, p, eta, m_j, m_k) in the centre of mass, (states, partners)."""
    k, _, _ = partners_of_states(len(states.mass))
    j = np.arange(len(states.mass))[:, None] + np.zeros_like(k)
    m_j, m_k = states.size[j], jnp.where(k < 0, 0.0, states.size[k])
    eta = jnp.where(k < 0, 0.0, states.parity(j, k))
    return two_body_energy(root_s, m_j, m_k), two_body_momentum(root_s, m_j, m_k), eta, m_j, m_k


def _produced(states: DarkNeutrinos, known: Fates, root_s, frame: Frame, view: View, angles: int) -> _Produced:
    k, _, _ = partners_of_states(len(states.mass))
    energy, momentum, eta, m_j, m_k = _with_partners(states, root_s)
    cosine, weight = (jnp.asarray(x) for x in _nodes(view.low, view.high, angles))
    back = two_body_energy(root_s, m_k, m_j)
    e_lab, p_lab, sine = in_laboratory(frame, energy[..., None], momentum[..., None], cosine)
    _, p_partner, sine_partner = in_laboratory(frame, back[..., None], momentum[..., None], -cosine)
    density = angular_density(cosine, transverse_fraction(root_s, m_j, m_k, eta)[..., None])
    edge = layers(jnp.maximum(sine_partner, FLATTEST), view.geometry).outside
    hidden = unseen(known, k[..., None], p_partner, edge)
    return _Produced(weight * density, e_lab, p_lab, layers(jnp.maximum(sine, FLATTEST), view.geometry), hidden)


def pseudo_photons(
    states: DarkNeutrinos,
    known: Fates,
    made: Float[Array, " pairs"],
    root_s: ArrayLike,
    frame: Frame,
    view: View,
    energies: tuple[ArrayLike, ArrayLike] = EVERY_ENERGY,
    nodes: tuple[int, int] = (ANGLES, DIRECTIONS),
) -> PseudoPhotons:
    """Events with one pseudo-photon within `view` and nothing else, of so many pairs `made` at this energy.

    The pair flies along N_j in the laboratory; the daughter of N_j must leave the detector, too. Energies are those of
    the pair in the centre of mass, before the calorimeter's resolution; only those between `energies` are looked at.
    """
    parent, daughter = decays_of_states(len(states.mass))
    _, place, times = partners_of_states(len(states.mass))
    whole = _with_partners(states, root_s)
    all_of = _produced(states, known, root_s, frame, view, nodes[0])
    length = known.flight[:, None, None] * all_of.momentum
    inside = chances(length, all_of.at).calorimeter * all_of.partner_unseen * all_of.weight

    # (decays, partners, masses, directions)
    spectra, m_parent = known.spectra, states.size[parent][:, None]
    m_d = jnp.where(daughter < 0, 0.0, states.size[daughter])[:, None]
    e_0, p_0 = (of(m_parent, spectra.mass, m_d)[:, None, :, None] for of in (two_body_energy, two_body_momentum))
    e_star, p_star, _, m_j, m_k = (x[parent][:, :, None, None] for x in whole)
    middle, reach = e_star * e_0, p_star * p_0
    cosine, width = _directions(middle, reach, m_j, energies, nodes[1])
    energy = (middle + reach * cosine) / m_j
    density = 0.5 * width / nodes[1]
    if spectra.asymmetry is not None:
        tilt = polarisation(root_s, m_j, m_k) * spectra.asymmetry[:, None, :, None]
        density = density * (1.0 + tilt * cosine)

    # (decays, partners, masses, directions, angles)
    e_lab = all_of.energy[parent][:, :, None, None, :]
    in_lab = energy[..., None] * e_lab / e_star[..., None]
    m_left = m_d[:, :, None, None, None]
    p_left = jnp.sqrt(jnp.maximum((e_lab - in_lab) ** 2 - m_left**2, SLOWEST**2))
    path = (all_of.at.outside - all_of.at.behind)[parent][:, :, None, None, :]
    left = unseen(known, daughter[:, None, None, None, None], p_left, path)
    alignment = jnp.asarray(spectra.alignment)[:, None, :, None, None]
    narrow = narrow_fraction(in_lab, spectra.mass[:, None, :, None, None], alignment, view.sine_half_angle)
    chance = jnp.sum(inside[parent][:, :, None, None, :] * left * narrow, axis=-1)

    pairs = jnp.asarray(times) * made[place]
    number = pairs[parent][:, :, None, None] * spectra.branching[:, None, :, None] * density
    to_pairs = jnp.sum(spectra.branching, axis=1) @ jnp.asarray(np.eye(len(states.mass))[parent])
    in_calorimeter = jnp.sum(pairs * jnp.sum(inside, axis=-1) * to_pairs[:, None])
    return PseudoPhotons(energy, number * chance, in_calorimeter)


def _directions(middle, reach, m_j, energies, number: int):
    """Nodes in the cosine between the pair and N_j's flight, evenly spaced, and their range: where energies are asked
    for.
    """
    moves = reach > 0.0
    safe = jnp.where(moves, reach, 1.0)
    low, high = (jnp.clip((jnp.asarray(e) * m_j - middle) / safe, -1.0, 1.0) for e in energies)
    inside = (m_j * energies[0] <= middle) & (middle < m_j * energies[1])  # of a pair that has one energy
    low, high = jnp.where(moves, low, -1.0), jnp.where(moves, high, jnp.where(inside, 1.0, -1.0))
    u, _ = unit_midpoint(number)
    return low + (high - low) * u, high - low


def unseen_pairs(
    states: DarkNeutrinos, known: Fates, root_s: ArrayLike, frame: Frame, outside: ArrayLike, angles: int = ANGLES
) -> Float[Array, " pairs"]:
    """Fraction of each pair of which neither state shows anything within a sphere of radius `outside` (m)."""
    first, second = pairs_of_states(len(states.mass))
    m_j, m_k = states.size[first], jnp.where(second < 0, 0.0, states.size[second])
    eta = jnp.where(second < 0, 0.0, states.parity(first, second))
    momentum = two_body_momentum(root_s, m_j, m_k)[:, None]
    cosine, weight = _nodes(-1.0, 1.0, angles)
    both = weight * angular_density(cosine, transverse_fraction(root_s, m_j, m_k, eta)[:, None])
    for state, own, other, sign in ((first, m_j, m_k, 1.0), (second, m_k, m_j, -1.0)):
        energy = two_body_energy(root_s, own, other)[:, None]
        _, p_lab, _ = in_laboratory(frame, energy, momentum, sign * cosine)
        both = both * unseen(known, state[:, None], p_lab, outside)
    return jnp.sum(both, axis=-1)

"""A real Z' that recoils against a photon in e+e- collisions, Z' -> N_j N_k: how often BaBar sees nothing of it.

Z' flies opposite to a photon that the calorimeter sees, so that its products cross the detector, too: a pair is missed
only if each state flies beyond the detector, decays invisibly, or leaves by the beam pipe. Energies in GeV, lengths
in m.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.data import load_record
from anomfit.detectors.babar import detector_numbers, frame_of
from anomfit.detectors.pseudo_photons import unseen
from anomfit.physics.dark_neutrinos import DarkNeutrinos, Fates, pairs_of_states, zprime_widths
from anomfit.physics.quadrature import unit_legendre, unit_midpoint
from anomfit.physics.two_body import two_body_energy, two_body_momentum

PHOTONS, DECAYS, AZIMUTHS = 6, 16, 8
"""Nodes in the photon's direction, and in the polar and azimuthal angle of N_j about the flight of Z'."""

EDGE = math.radians(2.0)
"""Width over which the detector's acceptance ends, our round number: keeps the chance smooth in the masses."""


def missed_pairs(states: DarkNeutrinos, known: Fates, root_s: float, cos_max: float) -> Float[Array, ""]:
    """Fraction of Z' -> N_j N_k, N_j nu (all together) of which nothing is seen, Z' recoiling against a photon.

    root_s and cos_max are static: the energy, and the largest |cos| of the photon in the centre of mass. The photon is
    distributed as (1 + cos^2)/(1 - cos^2), the decay of Z' isotropic. e+e-, mu+mu- and hadrons of a decay within the
    detector are seen if the state's direction lies within the calorimeter's range. Closed decays of Z': 0.
    """
    heavy = zprime_widths(states).to_heavy
    first, second = pairs_of_states(len(states.mass))
    m_j = states.size[first]
    m_k = jnp.where(second < 0, 0.0, states.size[second])
    values = load_record("ee_colliders/babar_monophoton").values
    frame = frame_of(root_s, values["positron_beam"])
    photon, photon_weight = _photon_directions(cos_max)
    u, decay_weight = unit_legendre(DECAYS)
    c = 2.0 * u - 1.0
    azimuth, _ = unit_midpoint(AZIMUTHS)
    m = states.m_Zprime
    energy = 0.5 * (root_s + m**2 / root_s)
    boost = jnp.maximum(0.5 * (root_s - m**2 / root_s), 0.0) / m, energy / m  # momentum and energy over mass

    def hidden(own, other, state, sign):
        """(pairs, photons, decays, azimuths); the two of a pair fly back to back."""
        e_0, p_0 = (of(m, own, other)[:, None, None, None] for of in (two_body_energy, two_body_momentum))
        cosine = sign * c[:, None]
        sine = jnp.sqrt(1.0 - c[:, None] ** 2)
        e_star = boost[1] * e_0 + boost[0] * p_0 * cosine
        along = boost[1] * p_0 * cosine + boost[0] * e_0
        across = p_0 * sine
        z = -photon[:, None, None]  # cosine of the direction of Z' to the beam
        side = sign * jnp.cos(jnp.pi * azimuth)
        p_z = along * z + across * side * jnp.sqrt(1.0 - z**2)
        squared = along**2 + across**2
        z_lab = frame.gamma * (p_z + frame.beta * e_star)
        t_squared = jnp.maximum(squared - p_z**2, 1e-18)
        momentum = jnp.sqrt(t_squared + z_lab**2)
        angle = jnp.arctan2(jnp.sqrt(t_squared), z_lab)
        lost = unseen(known, state[:, None, None, None], momentum, detector_numbers()["outside"])
        return 1.0 - _inside(angle) * (1.0 - lost)

    both = hidden(m_j, m_k, first, 1.0) * hidden(m_k, m_j, second, -1.0)
    each = jnp.sum(both * photon_weight[:, None, None] * decay_weight[:, None], axis=(1, 2, 3)) / AZIMUTHS
    total = jnp.sum(heavy)
    some = total > 0.0
    return jnp.where(some, jnp.sum(heavy * each) / jnp.where(some, total, 1.0), 0.0)


def _photon_directions(cos_max: float):
    u, w = unit_legendre(PHOTONS)
    cosine = cos_max * (2.0 * u - 1.0)
    weight = w * (1.0 + cosine**2) / (1.0 - cosine**2)
    return cosine, weight / weight.sum()


def _inside(angle: ArrayLike) -> Float[Array, "..."]:
    """Whether a polar angle in the laboratory (rad) lies in the calorimeter's range, with soft ends."""
    values = detector_numbers()
    low, high = (math.radians(values[f"{end}_angle"]) for end in ("lowest", "highest"))
    return jax.nn.sigmoid((jnp.asarray(angle) - low) / EDGE) * jax.nn.sigmoid((high - jnp.asarray(angle)) / EDGE)

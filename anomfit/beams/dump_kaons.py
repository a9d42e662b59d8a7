"""Kaons of a proton beam dump and what they send into a small detector far behind it, off the beam's axis.

Spectra of K+ and K- on beryllium as parametrised by Bonesini et al., Eur. Phys. J. C 20 (2001) 13, scaled to the dump's
nuclei; neutral kaons from the quarks in them, (K+ + 3 K-)/4 for K_L and K_S alike. First collision of each proton only:
no cascade, and a kaon either decays or interacts. NumPy, once; a factor of 2 is realistic.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from anomfit.physics.constants import HBAR_C_M, M_P
from anomfit.physics.meson_constants import (
    M_CHARGED_KAON,
    M_CHARGED_PION,
    M_NEUTRAL_KAON,
    M_NEUTRAL_PION,
    WIDTH_CHARGED_KAON,
    WIDTH_KAON_LONG,
    WIDTH_KAON_SHORT,
)
from anomfit.physics.quadrature import unit_legendre, unit_midpoint


class KaonKind(NamedTuple):
    """Masses of the kaon and of the pion beside the boson, width (GeV); kaons per K+ and per K- of the formula."""

    mass: float
    pion: float
    width: float
    per_plus: float
    per_minus: float


KINDS = {
    "K+ -> pi+": KaonKind(M_CHARGED_KAON, M_CHARGED_PION, WIDTH_CHARGED_KAON, 1.0, 1.0),
    "K_L -> pi0": KaonKind(M_NEUTRAL_KAON, M_NEUTRAL_PION, WIDTH_KAON_LONG, 0.25, 0.75),
    "K_S -> pi0": KaonKind(M_NEUTRAL_KAON, M_NEUTRAL_PION, WIDTH_KAON_SHORT, 0.25, 0.75),
}
"""K+ stands for both charges."""


class Detector(NamedTuple):
    """Beam energy (GeV), distance of the decay region, its length, offset of its centre, side of its face (m)."""

    beam_energy: float
    distance: float
    length: float
    off_axis: float
    face: float


def yields_per_proton(p, p_T, beam_energy: float, values: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """K+ and K- per proton that interacts: E d^3n/dp^3 in GeV^-2 at momentum p and transverse momentum p_T (GeV).

    x_R = E*/E*_max with E*_max half of the energy of proton and nucleon together; x_F = 2 p_L*/sqrt(s).
    """
    p, p_T = np.broadcast_arrays(np.asarray(p, dtype=float), np.asarray(p_T, dtype=float))
    energy, along = np.sqrt(p**2 + M_CHARGED_KAON**2), np.sqrt(np.maximum(p**2 - p_T**2, 0.0))
    root_s = np.sqrt(2.0 * M_P * (beam_energy + M_P))
    gamma = (beam_energy + M_P) / root_s
    boost = np.sqrt(gamma**2 - 1.0)
    x_R = np.clip(2.0 * (gamma * energy - boost * along) / root_s, 1e-6, 1.0)
    x_F = np.clip(2.0 * (gamma * along - boost * energy) / root_s, -1.0, 1.0)
    slope = values["slope"] / x_R ** values["gamma"]
    shape = 1.0 + slope * p_T + 0.5 * (slope * p_T) ** 2
    cross_section = values["scale"] * (1.0 - x_R) ** values["alpha"] / x_R ** values["beta"] * shape
    power = (0.74 - 0.55 * x_F + 0.26 * x_F**2) * (0.98 + 0.21 * p_T**2)
    scaled = (values["mass_copper"] / values["mass_beryllium"]) ** power
    plus = cross_section * np.exp(-slope * p_T) * scaled / values["inelastic_copper"]
    below_one = np.minimum(x_R, 1.0 - 1e-12)
    return plus, plus * (1.0 - below_one) ** -values["ratio_power"] / values["ratio_scale"]


def decay_probability(p, kind: KaonKind, interaction_length: float):
    """Probability that a kaon of momentum p (GeV) decays before it interacts: 1/(1 + decay length/L)."""
    return 1.0 / (1.0 + p / kind.mass * HBAR_C_M / kind.width / interaction_length)


def bosons_towards(
    mass: float, kind: KaonKind, detector: Detector, values: Mapping[str, float], nodes: int = 24
) -> tuple[np.ndarray, np.ndarray]:
    """Momenta (GeV) of bosons from K -> pi + boson, and how many a proton sends through the face at B = 1: two arrays.

    The kaon decays isotropically in its rest frame. For a given momentum of the kaon and angle of the decay, boson and
    kaon have a fixed angle between them: the kaon's direction is then averaged over the cone around the direction to a
    point of the face, whose solid angle is small. 24 nodes: better than 2 per cent, the threshold in energy being what
    remains.
    """
    u, w = unit_legendre(2 * nodes)
    span = np.log(0.99 * detector.beam_energy / 1.0)
    p = np.exp(span * u)[:, None]
    c, w_c = unit_legendre(nodes)
    cosine = 2.0 * c - 1.0
    heavy, pion = kind.mass, kind.pion
    rest_energy = (heavy**2 + mass**2 - pion**2) / (2.0 * heavy)
    rest_momentum = np.sqrt(max(rest_energy**2 - mass**2, 0.0))
    gamma, boost = np.sqrt(1.0 + (p / heavy) ** 2), p / heavy
    along = boost * rest_energy + gamma * rest_momentum * cosine
    across = rest_momentum * np.sqrt(1.0 - cosine**2)
    momentum, opening = np.hypot(along, across), np.arctan2(across, along)
    made = _kaons_on_cones(p, opening, detector, kind, values, nodes)
    per_proton = made * w_c * decay_probability(p, kind, values["interaction_length"]) * (w * span)[:, None] * p
    return momentum.ravel(), per_proton.ravel()


def decays_behind(momentum, number, total, detector: Detector, lowest: float) -> np.ndarray:
    """Decays in the detector's region of bosons with m width `total` (GeV^2, shape (nodes,)), and E above `lowest`."""
    kept = momentum > lowest
    rate = np.asarray(total)[:, None] / (momentum[kept] * HBAR_C_M)
    return np.sum(number[kept] * np.exp(-rate * detector.distance) * -np.expm1(-rate * detector.length), axis=1)


def _kaons_on_cones(p, opening, detector: Detector, kind: KaonKind, values, nodes: int) -> np.ndarray:
    """Solid angle of the face times dn/dp dOmega of kaons (GeV^-1), averaged over cones around directions to it."""
    psi, w_psi = unit_midpoint(nodes)
    total = np.zeros(np.broadcast_shapes(np.shape(p), np.shape(opening)))
    for x, w_1 in zip(*unit_legendre(2), strict=True):  # half of the face: left and right are alike
        for y, w_2 in zip(*unit_legendre(3), strict=True):
            distance = np.hypot(0.5 * x * detector.face, detector.off_axis + (y - 0.5) * detector.face)
            direction = np.arctan2(distance, detector.distance)
            for turn, w_turn in zip(np.pi * psi, w_psi, strict=True):
                cosine = np.cos(direction) * np.cos(opening) + np.sin(direction) * np.sin(opening) * np.cos(turn)
                p_T = p * np.sqrt(np.maximum(1.0 - cosine**2, 0.0))
                plus, minus = yields_per_proton(p, p_T, detector.beam_energy, values)
                forward = np.where(cosine > 0.0, kind.per_plus * plus + kind.per_minus * minus, 0.0)
                total = total + w_1 * w_2 * w_turn * forward
    solid_angle = (detector.face / detector.distance) ** 2
    return solid_angle * total * p**2 / np.hypot(p, kind.mass)

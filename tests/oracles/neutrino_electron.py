"""Coherent pairs below edges in E theta^2 at MINERvA and CHARM-II: quasi-random (E_nu, Q^2, E_pair, azimuth).

A second opinion on anomfit.measurements.neutrino_electron: production in neutrino energy and Q^2 nucleus by nucleus,
the direction summed at the points' azimuths, the exact non-central chi^2 for the measured angle, the overlap of
leptons angle by angle. Only numbers of the recipe are shared. GeV, m, cm, rad.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import chndtr, ndtr
from scipy.stats import qmc

from anomfit.data import load_record
from anomfit.physics.constants import ATOMIC_MASS_UNIT, M_C12, M_E
from oracles.shower_table import gauss
from oracles.upscattering import Physics, cross_section, transfer_limits

AVOGADRO = 6.02214076e23
NUCLEI = {  # mass, number in the molecule, protons, neutrons
    "minerva": ((M_C12, 1.0, 6, 6),),
    "charm2": (
        (27.976927 * ATOMIC_MASS_UNIT - 14 * M_E, 1.0, 14, 14),
        (15.994915 * ATOMIC_MASS_UNIT - 8 * M_E, 2.0, 8, 8),
    ),
}
LEPTON_WIDTH, OPENING_WIDTH = 0.0045, 0.1
TALLEST = 12.0  # the largest Q R that a nucleus is asked to survive


@dataclass(frozen=True)
class Detector:
    """The recipe of one experiment."""

    experiment: str
    window: tuple[float, float]
    efficiency: float
    opening: float  # degrees
    energy: tuple[float, float]
    angle: tuple[float, float, float]  # mrad
    radius: float


MINERVA = Detector("minerva", (0.8, np.inf), 0.73, 8.0, (0.0, 0.1), (0.0, 0.0, 7.3), 1.12)
CHARM2 = Detector("charm2", (3.0, 24.0), 0.76, 4.0, (0.09, 0.11), (27.0, 14.0, 1.0), 4.5)


def below(given: Physics, detector: Detector, fluxes: dict[str, str], edges, points=2**17, seed=0) -> np.ndarray:
    """Counts below the edges (GeV rad^2) for each beam, fluxes: name of the record -> name of the exposure's part."""
    found = np.zeros((len(fluxes), len(edges)))
    tables = [_flux(detector, flux, exposure) for flux, exposure in fluxes.items()]
    passes, lowest = _chance_to_pass(given, detector)
    for i, nucleus in enumerate(NUCLEI[detector.experiment]):
        for channel, daughter in enumerate((given.m_N1, 0.0)):
            if given.branching[channel] > 0.0:
                u = qmc.Sobol(4, seed=seed + 10 * i + channel).random(points).T
                weight, e_nu, energy, chord_squared = _sample(given, nucleus, daughter, tables[0][0], lowest, u)
                weight = weight * given.branching[channel] * passes(energy)
                sigma = _angle_sigma(detector, energy)
                chances = np.array([chndtr(x / energy / sigma**2, 2.0, chord_squared / sigma**2) for x in edges])
                heights = np.array([np.interp(e_nu, knots, line) for knots, line in tables])
                found += heights * weight @ chances.T / points
    return found


def _flux(detector: Detector, flux: str, exposure: str):
    """Knots and heights times exposure: straight lines between bin centres, the integral kept."""
    part, key = exposure.split(":")
    values = load_record("accelerators/pair_searches").parts[part].values
    table = load_record(f"accelerators/flux_{flux}").columns
    low, high = table["E_lo_GeV"], table["E_hi_GeV"]
    density = table["numu"] + table["numubar"]
    knots = np.array([1.5 * low[0] - 0.5 * high[0], *(0.5 * (low + high)), 1.5 * high[-1] - 0.5 * low[-1]])
    line = np.array([0.0, *density, 0.0])
    line *= np.sum(density * (high - low)) / np.trapezoid(line, knots)
    return knots, line * values[key] * values["mass"] * 1e6 / values["molar_mass"] * AVOGADRO


def _sample(given: Physics, nucleus, daughter, knots, lowest, u):
    """Weights, neutrino and pair energies, and squared chords of pairs to the beam, for points of the unit cube."""
    mass, m, mh = nucleus[0], given.m_N2, given.m_hprime
    first, last = max((m + m * m / (2 * mass)) * (1 + 1e-12), lowest), knots[-1]
    e_nu = first * (last / first) ** u[0]
    weight = e_nu * np.log(last / first)
    low, high = transfer_limits(e_nu, m, mass)
    radius = 1.2 * (nucleus[2] + nucleus[3]) ** (1 / 3) / 0.19733
    high = np.minimum(high, np.maximum((TALLEST / radius) ** 2, 2.0 * low))  # no form factor beyond
    light = min(given.masses) ** 2
    stretch = np.log((high + light) / (low + light))
    q_squared = (low + light) * np.exp(stretch * u[1]) - light
    weight *= stretch * (q_squared + light) * nucleus[1] * cross_section(e_nu, q_squared, nucleus, given)
    e_N = e_nu - q_squared / (2 * mass)
    p_N = np.sqrt((e_N - m) * (e_N + m))
    near = (q_squared + m * m - 2 * e_nu * (e_N - p_N)) / (2 * e_nu * p_N)  # 1 - cos of N_2
    e_star = (m**2 + mh**2 - daughter**2) / (2 * m)
    p_star = np.sqrt(e_star**2 - mh**2)
    slow, fast = (e_N * e_star - p_N * p_star) / m, (e_N * e_star + p_N * p_star) / m
    start = np.minimum(np.maximum(slow, lowest), fast)
    energy = fast - (fast - start) * u[2] ** 2  # denser where decays are forward
    weight *= 2 * u[2] * (fast - start) / (fast - slow)
    p = np.sqrt(np.maximum(energy**2 - mh**2, 1e-30))
    far = 1.0 - np.clip((daughter**2 - m**2 - mh**2 + 2 * e_N * energy) / (2 * p_N * p), -1, 1)
    near, far = np.clip(near, 0, 2), np.clip(far, 0, 2)
    sines = np.sqrt(near * (2 - near) * far * (2 - far))
    return weight, e_nu, energy, 2 * (near + far - near * far - sines * np.cos(np.pi * u[3]))


def _angle_sigma(detector: Detector, energy):
    soft, stochastic, constant = detector.angle
    return 1e-3 * ((soft / energy**2 + stochastic) / np.sqrt(energy) + constant)


def _chance_to_pass(given: Physics, detector: Detector):
    """Function of the pair's energy (window, overlap, flight), and the energy from which it counts."""
    mh = given.m_hprime
    grid = np.geomspace(max(0.3, 1.0001 * mh), 60.0, 800)
    overlap = CubicSpline(np.log(grid), [_overlap(energy, mh, np.deg2rad(detector.opening)) for energy in grid])
    low, high = detector.window
    widths = [detector.energy[0] * np.sqrt(end) + detector.energy[1] * end for end in (low, min(high, 1e9))]

    def passes(energy):
        inside = ndtr((energy - low) / widths[0]) * (ndtr((high - energy) / widths[1]) if np.isfinite(high) else 1.0)
        t = detector.radius / (given.decay_length * np.sqrt(energy**2 - mh**2 + 1e-30))
        short = np.minimum(t, 700.0)
        stays = 1.0 - 3 * (2 * t**2 - 1 + (1 + 2 * t) * np.exp(-2 * short)) / (8 * t**3)
        seen = overlap(np.log(np.clip(energy, grid[0], grid[-1]))) * (energy > grid[0])
        return detector.efficiency * inside * seen * stays

    seen = passes(grid)
    return passes, grid[np.argmax(seen > 1e-9 * seen.max())]


def _overlap(energy, mass, largest):
    """Mean over isotropic decays of the leptons' overlap, momenta along and across the flight."""
    c, w = gauss(np.concatenate([np.linspace(0.0, 0.9, 31), 1.0 - np.geomspace(0.09, 1e-6, 31)]), 6)
    own, gamma = np.sqrt(0.25 * mass**2 - M_E**2), energy / mass
    boost = np.sqrt(gamma**2 - 1.0)
    along = [gamma * sign * own * c + 0.5 * boost * mass for sign in (1.0, -1.0)]
    opening = np.sum([np.arctan2(own * np.sqrt(1.0 - c**2), one) for one in along], axis=0)
    softer = 0.5 * (energy - 2.0 * boost * own * c)
    narrow = ndtr((largest - opening) / (OPENING_WIDTH * largest))
    return np.sum(w * narrow * ndtr((softer - 0.030) / LEPTON_WIDTH)) / np.sum(w)

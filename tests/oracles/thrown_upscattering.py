"""Heavy neutrinos of a dark photon made by a tabulated flux on a nucleus and its nucleons: integral, and thrown events.

Plain NumPy, the amplitude of `oracles.dark_photon`. Tables and constants are read, nothing else of the library. GeV.
"""

from typing import NamedTuple

import numpy as np

from anomfit.data import load_record
from anomfit.physics.constants import M_N, M_P
from oracles.dark_photon import Given, cross_section
from oracles.upscattering import transfer_limits

SOFT = 1e-3  # GeV^2, as the squared mass of the light vector, below which Q^2 is drawn evenly
U_IN_GEV, ELECTRON = 0.93149410242, 0.51099895e-3


def targets(name: str) -> tuple[tuple, ...]:
    """The nucleus, its protons and its neutrons, as `oracles.upscattering` has them."""
    table = load_record("nuclei/nuclei").columns
    row = table["name"].tolist().index(name)
    protons, neutrons = float(table["protons"][row]), float(table["neutrons"][row])
    mass = float(table["atomic_mass_u"][row]) * U_IN_GEV - protons * ELECTRON
    k_F = 1e-3 * float(table["fermi_momentum_MeV"][row])
    return (
        (mass, 1.0, protons, neutrons),
        (M_P, protons, 1, 0, (protons, k_F)),
        (M_N, neutrons, 0, 1, (neutrons, k_F)),
    )


def flux_knots(name: str):
    """Energies and heights of straight lines through the bins' centres, with the integral of the bins."""
    table = load_record(name).columns
    low, high = table["E_lo_GeV"], table["E_hi_GeV"]
    density = sum(table[flavour] for flavour in ("numu", "numubar") if flavour in table)
    knots = np.array([1.5 * low[0] - 0.5 * high[0], *(0.5 * (low + high)), 1.5 * high[-1] - 0.5 * low[-1]])
    line = np.array([0.0, *density, 0.0])
    return knots, line * np.sum(density * (high - low)) / np.trapezoid(line, knots)


def interactions(flux: str, name: str, given: Given, energies: int = 2000, transfers: int = 400) -> np.ndarray:
    """Coherent and incoherent interactions of one nucleus, for the flux as it is tabulated: midpoints in both."""
    knots, heights = flux_knots(flux)
    found = np.zeros(2)
    for target in targets(name):
        threshold = given.m_N2 + given.m_N2**2 / (2 * target[0])
        root = np.sqrt(knots[-1] - threshold) * (np.arange(energies) + 0.5) / energies
        e_nu = (threshold + root**2)[:, None]
        weight = 2 * root * np.sqrt(knots[-1] - threshold) / energies
        low, high = transfer_limits(e_nu, given.m_N2, target[0])
        span = np.log((high + SOFT) / (low + SOFT))
        q_squared = (low + SOFT) * np.exp(span * (np.arange(transfers) + 0.5) / transfers) - SOFT
        section = np.sum(span / transfers * (q_squared + SOFT) * cross_section(e_nu, q_squared, target, given), axis=1)
        made = np.sum(weight * np.interp(e_nu[:, 0], knots, heights) * section) * target[1]
        found[int(target[2] + target[3] == 1)] += made
    return found


class Thrown(NamedTuple):
    """Events with their weight; energy and momentum of N, cosine to the beam."""

    weight: np.ndarray
    energy: np.ndarray
    momentum: np.ndarray
    cosine: np.ndarray


def throw(flux: str, name: str, given: Given, number: int, rng) -> Thrown:
    """`number` events of each target, even in the energy of the neutrino."""
    knots, heights = flux_knots(flux)
    parts = []
    for target in targets(name):
        threshold = given.m_N2 + given.m_N2**2 / (2 * target[0])
        e_nu = rng.uniform(threshold, knots[-1], number)
        low, high = transfer_limits(e_nu, given.m_N2, target[0])
        span = np.log((high + SOFT) / (low + SOFT))
        q_squared = (low + SOFT) * np.exp(rng.random(number) * span) - SOFT
        weight = np.interp(e_nu, knots, heights) * span * (q_squared + SOFT) * (knots[-1] - threshold) / number
        weight = weight * cross_section(e_nu, q_squared, target, given) * target[1]
        energy = e_nu - q_squared / (2 * target[0])
        momentum = np.sqrt(np.maximum(energy**2 - given.m_N2**2, 1e-12))
        cosine = (2 * e_nu * energy - given.m_N2**2 - q_squared) / (2 * e_nu * momentum)
        parts.append((weight, energy, momentum, np.clip(cosine, -1.0, 1.0)))
    return Thrown(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def mean_and_error(weight: np.ndarray, value: np.ndarray) -> tuple[float, float]:
    """Weighted mean of a value, and its statistical error."""
    mean = np.sum(weight * value) / np.sum(weight)
    return float(mean), float(np.sqrt(np.sum((weight * (value - mean)) ** 2)) / np.sum(weight))

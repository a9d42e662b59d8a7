"""KARMEN's response: prompt energy of a positron or a pair (a calorimeter, so the sum), energies in GeV."""

import numpy as np
from scipy.special import ndtr

from anomfit.data import load_record
from anomfit.detectors.energy_table import EnergyTable, tabulate
from anomfit.physics.constants import M_E

HIGHEST, POINTS = 0.260, 641  # GeV; the step is six tenths of the resolution, which is a quarter of LSND's
ANNIHILATION = M_E  # beside a positron's total energy: with its partner's mass, E_vis = E_kin + 2 m_e


def energy_response(energy: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """P(measured energy between low and high | true visible energy): (..., bins)."""
    sigma = load_record("karmen/experiment").values["energy_resolution"] * np.sqrt(energy)[..., None]
    return ndtr((high - energy[..., None]) / sigma) - ndtr((low - energy[..., None]) / sigma)


def energy_bins(low: np.ndarray, high: np.ndarray) -> EnergyTable:
    """The table for bins of prompt energy, edges in GeV."""
    return tabulate(lambda energy: energy_response(energy, np.asarray(low), np.asarray(high)), HIGHEST, POINTS)


def sphere() -> float:
    """Radius in m of the sphere with the volume of the detector: its mass at 0.86 g/cm^3 (mineral oil)."""
    volume = load_record("karmen/experiment").values["mass"] / 0.86
    return float((0.75 * volume / np.pi) ** (1.0 / 3.0))

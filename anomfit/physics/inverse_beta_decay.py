"""anti-nu_e + p -> e+ + n: cross section, the positron's energy and angle. NumPy: no parameter of a model enters."""

import numpy as np

from anomfit.physics.constants import M_E, M_N, M_P

DELTA = M_N - M_P
THRESHOLD = ((M_N + M_E) ** 2 - M_P**2) / (2.0 * M_P)
"""Lowest neutrino energy, GeV."""


def cross_section(e_nu: np.ndarray) -> np.ndarray:
    """Total cross section in cm^2 for `e_nu` in GeV, 0 below threshold; Strumia and Vissani, astro-ph/0302055, eq 25.

    1e-43 p_e E_e E_nu^(-0.07056 + 0.02018 ln E_nu - 0.001953 ln^3 E_nu) with energies in MeV and E_e = E_nu - (M_n -
    M_p): within some per mille of the full result below 300 MeV.
    """
    energy = 1e3 * np.asarray(e_nu, dtype=float)
    positron = energy - 1e3 * DELTA
    is_open = (np.asarray(e_nu) > THRESHOLD) & (positron > 1e3 * M_E)
    energy, positron = np.where(is_open, energy, 10.0), np.where(is_open, positron, 10.0)
    log = np.log(energy)
    power = -0.07056 + 0.02018 * log - 0.001953 * log**3
    momentum = np.sqrt(positron**2 - (1e3 * M_E) ** 2)
    return np.where(is_open, 1e-43 * momentum * positron * energy**power, 0.0)


def positron_energy(e_nu: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """Total energy of the positron, GeV, at a lab angle to the neutrino: exact two-body kinematics on a proton at rest.

    e_nu above threshold; the branch with the larger momentum.
    """
    e_nu, cosine = np.asarray(e_nu, dtype=float), np.asarray(cosine, dtype=float)
    total = e_nu + M_P
    kappa = 0.5 * (M_P**2 + 2.0 * M_P * e_nu + M_E**2 - M_N**2)
    along = e_nu * cosine
    root = np.sqrt(np.maximum(kappa**2 - M_E**2 * (total**2 - along**2), 0.0))
    return (kappa * total + along * root) / (total**2 - along**2)


def mean_cosine(e_nu: np.ndarray) -> np.ndarray:
    """Average cos theta of the positron to first order in 1/M: Vogel and Beacom, hep-ph/9903554, eq 16.

    -0.034 v_e + 2.4 E_nu / M_p.
    """
    positron = np.maximum(np.asarray(e_nu) - DELTA, M_E)
    velocity = np.sqrt(1.0 - (M_E / positron) ** 2)
    return -0.034 * velocity + 2.4 * np.asarray(e_nu) / M_P

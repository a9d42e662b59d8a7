"""Interactions of the dark-photon model at MiniBooNE in (E_nu, Q^2), target by target: plain NumPy.

The amplitude is written with Dirac's and Pauli's form factors and Mandelstam's variables, where the library has Sachs'
and the lab energy; flux, nodes and form factors of nuclei are those of `oracles.upscattering`. GeV, cm.
"""

from dataclasses import dataclass

import numpy as np

from anomfit.physics.constants import ALPHA, GEV2_TO_CM2
from oracles.upscattering import RULE, TARGETS, fluxes, form_factor_squared, production_nodes, unblocked

MOMENTS = {"proton": 2.7928473446, "neutron": -1.9130427}  # nuclear magnetons


@dataclass(frozen=True)
class Given:
    """A point of the model, named as `oracles.upscattering` wants it."""

    m_N2: float
    masses: tuple[float]
    product: float  # e epsilon g_D U_mu4 |U_D4|^2
    as_published: bool = False


def given(point) -> Given:
    """From physical parameters."""
    g_D = np.sqrt(4 * np.pi * point["alpha_D"])
    vertex = g_D * point["U_mu4"] * (1 - point["U_mu4"] ** 2)
    charge = np.sqrt(4 * np.pi * ALPHA) * point["epsilon"]
    return Given(point["m_N4"], (point["m_Zprime"],), vertex * charge)


def form_factors(name, q_squared, mass):
    """(F_1, F_2) of a nucleon."""
    tau = q_squared / (4 * mass**2)
    dipole = (1 + q_squared / 0.71) ** -2
    magnetic = MOMENTS[name] * dipole
    electric = dipole if name == "proton" else -MOMENTS[name] * tau * dipole / (1 + 5.6 * tau)
    return (electric + tau * magnetic) / (1 + tau), (magnetic - electric) / (1 + tau)


def cross_section(e_nu, q_squared, target, of: Given):
    """d sigma/d Q^2 in cm^2/GeV^2."""
    mass, _, protons, neutrons, *_ = target
    t, m = -q_squared, of.m_N2
    s = mass**2 + 2 * mass * e_nu
    u = 2 * mass**2 + m**2 - s - t
    charge = (s - u) ** 2 - (4 * mass**2 - t) * (m**2 - t)
    if protons + neutrons > 1:
        squared = protons**2 * form_factor_squared(q_squared, protons + neutrons, of) * charge
    else:
        F_1, F_2 = form_factors("proton" if protons else "neutron", q_squared, mass)
        squared = (F_1**2 - t / (4 * mass**2) * F_2**2) * charge - (F_1 + F_2) ** 2 * (m**2 - t) * (m**2 + 2 * t)
        squared = squared * unblocked(q_squared, target, of)
    squared = squared * of.product**2 / (t - of.masses[0] ** 2) ** 2
    return GEV2_TO_CM2 * squared / (16 * np.pi * (s - mass**2) ** 2)


def interactions(point, rule=RULE) -> np.ndarray:
    """(coherent, incoherent) x mode, in the exposures of MiniBooNE."""
    of, counts = given(point), np.zeros((2, 2))
    for target in TARGETS:
        e_nu, q_squared, weight = production_nodes(target, of, rule)
        rate = target[1] * np.sum(weight * cross_section(e_nu, q_squared, target, of), axis=1)
        knots, heights = fluxes()
        counts[int(target[2] + target[3] == 1)] += [np.sum(rate * np.interp(e_nu[:, 0], knots, h)) for h in heights]
    return counts

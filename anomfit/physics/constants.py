"""Physical constants and particle masses in GeV, each with its source; plain floats, resolved once at import.

Masses of leptons and nucleons are those of the Particle Data Group's tables as the `particle` package ships them (its
version is written with every result).
"""

import math

from particle import Particle


def _mass(pdg_id: int) -> float:
    """The PDG mass in GeV (`particle` counts in MeV)."""
    mass = Particle.from_pdgid(pdg_id).mass
    if mass is None:
        raise LookupError(f"particle {pdg_id} has no mass in the table of the 'particle' package")
    return 1e-3 * mass


ALPHA = 7.2973525693e-3
"""Fine-structure constant at zero momentum, CODATA 2018 (1/137.035999)."""

E_CHARGE = math.sqrt(4.0 * math.pi * ALPHA)
"""Charge of the positron, sqrt(4 pi alpha) = 0.3028."""

G_F = 1.1663788e-5
"""Fermi constant from the muon lifetime, GeV^-2, PDG 2022 and MuLan, PRL 106 (2011) 041803."""

HBAR = 6.582119569509068e-25
"""Reduced Planck constant, GeV s, exact in the SI of 2019."""

SPEED_OF_LIGHT = 2.99792458e8
"""m/s, exact."""

HBAR_C_M = HBAR * SPEED_OF_LIGHT
"""hbar c, GeV m (1.973269804e-16)."""

HBAR_C_CM = 1e2 * HBAR_C_M
"""hbar c, GeV cm (1.973269804e-14)."""

HBAR_C_FM = 1e15 * HBAR_C_M
"""hbar c, GeV fm (0.1973269804)."""

GEV2_TO_CM2 = HBAR_C_CM**2
"""(hbar c)^2, cm^2 GeV^2: multiplies a cross section in GeV^-2 (0.38937937e-27)."""

V_EW = (math.sqrt(2.0) * G_F) ** -0.5
"""Electroweak vacuum expectation value from G_F, GeV (246.22)."""

V_EW_PAPER = 246.0
"""The value that arXiv:2010.06159 and its companions round to, GeV; for as-published numbers only."""

M_E = _mass(11)
"""Electron mass, GeV, PDG."""

M_MU = _mass(13)
"""Muon mass, GeV, PDG."""

M_TAU = _mass(15)
"""Tau mass, GeV, PDG."""

M_P = _mass(2212)
"""Proton mass, GeV, PDG."""

M_N = _mass(2112)
"""Neutron mass, GeV, PDG."""

ATOMIC_MASS_UNIT = 0.93149410242
"""GeV, CODATA 2018."""

M_C12 = 12.0 * ATOMIC_MASS_UNIT - 6.0 * M_E + 1.03e-6
"""Mass of the bare 12C nucleus, GeV (11.17486).

The neutrino scatters off the nucleus alone: its electrons are spectators at these momentum transfers. So the atom,
which is 12 u by definition (11.17793 GeV, what mass tables list), loses its six electrons; their total binding energy
of 1.03 keV (sum of the ionisation energies, NIST Atomic Spectra Database) goes back in.
"""

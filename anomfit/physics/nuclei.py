"""Nuclei of targets, by name ("C12"): charge, mass, measured charge radius, Fermi momentum, charge density."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from anomfit.data import load_record
from anomfit.errors import reject
from anomfit.physics.constants import ATOMIC_MASS_UNIT, M_E


class Nucleus(NamedTuple):
    """One nucleus; mass (GeV) without electrons, whose binding is neglected."""

    name: str
    protons: int
    neutrons: int
    mass: float
    charge_radius: float  # fm, root mean square
    fermi_momentum: float  # GeV

    @property
    def mass_number(self) -> int:
        """Nucleons."""
        return self.protons + self.neutrons


@lru_cache
def nucleus(name: str) -> Nucleus:
    """The nucleus of this name in the record nuclei/nuclei; another is refused."""
    table = load_record("nuclei/nuclei").columns
    names = table["name"].tolist()
    if name not in names:
        raise reject("nucleus", name, f"use one of {', '.join(names)}")
    row = {column: values[names.index(name)] for column, values in table.items()}
    protons, neutrons = int(row["protons"]), int(row["neutrons"])
    mass = float(row["atomic_mass_u"]) * ATOMIC_MASS_UNIT - protons * M_E
    radius, momentum = float(row["charge_radius_fm"]), 1e-3 * float(row["fermi_momentum_MeV"])
    return Nucleus(name, protons, neutrons, mass, radius, momentum)


class ChargeDensity(NamedTuple):
    """Fourier-Bessel coefficients of a charge density (fm^-3) up to a radius (fm), as `fourier_bessel` takes them."""

    coefficients: np.ndarray
    cut_off_radius: float


@lru_cache
def charge_density(name: str) -> ChargeDensity | None:
    """That of electron scattering in the record nuclei/fourier_bessel; None for a nucleus that is not in it."""
    table = load_record("nuclei/fourier_bessel").columns
    rows = table["name"] == name
    if not np.any(rows):
        return None
    return ChargeDensity(np.asarray(table["coefficient_fm3"][rows], float), float(table["cut_off_radius_fm"][rows][0]))

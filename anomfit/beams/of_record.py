"""A beam from the record of its flux, on given masses of nuclei: for a detector that is described by numbers alone."""

from functools import lru_cache

import numpy as np

from anomfit.beams.flux import Beam, make_beam
from anomfit.beams.molecules import AVOGADRO, HYDROGEN, compound
from anomfit.data import load_record
from anomfit.physics.constants import ATOMIC_MASS_UNIT, M_E
from anomfit.physics.nuclei import nucleus

HYDROGEN_MOLAR_MASS = 1.008  # g/mol
FLAVOURS = ("numu", "numubar")  # which make the same pairs


@lru_cache
def beam_of(flux: str, tonnes: tuple[tuple[str, float], ...], pot: float) -> Beam:
    """Muon neutrinos and antineutrinos of a record, per cm^2, POT and GeV, on masses (t) of nuclei in order.

    A molecule of the beam is one mole of what the masses are made of, nucleus by nucleus.
    """
    columns = load_record(flux).columns
    density = np.sum([columns[flavour] for flavour in FLAVOURS if flavour in columns], axis=0)
    moles = {name: 1e6 * mass / molar_mass(name) for name, mass in tonnes}
    return make_beam([(columns["E_lo_GeV"], columns["E_hi_GeV"], density)], [pot * AVOGADRO], compound(moles))


def molar_mass(name: str) -> float:
    """g/mol of a nucleus by name, or of "H1", with its electrons."""
    if name == HYDROGEN:
        return HYDROGEN_MOLAR_MASS
    of = nucleus(name)
    return (of.mass + of.protons * M_E) / ATOMIC_MASS_UNIT

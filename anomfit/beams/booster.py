"""The Booster neutrino beam: at MiniBooNE both horn modes on mineral oil (CH2), at MicroBooNE neutrinos on argon."""

from functools import lru_cache

import numpy as np

from anomfit.beams.flux import Beam, make_beam
from anomfit.data import load_record
from anomfit.errors import reject
from anomfit.physics.constants import M_C12, M_N, M_P
from anomfit.physics.targets import Target

CH2 = (
    Target("C12", M_C12, 1.0, 6, 6),
    Target("proton", M_P, 8.0, 1, 0, (("C12", 6.0),)),
    Target("neutron", M_N, 6.0, 0, 1, (("C12", 6.0),)),
)
# nu_mu and anti-nu_mu scatter alike off scalars; "numu-only" leaves the wrong-sign part out, as the papers seem to
FLAVOURS = {"numu+numubar": ("numu", "numubar"), "numu-only": ("numu",)}
MODES = {"both": ("neutrino", "antineutrino"), "neutrino": ("neutrino",), "antineutrino": ("antineutrino",)}
RIGHT_SIGN = {"neutrino": "numu", "antineutrino": "numubar"}


@lru_cache
def miniboone_beam(flavours: str = "numu+numubar", mode: str = "both") -> Beam:
    """Neutrino mode (18.75e20 POT) and antineutrino mode (11.27e20 POT), or one alone; arXiv:0806.1449, 2006.16883."""
    if flavours not in FLAVOURS:
        raise reject("flavours", flavours, f"use one of {', '.join(FLAVOURS)}")
    if mode not in MODES:
        raise reject("mode", mode, f"use one of {', '.join(MODES)}")
    experiment = load_record("miniboone/experiment").values
    tables = []
    for horn in MODES[mode]:
        columns = load_record(f"miniboone/flux_{horn}_mode").columns
        kept = FLAVOURS[flavours] if flavours == "numu+numubar" else (RIGHT_SIGN[horn],)
        tables.append((columns["E_lo_GeV"], columns["E_hi_GeV"], sum(columns[flavour] for flavour in kept)))
    exposures = [experiment[f"pot_{horn}"] * experiment["ch2_molecules"] for horn in MODES[mode]]
    return make_beam(tables, exposures, CH2)


@lru_cache
def microboone_beam(flavours: str = "numu+numubar") -> Beam:
    """Neutrino mode, 6.87e20 POT on the argon of the active volume, its nucleons one by one and the nuclei whole."""
    if flavours not in FLAVOURS:
        raise reject("flavours", flavours, f"use one of {', '.join(FLAVOURS)}")
    columns, values = load_record("microboone/flux").columns, load_record("microboone/experiment").values
    flux = np.sum([columns[flavour] for flavour in FLAVOURS[flavours]], axis=0)
    table = (columns["E_lo_GeV"], columns["E_hi_GeV"], flux)
    argon = (
        Target("Ar40", values["argon_mass"], 1.0, 18, 22),
        Target("proton", M_P, 18.0, 1, 0, (("Ar40", 18.0),)),
        Target("neutron", M_N, 22.0, 0, 1, (("Ar40", 22.0),)),
    )
    return make_beam([table], [values["pot"] * values["argon_nuclei"]], argon)

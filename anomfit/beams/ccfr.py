"""The neutrinos of CCFR on iron: NuTeV's shape of the flux, scaled to the number of charged-current interactions.

CCFR's own flux was not at hand. NuTeV had the same laboratory's protons and the same detector, but a train of its own;
the mean energy of CCFR was higher. Neutrinos and antineutrinos have the same shape here, and make the same pairs.
"""

from functools import lru_cache

import numpy as np

from anomfit.beams.flux import Beam, make_beam
from anomfit.beams.molecules import compound
from anomfit.data import load_record

NUCLEONS = 56.0  # that interact in an iron nucleus


@lru_cache
def ccfr_beam() -> Beam:
    """nu_mu and anti-nu_mu of both runs together, as many as make the charged-current interactions of the record.

    The flux has the unit 1/GeV, the exposure cm^-2 times nuclei: only their product means something.
    """
    values, columns = load_record("accelerators/ccfr_double_vertices").values, flux_shape()
    width, centre = columns["E_hi_GeV"] - columns["E_lo_GeV"], 0.5 * (columns["E_hi_GeV"] + columns["E_lo_GeV"])
    mean = np.sum(columns["numu"] * width * centre)  # GeV: cross sections rise as the energy
    exposure = sum(values[f"interactions_{kind}"] / values[f"slope_{kind}"] for kind in ("nu", "nubar"))
    table = (columns["E_lo_GeV"], columns["E_hi_GeV"], columns["numu"])
    return make_beam([table], [exposure / (mean * NUCLEONS)], compound({"Fe56": 1.0}))


def flux_shape():
    """Columns of the table: bin edges (GeV) and the density, whose integral is 1."""
    return load_record("accelerators/flux_nutev_shape").columns

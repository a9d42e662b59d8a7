"""The neutrinos of PS-191 on iron: the flux's shape, scaled to a hundred charged-current interactions."""

from functools import lru_cache

import numpy as np

from anomfit.beams.flux import Beam, make_beam, piecewise_linear
from anomfit.beams.molecules import compound
from anomfit.data import load_record
from anomfit.physics.charged_current import cross_section

NUCLEUS = "Fe56"  # of the plates; the plastic of the flash tubes between them is left out
HUNDRED = 100.0
POINTS = 40  # of a step of the table, over which the charged current is summed


@lru_cache
def ps191_beam(kind: str = "inclusive") -> Beam:
    """nu_mu, as many as make a hundred interactions of a kind of `charged_current.KINDS`: events are per cent of them.

    The flux has the unit 1/GeV, the exposure cm^-2 times nuclei: only their product means something.
    """
    columns = load_record("accelerators/flux_ps191_shape").columns
    table = (columns["E_lo_GeV"], columns["E_hi_GeV"], columns["numu"])
    knots, first, step = piecewise_linear(*table)
    energy = first + step * np.linspace(0.0, len(knots) - 1.0, POINTS * (len(knots) - 1) + 1)
    flux = np.interp(energy, first + step * np.arange(len(knots)), knots)
    made = np.trapezoid(flux * cross_section(energy, NUCLEUS, kind), energy)  # of a nucleus under a flux of 1 per cm^2
    return make_beam([table], [float(HUNDRED / made)], compound({NUCLEUS: 1.0}))

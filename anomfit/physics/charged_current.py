"""nu_mu + nucleus -> mu- + anything: what muons are counted by. NumPy: no parameter of a model enters.

Inclusive: measured cross sections per nucleon (SciBooNE below 3 GeV, MINOS above) joined by straight lines from the
muon's threshold on. Quasi-elastic: `quasi_elastic` on a nucleus's neutrons, without the muon's mass (3 per cent at 0.6
GeV) and Pauli blocking; pions, which are made too from 0.5 GeV on, are left out.
"""

import numpy as np
from jaxtyping import Float

from anomfit.data import load_record
from anomfit.physics.constants import GEV2_TO_CM2, M_MU
from anomfit.physics.nuclei import nucleus
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.quasi_elastic import M, d_sigma_d_q_squared

THRESHOLD = M_MU + M_MU**2 / (2.0 * M)  # GeV
KINDS = {
    "inclusive": "all charged-current interactions, as measured by SciBooNE on carbon and MINOS on iron",
    "quasi-elastic": "nu_mu n -> mu- p on free neutrons alone",
}


def cross_section(e_nu: Float[np.ndarray, "..."], name: str, kind: str = "inclusive") -> Float[np.ndarray, "..."]:
    """cm^2 of a nucleus by name at an energy in GeV, one of `KINDS`; beyond the last point rising with the energy."""
    own = nucleus(name)
    if kind == "quasi-elastic":
        return own.neutrons * quasi_elastic(e_nu)
    table = load_record("accelerators/numu_cc_inclusive").columns
    energy, sigma = (np.array([first, *table[key]]) for key, first in (("E_GeV", THRESHOLD), ("sigma_1e38cm2", 0.0)))
    beyond = np.maximum(np.asarray(e_nu) / energy[-1], 1.0)
    return own.mass_number * 1e-38 * beyond * np.interp(e_nu, energy, sigma, left=0.0)


def quasi_elastic(e_nu: Float[np.ndarray, "..."], nodes: int = 64) -> Float[np.ndarray, "..."]:
    """cm^2 of a free neutron at an energy in GeV; 0 below the muon's threshold."""
    u, w = unit_legendre(nodes)
    energy = np.maximum(np.asarray(e_nu, dtype=float), THRESHOLD)[..., None]
    most = 4.0 * energy**2 * M / (M + 2.0 * energy)
    each = d_sigma_d_q_squared(energy, most * u, "neutrino")
    found = GEV2_TO_CM2 * np.sum(w * each, axis=-1) * most[..., 0]
    return np.where(np.asarray(e_nu) > THRESHOLD, found, 0.0)

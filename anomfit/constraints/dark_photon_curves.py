"""Published curves of dark photons, by name: numbers and where they are from."""

import numpy as np

from anomfit.data import load_record

COMPILATION = "arXiv:1801.04847"
SOURCES = {
    "BaBar_2014": ("arXiv:1406.2980", "BaBar, arXiv:1406.2980"),
    "KLOE_2015_ee": ("arXiv:1509.00740", "KLOE, arXiv:1509.00740"),
    "KLOE_2018_comb": ("arXiv:1807.02691", "KLOE, arXiv:1807.02691"),
    "BaBar_invisible": ("arXiv:1702.03327", "BaBar, arXiv:1702.03327"),
    "BelleII_visible_projection": ("arXiv:1808.10567", "Belle II physics book, arXiv:1808.10567"),
    "E137_Bjorken": ("arXiv:0906.0580", "SLAC E137, recast of arXiv:0906.0580"),
    "E141": ("arXiv:1209.6083", "SLAC E141, PRL 59 (1987) 755, recast of arXiv:1209.6083"),
    "Orsay": ("arXiv:1209.6083", "Orsay, PLB 229 (1989) 150, recast of arXiv:1209.6083"),
    "E774": ("arXiv:1209.6083", "Fermilab E774, PRL 67 (1991) 2942, recast of arXiv:1209.6083"),
    "KEK": ("arXiv:1209.6083", "KEK, PRL 57 (1986) 659, recast of arXiv:1209.6083"),
    "NA64_vis_2019": ("arXiv:1912.11389", "NA64, arXiv:1912.11389"),
    "NA64_2019_invisible": ("arXiv:1906.00176", "NA64, arXiv:1906.00176"),
    "NA48_2_2015": ("arXiv:1504.00607", "NA48/2, arXiv:1504.00607"),
    "NuCAL_1991": ("arXiv:1104.2747", "NuCal, Z. Phys. C 51 (1991) 341, recast of arXiv:1104.2747"),
    "CHARM": ("arXiv:1204.3583", "CHARM, PLB 157 (1985) 458, recast of arXiv:1204.3583"),
    "HPS_displaced_projection": ("arXiv:1612.07821", "HPS, arXiv:1612.07821"),
    "HPS_prompt_projection": ("arXiv:1612.07821", "HPS, arXiv:1612.07821"),
}


def dark_photon_curve(name: str) -> dict[str, np.ndarray]:
    """Masses (GeV), ascending, with the edges `low` and `high` in eps; rows of equal mass keep the first."""
    columns = load_record("ee_colliders/dark_photon").columns
    rows = columns["curve"] == name
    masses, first = np.unique(columns["m_GeV"][rows], return_index=True)
    return {"m": masses, "low": columns["eps_low"][rows][first], "high": columns["eps_high"][rows][first]}


def kind_of_curve(name: str):
    """Whether a curve limits a coupling from above, or is a projection."""
    return "projection" if "projection" in name else "curve"

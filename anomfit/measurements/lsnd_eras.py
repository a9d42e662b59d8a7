"""LSND's samples and shapes by era, for the catalogue."""

from anomfit.measurements.entries import Entry
from anomfit.measurements.lsnd import LsndCounts, load_l_over_e, load_r_gamma
from anomfit.measurements.lsnd_high_energy import LsndHighEnergy, load_high_energy
from anomfit.measurements.lsnd_shapes import LsndShape, load_cos_theta, load_energy

# the first era is the default
ENTRIES: dict[str, Entry] = {
    "l-over-e": Entry(
        load_l_over_e, "LSND L/E of the events with R_gamma > 10, 20 to 60 MeV", "digitised", LsndCounts.references
    ),
    "r-gamma": Entry(load_r_gamma, "LSND events of 20 to 60 MeV by R_gamma", "recalled", LsndCounts.references),
    "high-energy": Entry(
        load_high_energy,
        "LSND events of 60 to 200 MeV without and with a correlated neutron",
        "release",
        LsndHighEnergy.references,
    ),
    "energy": Entry(
        load_energy,
        "LSND energy of the events with R_gamma > 10 (no public data: unfolded from L/E)",
        "derived",
        LsndShape.references,
    ),
    "cos-theta": Entry(
        load_cos_theta,
        "LSND cos theta of the events with R_gamma > 1, 36 to 60 MeV (no public data)",
        "no public data",
        LsndShape.references,
    ),
}

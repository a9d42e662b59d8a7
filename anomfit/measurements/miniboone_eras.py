"""MiniBooNE's spectra by era, for the catalogue."""

from functools import partial

from anomfit.measurements.entries import Entry
from anomfit.measurements.miniboone import MiniBooneQuasiElastic, load_miniboone
from anomfit.measurements.miniboone_plane import DISTRIBUTIONS, load_projection


def entries() -> dict[str, Entry]:
    """The E_nu^QE spectra of both modes, then the projections of their events."""
    own = MiniBooneQuasiElastic
    shown = {
        era: Entry(partial(load_projection, era), one.title, one.status, one.references)
        for era, one in DISTRIBUTIONS.items()
    }
    return {own.era: Entry(load_miniboone, own.title, "release", own.references), **shown}

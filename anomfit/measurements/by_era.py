"""Measurements with several eras, by name, for the catalogue."""

from collections.abc import Callable, Mapping

from anomfit.errors import reject
from anomfit.measurements import koto, microboone, neutrino_electron_charm2, neutrino_electron_minerva, stopped_pions
from anomfit.measurements.base import Measurement
from anomfit.measurements.entries import Entry

ENTRIES: dict[str, Mapping[str, Entry]] = {
    **stopped_pions.ENTRIES,
    koto.NAME: koto.ENTRIES,
    microboone.NAME: microboone.ENTRIES,
    neutrino_electron_minerva.NAME: neutrino_electron_minerva.ENTRIES,
    neutrino_electron_charm2.NAME: neutrino_electron_charm2.ENTRIES,
}


def find_loader(name: str, era: str) -> Callable[..., Measurement]:
    """The loader of an era of a measurement in ENTRIES, "" for the default; an unknown era is refused."""
    eras = ENTRIES[name]
    chosen = era or next(iter(eras))
    if chosen not in eras:
        raise reject("era", era, f"{name} has {', '.join(eras)}")
    return eras[chosen].load

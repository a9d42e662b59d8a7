"""How the requirements of arXiv:2005.08920 become constraints.

Those on its heavy neutrino and scalar together (`PAPERS_OWN`) stand in for data that other rows have, for scalars out
of heavy neutrinos that mesons decay to as well: other models are asked by the data, as is one whose heavy neutrinos a
dark photon makes, whatever scalar it has besides.
"""

import numpy as np

from anomfit.capabilities import DecaysMesons, HasDarkNeutrinos, Needs, Upscatters
from anomfit.constraints.base import About, Constraint, Kind, Physics
from anomfit.data import Record, load_record


class _WithoutDarkPhoton(type):
    """Models that scatter by scalars, as a class, so that `isinstance` answers."""

    def __instancecheck__(cls, model: object) -> bool:
        return isinstance(model, Upscatters) and not isinstance(model, HasDarkNeutrinos)


class ScattersByScalars(metaclass=_WithoutDarkPhoton):
    """`Upscatters`, and no dark photon makes the heavy neutrinos."""

    base = Upscatters


PAPERS_OWN = (ScattersByScalars, DecaysMesons)
OF_SCALARS = "a requirement on a heavy neutrino that a scalar makes: the data themselves have rows and measurements"


def section_four(part: str) -> Record:
    """A part of accelerators/dark_scalar_conditions."""
    return load_record("accelerators/dark_scalar_conditions").parts[part]


def condition(record: Record, name: str, kind: Kind, accepts: Needs, physics: Physics, data, **about) -> Constraint:
    """A constraint from a record; `about` completes or replaces what the record says of itself."""
    words = {"unit": "1", "era": "2020", "title": record.title, "source": record.source, **about}
    if accepts is PAPERS_OWN:
        words = {"other_spins": OF_SCALARS, **words}
    described = About(name=name, kind=kind, references=record.references, accepts=(accepts,), **words)
    return Constraint(data, described, physics)


def numbers(record: Record) -> dict[str, np.ndarray]:
    """The values of a record as leaves."""
    return {key: np.asarray(value) for key, value in record.values.items()}

"""The measurements that ship, by name and era: `miniboone`, `miniboone:evis`, `g-2-muon:wp2025`, ..."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple, get_type_hints

from anomfit.capabilities import Needs
from anomfit.errors import InputError, quoted, reject
from anomfit.measurements.base import Measurement
from anomfit.measurements.by_era import ENTRIES, find_loader
from anomfit.measurements.lepton_moments import DEFAULT_ERAS, eras, load_lepton_moment
from anomfit.measurements.miniboone import MiniBooneQuasiElastic, load_miniboone
from anomfit.measurements.miniboone_plane import DISTRIBUTIONS, load_projection


class Listing(NamedTuple):
    """One line of `anomfit measurements`."""

    name: str
    era: str
    default: bool
    title: str
    status: str
    references: tuple[str, ...]


_MINIBOONE: dict[str, Callable[..., Measurement]] = {
    "enuqe": load_miniboone,
    **{era: partial(load_projection, era) for era in DISTRIBUTIONS},
}


def measurement_names() -> tuple[str, ...]:
    """Names without eras."""
    return ("miniboone", "g-2-muon", "g-2-electron", *ENTRIES)


def measurement_listing() -> list[Listing]:
    """Every measurement and era."""
    default = MiniBooneQuasiElastic
    rows = [Listing("miniboone", default.era, True, default.title, "release", default.references)]
    for era, shown in DISTRIBUTIONS.items():
        rows.append(Listing("miniboone", era, False, shown.title, shown.status, shown.references))
    for name, entries in ENTRIES.items():
        for i, (era, entry) in enumerate(entries.items()):
            rows.append(Listing(name, era, i == 0, entry.title, entry.status, entry.references))
    for lepton in ("muon", "electron"):
        for era, title in eras(lepton).items():
            references = load_lepton_moment(lepton, era).references
            rows.append(Listing(f"g-2-{lepton}", era, era == DEFAULT_ERAS[lepton], title, "release", references))
    return rows


def find_measurement(name: str, /, **options: str) -> Measurement:
    """The measurement "name" or "name:era" with its options (see the loader's arguments)."""
    base, _, era = name.partition(":")
    if base not in measurement_names() and _is_constraint(base):
        _checked(None, name, options)
        return _constraint(base, era)
    if base not in measurement_names():
        raise reject("measurement", base, f"use one of {', '.join(measurement_names())}, or FILE.py:NAME for your own")
    if base == "miniboone" and (era or "enuqe") not in _MINIBOONE:
        raise reject("era", era, f"miniboone has {', '.join(_MINIBOONE)}")
    load = _loader(base, era)
    checked = _checked(load, name, options)
    if load is not None:
        return load(**checked)
    return load_lepton_moment(base.removeprefix("g-2-"), era or "default")  # type: ignore[arg-type]


def accepted(name: str) -> tuple[Needs, ...]:
    """What the measurement called `name`, without an era, accepts of a model; none of its data are read.

    Every era of a measurement accepts the same: its class says it, which is what its loader returns.
    """
    load = load_lepton_moment if name.startswith("g-2-") else _loader(name, "")
    plain = load.func if isinstance(load, partial) else load
    return get_type_hints(plain)["return"].accepts


def other_projections(measurement: Measurement, options: Mapping[str, str]) -> tuple[Measurement, ...]:
    """Other eras of a shipped measurement that show some of the same events in several bins.

    They get those of the `options` that they know. () for a user's own measurement.
    """
    found = []
    for row in measurement_listing():
        if row.name != measurement.name or row.era == measurement.era:
            continue
        other = find_projection(row.name, row.era, options)
        if other.independent_numbers > 1 and other.samples & measurement.samples:
            found.append(other)
    return tuple(found)


def find_projection(name: str, era: str, options: Mapping[str, str]) -> Measurement:
    """A shipped measurement in an era, with those of the `options` that this era knows."""
    load = _loader(name, era)
    known = inspect.signature(load).parameters if load else {}
    return find_measurement(f"{name}:{era}", **{key: value for key, value in options.items() if key in known})


def _loader(name: str, era: str) -> Callable[..., Measurement] | None:
    """What makes an era from its options; None where there are no options."""
    if name == "miniboone":
        return _MINIBOONE[era or "enuqe"]
    return find_loader(name, era) if name in ENTRIES else None


def _is_constraint(name: str) -> bool:
    from anomfit.constraints.catalogue import constraint_names

    return name in constraint_names()


def _constraint(name: str, era: str) -> Measurement:
    from anomfit.constraints.catalogue import find_constraint

    return find_constraint(name, era)


def _checked(load: Callable[..., Measurement] | None, name: str, options: dict[str, str]) -> dict[str, str]:
    known = list(inspect.signature(load).parameters) if load else []
    for option in options:
        if option not in known:
            raise InputError(
                f"option {quoted(option)} is not known to {quoted(name)}; it has {', '.join(known) or 'none'}"
            )
    return options

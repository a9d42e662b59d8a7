"""The constraints that ship, by name."""

import difflib
from collections.abc import Iterable
from functools import lru_cache

from anomfit.capabilities import Model, require_offered
from anomfit.constraints import (
    charm,
    consistency,
    decay_conditions,
    electron_dumps,
    lepton_colliders,
    low_energy,
    mesons,
    neutrino_line,
    neutrino_scattering,
    penguins,
    photon_dumps,
    scattering_conditions,
    vectors_from_mesons,
)
from anomfit.constraints.base import IN_FITS, Constraint
from anomfit.errors import InputError, reject

_FAMILIES = (
    consistency,
    neutrino_scattering,
    low_energy,
    mesons,
    neutrino_line,
    penguins,
    scattering_conditions,
    decay_conditions,
    lepton_colliders,
    electron_dumps,
    photon_dumps,
    charm,
    vectors_from_mesons,
)


@lru_cache
def shipped_constraints() -> tuple[Constraint, ...]:
    """All of them, in the order of the table."""
    return tuple(entry for family in _FAMILIES for entry in family.constraints())


def constraint_names() -> tuple[str, ...]:
    """Their names."""
    return tuple(entry.name for entry in shipped_constraints())


def with_own(shipped: Iterable[Constraint], model: Model, own: Iterable[Constraint]) -> tuple[Constraint, ...]:
    """Constraints of a user behind those that ship.

    Raises InputError for one that `model` cannot be asked about, and for a name that is taken.
    """
    found = {entry.name: entry for entry in shipped}
    for entry in own:
        require_offered(model, entry)
        if found.setdefault(entry.name, entry) is not entry:
            raise reject("constraint", entry.name, "another one has that name; rename yours")
    return tuple(found.values())


def find_constraint(name: str, era: str = "") -> Constraint:
    """The constraint of that name as a likelihood term; its only era may be named.

    Raises InputError for an unknown name or era, and for what never enters a likelihood: a projection, or a limit that
    is not public.
    """
    for entry in shipped_constraints():
        if entry.name == name:
            if era not in ("", "default", entry.era):
                raise reject(f"era of {name}", era, f"it has only {entry.era!r}")
            if entry.about.kind not in IN_FITS:
                raise InputError(f"{name}: it cannot be fitted ({entry.about.kind}); see 'anomfit constraints MODEL'")
            return entry
    near = difflib.get_close_matches(name, constraint_names(), n=1, cutoff=0.4) or list(constraint_names()[:1])
    raise reject("constraint", name, f"did you mean {near[0]!r}?")

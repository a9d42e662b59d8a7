"""Every model, measurement and constraint that ships, by name: `two-higgs-doublet`, `miniboone:evis`, `na64`.

What a card or a command names is found here, once; files of a user are found in `anomfit.userfiles`.
"""

import difflib
import inspect
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple, get_type_hints

from anomfit.capabilities import Model, Needs, require_offered
from anomfit.errors import InputError, one_of, quoted, reject
from anomfit.measurements import (
    babar_monophoton,
    ccfr,
    double_vertices,
    expectations,
    karmen,
    koto,
    lepton_moments,
    lsnd_eras,
    microboone,
    miniboone_eras,
    neutrino_electron_charm2,
    neutrino_electron_minerva,
    ps191,
)
from anomfit.measurements.base import Measurement
from anomfit.measurements.entries import Entry
from anomfit.models.dark_photon import dark_photon, dark_photon_dirac
from anomfit.models.dark_scalar import as_published as dark_scalar_as_published
from anomfit.models.dark_scalar import dark_scalar
from anomfit.models.dark_seesaw import as_published as dark_seesaw_as_published
from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.models.dark_seesaw_flavours import dark_seesaw_flavours
from anomfit.models.dark_seesaw_scalar import dark_seesaw_scalar
from anomfit.models.oscillation import oscillation
from anomfit.models.two_higgs_doublet import as_published, two_higgs_doublet
from anomfit.models.zprime_two_higgs_doublet import as_published as zprime_as_published
from anomfit.models.zprime_two_higgs_doublet import zprime_baryon, zprime_two_higgs_doublet

if TYPE_CHECKING:
    from anomfit.constraints import Constraint

MODELS: tuple[Model, ...] = (
    two_higgs_doublet,
    as_published,
    dark_scalar,
    dark_scalar_as_published,
    dark_photon,
    dark_photon_dirac,
    dark_seesaw,
    dark_seesaw_as_published,
    dark_seesaw_flavours,
    dark_seesaw_scalar,
    zprime_two_higgs_doublet,
    zprime_baryon,
    zprime_as_published,
    oscillation,
)


@lru_cache
def shipped_measurements() -> Mapping[str, Mapping[str, Entry]]:
    """Eras of each measurement by name, the default first."""
    return {
        "miniboone": miniboone_eras.entries(),
        "g-2-muon": lepton_moments.entries("muon"),
        "g-2-electron": lepton_moments.entries("electron"),
        "lsnd": lsnd_eras.ENTRIES,
        karmen.NAME: karmen.ENTRIES,
        koto.NAME: koto.ENTRIES,
        microboone.NAME: microboone.ENTRIES,
        neutrino_electron_minerva.NAME: neutrino_electron_minerva.ENTRIES,
        neutrino_electron_charm2.NAME: neutrino_electron_charm2.ENTRIES,
        babar_monophoton.NAME: babar_monophoton.ENTRIES,
        double_vertices.NAME: double_vertices.ENTRIES,
        ccfr.NAME: ccfr.ENTRIES,
        ps191.NAME: ps191.ENTRIES,
        **expectations.entries(),
    }


# -- models ----------------------------------------------------------------------------------------------------------


def model_names() -> tuple[str, ...]:
    """All names, in the order of listing."""
    return tuple(model.name for model in MODELS)


def find_model(name: str) -> Model:
    """The model of that name. Raises InputError for an unknown one."""
    for model in MODELS:
        if model.name == name:
            return model
    raise reject("model", name, f"{one_of(model_names(), name, 'anomfit models')}, or FILE.py:NAME for your own")


# -- measurements ----------------------------------------------------------------------------------------------------


class Listing(NamedTuple):
    """One line of `anomfit measurements`."""

    name: str
    era: str
    default: bool
    title: str
    status: str
    references: tuple[str, ...]


def measurement_names() -> tuple[str, ...]:
    """Names without eras."""
    return tuple(shipped_measurements())


def measurement_listing() -> list[Listing]:
    """Every measurement and era."""
    return [
        Listing(name, era, i == 0, entry.title, entry.status, entry.references)
        for name, eras in shipped_measurements().items()
        for i, (era, entry) in enumerate(eras.items())
    ]


def find_measurement(name: str, /, **options: str) -> Measurement:
    """The measurement "name" or "name:era" with its options (see the loader's arguments), or the constraint "name".

    Raises InputError for an unknown name, era or option, and for a constraint that cannot be fitted.
    """
    base, _, era = name.partition(":")
    if base in shipped_measurements():
        load = _entry(base, era).load
        return load(**_checked(list(inspect.signature(load).parameters), name, options))
    if base in constraint_names():
        _checked([], name, options)
        return find_constraint(base, era)
    names = one_of(measurement_names(), base, "anomfit measurements")
    raise reject("measurement", base, f"{names}, or FILE.py:NAME for your own")


def accepted(name: str) -> tuple[Needs, ...]:
    """What the measurement called `name`, without an era, accepts of a model; none of its data are read.

    Every era of a measurement accepts the same: its class says it, which is what its loader returns.
    """
    load = _entry(name, "").load
    plain = load.func if isinstance(load, partial) else load
    return get_type_hints(plain)["return"].accepts


def other_projections(measurement: Measurement, options: Mapping[str, str]) -> tuple[Measurement, ...]:
    """Other eras of a shipped measurement that show some of the same events in several bins.

    They get those of the `options` that they know. () for a user's own measurement.
    """
    found = []
    for era in shipped_measurements().get(measurement.name, ()):
        if era != measurement.era:
            other = find_projection(measurement.name, era, options)
            if other.independent_numbers > 1 and other.samples & measurement.samples:
                found.append(other)
    return tuple(found)


def find_projection(name: str, era: str, options: Mapping[str, str]) -> Measurement:
    """A shipped measurement in an era, with those of the `options` that this era knows."""
    known = inspect.signature(_entry(name, era).load).parameters
    return find_measurement(f"{name}:{era}", **{key: value for key, value in options.items() if key in known})


def _entry(name: str, era: str) -> Entry:
    """An era, or one of its aliases; "" and "default" stand for the first."""
    eras = shipped_measurements()[name]
    if era in ("", "default"):
        return next(iter(eras.values()))
    for own, entry in eras.items():
        if era in (own, *entry.aliases):
            return entry
    known = [*eras, *(alias for entry in eras.values() for alias in entry.aliases), "default"]
    near = difflib.get_close_matches(era, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise reject(f"era of {name}", era, f"{hint}use one of {', '.join(known)}")


def _checked(known: list[str], name: str, options: dict[str, str]) -> dict[str, str]:
    for option in options:
        if option not in known:
            words = f"it has {', '.join(known) or 'none'}"
            raise InputError(f"option {quoted(option)} is not known to {quoted(name)}; {words}")
    return options


# -- constraints -----------------------------------------------------------------------------------------------------


@lru_cache
def shipped_constraints() -> "tuple[Constraint, ...]":
    """All of them, in the order of the table: families, each of which makes its own."""
    # loaded when asked for: tables of dumps and the scattering of neutrinos take a second that a listing need not wait
    from anomfit.constraints import (
        charm,
        coherent_recoils,
        consistency,
        decay_conditions,
        deep_inelastic,
        elastic_nucleons,
        electron_dumps,
        electron_scattering,
        gauged_charges,
        heavy_neutrino_mixing,
        heavy_pairs_at_colliders,
        higgs,
        kinetic_mixing,
        lepton_colliders,
        lepton_decays,
        low_energy,
        mesons,
        neutrino_line,
        neutrino_scattering,
        penguins,
        photon_dumps,
        scattering_conditions,
        second_doublet,
        single_photons,
        tau_scalars,
        vectors_from_mesons,
    )

    families = (
        consistency,
        second_doublet,
        neutrino_scattering,
        low_energy,
        mesons,
        neutrino_line,
        penguins,
        scattering_conditions,
        decay_conditions,
        lepton_colliders,
        heavy_pairs_at_colliders,
        electron_dumps,
        photon_dumps,
        charm,
        vectors_from_mesons,
        heavy_neutrino_mixing,
        kinetic_mixing,
        gauged_charges,
        elastic_nucleons,
        deep_inelastic,
        coherent_recoils,
        electron_scattering,
        single_photons,
        lepton_decays,
        tau_scalars,
        higgs,
    )
    return tuple(entry for family in families for entry in family.constraints())


def constraint_names() -> tuple[str, ...]:
    """Their names."""
    return tuple(entry.name for entry in shipped_constraints())


def find_constraint(name: str, era: str = "") -> "Constraint":
    """The constraint of that name as a likelihood term; its only era may be named.

    Raises InputError for an unknown name or era, and for what never enters a likelihood: a projection, or a limit that
    is not public.
    """
    from anomfit.constraints.base import IN_FITS

    for entry in shipped_constraints():
        if entry.name == name:
            if era not in ("", "default", entry.era):
                raise reject(f"era of {name}", era, f"it has only {entry.era!r}")
            if entry.about.kind not in IN_FITS:
                raise InputError(f"{name}: it cannot be fitted ({entry.about.kind}); see 'anomfit constraints MODEL'")
            return entry
    near = difflib.get_close_matches(name, constraint_names(), n=1, cutoff=0.4) or list(constraint_names()[:1])
    raise reject("constraint", name, f"did you mean {near[0]!r}?")


def with_own(shipped: "Iterable[Constraint]", model: Model, own: "Iterable[Constraint]") -> "tuple[Constraint, ...]":
    """Constraints of a user behind those that ship.

    Raises InputError for one that `model` cannot be asked about, and for a name that is taken.
    """
    found = {entry.name: entry for entry in shipped}
    for entry in own:
        require_offered(model, entry)
        if found.setdefault(entry.name, entry) is not entry:
            raise reject("constraint", entry.name, "another one has that name; rename yours")
    return tuple(found.values())

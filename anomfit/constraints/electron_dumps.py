"""Light bosons radiated off electrons: beam dumps, NA64 and HPS, with lifetimes where the decay must be displaced."""

from dataclasses import replace
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.constraints.base import NOT_IN_TABLE, About, Constraint, HasLightBosons, Outcome
from anomfit.constraints.dark_photon_curves import COMPILATION, SOURCES, dark_photon_curve
from anomfit.constraints.photon_dumps import primakoff_events, primakoff_table
from anomfit.constraints.production import (
    UNSEEN_FRACTION,
    decades_in_table,
    decades_of_events,
    nearest,
    numbers_on_edges,
    of_each,
    relative,
    spectrum_of,
    unseen,
)
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics.constants import E_CHARGE, M_E
from anomfit.physics.dark_photon import vector_shares
from anomfit.physics.extremes import largest
from anomfit.physics.light_bosons import Channel, LightBosons, joined
from anomfit.physics.scalar_bremsstrahlung import Dump, displaced_rate, produced_spectrum, vector_spectrum
from anomfit.physics.vector_decays import width_to_leptons
from anomfit.statistics.limits import foremost, is_covered

_DUMPS = (
    ("E137_Bjorken", "e137", "E137: electron beam dump", "1980-1983"),
    ("E141", "e141", "E141: electron beam dump", "1986"),
    ("Orsay", "orsay", "Orsay: electron beam dump", "1988"),
    ("E774", "e774", "E774: electron beam dump", "1990"),
    ("KEK", "kek", "KEK: electron beam dump", "1985"),
    ("NA64_vis_2019", "na64", "NA64: X -> e+e- behind an active dump", "2016-2018"),
)
PROJECTED_HPS = Dump(beam=6.6, shield=0.01, decay=0.5, lowest=5.3)  # as published: 6.6 GeV, thin tungsten, x above 0.8


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (*(_dump(*row) for row in _DUMPS), _missing_energy(), *_hps())


def _dump(curve, name, title, era) -> Constraint:
    table = dark_photon_curve(curve)
    values = load_record("ee_colliders/beam_dumps").parts[curve].values
    dump = Dump(values["beam"], values["shield"], values["decay"], values["lowest"])
    about = _displaced_about(curve, name, title, era)
    words = f"{about.assumption}; so also outside the published masses"
    constraint = _displaced(table, dump, replace(about, assumption=words), _events)
    return _with_photons(constraint, dump) if curve == "E137_Bjorken" else constraint


def _with_photons(constraint: Constraint, dump: Dump) -> Constraint:
    """E137, whose calorimeter sees photons like electrons: bosons radiated off electrons and made from photons."""
    words = f"{constraint.about.assumption}; and Primakoff production (ALPINIST); electrons and photons seen alike"
    about = replace(
        constraint.about,
        assumption=words,
        references=(*constraint.about.references, "arXiv:2201.05170"),
    )
    return Constraint({**constraint.data, **primakoff_table("e137")}, about, partial(_events_in_e137, dump))


def _events_in_e137(dump: Dump, model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    """The sum of both over what is excluded; radiated ones of the boson that makes most of them."""
    families = model.light_bosons(point)
    radiated = radiated_events(dump, families, ("electrons", "photons"), data)
    from_photons = primakoff_events(data, "e137", joined(families)) / data["e137_limit_events"]
    ratio = radiated.ratio + from_photons
    return Outcome(ratio, jnp.where(from_photons > 0.0, 1.0, radiated.limit), ratio)


def _displaced_about(curve: str, name: str, title: str, era: str) -> About:
    reference, source = SOURCES[curve]
    return About(
        name=name,
        title=title,
        quantity="displaced decays over the number at the edge of the region",
        unit="1",
        kind="projection" if "projection" in curve else "region",
        era=era,
        source=source,
        assumption="rate over that of dark photons on the edge, thick target, in the WW approximation",
        references=(reference, COMPILATION, "arXiv:1705.01633"),
        accepts=(HasLightBosons,),
    )


def _displaced(table: dict[str, np.ndarray], dump: Dump, about: About, physics) -> Constraint:
    """The number of dark photons on both edges is worked out once; the limit lies between them.

    Published regions know of decays to e+e- alone: also above the muons both edges of E137 then hold the same number.
    """

    def rate(m, eps):
        return displaced_rate(vector_spectrum, m, eps**2, eps**2 * _to_electrons(m), dump)

    return Constraint(numbers_on_edges(table, rate), about, partial(physics, dump))


def _to_electrons(m):
    """Width (GeV) of a dark photon with eps = 1."""
    return width_to_leptons(m, E_CHARGE, M_E)


def _events(dump: Dump, model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    return radiated_events(dump, model.light_bosons(point), ("electrons",), data)


def radiated_events(dump: Dump, families: tuple[LightBosons, ...], seen: tuple[Channel, ...], data) -> Outcome:
    """Bosons radiated off electrons that decay behind the shield to one of the channels `seen`."""

    def of_family(family: LightBosons):
        each = jax.vmap(partial(_decades_of_events, dump, spectrum_of(family), data))
        return each(family.mass, family.g_e, family.width, family.partial_width(*seen))

    ratio = 10.0 ** largest(of_each(families, of_family))
    some = jnp.any(joined(families).partial_width(*seen) > 0.0)
    return Outcome(ratio, jnp.where(some, 1.0, jnp.inf), ratio)


def _decades_of_events(dump: Dump, spectrum, data, mass, g_e, width, seen):
    """log10(events/limit) for one boson of width `width` and partial width `seen` (GeV).

    Below the region's masses, where the photon flux of the target and the angular acceptance grow, the number is too
    small (the dark photon's edges are met within 0.03 decades of the coupling by E137 from 4 down to 2 MeV); above,
    where both fall, it is too large, and at the tip the region of a vector closes.
    """
    rate = displaced_rate(spectrum, mass, (g_e / E_CHARGE) ** 2 * seen / width, width, dump)
    return decades_of_events(data, mass, width, rate, _to_electrons)


def _events_in_table(dump: Dump, model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    """At the masses of the region alone: the angle of light pairs is what HPS can resolve, and no rate says that."""
    families = model.light_bosons(point)

    def decades_of(spectrum, mass, g_e, width, seen):
        def at(inside, scale):
            return _decades_of_events(dump, spectrum, data, inside, g_e, width * scale, seen * scale)

        return decades_in_table(data, mass, at)

    def of_family(family: LightBosons):
        each = jax.vmap(partial(decades_of, spectrum_of(family)))
        return each(family.mass, family.g_e, family.width, family.to_electrons)

    decades = of_each(families, of_family)
    covered = is_covered(joined(families).mass, data["m"])
    ratio = 10.0 ** largest(decades)
    return Outcome(ratio, jnp.where(covered[foremost(decades, covered)], 1.0, NOT_IN_TABLE), ratio)


# -- missing energy -------------------------------------------------------------------------------------------------


def _missing_energy() -> Constraint:
    curve = "NA64_2019_invisible"
    table, values = dark_photon_curve(curve), load_record("ee_colliders/beam_dumps").parts[curve].values
    reference, source = SOURCES[curve]
    about = About(
        name="na64-invisible",
        title="NA64: e Z -> e Z X, X not seen",
        quantity="electron coupling of a vector with the same rate",
        unit="e",
        kind="curve",
        era="2016-2018",
        source=source,
        assumption=(
            f"invisible decays, and what leaves {values['shield']:g} m of calorimeters (recalled); of decays to heavy "
            f"neutrinos that end in e+e- {UNSEEN_FRACTION:.0%} go unnoticed in any case (our estimate)"
        ),
        references=(reference, COMPILATION, "arXiv:1705.01633"),
        accepts=(HasLightBosons,),
    )
    dump = Dump(values["beam"], values["shield"], 0.0, values["lowest"])
    return Constraint({key: table[key] for key in ("m", "low")}, about, partial(_not_seen, dump))


def _not_seen(dump: Dump, model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    families = model.light_bosons(point)

    def made_by(family: LightBosons):
        """eps^2 of the vector that is missed as often, its decays all being invisible."""
        at_mass = partial(produced_spectrum, dump=dump)
        energy, made = jax.vmap(lambda m: at_mass(spectrum_of(family), m), out_axes=(None, 0))(family.mass)
        _, vectors = jax.vmap(lambda m: at_mass(vector_spectrum, m), out_axes=(None, 0))(family.mass)
        momentum = jnp.sqrt(jnp.maximum(energy[:, None] ** 2 - family.mass**2, 1e-12))
        missed = jnp.sum(made * unseen(family, momentum, dump.shield).T, axis=1) / jnp.sum(vectors, axis=1)
        return (family.g_e / E_CHARGE) ** 2 * missed

    return nearest(joined(families), of_each(families, made_by), data)


# -- HPS --------------------------------------------------------------------------------------------------------------


def _hps() -> tuple[Constraint, Constraint]:
    displaced = _displaced(
        dark_photon_curve("HPS_displaced_projection"),
        PROJECTED_HPS,
        _displaced_about("HPS_displaced_projection", "hps-displaced", "HPS: displaced X -> e+e-", "projected"),
        _events_in_table,
    )
    table = dark_photon_curve("HPS_prompt_projection")
    reference, source = SOURCES["HPS_prompt_projection"]
    about = About(
        name="hps-prompt",
        title="HPS: prompt X -> e+e-",
        quantity="electron coupling of a vector with the same rate",
        unit="e",
        kind="projection",
        era="projected",
        source=source,
        assumption="made in bremsstrahlung with x above 0.8; B(X -> e+e-) from the model",
        references=(reference, COMPILATION, "arXiv:1705.01633"),
        accepts=(HasLightBosons,),
    )
    return displaced, Constraint({key: table[key] for key in ("m", "low")}, about, _bremsstrahlung)


def _bremsstrahlung(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    families = model.light_bosons(point)
    bosons, x = joined(families), 0.9

    def made_by(family: LightBosons):
        return (family.g_e / E_CHARGE) ** 2 * (spectrum_of(family)(x) / vector_spectrum(x))

    electrons, _, _ = vector_shares(bosons.mass)
    seen = relative(bosons.branching_ratio("electrons"), electrons)
    return nearest(bosons, of_each(families, made_by) * seen, data)

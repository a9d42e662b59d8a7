"""Searches for a dark photon and for a muonic force as limits on light scalars.

Each published curve holds for a vector. A scalar is compared with it at its own mass: production of the search's kind,
branching ratio to what the search looks for, and life where the decay must be displaced.
"""

from dataclasses import replace
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.constraints.base import NOT_IN_TABLE, About, Constraint, Outcome, PredictsLightScalars
from anomfit.constraints.photon_dumps import primakoff_events, primakoff_table
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics import dark_photon as physics
from anomfit.physics.light_scalars import LightScalars
from anomfit.physics.scalar_bremsstrahlung import (
    Dump,
    displaced_rate,
    scalar_spectrum,
    vector_spectrum,
    vector_width,
)
from anomfit.statistics.limits import CURVE_WIDTH, FARTHEST, decades_above, foremost, is_covered, log_limit

# curve, name, title, era, root s (GeV), cos of the photon, leptons seen, source
_COLLIDERS = (
    ("BaBar_2014", "babar-visible", "BaBar: e+e- -> gamma X, X -> e+e-, mu+mu-", "1999-2008", 10.58, 0.9, "leptons"),
    ("KLOE_2015_ee", "kloe-electrons", "KLOE: e+e- -> gamma X, X -> e+e-", "2004-2005", 1.0195, 0.643, "electrons"),
    (
        "KLOE_2018_comb",
        "kloe-muons-pions",
        "KLOE: e+e- -> gamma X, X -> mu+mu-, pi+pi-",
        "2004-2005",
        1.0195,
        0.643,
        "muons and pions",
    ),
    ("BaBar_invisible", "babar-invisible", "BaBar: e+e- -> gamma X, X not seen", "2007-2008", 10.02, 0.9, "nothing"),
    (
        "BelleII_visible_projection",
        "belle2-visible",
        "Belle II: e+e- -> gamma X, X -> e+e-, mu+mu-",
        "50/ab, projected",
        10.58,
        0.9,
        "leptons",
    ),
)
_SOURCES = {
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
    "HPS_displaced_projection": ("arXiv:1612.07821", "HPS, arXiv:1612.07821"),
    "HPS_prompt_projection": ("arXiv:1612.07821", "HPS, arXiv:1612.07821"),
}
_DUMPS = (
    ("E137_Bjorken", "e137", "E137: electron beam dump", "1980-1983"),
    ("E141", "e141", "E141: electron beam dump", "1986"),
    ("Orsay", "orsay", "Orsay: electron beam dump", "1988"),
    ("E774", "e774", "E774: electron beam dump", "1990"),
    ("KEK", "kek", "KEK: electron beam dump", "1985"),
    ("NA64_vis_2019", "na64", "NA64: X -> e+e- behind an active dump", "2016-2018"),
)
BABAR_SIZE = 1.0  # m: a decay inside is seen
PROJECTED_HPS = Dump(beam=6.6, shield=0.01, decay=0.5, lowest=5.3)  # as published: 6.6 GeV, thin tungsten, x above 0.8


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (*(_collider(*row) for row in _COLLIDERS), _muonic(), *(_dump(*row) for row in _DUMPS), *_hps())


def _curve(name: str) -> dict[str, np.ndarray]:
    """Masses, ascending, with the edges; rows of equal mass keep the first."""
    columns = load_record("ee_colliders/dark_photon").columns
    rows = columns["curve"] == name
    masses, first = np.unique(columns["m_GeV"][rows], return_index=True)
    return {"m": masses, "low": columns["eps_low"][rows][first], "high": columns["eps_high"][rows][first]}


def _collider(curve, name, title, era, root_s, cos_max, seen) -> Constraint:
    table = _curve(curve)
    reference, source = _SOURCES[curve]
    about = About(
        name=name,
        title=title,
        quantity="electron coupling of a vector with the same rate",
        unit="e",
        kind="projection" if "projection" in curve else "curve",
        era=era,
        source=source,
        assumption=_COLLIDER_ASSUMPTIONS[seen],
        references=(reference, "arXiv:1801.04847"),
        accepts=(PredictsLightScalars,),
    )
    numbers = {key: table[key] for key in ("m", "low")} | {
        "root_s": np.asarray(root_s),
        "cos_max": np.asarray(cos_max),
    }
    return Constraint(numbers, about, _COLLIDER_PHYSICS[seen])


def _annihilation(seen: str, model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    scalars = model.light_scalars(point)
    made = (scalars.y_e / physics.E_CHARGE) ** 2 * physics.annihilation_ratio(
        scalars.mass, data["root_s"], data["cos_max"]
    )
    squared = made * _share_seen(seen, scalars, data)
    positive = squared > 0.0
    eps = jnp.where(positive, jnp.sqrt(jnp.where(positive, squared, 1.0)), 0.0)
    return _nearest(scalars, eps, data)


def _share_seen(seen: str, scalars: LightScalars, data):
    """Share of a scalar's decays that the search looks for, over the vector's."""
    electrons, muons, hadrons = physics.vector_shares(scalars.mass)
    if seen == "electrons":
        return scalars.to_electrons / scalars.width / electrons
    if seen == "leptons":
        return (scalars.to_electrons + scalars.to_muons) / scalars.width / (electrons + muons)
    if seen == "muons and pions":
        reach = jnp.maximum(muons + hadrons, 1e-3)
        return (scalars.to_muons + scalars.to_pions) / scalars.width / reach
    energy = 0.5 * data["root_s"]
    momentum = jnp.sqrt(jnp.maximum(energy**2 - scalars.mass**2, 1e-12))
    return jnp.exp(-BABAR_SIZE / (scalars.decay_length_per_momentum * momentum))


_COLLIDER_PHYSICS = {
    seen: partial(_annihilation, seen) for seen in ("electrons", "leptons", "muons and pions", "nothing")
}
_COLLIDER_ASSUMPTIONS = {
    "electrons": "made like a dark photon but for its spin; only X -> e+e- counts, missing energy does not",
    "leptons": "made like a dark photon but for its spin; only X -> e+e-, mu+mu- count, missing energy does not",
    "muons and pions": "made like a dark photon but for its spin; only X -> mu+mu-, pi+pi- count",
    "nothing": "X must leave 1 m of detector; decays to heavy neutrinos end in e+e- and are seen",
}


def _nearest(scalars: LightScalars, eps, data) -> Outcome:
    """The scalar that comes nearest to its limit, or farthest above it."""
    decades = jax.vmap(lambda m, value: decades_above(m, value, data["m"], data["low"]))(scalars.mass, eps)
    covered = is_covered(scalars.mass, data["m"])
    chosen = foremost(decades, covered)
    limit = 10.0 ** log_limit(scalars.mass[chosen], data["m"], data["low"])
    return Outcome(eps[chosen], jnp.where(covered[chosen], limit, NOT_IN_TABLE), 10.0 ** jnp.max(decades))


def _muonic() -> Constraint:
    columns = load_record("ee_colliders/muonic_force").columns
    about = About(
        name="babar-muons",
        title="BaBar: e+e- -> mu+mu- X, X -> mu+mu-",
        quantity="muon coupling of a vector with the same rate",
        unit="1",
        kind="curve",
        era="1999-2008",
        source="BaBar, arXiv:1606.03501",
        assumption="radiated off the muons like a vector of L_mu - L_tau but for its spin; B(X -> mu mu) of the model",
        references=("arXiv:1606.03501", "arXiv:1801.04847"),
        accepts=(PredictsLightScalars,),
    )
    return Constraint({"m": columns["m_GeV"], "low": columns["g_prime"]}, about, _radiation)


def _radiation(model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    scalars = model.light_scalars(point)
    ratio = jax.vmap(lambda m: physics.radiation_ratio(m, 10.58))(jnp.clip(scalars.mass, data["m"][0], data["m"][-1]))
    electrons, muons, _ = physics.vector_shares(scalars.mass)
    to_muons = muons / jnp.maximum(muons + electrons, 1e-12)  # width over that of a massless lepton: neutrinos give 1
    squared = scalars.y_mu**2 * ratio * scalars.to_muons / scalars.width / jnp.maximum(to_muons, 1e-3)
    positive = squared > 0.0
    return _nearest(scalars, jnp.where(positive, jnp.sqrt(jnp.where(positive, squared, 1.0)), 0.0), data)


def _dump(curve, name, title, era) -> Constraint:
    table = _curve(curve)
    values = load_record("ee_colliders/beam_dumps").parts[curve].values
    dump = Dump(values["beam"], values["shield"], values["decay"], values["lowest"])
    about = _displaced_about(curve, name, title, era)
    words = f"{about.assumption}; so also outside the published masses"
    constraint = _displaced(table, dump, replace(about, assumption=words), _events)
    return _with_photons(constraint, dump) if curve == "E137_Bjorken" else constraint


def _with_photons(constraint: Constraint, dump: Dump) -> Constraint:
    """E137, whose calorimeter sees photons like electrons: scalars radiated off electrons and made from photons."""
    words = f"{constraint.about.assumption}; and Primakoff production (ALPINIST); electrons and photons seen alike"
    about = replace(
        constraint.about,
        assumption=words,
        references=(*constraint.about.references, "arXiv:2201.05170"),
    )
    return Constraint({**constraint.data, **primakoff_table("e137")}, about, partial(_events_in_e137, dump))


def _events_in_e137(dump: Dump, model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    """The sum of both over what is excluded; radiated ones of the scalar that makes most of them."""
    scalars = model.light_scalars(point)
    radiated = _radiated(dump, scalars, scalars.to_electrons + scalars.to_photons, data)
    from_photons = primakoff_events(data, "e137", scalars) / data["e137_limit_events"]
    ratio = radiated.ratio + from_photons
    return Outcome(ratio, jnp.where(from_photons > 0.0, 1.0, radiated.limit), ratio)


def _displaced_about(curve: str, name: str, title: str, era: str) -> About:
    reference, source = _SOURCES[curve]
    return About(
        name=name,
        title=title,
        quantity="displaced decays over the number at the edge of the region",
        unit="1",
        kind="projection" if "projection" in curve else "region",
        era=era,
        source=source,
        assumption="rate of scalars over that of dark photons on the edge, thick target, in the WW approximation",
        references=(reference, "arXiv:1801.04847", "arXiv:1705.01633"),
        accepts=(PredictsLightScalars,),
    )


def _displaced(table: dict[str, np.ndarray], dump: Dump, about: About, physics) -> Constraint:
    """The number of dark photons on both edges is worked out once; the limit lies between them."""
    closed = np.isfinite(table["high"])
    m, low, high = (table[key][closed] for key in ("m", "low", "high"))
    numbers = {"m": m, "low": low, "high": high}
    for edge in ("low", "high"):
        eps = numbers[edge]
        rates = _vector_rates(dump, m, eps)
        numbers[f"rate_{edge}"] = np.asarray(rates)
    return Constraint(numbers, about, partial(physics, dump))


@partial(jax.jit, static_argnames=("dump",))
def _vector_rates(dump: Dump, m, eps):
    return jax.vmap(lambda m, eps: displaced_rate(vector_spectrum, m, eps**2, vector_width(m, eps), dump))(m, eps)


def _events(dump: Dump, model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    scalars = model.light_scalars(point)
    return _radiated(dump, scalars, scalars.to_electrons, data)


def _radiated(dump: Dump, scalars: LightScalars, seen, data) -> Outcome:
    """Scalars radiated off electrons that decay behind the shield; `seen`: partial widths to what is looked for."""
    decades = jax.vmap(lambda *one: _decades_of_events(dump, data, *one))(
        scalars.mass, scalars.y_e, scalars.width, seen
    )
    ratio = 10.0 ** jnp.max(decades)
    return Outcome(ratio, jnp.where(jnp.any(seen > 0.0), 1.0, jnp.inf), ratio)


def _decades_of_events(dump: Dump, data, mass, y_e, width, seen):
    """log10(events/limit) for one scalar.

    The limit is the number at the lower edge for long lives, at the upper edge for short ones, and interpolated in the
    logarithm of the dark photon's coupling that would live as long. Outside the region's masses it is the limit at its
    end: below, where the photon flux of the target and the angular acceptance grow, a number that is too small (the
    dark photon's edges are met within 0.03 decades of the coupling by E137 from 4 down to 2 MeV); above, where both
    fall, one that is too large, and at the tip the region of a vector closes.
    """
    inside = jnp.clip(mass, data["m"][0], data["m"][-1])
    rate = displaced_rate(scalar_spectrum, mass, (y_e / physics.E_CHARGE) ** 2 * seen / width, width, dump)
    edges = [log_limit(inside, data["m"], data[key]) for key in ("low", "high", "rate_low", "rate_high")]
    same_life = 0.5 * jnp.log10(width * mass / inside / vector_width(inside, 1.0))
    place = jnp.clip((same_life - edges[0]) / jnp.maximum(edges[1] - edges[0], 1e-6), 0.0, 1.0)
    limit = (1.0 - place) * edges[2] + place * edges[3]
    return jnp.maximum(jnp.log10(jnp.maximum(rate, 1e-300)) - limit, -FARTHEST)


def _events_in_table(dump: Dump, model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    """At the masses of the region alone: the angle of light pairs is what HPS can resolve, and no rate says that."""
    scalars = model.light_scalars(point)

    def decades_of(mass, y_e, width, seen):
        inside = jnp.clip(mass, data["m"][0], data["m"][-1])
        scale = mass / inside  # the same lives in the laboratory
        above = _decades_of_events(dump, data, inside, y_e, width * scale, seen * scale)
        out = jnp.abs(jnp.log10(scale))
        share = jnp.clip(1.0 - out / CURVE_WIDTH, 0.0, 1.0)
        return jnp.where(above > 0.0, share * above, above) - 2.0 * out

    decades = jax.vmap(decades_of)(scalars.mass, scalars.y_e, scalars.width, scalars.to_electrons)
    covered = is_covered(scalars.mass, data["m"])
    ratio = 10.0 ** jnp.max(decades)
    return Outcome(ratio, jnp.where(covered[foremost(decades, covered)], 1.0, NOT_IN_TABLE), ratio)


def _hps() -> tuple[Constraint, Constraint]:
    displaced = _displaced(
        _curve("HPS_displaced_projection"),
        PROJECTED_HPS,
        _displaced_about("HPS_displaced_projection", "hps-displaced", "HPS: displaced X -> e+e-", "projected"),
        _events_in_table,
    )
    table = _curve("HPS_prompt_projection")
    reference, source = _SOURCES["HPS_prompt_projection"]
    about = About(
        name="hps-prompt",
        title="HPS: prompt X -> e+e-",
        quantity="electron coupling of a vector with the same rate",
        unit="e",
        kind="projection",
        era="projected",
        source=source,
        assumption="made in bremsstrahlung with x above 0.8; B(X -> e+e-) from the model",
        references=(reference, "arXiv:1801.04847", "arXiv:1705.01633"),
        accepts=(PredictsLightScalars,),
    )
    return displaced, Constraint({key: table[key] for key in ("m", "low")}, about, _bremsstrahlung)


def _bremsstrahlung(model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    scalars = model.light_scalars(point)
    x = 0.9
    ratio = scalar_spectrum(x) / vector_spectrum(x)
    squared = (scalars.y_e / physics.E_CHARGE) ** 2 * ratio * scalars.to_electrons / scalars.width
    positive = squared > 0.0
    return _nearest(scalars, jnp.where(positive, jnp.sqrt(jnp.where(positive, squared, 1.0)), 0.0), data)

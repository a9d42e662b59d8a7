"""Mesons to a light scalar that decays to photons or to nothing seen: kaons near the pi0, B mesons, KOTO."""

from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike

from anomfit.capabilities import DecaysMesons
from anomfit.constraints.base import (
    NOT_IN_TABLE,
    About,
    Constraint,
    Kind,
    Outcome,
    against_measurement,
    against_upper_limit,
    measured_number,
)
from anomfit.constraints.lifetime_tables import has_mass, lifetime_table, log_limit_at
from anomfit.constraints.meson_production import meson_decay
from anomfit.data import Record, load_record
from anomfit.detectors.resolution import normal_cdf
from anomfit.measurements.koto_sensitivity import EVENTS_AT_LIMIT, events_per_rate, koto_sensitivity
from anomfit.parameters import Point
from anomfit.physics.light_bosons import LightBosons
from anomfit.statistics.limits import Z_90, is_covered

EDGE_WIDTH = 0.002  # GeV, in the pair's mass: smooths the edges of tables
BELLE_2 = "Belle II B+ -> K+ nu nubar"


class Rate(NamedTuple):
    """A limit on one rate of a compiled record: its part, the mode, what is seen of the scalar, words."""

    part: str
    name: str
    mode: str
    seen: str  # "gamma gamma" or "invisible"
    era: str
    assumption: str


_WHOLE = "as arXiv:2005.08920: less than the whole measured rate; no line was searched for at the pi0 mass"
_INSIDE = "a line in the pair's mass inside the window, all of it seen"
_RATES = (
    Rate("KL_pi0_gg", "KL-pi0-gg", "K_L -> pi0", "gamma gamma", "1996-2000", _WHOLE),
    Rate("KL_pi0_gg_low_mass", "KL-pi0-gg-light", "K_L -> pi0", "gamma gamma", "1998-1999", _INSIDE),
    Rate("KS_pi0_gg", "KS-pi0-gg", "K_S -> pi0", "gamma gamma", "2000", _WHOLE),
    Rate("Kplus_piplus_gg", "Kplus-piplus-gg", "K+ -> pi+", "gamma gamma", "2003-2007", _WHOLE),
    Rate("Kplus_piplus_gg_low_mass", "Kplus-piplus-gg-light", "K+ -> pi+", "gamma gamma", "2002", _INSIDE),
    Rate(
        "Kplus_piplus_invisible",
        "Kplus-piplus-invisible-paper",
        "K+ -> pi+",
        "invisible",
        "2019",
        "as arXiv:2005.08920: one number near the pi0 mass; the measured limits have rows of their own",
    ),
    Rate("B_K_nunu", "B-K-nunu", "B+ -> K+", "invisible", "1999-2010", "the spectrum of nu nubar, not a line"),
    Rate("B_Kstar_nunu", "B-Kstar-nunu", "B0 -> K*0", "invisible", "1999-2010", "the spectrum of nu nubar, not a line"),
    Rate("B_K_gg", "B-K-gg", "B+ -> K+", "gamma gamma", "2020", "a requirement of arXiv:2005.08920, no search"),
    Rate("B_K_gg", "B-Kstar-gg", "B+ -> K*+", "gamma gamma", "2020", "a requirement of arXiv:2005.08920, no search"),
)


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (
        *(_rate(row) for row in _RATES),
        _photon_table("e787_kplus_piplus_gammagamma_X", "Kplus-piplus-X-gg-e787", "1989-1991"),
        _photon_table("na62_kplus_piplus_gammagamma_X", "Kplus-piplus-X-gg-na62", "2017-2018"),
        _spectrum(),
        _belle_2_line(),
        _belle_2_rate(),
        _babar_line(),
        _koto(),
    )


def _about(record: Record, name, quantity, era, assumption, kind: Kind = "upper limit", samples=()) -> About:
    return About(
        name=name,
        title=record.title,
        quantity=quantity,
        unit="1",
        kind=kind,
        era=era,
        source=record.source.partition(", digitised")[0].partition(", as carried")[0],
        assumption=assumption,
        references=record.references,
        ceiling=1.0,
        accepts=(DecaysMesons,),
        samples=samples,
    )


# -- one number -------------------------------------------------------------------------------------------------------


def _rate(row: Rate) -> Constraint:
    record = load_record("kaon/photons_and_b_mesons").parts[row.part]
    quantity = f"B({row.mode} phi, phi -> {row.seen})"
    about = _about(record, row.name, quantity, row.era, row.assumption)
    numbers = {key: np.asarray(value) for key, value in record.values.items()}
    return Constraint(numbers, about, partial(_against_rate, row.mode, row.seen))


def _seen(bosons: LightBosons, seen: str):
    return bosons.branching_ratio("photons" if seen == "gamma gamma" else "invisible")


def _against_rate(mode: str, seen: str, model: DecaysMesons, point: Point, nuisances: Point, data) -> Outcome:
    rate, bosons = meson_decay(model, point, mode)
    predicted = rate * _seen(bosons, seen)
    if "m_max" not in data:
        return against_upper_limit(jnp.sum(predicted), data["limit"])
    above = normal_cdf((bosons.mass - data["m_min"]) / data["m_width"])
    inside = above * normal_cdf((data["m_max"] - bosons.mass) / data["m_width"])
    return _summed(predicted, inside / data["limit"])


def _summed(predicted, strength, published: ArrayLike = True) -> Outcome:
    """Several scalars: their sum, and the limit on it that 1/limit of each makes; `published` at which masses."""
    total, ratio = jnp.sum(predicted), jnp.sum(predicted * strength)
    sees = (total > 0.0) & (ratio > 0.0)
    limit = jnp.where(sees, total / jnp.where(sees, ratio, 1.0), jnp.inf)
    none = ~jnp.any((predicted > 0.0) & published)
    return Outcome(total, jnp.where(none, NOT_IN_TABLE, limit), ratio)


# -- photon pairs by mass ---------------------------------------------------------------------------------------------


def _photon_table(table: str, name: str, era: str) -> Constraint:
    record = load_record(f"kaon/{table}")
    words = "the limit goes with the life of phi, beyond the longest in proportion"
    about = _about(record, name, "B(K+ -> pi+ phi, phi -> gamma gamma)", era, words)
    return Constraint(lifetime_table(record), about, _resonance)


def _resonance(model: DecaysMesons, point: Point, nuisances: Point, data) -> Outcome:
    rate, bosons = meson_decay(model, point, "K+ -> pi+")
    strength = jax.vmap(lambda m, life: jnp.exp(-log_limit_at(data, m, life)))(bosons.mass, bosons.lifetime)
    late = jnp.minimum(data["lives"][-1] / bosons.lifetime, 1.0)
    return _summed(rate * bosons.branching_ratio("photons"), strength * late, has_mass(data, bosons.mass))


def _spectrum() -> Constraint:
    record = load_record("kaon/kplus_piplus_gammagamma_spectrum")
    words = "all that is measured in the bin may be phi: limit the bin's rate plus 1.645 errors; nothing below 221 MeV"
    about = _about(record, "Kplus-piplus-gg-spectrum", "B(K+ -> pi+ phi, phi -> gamma gamma)", "2003-2007", words)
    columns = record.columns
    limit = columns["branching_ratio"] + Z_90 * columns["error"]
    return Constraint({"low": columns["m_lo_GeV"], "high": columns["m_hi_GeV"], "limit": limit}, about, _in_bins)


def _in_bins(model: DecaysMesons, point: Point, nuisances: Point, data) -> Outcome:
    rate, bosons = meson_decay(model, point, "K+ -> pi+")
    mass = bosons.mass[:, None]
    inside = normal_cdf((mass - data["low"]) / EDGE_WIDTH) * normal_cdf((data["high"] - mass) / EDGE_WIDTH)
    published = is_covered(bosons.mass, jnp.stack([data["low"][0], data["high"][-1]]))
    return _summed(rate * bosons.branching_ratio("photons"), jnp.sum(inside / data["limit"], axis=1), published)


# -- B mesons and KOTO ------------------------------------------------------------------------------------------------


def _belle_2_line() -> Constraint:
    record = load_record("kaon/belle2_b_to_k_X")
    words = "a line in q^2 in place of nu nubar, recast; the rate of decays that are invisible"
    about = _about(record, "B-K-X-belle2", "B(B+ -> K+ phi, phi invisible)", "2019-2022", words, samples=(BELLE_2,))
    limit = record.columns["best"] + Z_90 * record.columns["error_up"]
    return Constraint({"m": record.columns["m_X_GeV"], "limit": limit}, about, _line)


def _line(model: DecaysMesons, point: Point, nuisances: Point, data) -> Outcome:
    rate, bosons = meson_decay(model, point, "B+ -> K+")
    covered = normal_cdf((data["m"][-1] - bosons.mass) / EDGE_WIDTH)
    strength = covered / jnp.interp(bosons.mass, data["m"], data["limit"])
    return _summed(rate * bosons.branching_ratio("invisible"), strength, is_covered(bosons.mass, data["m"]))


def _belle_2_rate() -> Constraint:
    record = load_record("kaon/photons_and_b_mesons").parts["Bplus_Kplus_nunu"]
    words = "Standard Model and invisible phi together, whatever the spectrum; the Standard Model alone is low"
    quantity = "B(B+ -> K+ nu nubar), phi included"
    expected = record.values["standard_model"]
    about = _about(record, "B-K-nunu-belle2", quantity, "2019-2022", words, kind="measured", samples=(BELLE_2,))
    numbers = {
        **measured_number(record.values["value"], record.values["sigma"]),
        "standard_model": np.asarray(expected),
    }
    return Constraint(numbers, replace(about, without=expected), _total)


def _total(model: DecaysMesons, point: Point, nuisances: Point, data) -> Outcome:
    rate, bosons = meson_decay(model, point, "B+ -> K+")
    predicted = data["standard_model"] + jnp.sum(rate * bosons.branching_ratio("invisible"))
    return against_measurement(predicted, data)


def _babar_line() -> Constraint:
    record = load_record("kaon/photons_and_b_mesons").parts["B_Kstar_X"]
    words = "a line in q^2 in place of nu nubar; the number is the weaker of two readings of the recast"
    quantity = "B(B0 -> K*0 phi, phi invisible)"
    about = _about(record, "B-Kstar-X-babar", quantity, "1999-2010", words, kind="no public data")
    return Constraint(
        {"limit": np.asarray(record.values["weakest"])}, about, partial(_against_rate, "B0 -> K*0", "invisible")
    )


def _koto() -> Constraint:
    record = load_record("koto/eras").parts["2021"]
    words = "limit by mass: the curve of 2015 with the sensitivity of 2021; invisible decays only"
    quantity = "B(K_L -> pi0 phi, phi invisible)"
    about = _about(record, "KL-pi0-invisible-koto", quantity, "2021", words, samples=("KOTO 2021",))
    return Constraint(koto_sensitivity("2021"), about, _invisible_kaon)


def _invisible_kaon(model: DecaysMesons, point: Point, nuisances: Point, data) -> Outcome:
    rate, bosons = meson_decay(model, point, "K_L -> pi0")
    return _summed(rate * bosons.branching_ratio("invisible"), events_per_rate(data, bosons.mass) / EVENTS_AT_LIMIT)

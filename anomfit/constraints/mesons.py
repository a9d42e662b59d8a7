"""Decays of kaons, B mesons and pions: what a light boson adds, and whether the search could have seen it."""

from dataclasses import replace
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.capabilities import HasLightScalars
from anomfit.constraints.base import (
    NOT_IN_TABLE,
    About,
    Constraint,
    HasLightBosons,
    Outcome,
    against_measurement,
    against_upper_limit,
    measured_number,
)
from anomfit.constraints.lifetime_tables import has_mass, lifetime_table, log_limit_at
from anomfit.constraints.meson_production import OWN_OR_CHIRAL, meson_decay, with_chiral_rate
from anomfit.data import Record, load_record
from anomfit.detectors.resolution import normal_cdf, outside
from anomfit.parameters import Point
from anomfit.physics import meson_decays
from anomfit.physics.extremes import largest
from anomfit.physics.light_bosons import LightBosons, of_spin
from anomfit.statistics.limits import Z_90

LONG_LIFE = 1e-3  # s: beyond every table


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (
        _to_pion("KL_pi0_ee", "KL-pi0-ee", "B(K_L -> pi0 phi, phi -> e+e-)", "1997-1999", _KL_ASSUMES, _KL),
        *(_invisible(*row) for row in _INVISIBLE),
        _to_pion("Kplus_piplus_ee", "Kplus-piplus-ee", "B(K+ -> pi+ phi, phi -> e+e-)", "1987", OWN_OR_CHIRAL, _pairs),
        _to_pion("Kplus_piplus_X_stopped", "Kplus-piplus-line", "B(K+ -> pi+ phi)", "1984", _LINE_ASSUMES, _line),
        _quoted_line(),
        _entry(
            "Kplus_munu_X",
            "Kplus-munu-invisible",
            "B(K+ -> mu+ nu phi)",
            "no public data",
            "2016-2018",
            "phi off the muon; the search wants phi to escape",
            _muon_invisible,
            accepts=(HasLightScalars,),
        ),
        _entry(
            "Kplus_munu_ee",
            "Kplus-munu-ee",
            "B(K+ -> mu+ nu phi, phi -> e+e-)",
            "upper limit",
            "2002",
            "phi off the muon; limit: 1.645 errors of the measured rate above the cut in m_ee",
            _muon_pairs,
            accepts=(HasLightScalars,),
        ),
        _entry(
            "Bzero_Kstar_ee",
            "B-Kstar-ee",
            "B(B0 -> K*0 phi)",
            "upper limit",
            "2011",
            "rate: the model's own, else none; limit: 1.645 errors of the rate over the largest B(phi -> ee)",
            _kstar,
        ),
        _pion("pi0_ee", "pi0-ee-ktev", "1997-1999"),
        _pion("pi0_ee_na62", "pi0-ee-na62", "2024"),
    )


_KL_ASSUMES = "rate: the model's own, else 4.3 B(K+ -> pi+ phi) (Grossman-Nir); only m_ee above 140 MeV is looked at"
_LINE_ASSUMES = f"{OWN_OR_CHIRAL}; nothing between 100 and 160 MeV, where K+ -> pi+ pi0 is, and above 260 MeV"
_QUOTED_ASSUMES = f"{OWN_OR_CHIRAL}; hidden by K+ -> pi+ pi0 between 100 and 165 MeV"
_PION_ASSUMES = "neither a CP-even scalar (parity) nor a vector (C) adds anything, so this is the Standard Model"
_INVISIBLE = (
    ("e949_kplus_piplus_X", "Kplus-piplus-e949", "1995-2002"),
    ("na62_2016_2018_kplus_piplus_X", "Kplus-piplus-na62-2018", "2016-2018"),
    ("na62_2016_2022_kplus_piplus_X", "Kplus-piplus-na62", "2016-2022"),
    ("na62_pi0_region_X", "Kplus-piplus-na62-pi0", "2017"),
)


def _entry(part, name, quantity, kind, era, assumption, physics, unit="1", accepts=(HasLightBosons,)) -> Constraint:
    record = load_record("kaon/rare_decays").parts[part]
    about = _about(record, name, quantity, kind, era, assumption, unit, accepts)
    if accepts != (HasLightBosons,):
        about = replace(about, other_spins="a vector is radiated by the kaon, too: not the rate of a scalar")
    numbers = {key: np.asarray(value) for key, value in record.values.items()}
    return Constraint(numbers, about, physics)


def _to_pion(part, name, quantity, era, assumption, physics) -> Constraint:
    """A limit on K -> pi phi, whose rate some models do not know better than chiral perturbation theory does."""
    return with_chiral_rate(_entry(part, name, quantity, "upper limit", era, assumption, physics))


def _quoted_line() -> Constraint:
    """The number that arXiv:2010.06159 quotes for the same data, which are not looked at twice in one fit."""
    part, quantity = "Kplus_piplus_phi_stopped", "B(K+ -> pi+ phi)"
    row = _to_pion(part, "Kplus-piplus-line-paper", quantity, "1984", _QUOTED_ASSUMES, _line_as_quoted)
    return replace(row, about=replace(row.about, samples=("Kplus-piplus-line",)))


def _pion(part: str, name: str, era: str) -> Constraint:
    values = load_record("kaon/rare_decays").parts[part].values
    entry = _entry(part, name, "B(pi0 -> e+e-)", "measured", era, _PION_ASSUMES, _neutral_pion)
    about = replace(entry.about, without=values["standard_model"], varies=False)
    return replace(entry, data={**entry.data, **measured_number(values["value"], values["sigma"])}, about=about)


def _about(record: Record, name, quantity, kind, era, assumption, unit="1", accepts=(HasLightBosons,)) -> About:
    recalled = " (recalled)" if record.status == "recalled" and "memory" not in record.source else ""
    return About(
        name=name,
        title=record.title,
        quantity=quantity,
        unit=unit,
        kind=kind,
        era=era,
        source=record.source.partition(", digitised")[0] + recalled,
        assumption=assumption,
        references=record.references,
        ceiling=1.0 if unit == "1" else float("inf"),
        accepts=accepts,
    )


def _invisible(table: str, name: str, era: str) -> Constraint:
    record = load_record(f"kaon/{table}")
    words = f"{OWN_OR_CHIRAL}; visible decays inside are vetoed; invisible ones as a life of 10 ns"
    about = _about(record, name, "B(K+ -> pi+ phi)", "upper limit", era, words)
    return with_chiral_rate(Constraint(lifetime_table(record), about, _escapes))


def _weighted(predicted, reach, limit) -> Outcome:
    """Several bosons together: their sum, and the share of it that the search sees."""
    total, seen = jnp.sum(predicted), jnp.sum(predicted * reach)
    some = total > 0.0
    return against_upper_limit(total, limit, jnp.where(some, seen / jnp.where(some, total, 1.0), 0.0))


def _above(mass, data):
    return normal_cdf((mass - data["m_ee_min"]) / data["m_ee_width"])


def _KL(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    rate, bosons = meson_decay(model, point, "K_L -> pi0", nuisances)
    return _weighted(rate * bosons.branching_ratio("electrons"), _above(bosons.mass, data), data["limit"])


def _pairs(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    rate, bosons = meson_decay(model, point, "K+ -> pi+", nuisances)
    below = normal_cdf((data["m_max"] - bosons.mass) / 0.002)
    return _weighted(rate * bosons.branching_ratio("electrons"), below, data["limit"])


def _line(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    """Heavy bosons are seen as much worse as their limit is; the change lies in the gap, where nothing is seen."""
    rate, bosons = meson_decay(model, point, "K+ -> pi+", nuisances)
    middle, width = 0.5 * (data["gap_low"] + data["gap_high"]), data["width"]
    heavy = data["limit"] / data["limit_heavy"] * normal_cdf((data["heaviest"] - bosons.mass) / width)
    share = normal_cdf((middle - bosons.mass) / width) + heavy * normal_cdf((bosons.mass - middle) / width)
    return _weighted(rate, share * outside(bosons.mass, data["gap_low"], data["gap_high"], width), data["limit"])


def _line_as_quoted(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    rate, bosons = meson_decay(model, point, "K+ -> pi+", nuisances)
    return _weighted(rate, outside(bosons.mass, data["gap_low"], data["gap_high"], 0.002), data["limit"])


def _escapes(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    """Invisible decays count as a boson that lives longest in the table, visible and semi-visible ones by lifetime."""
    rate, bosons = meson_decay(model, point, "K+ -> pi+", nuisances)
    table = jax.vmap(lambda m, life: jnp.exp(-log_limit_at(data, m, life)))
    visible, invisible = table(bosons.mass, bosons.lifetime), table(bosons.mass, jnp.full_like(bosons.mass, LONG_LIFE))
    unseen = bosons.branching_ratio("invisible")
    strength = unseen * invisible + (1.0 - unseen) * visible
    nearest = jnp.argmax(rate * strength)
    limit = jnp.where(has_mass(data, bosons.mass[nearest]), 1.0 / strength[nearest], NOT_IN_TABLE)
    return Outcome(rate[nearest], limit, (rate * strength)[nearest])


def _to_muon(bosons: LightBosons):
    return jax.vmap(meson_decays.kaon_to_muon_neutrino_scalar)(bosons.mass, bosons.g_mu)


def _muon_invisible(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    predicted = jnp.sum(_to_muon(of_spin(model.light_bosons(point), "scalar")))
    return Outcome(predicted, data["limit_light"], predicted / data["limit_light"])


def _muon_pairs(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    scalars = of_spin(model.light_bosons(point), "scalar")
    predicted = _to_muon(scalars) * scalars.branching_ratio("electrons")
    return _weighted(predicted, _above(scalars.mass, data), data["limit"])


def _kstar(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    rate, bosons = meson_decay(model, point, "B0 -> K*0")
    inside = _above(bosons.mass, data) * normal_cdf((data["m_ee_max"] - bosons.mass) / data["m_ee_width"])
    seen = inside * bosons.branching_ratio("electrons")
    return against_upper_limit(jnp.sum(rate), Z_90 * data["sigma_plus"], largest(seen))


def _neutral_pion(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    """<0| qbar q |pi0> = <0| qbar gamma^mu q |pi0> = 0: neither spin has an amplitude, to all orders of QCD."""
    return against_measurement(data["standard_model"], data)

"""Decays of kaons, B mesons and pions: what a light scalar adds, and whether the search could have seen it."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.constraints.base import (
    About,
    Constraint,
    Outcome,
    PredictsLightScalars,
    against_measurement,
    against_upper_limit,
)
from anomfit.constraints.lifetime_tables import lifetime_table, log_limit_at
from anomfit.data import Record, load_record
from anomfit.detectors.resolution import normal_cdf
from anomfit.parameters import Point
from anomfit.physics import meson_decays
from anomfit.physics.light_scalars import LightScalars
from anomfit.physics.penguin_decays import penguin_branching_ratio
from anomfit.statistics.limits import Z_90

TOP_COUPLING = 0.0  # of the light scalars to the top quark, in units of m_t/v: none of the models here has one
_QUARKS = "u and d couplings only, leading order of chiral perturbation theory: an order of magnitude"


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (
        _entry(
            "KL_pi0_ee", "KL-pi0-ee", "B(K_L -> pi0 phi, phi -> e+e-)", "upper limit", "1997-1999", _KL_ASSUMES, _KL
        ),
        *(_invisible(*row) for row in _INVISIBLE),
        _entry(
            "Kplus_piplus_ee",
            "Kplus-piplus-ee",
            "B(K+ -> pi+ phi, phi -> e+e-)",
            "upper limit",
            "1987",
            _QUARKS,
            _pairs,
        ),
        _entry(
            "Kplus_piplus_phi_stopped", "Kplus-piplus-line", "B(K+ -> pi+ phi)", "upper limit", "1984", _QUARKS, _line
        ),
        _entry(
            "Kplus_munu_X",
            "Kplus-munu-invisible",
            "B(K+ -> mu+ nu phi)",
            "no public data",
            "2016-2018",
            "phi off the muon; the search wants phi to escape",
            _muon_invisible,
        ),
        _entry(
            "Kplus_munu_ee",
            "Kplus-munu-ee",
            "B(K+ -> mu+ nu phi, phi -> e+e-)",
            "upper limit",
            "2002",
            "phi off the muon; limit: 1.645 errors of the measured rate above the cut in m_ee (recalled)",
            _muon_pairs,
        ),
        _entry(
            "Bzero_Kstar_ee",
            "B-Kstar-ee",
            "B(B0 -> K*0 phi)",
            "upper limit",
            "2011",
            "no coupling to b, s, t in the model; limit: 1.645 errors of the rate over the largest B(phi -> ee)",
            _kstar,
        ),
        _entry("pi0_ee", "pi0-ee-ktev", "B(pi0 -> e+e-)", "measured", "1997-1999", _PION_ASSUMES, _neutral_pion),
        _entry("pi0_ee_na62", "pi0-ee-na62", "B(pi0 -> e+e-)", "measured", "2024", _PION_ASSUMES, _neutral_pion),
        _entry("charm", "charm", "decays in CHARM", "upper limit", "1983-1984", _CHARM_ASSUMES, _charm, "events"),
    )


_KL_ASSUMES = "at most 4.3 B(K+ -> pi+ phi) (Grossman-Nir); the search looks above 140 MeV of m_ee only"
_PION_ASSUMES = "a CP-even scalar adds nothing (parity), so this is the Standard Model"
_CHARM_ASSUMES = (
    "kaons of the dump make phi of 25 GeV, every one towards the detector: an upper bound (recalled yields)"
)
_INVISIBLE = (
    ("e949_kplus_piplus_X", "Kplus-piplus-e949", "1995-2002"),
    ("na62_2016_2018_kplus_piplus_X", "Kplus-piplus-na62-2018", "2016-2018"),
    ("na62_2016_2022_kplus_piplus_X", "Kplus-piplus-na62", "2016-2022"),
)


def _entry(part, name, quantity, kind, era, assumption, physics, unit="1") -> Constraint:
    record = load_record("kaon/rare_decays").parts[part]
    about = _about(record, name, quantity, kind, era, assumption, unit)
    numbers = {key: np.asarray(value) for key, value in record.values.items()}
    return Constraint(numbers, about, physics)


def _about(record: Record, name, quantity, kind, era, assumption, unit="1") -> About:
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
        accepts=(PredictsLightScalars,),
    )


def _invisible(table: str, name: str, era: str) -> Constraint:
    record = load_record(f"kaon/{table}")
    words = f"{_QUARKS}; decays inside are vetoed: the limit goes with the life of phi"
    about = _about(record, name, "B(K+ -> pi+ phi)", "upper limit", era, words)
    return Constraint(lifetime_table(record), about, _escapes)


def _to_pion(scalars: LightScalars):
    return meson_decays.kaon_to_pion_scalar(scalars.mass, scalars.y_u, scalars.y_d)


def _to_pairs(scalars: LightScalars):
    return scalars.to_electrons / scalars.width


def _weighted(predicted, reach, limit) -> Outcome:
    """Several scalars together: their sum, and the share of it that the search sees."""
    total, seen = jnp.sum(predicted), jnp.sum(predicted * reach)
    some = total > 0.0
    return against_upper_limit(total, limit, jnp.where(some, seen / jnp.where(some, total, 1.0), 0.0))


def _above(scalars: LightScalars, data):
    return normal_cdf((scalars.mass - data["m_ee_min"]) / data["m_ee_width"])


def _KL(model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    scalars = model.light_scalars(point)
    predicted = meson_decays.GROSSMAN_NIR * _to_pion(scalars) * _to_pairs(scalars)
    return _weighted(predicted, _above(scalars, data), data["limit"])


def _pairs(model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    scalars = model.light_scalars(point)
    below = normal_cdf((data["m_max"] - scalars.mass) / 0.002)
    return _weighted(_to_pion(scalars) * _to_pairs(scalars), below, data["limit"])


def _line(model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    return against_upper_limit(jnp.sum(_to_pion(model.light_scalars(point))), data["limit"])


def _escapes(model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    scalars = model.light_scalars(point)
    predicted = _to_pion(scalars)
    log_limits = jax.vmap(lambda m, life: log_limit_at(data, m, life))(scalars.mass, scalars.lifetime)
    ratios = predicted * jnp.exp(-log_limits)
    nearest = jnp.argmax(ratios)
    return Outcome(predicted[nearest], jnp.exp(log_limits[nearest]), ratios[nearest])


def _to_muon(scalars: LightScalars):
    return jax.vmap(meson_decays.kaon_to_muon_neutrino_scalar)(scalars.mass, scalars.y_mu)


def _muon_invisible(model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    predicted = jnp.sum(_to_muon(model.light_scalars(point)))
    return Outcome(predicted, data["limit_light"], predicted / data["limit_light"])


def _muon_pairs(model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    scalars = model.light_scalars(point)
    return _weighted(_to_muon(scalars) * _to_pairs(scalars), _above(scalars, data), data["limit"])


def _kstar(model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    scalars = model.light_scalars(point)
    predicted = jnp.sum(penguin_branching_ratio("B0 -> K*0", scalars.mass, TOP_COUPLING))
    inside = _above(scalars, data) * normal_cdf((data["m_ee_max"] - scalars.mass) / data["m_ee_width"])
    return against_upper_limit(predicted, Z_90 * data["sigma_plus"], jnp.max(inside * _to_pairs(scalars)))


def _neutral_pion(model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    """<0| qbar q |pi0> = 0: a scalar has no amplitude, to all orders in the strong interaction."""
    return against_measurement(data["standard_model"], data["value"], data["sigma"])


def _charm(model: PredictsLightScalars, point: Point, nuisances: Point, data) -> Outcome:
    scalars = model.light_scalars(point)
    per_pion = data["strange_share"] * (0.5 + 0.25 * meson_decays.GROSSMAN_NIR) * _to_pion(scalars)
    momentum = jnp.sqrt(jnp.maximum(data["mean_energy"] ** 2 - scalars.mass**2, 1e-12))
    length = scalars.decay_length_per_momentum * momentum
    inside = jnp.exp(-data["distance"] / length) * -jnp.expm1(-data["length"] / length)
    visible = (scalars.to_electrons + scalars.to_muons) / scalars.width
    events = jnp.sum(data["yield"] * per_pion / data["multiplicity"] * visible * inside)
    return against_upper_limit(events, data["limit_events"])

"""What arXiv:2005.08920 asks of decays and no other family has: KOTO and NA62 of 2019, K_L -> pi0 e e, lengths."""

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
from scipy.special import ndtri

from anomfit.capabilities import DecaysMesons, HasLightBosons, Upscatters
from anomfit.constraints.base import Constraint, Outcome, against_measurement, against_upper_limit, measured_number
from anomfit.constraints.conditions import PAPERS_OWN, condition, numbers, section_four
from anomfit.constraints.meson_production import meson_decay
from anomfit.data import load_record
from anomfit.detectors.resolution import outside
from anomfit.parameters import Point
from anomfit.physics.constants import HBAR_C_M
from anomfit.physics.extremes import smallest
from anomfit.physics.light_bosons import joined
from anomfit.physics.reaction import RadiatedReaction

MILLIMETRES = 1e3  # in a metre
CENTRAL_95 = float(ndtri(0.975))
NEVER = 1e6  # mm: in place of an infinite decay length


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (_koto(), _electrons(), _outside_gap(), *_lengths())


def _koto() -> Constraint:
    record = load_record("koto/eras").parts["2019"]
    sigmas = [record.values[f"inferred_{side}_95"] / CENTRAL_95 for side in ("minus", "plus")]
    return condition(
        record,
        "KL-pi0-invisible-2019",
        "measured",
        DecaysMesons,
        _inferred,
        measured_number(record.values["inferred"], *sigmas),
        quantity="B(K_L -> pi0 phi, phi invisible)",
        era="2019",
        assumption="as arXiv:2005.08920: the 95 % interval that is inferred from three candidates, whatever the mass",
        source="arXiv:1909.11111",
        title="KOTO 2019: branching ratio inferred from three of the four candidates, 95 % interval",
        ceiling=1.0,
        samples=("KOTO 2016-2018",),
    )


def _inferred(model: DecaysMesons, point: Point, nuisances: Point, data) -> Outcome:
    rate, bosons = meson_decay(model, point, "K_L -> pi0")
    return against_measurement(jnp.sum(rate * bosons.branching_ratio("invisible")), data)


def _electrons() -> Constraint:
    record = load_record("kaon/rare_decays").parts["KL_pi0_ee"]
    return condition(
        record,
        "KL-pi0-ee-paper",
        "upper limit",
        DecaysMesons,
        _kaon_to_electrons,
        {"limit": np.asarray(record.values["limit"])},
        quantity="B(K_L -> pi0 phi, phi -> e+e-)",
        era="1997-1999",
        assumption="as arXiv:2005.08920: whatever the mass; KL-pi0-ee has the cut in m_ee",
        ceiling=1.0,
        samples=("KL-pi0-ee",),
    )


def _kaon_to_electrons(model: DecaysMesons, point: Point, nuisances: Point, data) -> Outcome:
    rate, bosons = meson_decay(model, point, "K_L -> pi0")
    return against_upper_limit(jnp.sum(rate * bosons.branching_ratio("electrons")), data["limit"])


def _outside_gap() -> Constraint:
    record = section_four("outside_gap")
    return condition(
        record,
        "Kplus-piplus-nunu-2019",
        "upper limit",
        DecaysMesons,
        _not_hidden,
        numbers(record),
        quantity="B(K+ -> pi+ phi, phi invisible)",
        era="2016-2018",
        assumption="the rate of K+ -> pi+ nu nubar, whatever its spectrum; blind between 100 and 165 MeV",
        ceiling=1.0,
    )


def _not_hidden(model: DecaysMesons, point: Point, nuisances: Point, data) -> Outcome:
    rate, bosons = meson_decay(model, point, "K+ -> pi+")
    seen = outside(bosons.mass, data["low"], data["high"], data["width"])
    predicted = rate * bosons.branching_ratio("invisible")
    total = jnp.sum(predicted)
    some = total > 0.0
    reach = jnp.where(some, jnp.sum(predicted * seen) / jnp.where(some, total, 1.0), 0.0)
    return against_upper_limit(total, data["limit"], reach)


def _lengths() -> tuple[Constraint, ...]:
    record = section_four("lengths")
    data = {"longest": np.asarray(record.values["longest"])}
    words = {"unit": "mm", "assumption": "at rest; beyond it searches for displaced decays may see the particle"}
    scalar = condition(
        record,
        "scalar-decay-length",
        "curve",
        PAPERS_OWN,
        _scalar_length,
        data,
        quantity="c tau of the longest-lived scalar",
        **words,
    )
    neutrino = condition(
        record,
        "nu4-decay-length",
        "curve",
        PAPERS_OWN,
        _neutrino_length,
        data,
        quantity="c tau of the shortest-lived heavy neutrino",
        **words,
    )
    return scalar, neutrino


def _scalar_length(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    length = MILLIMETRES * HBAR_C_M / smallest(joined(model.light_bosons(point)).width)
    return Outcome(length, data["longest"], length / data["longest"])


def _neutrino_length(model: Upscatters, point: Point, nuisances: Point, data) -> Outcome:
    reactions = model.reactions(point, nuisances)
    made = [reaction for reaction in reactions if not isinstance(reaction, RadiatedReaction)]
    flights = [reaction.flight * reaction.production.m_N for reaction in made]
    length = MILLIMETRES * jnp.minimum(smallest(jnp.stack(flights)), NEVER / MILLIMETRES)
    return Outcome(length, data["longest"], length / data["longest"])

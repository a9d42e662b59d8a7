"""What a second Higgs doublet has to respect: stability, T, LEP's charged scalars, decays of the Higgs boson."""

from functools import lru_cache

import jax.numpy as jnp
import numpy as np

from anomfit.capabilities import HasSecondDoublet
from anomfit.constraints.base import (
    About,
    Constraint,
    Kind,
    Outcome,
    Physics,
    about_record,
    against_upper_limit,
)
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics.gauged_scalar_sector import higgs_to_light_scalars, oblique_T, stability_ratio
from anomfit.statistics.limits import Z_90

Z_95 = 1.959964


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (_stability(), _charged(), _oblique(), _higgs())


def _of_record(part: str, name: str, quantity: str, unit: str, kind: Kind, era: str, words: str, physics: Physics):
    record = load_record("ee_colliders/second_doublet").parts[part]
    about = about_record(
        record,
        name=name,
        quantity=quantity,
        unit=unit,
        kind=kind,
        era=era,
        assumption=words,
        accepts=(HasSecondDoublet,),
    )
    return Constraint({key: np.asarray(value) for key, value in record.values.items()}, about, physics)


def _stability() -> Constraint:
    about = About(
        name="vacuum-stability",
        title="the potential of two doublets and a singlet is bounded from below",
        quantity="what stability asks of lambda_3 to lambda_5 and lambda'_5, over sqrt(lambda_1 lambda_2)",
        unit="1",
        kind="curve",
        era="theory",
        source="arXiv:2006.01948, equation B10, and its relatives for other signs of lambda_4 and lambda_5",
        assumption="tree level; lambda_6 = lambda_7 = lambda'_3 = lambda'_4 = 0",
        references=("arXiv:2006.01948",),
        accepts=(HasSecondDoublet,),
    )
    return Constraint({}, about, _unstable)


def _unstable(model: HasSecondDoublet, point: Point, nuisances: Point, data) -> Outcome:
    ratio = stability_ratio(model.second_doublet(point).quartics)
    return Outcome(ratio, jnp.ones_like(ratio), ratio)


def _charged() -> Constraint:
    words = "a bound of kinematics, whatever the leptons; A, which has the same at equal masses, is not asked"
    return _of_record(
        "charged", "charged-higgs-lep", "110 GeV over the charged scalar", "1", "curve", "2003-2018", words, _light
    )


def _light(model: HasSecondDoublet, point: Point, nuisances: Point, data) -> Outcome:
    ratio = data["lightest"] / model.second_doublet(point).m_charged
    return Outcome(ratio, jnp.ones_like(ratio), ratio)


def _oblique() -> Constraint:
    words = "one loop, alignment limit; S and U of the same fit are left out"
    return _of_record("oblique", "oblique-T", "|T| of the second doublet", "1", "upper limit", "1989-2020", words, _T)


def _T(model: HasSecondDoublet, point: Point, nuisances: Point, data) -> Outcome:
    size = jnp.abs(oblique_T(model.second_doublet(point), data["alpha"]))
    return against_upper_limit(size, data["limit"] * Z_90 / Z_95)


def _higgs() -> Constraint:
    words = "e+e- of light scalars are no photons to the searches; lambda_3 + lambda_4 + lambda_5 alone"
    quantity = "B(h -> pairs of light scalars)"
    return _of_record("higgs", "higgs-light-scalars", quantity, "1", "recalled", "2015-2018", words, _pairs)


def _pairs(model: HasSecondDoublet, point: Point, nuisances: Point, data) -> Outcome:
    width = higgs_to_light_scalars(model.second_doublet(point))
    return against_upper_limit(width / (width + data["width"]), data["limit"] * Z_90 / Z_95)

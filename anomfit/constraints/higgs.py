"""The Higgs boson's decays to what is not seen."""

from functools import lru_cache

import jax.numpy as jnp
import numpy as np

from anomfit.capabilities import DecaysHiggs
from anomfit.constraints.base import About, Constraint, Outcome, against_upper_limit
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.statistics.limits import Z_90

Z_95 = 1.959964


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    record = load_record("accelerators/higgs_invisible")
    about = About(
        name="higgs-invisible",
        title=record.title,
        quantity="B(h -> nothing that is seen), times the rate of h over the Standard Model's",
        unit="1",
        kind="upper limit",
        era="2011-2018",
        source=record.source,
        assumption="what may show anything does not count; the Standard Model's width beside the new ones",
        references=record.references,
        ceiling=1.0,
        accepts=(DecaysHiggs,),
    )
    values = record.values
    numbers = {"limit": np.asarray(values["limit"] * Z_90 / Z_95), "width": np.asarray(values["width"])}
    return (Constraint(numbers, about, _unseen),)


def _unseen(model: DecaysHiggs, point: Point, nuisances: Point, data) -> Outcome:
    ratio = model.higgs_decays(point).unseen_ratio(jnp.asarray(data["width"]))
    return against_upper_limit(ratio, data["limit"])

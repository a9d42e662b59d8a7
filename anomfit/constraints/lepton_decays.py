"""mu -> e gamma, tau -> e gamma, tau -> mu gamma: branching ratios of a model against published limits."""

from functools import lru_cache, partial

import numpy as np

from anomfit.capabilities import DecaysLeptons
from anomfit.constraints.base import About, Constraint, Outcome, against_upper_limit
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics.constants import HBAR

# part, name, parent, daughter, era, kept apart from the others in a fit
_DECAYS = (
    ("mu_e", "mu-e-gamma", "muon", "electron", "2021-2022"),
    ("tau_e", "tau-e-gamma", "tau", "electron", "1999-2008"),
    ("tau_mu", "tau-mu-gamma", "tau", "muon", "1999-2010"),
    ("tau_e_2006", "tau-e-gamma-2006", "tau", "electron", "1999-2004"),
)
TAU_SAMPLE = "BaBar tau -> e gamma"


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return tuple(_decay(*row) for row in _DECAYS)


def _decay(part: str, name: str, parent: str, daughter: str, era: str) -> Constraint:
    record = load_record("lepton_flavour/radiative").parts[part]
    about = About(
        name=name,
        title=record.title,
        quantity=f"B({parent} -> {daughter} gamma)",
        unit="1",
        kind="upper limit",
        era=era,
        source=record.source,
        assumption="loops of light bosons alone, as the model has them; the total width is the measured one",
        references=record.references,
        ceiling=1.0,
        accepts=(DecaysLeptons,),
        samples=(TAU_SAMPLE,) if part.startswith("tau_e") else (),
    )
    data = {"limit": np.asarray(record.values["limit"]), "lifetime": np.asarray(record.values["lifetime"])}
    return Constraint(data, about, partial(_branching_ratio, parent, daughter))


def _branching_ratio(parent: str, daughter: str, model: DecaysLeptons, point: Point, nuisances: Point, data) -> Outcome:
    width = model.radiative_width(point, parent, daughter)
    return against_upper_limit(width * data["lifetime"] / HBAR, data["limit"])

"""Scalars radiated off taus: e+e- -> tau+ tau- phi, phi -> e+e-, in BaBar."""

from functools import lru_cache

import numpy as np

from anomfit.capabilities import HasLightBosons, HasLightScalars
from anomfit.constraints.base import About, Constraint, Outcome
from anomfit.constraints.production import nearest
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics.light_bosons import of_spin


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (_babar(),)


def _babar() -> Constraint:
    record = load_record("ee_colliders/leptophilic_scalar")
    about = About(
        name="babar-tau-scalar",
        title=record.title,
        quantity="coupling to the tau, times the root of B(phi -> e+e-)",
        unit="1",
        kind="curve",
        era="1999-2008",
        source=record.source,
        assumption="one number for 100 to 150 MeV; decays that are not prompt weaken it, as the published one",
        references=record.references,
        accepts=(HasLightScalars,),
        other_spins="the published limit is on a scalar: another spin is radiated with another spectrum",
    )
    masses = np.array([record.values["lightest"], record.values["heaviest"]])
    return Constraint({"m": masses, "low": np.full(2, record.values["limit"])}, about, _radiated)


def _radiated(model: HasLightBosons, point: Point, nuisances: Point, data) -> Outcome:
    scalars = of_spin(model.light_bosons(point), "scalar")
    return nearest(scalars, scalars.g_tau**2 * scalars.branching_ratio("electrons"), data)

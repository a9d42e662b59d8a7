"""What can be tabulated of radiated scalars: pairs at MiniBooNE and in samples of neutrino-electron scattering."""

from functools import partial
from typing import Any

import numpy as np

from anomfit.measurements.base import Measurement
from anomfit.physics.boson_strahlung import BosonStrahlung
from anomfit.physics.reaction import RadiatedReaction
from anomfit.problem import Problem
from anomfit.tables.blocks import arrays_of, from_arrays
from anomfit.tables.counters import Counter, InForwardSample, InOil, counters_of
from anomfit.tables.plan import Plan, TablePlan
from anomfit.tables.radiated.building import build
from anomfit.tables.radiated.counts import LookedUp, folder_of
from anomfit.tables.radiated.grid import Axis, Grid
from anomfit.tables.radiated.kernels import Strahlung
from anomfit.tables.stand_ins import with_tables_of

# twice the ranges of the shipped priors; nodes are closer where selections cut on the pair's mass, and where a beam can
# hardly make the heavy neutrino
VECTORS = Axis(18, 0.05, 6.0)
GRIDS: dict[type, Grid] = {
    InOil: Grid(Axis(30, 0.005, 2.0, (0.3, 3.0), 2.5), Axis(50, 0.0025, 2.0, (0.03, 0.3), 2.0), VECTORS),
    InForwardSample: Grid(Axis(26, 0.005, 2.0, (0.3, 3.0), 2.5), Axis(56, 0.0025, 2.0, (0.03, 0.3), 2.0), VECTORS),
}
# s of processor time to build and check a table, and what a likelihood saves over few nodes
COSTS: dict[type, tuple[float, float]] = {InOil: (130.0, 1.7e-3), InForwardSample: (275.0, 3.9e-3)}


def is_radiated(found: tuple[Any, ...]) -> bool:
    """Whether all pairs of a model's reactions are made so: e+e- of scalars that fly."""
    return all(
        isinstance(one, RadiatedReaction)
        and isinstance(one.production, BosonStrahlung)
        and one.species == "e+e-"
        and one.pair.flight is not None
        and one.pair.alignment is None
        for one in found
    )


def plans(problem: Problem, found: tuple[Any, ...], grid: Grid | None = None) -> list[Plan]:
    """For a problem whose model has the reactions `found`, all of this kind."""
    process = found[0].production
    words = process.form_factors
    slope = float(np.asarray(words.slope).flat[0])  # a constant
    strahlung = Strahlung(words.nucleus, words.bound, slope, process.isoscalar, process.coherent)
    counted = ((place, m, counters_of(m)) for place, m in enumerate(problem.measurements))
    return [
        _plan(place, measurement, counters, strahlung, grid)
        for place, measurement, counters in counted
        if counters and all(type(one) in GRIDS for one in counters)
    ]


def _plan(place: int, exact: Measurement, counters: list[Counter], strahlung: Strahlung, grid: Grid | None) -> Plan:
    def stand_in(tables):
        looked_up = tuple(LookedUp(*both, strahlung) for both in zip(counters, tables, strict=True))
        return with_tables_of(exact, looked_up)

    tables = tuple(_table(counter, strahlung, grid or GRIDS[type(counter)]) for counter in counters)
    seconds, saved = (sum(part) for part in zip(*(COSTS[type(one)] for one in counters), strict=True))
    return Plan(place, exact, tables, stand_in, seconds, saved)


def _table(counter: Counter, strahlung: Strahlung, grid: Grid) -> TablePlan:
    def built(pieces, progress):
        return build(counter, strahlung, grid, pieces, progress)

    return TablePlan(folder_of(counter, strahlung, grid), built, arrays_of, partial(from_arrays, grid=grid))

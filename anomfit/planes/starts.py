"""Where a plane starts: the optima of a fit, of a result, or values that the user gives; with a table, too."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from anomfit.errors import InputError, quoted, reject
from anomfit.inference import coordinates
from anomfit.inference.cells.around import AroundPlane
from anomfit.inference.cells.corrected import CorrectedCells
from anomfit.inference.cells.profiled import ProfiledCells
from anomfit.inference.compiled import forward_at
from anomfit.inference.fit.minimise import Fit
from anomfit.planes.axes import Axis
from anomfit.planes.rows import Start
from anomfit.planes.waves import SEEDS
from anomfit.problem import Problem


def known_start(fit: Fit | None, own: Problem, problem: Problem, axes: tuple[Axis, Axis], start: Any) -> Start | None:
    """The start that a result or the user gives; None where the best fit has to be looked for.

    fit: of the problem `own`, which the plane's `problem` may have more free parameters than.
    """
    if isinstance(start, Mapping):
        point = _completed(dict(start), own, problem, axes)
        return Start((point,), (float(forward_at(problem, point).twice_nll[0]),))
    return None if fit is None else start_of(fit, own, problem)


def start_of(fit: Fit, own: Problem, problem: Problem) -> Start:
    """The best fit and its other optima, in the plane's problem; -2 ln L as that has it."""
    points = [fit.point, *(o.values for o in fit.optima)]
    completed = [_completed(dict(point), own, problem, ()) for point in points]
    distinct = [p for k, p in enumerate(completed) if p not in completed[:k]][:SEEDS]
    values = tuple(float(forward_at(problem, point).twice_nll[0]) for point in distinct)
    return Start(tuple(distinct), values)


def start_by_table(problem: Problem, cheap: Problem, fit: Fit) -> Start:
    """The optima of a fit to the `cheap` likelihood as optima of the exact one, the best first."""
    points = start_of(fit, cheap, cheap).points
    here = np.array([coordinates.to_scaled(problem, point) for point in points])
    none, nowhere = np.zeros((len(points), 0)), np.zeros(1)
    exact, other = (ProfiledCells(AroundPlane(p, ()), nowhere, nowhere, here) for p in (problem, cheap))
    x = exact.around.fractions(here, none)
    s = exact.around.scaled(CorrectedCells(exact, other).minima(none, x).x, none)
    polished = [coordinates.from_scaled(problem, point) for point in s]
    values = [float(forward_at(problem, point).twice_nll[0]) for point in polished]
    order = np.argsort(values, kind="stable")
    return Start(tuple(polished[k] for k in order), tuple(values[k] for k in order))


def _completed(point: dict[str, float], own: Problem, problem: Problem, axes: tuple[Axis, ...]) -> dict[str, float]:
    """Values of all coordinates of the plane's problem: an axis that the card fixes stands where that has it, one that
    nothing is said of in the middle of the plane; a pull is 0."""
    known = {name: float(value) for name, value in own.fixed.items()} | {n.name: 0.0 for n in problem.nuisances}
    known |= {axis.name: float(axis.values[axis.cells // 2]) for axis in axes if axis.name not in point}
    unknown = [name for name in point if name not in {*problem.names, *problem.parametrisation.names}]
    if axes and unknown:
        raise reject("start", unknown[0], f"it is no parameter or pull; give values of {', '.join(problem.names)}")
    known |= point
    missing = [name for name in problem.names if name not in known]
    if missing:
        raise InputError(f"start: it has no value of {quoted(missing[0])}; give one, or a result of the same card")
    return {name: float(known[name]) for name in problem.names}

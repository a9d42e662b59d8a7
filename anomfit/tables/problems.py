"""A problem whose pairs are looked up in tables, and what that can be done for."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from anomfit.capabilities import HasTargets, Upscatters, pair_reactions
from anomfit.errors import InputError, quoted
from anomfit.folder_lock import locked
from anomfit.problem import Problem, with_measurements
from anomfit.tables.checking import Errors, errors_at, prior_points
from anomfit.tables.exchanged import planning as exchanged
from anomfit.tables.exchanged.grid import Grid
from anomfit.tables.pieces import Progress
from anomfit.tables.plan import FromTables, Plan, TablePlan
from anomfit.tables.radiated import planning as radiated
from anomfit.tables.radiated.grid import Grid as RadiatedGrid
from anomfit.tables.store import PIECES, About, about, keep, load, made_folder, write_about

LOOKED_AT = 32  # points of the prior at which it is found out what a model's reactions are like
# points of the prior at which a table is compared with the exact rule: of 512, six were beyond the tolerance, more than
# the hundredth that is allowed, where half a hundredth of 3056 are
CHECKED = 2048

Say = Callable[[str], None]
AnyGrid = Grid | RadiatedGrid


def tabulated(
    problem: Problem,
    say: Say | None = None,
    progress: Progress | None = None,
    grid: AnyGrid | None = None,
    checked: int | None = None,
) -> Problem:
    """`problem` with the pairs that can be looked up in tables of kernels; parameters, data and likelihood stay.

    Tables are taken from the user's cache folder or, where they are not there, built (minutes) and compared with the
    exact rule at `checked` points of the prior, 2048 without that; `say` is told what they cost and how good they are.
    Where a point is outside of a table, the prediction is not a number, and whatever fits and scans asks the exact
    rule there (`inference.compiled`).

    Raises InputError for a problem that cannot be tabulated, with what stands in the way.
    """
    say, checked = say or (lambda line: None), CHECKED if checked is None else checked
    fast = problem
    for plan in planned(problem, grid):
        title = f"{problem.model.name} at {plan.exact.name}:{plan.exact.era}"
        tables = [_kept_or_built(title, table, say, progress) for table in plan.tables]
        fast = with_measurement(fast, plan.place, plan.stand_in(tables))
        known = [about(table.folder) or About(title, 0.0, 0.0, "", False) for table in plan.tables]
        if checked > 0 and not all(one.error for one in known):
            errors = compared(problem, fast, plan.place, checked, progress)
            known = [one._replace(error=errors.sentence(), passes=errors.passes) for one in known]
            for one, table in zip(known, plan.tables, strict=True):
                write_about(table.folder, one)
        size = sum(one.megabytes for one in known)
        say(f"table of {known[0].title}, {size:.0f} MB: {known[0].error}")
    return fast


def _kept_or_built(title: str, plan: TablePlan, say: Say, progress: Progress | None) -> Any:
    table = _loaded(plan)
    if table is not None:
        return table
    made_folder(plan.folder)
    with _alone(plan.folder):
        table = _loaded(plan)
        if table is None:
            say(f"building the table of {title}; Ctrl-C stops, and it goes on later")
            began = time.process_time()
            table = plan.build(plan.folder / PIECES, progress)
            keep(plan.folder, plan.to_arrays(table))
            spent = time.process_time() - began
            write_about(plan.folder, About(title, table.megabytes, spent, "", False))
            say(f"built in {spent:.0f} s of processor time, {table.megabytes:.0f} MB")
    return table


def _loaded(plan: TablePlan) -> Any:
    """The table that is kept; None where there is none, or none that can be read."""
    arrays = load(plan.folder)
    try:
        return None if arrays is None else plan.from_arrays(arrays)
    except KeyError:
        return None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder of a table; InputError while another run builds it."""
    with ExitStack() as held_open:
        try:
            held_open.enter_context(locked(folder))
        except InputError as error:
            raise InputError(
                f"tables: another run builds {quoted(str(folder))}; wait for its end, or stop it"
            ) from error
        yield


def compared(exact: Problem, fast: Problem, place: int, number: int, progress: Progress | None = None) -> Errors:
    """The errors of the measurement at `place` at points of the prior."""
    one, other = (with_measurements(problem, (place,)) for problem in (exact, fast))
    return errors_at(one, other, prior_points(exact, number, seed=1), progress)


def checked_again(
    exact: Problem, fast: Problem, number: int, progress: Progress | None = None
) -> Iterator[tuple[str, Errors]]:
    """By measurement, the errors at other points of the prior than those that were looked at at first."""
    for place, measurement in enumerate(fast.measurements):
        if isinstance(measurement, FromTables):
            one, other = (with_measurements(problem, (place,)) for problem in (exact, fast))
            name = f"{exact.measurements[place].name}:{exact.measurements[place].era}"
            yield name, errors_at(one, other, prior_points(exact, number, seed=3), progress)


def planned(problem: Problem, grid: AnyGrid | None = None) -> tuple[Plan, ...]:
    """What of a problem can be tabulated; InputError where nothing can, with what stands in the way."""
    model = problem.model
    if not (isinstance(model, Upscatters) and isinstance(model, HasTargets)):
        raise InputError(f"tables: {model.name} makes no pairs by scattering off targets; leave the tables out")
    found = _reactions(problem)
    if radiated.is_radiated(found):
        plans = radiated.plans(problem, found, grid if isinstance(grid, RadiatedGrid) else None)
    else:
        plans = exchanged.plans(problem, found, grid if isinstance(grid, Grid) else None)
    if not plans:
        known = "only pairs at miniboone:enuqe and, of radiated scalars, in samples of neutrino-electron scattering"
        raise InputError(f"tables: {known} can be tabulated, none of which is among the measurements")
    return tuple(plans)


def with_measurement(problem: Problem, place: int, measurement: Any) -> Problem:
    """The problem with another measurement at a place."""
    measurements = [measurement if i == place else m for i, m in enumerate(problem.measurements)]
    return dataclasses.replace(problem, measurements=tuple(measurements))


def _reactions(problem: Problem) -> tuple[Any, ...]:
    """The model's reactions, every array with a leading axis of points of the prior."""
    model = problem.model
    assert isinstance(model, Upscatters)

    def at(z):
        parameters, _ = problem.from_normal(z)
        return pair_reactions(model, problem.physical_point(parameters), problem.nuisance_values(parameters))

    return jax.vmap(at)(jnp.asarray(prior_points(problem, LOOKED_AT, seed=2)))

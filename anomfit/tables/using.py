"""Whether a run takes a table, and which, before anything is fitted, sampled or scanned."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.errors import InputError
from anomfit.inference.compiled import holds
from anomfit.measurements.base import Measurement, StandsIn
from anomfit.measurements.coarse import Coarse
from anomfit.problem import Problem
from anomfit.tables.pieces import Progress
from anomfit.tables.plan import FromTables, Plan
from anomfit.tables.problems import planned, tabulated
from anomfit.tables.store import ABOUT, TABLE, about
from anomfit.tables.use import TableUse

GRADIENT = 2.5  # likelihoods that a gradient costs
LOOKED_AT = 4096  # points of the prior at which it is seen whether a table holds it

Say = Callable[[str], None]


def with_tables(
    problem: Problem,
    likelihoods: float,
    say: Say | None = None,
    progress: Progress | None = None,
    asked: bool = True,
) -> Problem | None:
    """`problem` with tables (see `tabulated`); None where the exact rule is sooner done, which is said.

    Tables that are there are taken. Those that are not are built for a run of at least `break_even` `likelihoods`.
    Raises InputError for a problem that cannot be tabulated. Where tables were not `asked` for, None stands for that
    too, and for tables that are not good enough (`is_good`) or that cannot be made now.
    """
    say = say or (lambda line: None)
    if not asked:
        return _unasked(problem, likelihoods, say, progress)
    plans = planned(problem)
    if likelihoods < (enough := break_even(plans)):
        names = ", ".join(f"{plan.exact.name}:{plan.exact.era}" for plan in plans if not _is_kept(plan))
        say(
            f"there is no table of {names} yet, and some {likelihoods:.2g} likelihoods take less time than "
            f"building it (as much as {enough:.2g}): the exact rule is used; 'anomfit tables' builds one"
        )
        return None
    return tabulated(problem, say, progress)


def _unasked(problem: Problem, likelihoods: float, say: Say, progress: Progress | None) -> Problem | None:
    """The problem with tables that are good enough: that are there, or built because that pays."""
    try:
        if likelihoods < break_even(planned(problem)):
            return None
    except InputError:  # nothing can be tabulated, or there is no folder for tables
        return None
    try:
        fast = tabulated(problem, say, progress)
    except InputError as error:  # another run builds it, or it cannot be kept
        say(f"{error}: the exact rule is used")
        return None
    good = with_good_tables(fast)
    if left := [m.name for m, kept in zip(fast.measurements, good.measurements, strict=True) if m is not kept]:
        say(
            f"the table of {', '.join(left)} is not good enough to be used unasked: the exact rule is used (--tables "
            "takes the table)"
        )
    return good if any(isinstance(m, FromTables) for m in good.measurements) else None


def break_even(plans: tuple[Plan, ...]) -> float:
    """How many likelihoods take the time of building and checking the tables that are not kept; 0 where all are."""
    new = [plan for plan in plans if not _is_kept(plan)]
    return sum(plan.seconds for plan in new) / sum(plan.saved for plan in plans)


def with_good_tables(fast: Problem) -> Problem:
    """The problem without those tables that are further from the exact rule than a default may be."""
    kept = tuple(m if is_good(m) else exact_of(m) for m in fast.measurements)
    return replace(fast, measurements=kept)


def is_good(measurement: Measurement) -> bool:
    """Whether all its tables are as close to the exact rule as a default has to be (`Errors.passes`)."""
    known = [about(one.folder) for one in measurement.tables] if isinstance(measurement, FromTables) else []
    return all(one is not None and one.passes for one in known)


def exact_of(measurement: Measurement) -> Measurement:
    """What a stand-in stands in for; any other measurement as it is."""
    return measurement.exact if isinstance(measurement, StandsIn) else measurement


def _is_kept(plan: Plan) -> bool:
    return all((table.folder / TABLE).is_file() for table in plan.tables)


def use_of(fast: Problem) -> TableUse | None:
    """What a report says of the tables of a problem and of few nodes in it; None without either."""
    few = tuple(f"{m.name}:{m.era}" for m in fast.measurements if isinstance(m, Coarse))
    found = {f"{m.name}:{m.era}": m.tables for m in fast.measurements if isinstance(m, FromTables)}
    if not found:
        return TableUse(few=few) if few else None
    errors, made = [], []
    for name, tables in found.items():
        known = about(tables[0].folder)
        error = "not looked at" if known is None or not known.error else known.error
        errors.append(error if len(found) == 1 else f"{name}: {error}")
        made += [(one.folder / ABOUT).stat().st_mtime for one in tables]
    latest = datetime.fromtimestamp(max(made), UTC).isoformat(timespec="seconds")
    size = sum(one.table.megabytes for tables in found.values() for one in tables)
    return TableUse(", ".join(found), size, latest, "; ".join(errors), outside(fast), few=few)


def outside(fast: Problem, seed: int = 4) -> float:
    """The share of the prior that a problem's tables do not hold, by `LOOKED_AT` points, nuisances included."""
    z = np.random.default_rng(seed).normal(size=(LOOKED_AT, len(fast.names)))
    values = jax.vmap(lambda x: fast.from_normal(x)[0])(jnp.asarray(z))
    return float(1.0 - np.mean(np.asarray(holds(fast, values))))

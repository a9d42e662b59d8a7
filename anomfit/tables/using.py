"""Whether a run takes a table, and which, before anything is fitted, sampled or scanned."""

from collections.abc import Callable
from datetime import UTC, datetime

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.errors import InputError
from anomfit.inference.compiled import holds
from anomfit.measurements.coarse import Coarse
from anomfit.problem import Problem
from anomfit.tables.building import Progress
from anomfit.tables.problems import planned, tabulated
from anomfit.tables.store import ABOUT, TABLE, about, table_folder
from anomfit.tables.tabulated import TabulatedMiniBoone
from anomfit.tables.use import TableUse

# likelihoods that take the time of building and checking: 166 s over the 1.3 ms of few nodes less the table's 0.13 ms
BREAK_EVEN = 140_000
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

    A table that is there is taken. One that is not is built for a run of at least `BREAK_EVEN` `likelihoods`. Raises
    InputError for a problem that cannot be tabulated. Where tables were not `asked` for, None stands for that too, and
    for a table that is not good enough (`is_good`) or that cannot be made now.
    """
    say = say or (lambda line: None)
    if not asked:
        return _unasked(problem, likelihoods, say, progress)
    plan = planned(problem)
    if likelihoods < BREAK_EVEN and not is_kept(problem):
        name = f"{plan.exact.name}:{plan.exact.era}"
        say(
            f"there is no table of {name} yet, and some {likelihoods:.2g} likelihoods take less time than building one "
            f"(as much as {BREAK_EVEN}): the exact rule is used; 'anomfit tables' builds one"
        )
        return None
    return tabulated(problem, say, progress)


def _unasked(problem: Problem, likelihoods: float, say: Say, progress: Progress | None) -> Problem | None:
    """The problem with a table that is good enough: one that is there, or built because that pays."""
    try:
        if not (is_kept(problem) or likelihoods >= BREAK_EVEN):
            return None
    except InputError:  # nothing can be tabulated, or there is no folder for tables
        return None
    try:
        fast = tabulated(problem, say, progress)
    except InputError as error:  # another run builds it, or it cannot be kept
        say(f"{error}: the exact rule is used")
        return None
    if is_good(fast):
        return fast
    say("the table is not good enough to be used unasked: the exact rule is used (--tables takes the table)")
    return None


def is_good(fast: Problem) -> bool:
    """Whether the tables of a problem are as close to the exact rule as a default has to be (`Errors.passes`)."""
    found = [m for m in fast.measurements if isinstance(m, TabulatedMiniBoone)]
    known = [about(table_folder(m.exact.chain, m.scattering, m.table.grid)) for m in found]
    return all(one is not None and one.passes for one in known)


def is_kept(problem: Problem) -> bool:
    """Whether the table that the problem needs has been built."""
    from anomfit.tables.problems import GRID

    plan = planned(problem)
    return (table_folder(plan.exact.chain, plan.scattering, GRID) / TABLE).is_file()


def use_of(fast: Problem) -> TableUse | None:
    """What a report says of the table of a problem and of few nodes in it; None without either."""
    few = tuple(f"{m.name}:{m.era}" for m in fast.measurements if isinstance(m, Coarse))
    for m in fast.measurements:
        if isinstance(m, TabulatedMiniBoone):
            folder = table_folder(m.exact.chain, m.scattering, m.table.grid)
            known = about(folder)
            made = datetime.fromtimestamp((folder / ABOUT).stat().st_mtime, UTC).isoformat(timespec="seconds")
            error = "not looked at" if known is None or not known.error else known.error
            return TableUse(f"{m.name}:{m.era}", m.table.megabytes, made, error, outside(fast), few=few)
    return TableUse(few=few) if few else None


def outside(fast: Problem, seed: int = 4) -> float:
    """The share of the prior that a problem's tables do not hold, by `LOOKED_AT` points, nuisances included."""
    z = np.random.default_rng(seed).normal(size=(LOOKED_AT, len(fast.names)))
    values = jax.vmap(lambda x: fast.from_normal(x)[0])(jnp.asarray(z))
    return float(1.0 - np.mean(np.asarray(holds(fast, values))))

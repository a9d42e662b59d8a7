"""Names that a result file can hold: a user's models and measurements choose theirs freely."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp

from anomfit.errors import reject
from anomfit.problem import Problem
from anomfit.userfiles import sources

RESERVED = ("chain", "draw")  # the axes of the posterior in the file


def check_names(problem: Problem) -> None:
    """Raise InputError for a name that NetCDF or ArviZ cannot hold, which would show only after the fit."""
    for kind, name in _names(problem):
        if not name or "/" in name or not name.isprintable():
            raise reject(f"{kind} name", name, "a result file cannot hold it; use letters, digits, - and _")
        if kind == "parameter" and name in RESERVED:
            raise reject(f"{kind} name", name, "it names an axis of the posterior in result.nc; choose another")


def _names(problem: Problem) -> Iterator[tuple[str, str]]:
    point = {name: jnp.zeros(()) for name in problem.names}
    physical = jax.eval_shape(problem.physical_point, point)
    yield from (("parameter", name) for name in (*problem.names, *problem.fixed, *physical))
    for measurement in problem.measurements:
        yield "measurement", measurement.name
        yield "era", measurement.era
    if sources(problem.model, *problem.measurements):  # what ships has good names, and takes long to trace
        for prediction in jax.eval_shape(problem.predictions, point):
            yield from (("component", name) for name in prediction.signal)

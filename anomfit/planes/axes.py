"""The two axes of a plane: which parameters, over which ranges, in how many cells."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from anomfit.errors import InputError, quoted, reject
from anomfit.inference import coordinates
from anomfit.inference.cells.profiled import middles
from anomfit.parameters import Parameter
from anomfit.problem import Problem, build_problem
from anomfit.units import parse_quantity

LEAST, MOST = 2, 2000  # cells a side
Range = tuple[str | float, str | float]
_GRID = re.compile(r"([0-9]{1,9})x([0-9]{1,9})")


@dataclass(frozen=True)
class Axis:
    """A parameter with the range of the plane as its own, and the number of cells along it.

    Cells are equally wide in the value, or in its logarithm where the parameter's prior is log-uniform.
    """

    parameter: Parameter
    cells: int

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.parameter.name

    @property
    def scaled(self) -> np.ndarray:
        """The middles of the cells, scaled: the logarithm on a logarithmic axis."""
        low, high = (coordinates.scale(self.parameter, x) for x in (self.parameter.low, self.parameter.high))
        return middles(low, high, self.cells)

    @property
    def values(self) -> np.ndarray:
        """The middles of the cells in the parameter's unit."""
        return np.exp(self.scaled) if self.parameter.is_log else self.scaled

    @property
    def words(self) -> tuple[str, float, float, int]:
        """What fixes the axis."""
        return self.name, self.parameter.low, self.parameter.high, self.cells


def grid_from(text: str) -> tuple[int, int]:
    """ "60x40" as 60 cells along x and 40 along y; InputError for anything else."""
    found = _GRID.fullmatch(text)
    return checked_grid((int(found[1]), int(found[2])) if found else text)


def checked_grid(grid: Any) -> tuple[int, int]:
    """Two whole numbers of cells; InputError where they are not."""
    if isinstance(grid, str) and _GRID.fullmatch(grid):
        return grid_from(grid)
    is_pair = isinstance(grid, tuple | list) and len(grid) == 2
    if is_pair and all(_is_count(n) for n in grid):
        return int(grid[0]), int(grid[1])
    shown = "x".join(map(str, grid)) if is_pair else grid
    raise reject("--grid", shown, f"write the cells along x and y, {LEAST} to {MOST} each, such as 60x60")


def _is_count(n: Any) -> bool:
    return isinstance(n, int | np.integer) and not isinstance(n, bool) and bool(LEAST <= n <= MOST)


def range_from(text: str) -> tuple[str, Range]:
    """ "m_N2=50MeV:200MeV" as the name and its two ends; InputError for anything else."""
    name, equals, ends = text.partition("=")
    low, colon, high = ends.partition(":")
    if not (name and equals and low and colon and high):
        raise reject("--range", text, "write NAME=LOW:HIGH, such as m_N2=50MeV:200MeV")
    return name, (low, high)


def axes_of(
    problem: Problem, x: str, y: str, ranges: Mapping[str, Range] | None = None, grid: object = (60, 60)
) -> tuple[Axis, Axis]:
    """The axes of a plane of a problem.

    x and y name free parameters of the problem, or fixed ones whose range is given. A range is within the bounds that
    the model sets. InputError says what is not so.
    """
    cells, given = checked_grid(grid), dict(ranges or {})
    if x == y:
        raise InputError(f"--x, --y: {quoted(x)} is given twice; name two different parameters")
    for name in given:
        if name not in (x, y):
            raise reject("--range", name, f"it is no axis of this plane; give ranges of {x} and {y} alone")
    one, other = (_parameter(problem, option, name, given.get(name)) for option, name in (("--x", x), ("--y", y)))
    return Axis(one, cells[0]), Axis(other, cells[1])


def with_axes(problem: Problem, axes: tuple[Axis, Axis]) -> Problem:
    """The problem with both axes among its free parameters; itself where it has them free over these ranges.

    One compiled program then serves the fit and every plane inside of its ranges.
    """
    own = {p.name: p for p in problem.free}
    changed = {a.name: a.parameter for a in axes if not _holds(own.get(a.name), a.parameter)}
    if not changed:
        return problem
    free = [changed.get(p.name, p) for p in problem.free] + [p for name, p in changed.items() if name not in own]
    fixed = {name: float(value) for name, value in problem.fixed.items() if name not in changed}
    chosen = problem.parametrisation
    key = next(key for key, value in problem.model.parametrisations.items() if value is chosen)
    found = build_problem(problem.model, problem.measurements, key, free, fixed)
    return replace(found, centres=problem.centres)


def _holds(own: Parameter | None, asked: Parameter) -> bool:
    return own is not None and own.low <= asked.low and asked.high <= own.high


def _parameter(problem: Problem, option: str, name: str, given: Range | None) -> Parameter:
    free = {p.name: p for p in problem.free}
    if name not in problem.parametrisation.names:
        known = ", ".join([*free, *(n for n in problem.parametrisation.names if n not in free)])
        raise reject(option, name, f"it is no parameter of {problem.parametrisation.name!r}; name one of {known}")
    whole = problem.parametrisation[name]
    if given is None:
        if name not in free:
            example = f"--range {name}={whole.low:g}:{whole.high:g}"
            raise reject(option, name, f"it is fixed in this card; give its range too, such as {example}")
        return free[name]
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise reject("--range", given, "give two numbers, the lower one first")
    low, high = (parse_quantity(end, whole.unit, f"--range {name}") for end in given)
    shown = f"{name}={given[0]}:{given[1]}"
    if not low < high:
        raise reject("--range", shown, "the lower end must be below the upper one")
    if low < whole.low * (1.0 - np.sign(whole.low) * 1e-12) or high > whole.high * (1.0 + np.sign(whole.high) * 1e-12):
        unit = "" if whole.unit == "1" else f" {whole.unit}"
        remedy = f"stay within what the model allows, {whole.low:g} to {whole.high:g}{unit}"
        raise reject("--range", shown, remedy)
    own = free.get(name, whole)
    kind = "uniform" if own.is_gaussian else own.prior
    if kind == "log-uniform" and not low > 0.0:
        raise reject("--range", shown, "its axis is logarithmic; give a lower end above 0")
    return own.within(max(low, whole.low), min(high, whole.high), kind)

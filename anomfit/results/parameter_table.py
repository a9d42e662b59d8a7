"""The parameters of a result in one table, for a terminal, a report or a paper."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from anomfit.errors import InputError
from anomfit.results.result import FreeCoordinate, Result
from anomfit.results.tables import TextTable

DIGITS = 2  # of an error
QUANTILES = (0.15865, 0.5, 0.84135)
NONE = "-"


class ParameterRow(NamedTuple):
    """A parameter or nuisance pull: its best fit, one HESSE standard deviation down and up, the 68 % interval of its
    profile, and the posterior's 15.9, 50 and 84.1 %, in the parameter's own unit; None for what the result lacks.

    An interval whose end is None reaches the end of the range.
    """

    coordinate: FreeCoordinate
    best: float
    error: tuple[float, float] | None
    interval: tuple[float | None, float | None] | None
    posterior: tuple[float, float, float] | None


def parameter_rows(result: Result) -> tuple[ParameterRow, ...]:
    """A row for each free parameter, then for each nuisance pull; InputError for a result without a best fit."""
    fit, hesse = result.fit, result.hesse
    if fit is None:
        raise InputError("result: it has no best fit; go on with it: anomfit fit CARD --out DIR --resume")
    profiles = {error.name: (error.low, error.high) for error in result.minos}
    drawn = {} if result.samples is None else result.samples.values
    rows = []
    for coordinate in result.provenance.coordinates:
        name, best, error, posterior = coordinate.name, fit.point[coordinate.name], None, None
        if hesse is not None and name not in hesse.at_bound:
            error = (best - hesse.low[name], hesse.high[name] - best)
        if name in drawn:
            low, median, high = np.quantile(drawn[name], QUANTILES)
            posterior = (float(low), float(median), float(high))
        rows.append(ParameterRow(coordinate, best, error, profiles.get(name), posterior))
    return tuple(rows)


def parameter_table(result: Result) -> TextTable:
    """The rows as text, for a terminal or Markdown."""
    columns = ("parameter", "unit", "best fit", "error", "68 % interval", "posterior median", "posterior 68 %")
    cells = [(row.coordinate.name, row.coordinate.unit, *_texts(row)) for row in parameter_rows(result)]
    return TextTable(f"Parameters of {result.provenance.model}", columns, tuple(cells), (EXPLAINED,))


EXPLAINED = (
    "Errors are those of HESSE; the 68 % interval is where -2 ln L, minimised over the other parameters, has risen by "
    "1, and an end that is missing lies beyond the range."
)


def latex_table(result: Result) -> str:
    """The rows as a LaTeX tabular, errors as super- and subscripts of the best fit and of the posterior's median.

    Nothing but standard LaTeX is needed to set it.
    """
    lines = [r"\begin{tabular}{llll}", r"\hline"]
    lines += [r"parameter & best fit & 68\,\% interval & posterior \\", r"\hline"]
    for row in parameter_rows(result):
        best, error, interval, median, spread = _texts(row, latex=True)
        cells = (_symbol(row.coordinate), _with(best, error), interval, _with(median, spread))
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\hline", r"\end{tabular}"])


def _texts(row: ParameterRow, latex: bool = False) -> tuple[str, str, str, str, str]:
    """Best fit, error, interval, median of the posterior, and its interval (LaTeX: its errors)."""
    step = _step(row.best, row.error or ())
    error = NONE if row.error is None else _errors(*row.error, latex)
    interval = NONE
    if row.interval is not None:
        low, high = (NONE if end is None else _number(end, step, latex) for end in row.interval)
        between = f"${low}$ to ${high}$" if latex else f"{low} to {high}"
        interval = between.replace("$-$", "--")
    if row.posterior is None:
        return _number(row.best, step, latex), error, interval, NONE, NONE
    low, median, high = row.posterior
    width = _step(median, (median - low, high - median))
    spread = (
        _errors(median - low, high - median, latex) if latex else " to ".join(_number(x, width) for x in (low, high))
    )
    return _number(row.best, step, latex), error, interval, _number(median, width, latex), spread


def _step(value: float, errors: Sequence[float]) -> float:
    """The size of the last digit worth printing."""
    known = [error for error in errors if error > 0.0] or [1e-2 * abs(value) or 1.0]
    return 10.0 ** (math.floor(math.log10(min(known))) - DIGITS + 1)


def _number(value: float, step: float, latex: bool = False) -> str:
    digits = 1 if value == 0.0 else max(1, round(math.log10(10.0 ** math.floor(math.log10(abs(value))) / step)) + 1)
    text = f"{value:#.{digits}g}".rstrip(".")
    mantissa, found, exponent = text.partition("e")
    mantissa = mantissa.rstrip(".")
    if not found:
        return mantissa
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if latex else f"{mantissa}e{int(exponent)}"


def _errors(down: float, up: float, latex: bool) -> str:
    ends = [_number(x, _step(x, (x,)), latex) if x > 0.0 else "0" for x in (up, down)]
    return f"^{{+{ends[0]}}}_{{-{ends[1]}}}" if latex else f"+{ends[0]} -{ends[1]}"


def _with(value: str, errors: str) -> str:
    if value == NONE:
        return "--"
    grouped = f"({value})" if r"\times" in value and errors != NONE else value
    return f"${grouped}{'' if errors == NONE else errors}$"


def _symbol(coordinate: FreeCoordinate) -> str:
    unit = {"1": "", "sigma": r" [$\sigma$]"}.get(coordinate.unit, f" [{_unit(coordinate.unit)}]")
    if coordinate.prior == "pull":
        return coordinate.name.replace("_", r"\_") + unit
    return (coordinate.symbol if "$" in coordinate.symbol else f"${coordinate.symbol}$") + unit


def _unit(unit: str) -> str:
    base, found, power = unit.partition("^")
    return f"{base}$^{{{power}}}$" if found else base

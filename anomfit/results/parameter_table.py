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
NONE, LATEX_NONE = "-", "--"


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
        low, median, high = row.posterior or (0.0, 0.0, 0.0)
        interval = [LATEX_NONE if end is None else _latex(end, (), _step_of(row)) for end in row.interval or ()]
        cells = [_symbol(row.coordinate), _latex(row.best, row.error or (), _step_of(row))]
        cells += [" to ".join(interval) or LATEX_NONE]
        cells += [_latex(median, (median - low, high - median)) if row.posterior else LATEX_NONE]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\hline", r"\end{tabular}"])


def _texts(row: ParameterRow) -> tuple[str, str, str, str, str]:
    """Best fit, error, interval, median of the posterior, and its interval."""
    step = _step_of(row)
    error = NONE if row.error is None else " ".join(sign + _errors(x) for sign, x in zip("+-", row.error[::-1]))
    interval = " to ".join(NONE if end is None else _number(end, step) for end in row.interval or ()) or NONE
    if row.posterior is None:
        return _number(row.best, step), error, interval, NONE, NONE
    low, median, high = row.posterior
    width = _step(median, (median - low, high - median))
    spread = " to ".join(_number(x, width) for x in (low, high))
    return _number(row.best, step), error, interval, _number(median, width), spread


def _step_of(row: ParameterRow) -> float:
    """The size of the last digit worth printing of a row's best fit and interval."""
    ends = [abs(end - row.best) for end in row.interval or () if end is not None]
    return _step(row.best, row.error or ends)


def _step(value: float, errors: Sequence[float]) -> float:
    """The size of the last digit worth printing."""
    known = [error for error in errors if error > 0.0] or [1e-2 * abs(value) or 1.0]
    return 10.0 ** (math.floor(math.log10(min(known))) - DIGITS + 1)


def _errors(size: float) -> str:
    return _number(size, _step(size, (size,))) if size > 0.0 else "0"


def _number(value: float, step: float) -> str:
    """A number down to the digit of size `step`."""
    digits = 1 if value == 0.0 else max(1, round(math.log10(10.0 ** math.floor(math.log10(abs(value))) / step)) + 1)
    mantissa, found, exponent = f"{value:#.{digits}g}".partition("e")
    return mantissa.rstrip(".") + (f"e{int(exponent)}" if found else "")


def _latex(value: float, errors: Sequence[float], step: float | None = None) -> str:
    """A number with its errors below and above, if it has any; a power of ten stands once, behind both."""
    step = _step(value, errors) if step is None else step
    power = math.floor(math.log10(abs(value))) if value else 0
    power = power if power < -3 or power > 4 else 0
    number, *ends = (f"{x / 10.0**power:.{max(0, round(power - math.log10(step)))}f}" for x in (value, *errors))
    both = f"{number}^{{+{ends[1]}}}_{{-{ends[0]}}}" if ends else number
    return (
        f"${both}$"
        if not power
        else rf"$({both}) \times 10^{{{power}}}$"
        if ends
        else rf"${both} \times 10^{{{power}}}$"
    )


def _symbol(coordinate: FreeCoordinate) -> str:
    unit = {"1": "", "sigma": r" [$\sigma$]"}.get(coordinate.unit, f" [{_unit(coordinate.unit)}]")
    if coordinate.prior == "pull":
        return coordinate.name.replace("_", r"\_") + unit
    return (coordinate.symbol if "$" in coordinate.symbol else f"${coordinate.symbol}$") + unit


def _unit(unit: str) -> str:
    base, found, power = unit.partition("^")
    return f"{base}$^{{{power}}}$" if found else base

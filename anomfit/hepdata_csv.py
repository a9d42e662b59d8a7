"""Tables of numbers in the CSV form that HEPData exports: comment lines, one line of column names, rows of numbers.

A comment begins with "#". A column's unit stands in brackets behind its name ("M [GEV]"); the ends of a bin are the
columns "M [GEV] LOW" and "M [GEV] HIGH", errors are columns that end in " +" and " -", whose numbers may be signed.
"""

import csv
import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from anomfit.errors import InputError, quoted, shortened
from anomfit.units import parse_quantity

LARGEST = 10_000_000  # bytes
_UNIT = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True)
class CsvTable:
    """One table: its path, the names of its columns, and the numbers, a row a line."""

    path: Path
    columns: tuple[str, ...]
    rows: Float[np.ndarray, "rows columns"]

    def column(self, name: str) -> Float[np.ndarray, " rows"]:
        """The numbers of a column; InputError for one that is not there."""
        if name not in self.columns:
            raise self.fault(f"it has no column {quoted(name)}; its columns are {', '.join(map(quoted, self.columns))}")
        return self.rows[:, self.columns.index(name)]

    def unit(self, name: str) -> str | None:
        """What stands in brackets in a column's name, None where nothing does."""
        found = _UNIT.search(name)
        return None if found is None else found[1].strip()

    def quantity(self, name: str) -> str:
        """What a column is of: its name without the unit, and without LOW or HIGH."""
        return _UNIT.sub("", name.rsplit(" ", 1)[0] if name.upper().endswith((" LOW", " HIGH")) else name).strip()

    def fault(self, sentence: str) -> InputError:
        """The error for what is wrong with the table."""
        return InputError(f"table {quoted(str(self.path))}: {sentence}")


def read_csv_table(path: Path) -> CsvTable:
    """The table in a file.

    Raises InputError, with the line, for a file that is missing or no text, for a row of another length than the line
    of names, for a cell that is no finite number, and for a file with several tables, of which HEPData separates each
    from the one before with an empty line.
    """
    table = CsvTable(path, (), np.empty((0, 0)))
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        raise table.fault("there is no such file; give its path, relative to the card") from None
    except OSError as error:
        raise table.fault(f"it cannot be read ({error.strerror}); name a CSV file") from error
    except ValueError as error:
        raise table.fault(f"it cannot be read as text ({shortened(str(error))}); save it as UTF-8") from error
    if len(content) > LARGEST:
        raise table.fault(f"it has more than {LARGEST // 10**6} MB; give a table of a few columns")
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if not line.startswith("#")]
    written = [(number, line) for number, line in lines if line.strip()]
    if not written:
        raise table.fault("it holds no table; give a line of column names and rows of numbers")
    columns = tuple(cell.strip() for cell in _cells(written[0][1]))
    rows = [_numbers(table, number, line, columns, _has_gap(lines, number)) for number, line in written[1:]]
    if not rows or len(set(columns)) < len(columns):
        wanted = "at least one row of numbers below the names" if not rows else "every column a name of its own"
        raise table.fault(f"give {wanted}")
    return CsvTable(path, columns, np.array(rows))


def errors_of(table: CsvTable, measured: str, rest: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """The errors below and above a measured number, all sources added in quadrature; `rest` are columns beside it.

    Columns that end in " +" and " -" are asymmetric errors, one that is called "error" or ends in " error" a symmetric
    one. InputError where there is none, and where one side of an error is missing.
    """
    names = [name for name in rest if name.endswith((" +", " -")) or re.fullmatch(r"(.* )?errors?", name)]
    if not names:
        raise table.fault(f"{measured!r} has no error; add the columns 'stat +' and 'stat -', or one named 'error'")
    squares = {"+": np.zeros(len(table.rows)), "-": np.zeros(len(table.rows))}
    for name in names:
        sides = name[-1] if name[-2:] in (" +", " -") else "+-"
        other = name[:-1] + ("-" if sides == "+" else "+")
        if len(sides) == 1 and other not in names:
            raise table.fault(f"{name!r} has no {other!r} beside it; give both sides of an error")
        for side in sides:
            squares[side] += table.column(name) ** 2
    return np.sqrt(squares["-"]), np.sqrt(squares["+"])


def energy_scale(table: CsvTable, name: str) -> float:
    """What the numbers of a column of energies or masses are to be multiplied by, to be in GeV; its name has the unit.

    InputError for a column without a unit, and for a unit of another kind.
    """
    unit = table.unit(name)
    if unit is None:
        raise table.fault(f"the column {quoted(name)} has no unit; write it behind the name, as in 'm [GeV]'")
    spelt = {"EV": "eV", "KEV": "keV", "MEV": "MeV", "GEV": "GeV", "TEV": "TeV"}.get(unit.upper(), unit)
    return parse_quantity(f"1 {spelt}", "GeV", f"the unit of {name!r}")


def _cells(line: str) -> list[str]:
    return next(csv.reader(io.StringIO(line)))


def _has_gap(lines: list[tuple[int, str]], number: int) -> bool:
    """Whether the line before stands empty."""
    return any(n == number - 1 and not line.strip() for n, line in lines)


def _numbers(table: CsvTable, number: int, line: str, columns: tuple[str, ...], after_gap: bool) -> list[float]:
    cells = _cells(line)
    try:
        found = [float(cell) for cell in cells]
    except ValueError:
        if after_gap:
            raise table.fault(f"line {number} begins another table; keep one table a file") from None
        wrong = next(cell for cell in cells if not _is_number(cell))
        raise table.fault(f"line {number} has {quoted(wrong)} where a number is expected") from None
    if len(cells) != len(columns):
        raise table.fault(f"line {number} has {len(cells)} cells for {len(columns)} columns")
    if not all(map(math.isfinite, found)):
        raise table.fault(f"line {number} has a number that is not finite; leave the row out")
    return found


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True

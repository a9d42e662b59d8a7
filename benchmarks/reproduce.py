"""What `anomfit reproduce` says and how long it takes: the tables of docs/reproduce.md, rewritten.

    python benchmarks/reproduce.py [--write docs/reproduce.md]

Counts by verdict and kind, before (commit 646c63c, whose rows are given today's kinds) and now; the rows that do not
agree; what is not computed; seconds of a first run, without any compiled program kept, and of a second. Without --write
the tables are printed alone.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from marked_tables import put_table

from anomfit.reproduce import Row, counts, not_computed, reproduce
from anomfit.reproduce.statements import KINDS

BEFORE = {
    ("2010.06159", "agrees"): (23, 18, 27),
    ("2010.06159", "differs"): (0, 5, 14),
    ("2010.06159", "paper inconsistent"): (2, 0, 4),
    ("2005.08920", "agrees"): (4, 6, 29),
    ("2005.08920", "differs"): (0, 1, 36),
}
NOTHING = (0, 0, 0)
WHEN = ("before", "now")
COUNTED = f"| paper | verdict | {' | '.join(f'{kind}, {when}' for kind in (*KINDS, 'all') for when in WHEN)} |"
NOT_AGREEING = "| paper | quantity | kind | quoted | computed | the inputs leave | verdict |"
SHORT = {
    "2010.06159": "2010",
    "2005.08920": "2005",
    "2007.11813": "2007",
    "dark-seesaw-poster": "poster",
    "2006.01948": "2006",
}


def main() -> None:
    """Compute all rows and print, or write, the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    put = partial(put_table, arguments.write) if arguments.write else _print
    put("seconds", "| run | wall | processor |", [[name, *map(_seconds, found)] for name, found in timed().items()])
    rows = list(reproduce())
    put("counts", COUNTED, counted(rows))
    put("not agreeing", NOT_AGREEING, [cells(row) for row in rows if row.verdict != "agrees"])
    left = [[SHORT[entry.paper], entry.quantity, entry.reference, entry.reason] for entry in not_computed()]
    put("not computed", "| paper | quantity | reference | reason |", left)


def counted(rows: list[Row]) -> list[list[str]]:
    """Rows of the table of counts: before and now, by kind and in all."""
    found = []
    for paper, table in counts(rows).items():
        totals = [NOTHING, NOTHING]
        for verdict, by_kind in table.items():
            both = [BEFORE.get((paper, verdict), NOTHING), tuple(by_kind.values())]
            totals = [tuple(map(sum, zip(*pair, strict=True))) for pair in zip(totals, both, strict=True)]
            found.append([paper, verdict, *_side_by_side(*both)])
        found.append([paper, "all", *_side_by_side(*totals)])
    return found


def _side_by_side(before: tuple[int, ...], now: tuple[int, ...]) -> list[str]:
    pairs = zip((*before, sum(before)), (*now, sum(now)), strict=True)
    return [str(number) for pair in pairs for number in pair]


def cells(row: Row) -> list[str]:
    """A row of `reproduce` in the table of those that do not agree."""
    statement = row.statement
    unit = "" if statement.unit == "1" else f" {statement.unit}"
    quoted = "" if statement.comparison == "equal" else f"{statement.comparison} "
    room = f"{row.allowance:.2g}{unit}" if row.allowance else ""
    numbers = [f"{quoted}{statement.quoted:.6g}{unit}", f"{row.computed:.4g}{unit}", room]
    return [SHORT[row.paper], statement.quantity, statement.kind, *numbers, row.verdict]


def timed() -> dict[str, tuple[float, float]]:
    """Wall and processor seconds of `anomfit reproduce` with an empty cache of compiled programs, and after it."""
    with tempfile.TemporaryDirectory() as folder:
        return {name: _run(folder) for name in ("first", "second")}


def _run(cache: str) -> tuple[float, float]:
    start, used = time.perf_counter(), _children()
    command = [sys.executable, "-m", "anomfit", "reproduce"]
    subprocess.run(command, env={**os.environ, "ANOMFIT_CACHE": cache}, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start, _children() - used


def _children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _seconds(value: float) -> str:
    return f"{value:.0f} s"


def _print(name: str, header: str, rows: list[list[str]]) -> None:
    print(f"\n{name}\n{header}", *("| " + " | ".join(row) + " |" for row in rows), sep="\n")


if __name__ == "__main__":
    main()

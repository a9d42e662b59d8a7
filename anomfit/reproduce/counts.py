"""How many numbers of each paper agree: rows counted by verdict and kind."""

from collections import Counter
from collections.abc import Iterable, Mapping

from anomfit.reproduce.statements import KINDS, VERDICTS, Row


def counts(rows: Iterable[Row]) -> dict[str, Mapping[str, Mapping[str, int]]]:
    """Numbers of rows by paper, verdict and kind, every verdict and kind among them."""
    found: dict[str, Counter[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row.paper, Counter())[row.verdict, row.statement.kind] += 1
    return {
        paper: {verdict: {kind: many[verdict, kind] for kind in KINDS} for verdict in VERDICTS}
        for paper, many in found.items()
    }


def count_lines(rows: Iterable[Row]) -> list[str]:
    """The counts for a terminal, a table a paper."""
    lines = []
    for paper, table in counts(rows).items():
        lines += ["", f"{paper:25}" + "".join(f"{kind:>17}" for kind in (*KINDS, "all"))]
        for verdict, by_kind in table.items():
            numbers = [*by_kind.values(), sum(by_kind.values())]
            lines.append(f"{verdict:25}" + "".join(f"{number:17d}" for number in numbers))
        every = [sum(by_kind[kind] for by_kind in table.values()) for kind in KINDS]
        lines.append(f"{'all':25}" + "".join(f"{number:17d}" for number in [*every, sum(every)]))
    return lines

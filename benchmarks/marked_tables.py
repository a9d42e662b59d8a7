"""Tables in a page of docs that a benchmark rewrites, whole or row by row, between two markers."""

from pathlib import Path

from anomfit.folders import written_whole


def put_row(path: Path, name: str, header: str, key: str, cells: list[str]) -> None:
    """Put a row, whose first cell is `key`, into the table `name` of the page; other rows stay, in order of their keys.

    The table stands between "<!-- NAME: begin -->" and "<!-- NAME: end -->".
    """
    _, old, _ = _parts(path, name)
    kept = [line for line in old.splitlines() if line.startswith("|")][2:]  # less header and rule
    rows = {line.split("|")[1].strip(): line for line in kept}
    rows[key] = _line([key, *cells])
    _put(path, name, header, [rows[row] for row in sorted(rows)])


def put_table(path: Path, name: str, header: str, rows: list[list[str]]) -> None:
    """Put these rows in place of those of the table `name` of the page, marked as for `put_row`."""
    _put(path, name, header, [_line(cells) for cells in rows])


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _parts(path: Path, name: str) -> tuple[str, str, str]:
    """The page before, between and after the markers."""
    before, _, rest = path.read_text(encoding="utf-8").partition(f"<!-- {name}: begin -->")
    old, _, after = rest.partition(f"<!-- {name}: end -->")
    return before, old, after


def _put(path: Path, name: str, header: str, lines: list[str]) -> None:
    before, _, after = _parts(path, name)
    rule = "|" + "---|" * (header.count("|") - 1)
    body = "\n".join([header, rule, *lines])
    with written_whole(path) as part:
        part.write_text(f"{before}<!-- {name}: begin -->\n{body}\n<!-- {name}: end -->{after}", encoding="utf-8")

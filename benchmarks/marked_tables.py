"""A table in a page of docs that a benchmark rewrites, row by row, between two markers."""

from pathlib import Path

from anomfit.folders import written_whole


def put_row(path: Path, name: str, header: str, key: str, cells: list[str]) -> None:
    """Put a row, whose first cell is `key`, into the table `name` of the page; other rows stay, in order of their keys.

    The table stands between "<!-- NAME: begin -->" and "<!-- NAME: end -->".
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    old, _, after = rest.partition(end)
    kept = [line for line in old.splitlines() if line.startswith("|")][2:]  # less header and rule
    rows = {line.split("|")[1].strip(): line for line in kept}
    rows[key] = "| " + " | ".join([key, *cells]) + " |"
    rule = "|" + "---|" * (len(cells) + 1)
    body = "\n".join([header, rule, *(rows[row] for row in sorted(rows))])
    with written_whole(path) as part:
        part.write_text(f"{before}{begin}\n{body}\n{end}{after}", encoding="utf-8")

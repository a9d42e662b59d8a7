"""The CSV files of `anomfit optimise`: optima and published points, ends of all starts, the grid of a boundary."""

import csv
from collections.abc import Sequence
from pathlib import Path

from anomfit.folders import written_whole
from anomfit.inference import coordinates
from anomfit.inference.optima.boundary import Boundary
from anomfit.inference.optima.published import PublishedPoint
from anomfit.inference.optima.search import Search
from anomfit.problem import Problem


def write_optima(path: Path, search: Search, published: Sequence[PublishedPoint]) -> None:
    """optima.csv: a row an optimum and a published point; the conditions' ratios or standard deviations at the end."""
    parameters = list(search.optima[0].values)
    header = ["kind", "name", "twice_nll", "rank", "basin", "starts", "all_hold", "failing", *parameters]
    header += [f"condition:{name}" for name in search.standing.names]
    rows: list[list[object]] = []
    for i, o in enumerate(search.optima):
        failing = " ".join(o.standing.failing(0))
        rows.append(["optimum", i + 1, o.twice_nll, i + 1, o.basin, o.starts, o.all_hold, failing, *o.values.values()])
        rows[-1] += [float(x) for x in o.standing.size[0]]
    for p in published:
        values = [p.values[name] for name in parameters]
        rows.append(["published", p.name, p.twice_nll, p.rank, "", "", not p.failing, " ".join(p.failing), *values])
        rows[-1] += [float(x) for x in p.standing.size[0]]
    _write(path, header, rows)


def write_ends(path: Path, problem: Problem, search: Search) -> None:
    """ends.csv: where every start ended."""
    rows = []
    for i, s in enumerate(search.ends):
        point = coordinates.from_scaled(problem, s)
        conditions = [search.standing.twice_nll[i], search.standing.all_hold[i], " ".join(search.standing.failing(i))]
        rows.append([*conditions, *(point[name] for name in problem.names)])
    _write(path, ["twice_nll", "all_hold", "failing", *problem.names], rows)


def write_boundary(path: Path, problem: Problem, found: Boundary) -> None:
    """boundary.csv: a row a cell with its best point."""
    rows = []
    for j in range(len(found.y)):
        for i in range(len(found.x)):
            point = coordinates.from_scaled(problem, found.points[j, i])
            above = found.twice_nll[j, i] - found.lowest
            rows.append(
                [
                    found.x[i],
                    found.y[j],
                    found.twice_nll[j, i],
                    above,
                    found.all_hold[j, i],
                    *(point[name] for name in problem.names if name not in found.names),
                ]
            )
    others = [name for name in problem.names if name not in found.names]
    _write(path, [*found.names, "twice_nll", "above_minimum", "all_hold", *others], rows)


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with written_whole(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)

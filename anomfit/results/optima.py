"""A search in words and tables: the report of `anomfit optimise`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from anomfit.folders import written_whole
from anomfit.inference.optima.boundary import LEVELS, Boundary
from anomfit.inference.optima.published import PublishedPoint
from anomfit.inference.optima.search import MOST, FoundOptimum, Search
from anomfit.inference.optima.standing import WITHIN, Standings
from anomfit.problem import Problem
from anomfit.results.result import Provenance
from anomfit.results.tables import TextTable

MEANING = (
    f"All conditions hold: every limit's ratio is at most 1 (90 % CL), every measured number at most {WITHIN:g} "
    "standard deviations away, a spectrum's chi^2 no less probable than that, no nuisance parameter pulled further."
)


def headline(search: Search) -> str:
    """How many starts succeed, or what is in the way."""
    share = f"{search.successes} of {search.starts} starts ({100.0 * search.successes / search.starts:.1f} %)"
    number = len(search.standing.names)
    every = f"all {number} conditions hold" if number > 1 else "the one condition holds"
    sentence = f"{share} end in a point where {every}."
    if search.in_the_way:
        least = ", ".join(f"{name} ({count})" for name, count in search.in_the_way.items())
        sentence += f" In the way, at the ends that fail fewest conditions: {least}."
    return sentence + (" Interrupted: what was found so far." if search.interrupted else "")


def speed(search: Search) -> str:
    """Starts and points a second."""
    seconds = max(search.descent_seconds, 1e-9)
    return (
        f"{search.starts} starts in {search.descent_seconds:.0f} s of descents, {search.starts / seconds:.1f} starts "
        f"and {search.points / seconds:.0f} points (value and gradient) a second; compiling "
        f"{search.compile_seconds:.0f} s, {search.seconds:.0f} s in all."
    )


def failures(search: Search) -> str:
    """Which conditions fail how often at the ends that fail any."""
    failed = ~search.standing.holds
    counts = sorted(zip(failed.sum(axis=0), search.standing.names, strict=True), reverse=True)
    words = ", ".join(f"{name} at {count}" for count, name in counts if count)
    return f"Of the {search.starts - search.successes} other ends fail {words}." if words else ""


def optima_table(search: Search) -> TextTable:
    """The distinct optima, best first."""
    names = list(search.optima[0].values)
    rows = [
        (str(i + 1), f"{o.twice_nll:.3f}", str(o.basin), str(o.starts), _yes(o), *(f"{o.values[n]:.4g}" for n in names))
        for i, o in enumerate(search.optima)
    ]
    notes = (
        MEANING,
        "Points of one basin are connected by lines on which -2 ln L rises by at most 1; starts: ends in the basin, of "
        f"the best {MOST}. "
        "Basins of equal -2 ln L may be one valley that bends between sparse ends: look at the free directions.",
    )
    return TextTable("Optima", ("", "-2 ln L", "basin", "starts", "all hold", *names), tuple(rows), notes)


def range_table(problem: Problem, search: Search) -> TextTable | None:
    """What the parameters are at the ends where all conditions hold."""
    good = search.ends[search.standing.all_hold]
    if not len(good):
        return None
    rows = []
    for i, p in enumerate(problem.free):
        low, median, high = np.quantile(good[:, i], (0.0, 0.5, 1.0))
        rows.append((p.name, p.unit, *(f"{np.exp(x) if p.is_log else x:.4g}" for x in (low, median, high))))
    title = f"Parameters at the {len(good)} ends where all conditions hold"
    return TextTable(title, ("parameter", "unit", "lowest", "median", "highest"), tuple(rows))


def condition_table(title: str, columns: Sequence[str], standing: Sequence[Standings]) -> TextTable:
    """Every condition at some points, a column each; what fails has a star."""
    rows = []
    for k, name in enumerate(standing[0].names):
        cells = [each.words(0, k) + ("" if each.holds[0, k] else " *") for each in standing]
        rows.append((name, *cells))
    return TextTable(title, ("condition", *columns), tuple(rows), ("* does not hold.",))


def published_table(points: Sequence[PublishedPoint], search: Search) -> TextTable:
    """The published points: -2 ln L, rank among the ends, what fails."""
    rows = [
        (p.name, f"{p.twice_nll:.3f}", f"{p.rank} of {search.starts + 1}", ", ".join(p.failing), "; ".join(p.remarks))
        for p in points
    ]
    notes = ("With the point's own values of all parameters, nuisance parameters fitted to it; rank among the ends.",)
    return TextTable("Published points", ("point", "-2 ln L", "rank", "fails", "remarks"), tuple(rows), notes)


def what_holds(optimum: FoundOptimum) -> str:
    """Active terms and directions of an optimum, as a list."""
    active = [term.words for term in optimum.active]
    lines = [f"Active: {'; '.join(active) or 'nothing'}.", *(f"{d.words}." for d in optimum.directions)]
    return "\n".join(f"* {line}" for line in lines)


def boundary_words(found: Boundary, problem: Problem) -> str:
    """What the grid says: how much of it is inside the contours, and where all conditions hold."""
    inside = [float(np.mean(found.twice_nll < found.lowest + level)) for level in LEVELS]
    x, y = (next(p for p in problem.free if p.name == name) for name in found.names)
    words = [
        f"{len(found.x)} by {len(found.y)} cells of ({x.name}, {y.name}), -2 ln L minimised over all else in each, in "
        f"{found.seconds:.0f} s: {100 * inside[0]:.1f} % of them within {LEVELS[0]} of the lowest -2 ln L "
        f"({found.lowest:.3f}), {100 * inside[1]:.1f} % within {LEVELS[1]}, all conditions hold in "
        f"{100 * np.mean(found.all_hold):.1f} %."
    ]
    for parameter, axis, values in ((x, 0, found.x), (y, 1, found.y)):
        where = found.all_hold.any(axis=axis)
        if where.any():
            unit = "" if parameter.unit == "1" else f" {parameter.unit}"
            words.append(
                f"All hold for {parameter.name} from {values[where].min():.4g} to {values[where].max():.4g}{unit}."
            )
    return " ".join(words)


def write_optimise_report(
    path: Path,
    problem: Problem,
    origin: Provenance,
    search: Search,
    published: Sequence[PublishedPoint],
    grid: Boundary | None,
    remarks: Sequence[str] = (),
) -> None:
    """The whole search as Markdown; the paragraphs `remarks` stand before the card."""
    columns = [str(i + 1) for i in range(len(search.optima))]
    parts = [
        f"# {origin.model}: search for points\n\nMade {origin.created}, seed {origin.seed}.\n",
        f"{headline(search)}\n\n{failures(search)}\n\n{speed(search)}\n",
        optima_table(search).markdown(),
        *(table.markdown() for table in (range_table(problem, search),) if table is not None),
        condition_table("Conditions at the optima", columns, [o.standing for o in search.optima]).markdown(),
        "## What holds the optima\n",
        *(f"Optimum {i + 1}:\n\n{what_holds(o)}\n" for i, o in enumerate(search.optima)),
    ]
    if published:
        parts.append(published_table(published, search).markdown())
        title = "Conditions at the published points"
        parts.append(condition_table(title, [p.name for p in published], [p.standing for p in published]).markdown())
    if grid is not None:
        parts.append(f"## Boundary\n\n{boundary_words(grid, problem)}\n")
    parts += [f"{remark}\n" for remark in remarks]
    parts.append(f"## Card\n\n```toml\n{origin.card.rstrip()}\n```\n")
    with written_whole(path) as part:
        part.write_text("\n".join(parts), encoding="utf-8")


def _yes(optimum: FoundOptimum) -> str:
    return "yes" if optimum.all_hold else "no"

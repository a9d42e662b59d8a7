"""A plane from a problem, a card or a result: fixed or profiled, in memory or in a folder that a kill leaves whole."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from anomfit import interrupts
from anomfit.cards import Card, CardFit, card_text, load_card, problem_from_card
from anomfit.catalogue import shipped_constraints
from anomfit.constraints.base import IN_FITS, Constraint
from anomfit.environment import require_platform
from anomfit.errors import InputError, reject
from anomfit.explaining import explained
from anomfit.folders import named_folder, result_file
from anomfit.identity import sampling_identity
from anomfit.inference.cells.profiled import STATUS
from anomfit.inference.compare.exclusions import comparable, fault_in
from anomfit.inference.compiled import GRADIENT_LANES
from anomfit.inference.devices import on_all, prepare_devices
from anomfit.inference.fit.minimise import Fit, FitSettings, minimise
from anomfit.inference.scan import OTHERS, TWICE_NLL, measurement_names
from anomfit.measurements.base import is_limit
from anomfit.planes.axes import Range, axes_of, with_axes
from anomfit.planes.posterior import posterior_plane
from anomfit.planes.result import ABOVE, FILES, Plane
from anomfit.planes.rows import CELL, EXCLUDED, RATIOS, STATUS_COLUMN, Columns, PlaneRows, Start, read_columns
from anomfit.planes.starts import known_start, start_by_table, start_of
from anomfit.planes.waves import plan_of, waves
from anomfit.precision import require_double_precision
from anomfit.problem import Problem
from anomfit.results.names import check_names
from anomfit.results.opened import named_result, opened_result
from anomfit.results.result import Result
from anomfit.scanning.dataset import Manifest, open_dataset, remove_if_empty
from anomfit.scanning.engine import fill, made_here
from anomfit.scanning.plan import Part
from anomfit.tables.problems import tabulated
from anomfit.user_modules import home_of

METHODS = ("fixed", "profile", "posterior")
DEVICES = 4096  # at most, of a processor: one a core
CHUNK = 256  # cells that are kept together
LOG = "plane.log"
MISSED = 0.1  # a cell that is lower by more than this than the best fit is said

Say = Callable[[str], None]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Subject:
    """What a plane is of: a problem, how its best fit is found or where it is known from, and the card's text."""

    problem: Problem
    fit: CardFit
    known: Fit | None = None
    card: str = ""
    result: Result | None = None


@explained()
def plane(
    subject: Problem | Card | Result | str | Path,
    x: str,
    y: str,
    grid: str | tuple[int, int] = (60, 60),
    ranges: Mapping[str, Range] | None = None,
    method: str = "fixed",
    start: Result | Mapping[str, float] | str | Path | None = None,
    folder: str | Path | None = None,
    constraints: bool = True,
    overwrite: bool = False,
    resume: bool = False,
    say: Say | None = None,
    progress: Progress | None = None,
    chunk: int = CHUNK,
    tables: bool = False,
) -> Plane:
    """-2 ln L over two parameters: "fixed", all others at the best fit, or "profile", minimised over all others in
    every cell; or "posterior", the density of a result's draws.

    subject: a problem, a card, a result, or the name of one of the latter two. ranges: (low, high) by name, for x and y
    alone, numbers or texts with a unit; a parameter that is fixed in the card needs one. start: where the best fit is
    known from, a result, or values of all other parameters (and pulls) by name, so that none is looked for.
    `folder` keeps what is done, so that `resume` goes on after a kill; the table is the same bit for bit. Without it
    everything stays in memory. `constraints` False leaves out those that are not in the fit. `tables` looks for the
    minima with `anomfit.tabulated`, whose table is built if it is not there, and polishes them with the exact
    likelihood, which all numbers of the plane are of. `progress(stage, done, total)` is called between batches.

    Raises InputError for whatever is wrong with the subject, the axes or the folder, before anything is computed;
    KeyboardInterrupt after Ctrl-C (Terminated after SIGTERM), when the chunks that are done are kept.
    """
    say, report = say or (lambda line: None), progress or (lambda stage, done, total: None)
    if method not in METHODS:
        raise reject("method", method, f"use one of {', '.join(METHODS)}")
    if tables and method != "profile":
        raise reject("--tables", True, "tables help a profile alone; add --profile, or leave them out")
    with interrupts.handled():
        require_double_precision()
        require_platform()
        prepare_devices(DEVICES)
        found = _subject(subject, start, say)
        if method == "posterior":
            if found.result is None:
                raise reject("--posterior", str(subject), "only a result has draws; name the folder of a fit")
            return posterior_plane(found.result, found.problem, x, y, grid, ranges)
        axes = axes_of(found.problem, x, y, ranges, grid)
        problem = with_axes(found.problem, axes)
        check_names(problem)
        _check_columns(problem)
        profiled = method == "profile" and len(problem.names) > 2
        wanted = _constraints(problem, say) if constraints else ()
        cheap = on_all(tabulated(problem, say, report), GRADIENT_LANES) if tables and profiled else None
        rows = _rows(found, problem, axes, profiled, wanted, start, chunk, report, cheap)
        if folder is None:
            for task in map(rows.plan.task, range(rows.plan.chunks)):
                interrupts.check()
                rows.columns(task.first, task.last)
        else:
            _filled(rows, found.card, named_folder(folder), overwrite, resume, say, method)
        with interrupts.postponed():
            return _plane(rows, method, wanted)


def _subject(subject: Any, start: Any, say: Say) -> Subject:
    """The problem with its best fit, where one is known. A Result that is given as it is has its own card."""
    if isinstance(subject, Problem):
        found = Subject(subject, CardFit())
    elif isinstance(subject, Result):
        found = _of_result(subject)
    else:
        path = None if isinstance(subject, Card) else named_result(str(subject))
        if path is not None:
            opened = opened_result(path)
            found = Subject(opened.problem, opened.card.fit, opened.fit, card_text(opened.card), opened.result)
        else:
            card = subject if isinstance(subject, Card) else load_card(subject)
            problem = problem_from_card(card, lambda sentence: say(f"warning: {sentence}"))
            found = Subject(problem, card.fit, None, card_text(card))
    if isinstance(start, str | Path):
        path = named_result(str(start)) or result_file(Path(start))
        opened = opened_result(path)
        return Subject(found.problem, found.fit, opened.fit, found.card, opened.result)
    if isinstance(start, Result):
        return Subject(found.problem, found.fit, _of_result(start).known, found.card, start)
    return found


def _of_result(result: Result) -> Subject:
    from anomfit.cards import card_from_text

    if result.fit is None:
        raise InputError("result: it has no finished fit; go on with it: anomfit fit CARD --out DIR --resume")
    card = card_from_text(result.provenance.card)
    return Subject(problem_from_card(card), card.fit, result.fit, result.provenance.card, result)


def _check_columns(problem: Problem) -> None:
    taken = {*OTHERS, CELL, STATUS_COLUMN, ABOVE, "distance", "gradients", "excluded_by", RATIOS}
    for parameter in problem.free:
        if parameter.name in taken or parameter.name.partition(".")[0] in taken:
            raise reject("parameter name", parameter.name, "it names a column of the table; choose another")


def _constraints(problem: Problem, say: Say) -> tuple[Constraint, ...]:
    """Constraints that are not in the fit, can exclude, and that the model can be compared with."""
    fitted, found = {m.name for m in problem.measurements}, []
    for entry in comparable(problem, shipped_constraints()):
        if entry.name in fitted or entry.about.kind not in IN_FITS:
            continue
        if home_of(problem.model) is not None and (fault := fault_in(problem, entry)):
            say(f"warning: left out, {fault}")
            continue
        found.append(entry)
    return tuple(found)


def _rows(found: Subject, problem, axes, profiled, constraints, start, chunk, report, cheap) -> PlaneRows:
    """What makes the rows, with what they rest on."""
    every = waves(axes[0].cells, axes[1].cells, profiled, cheap is not None)
    key = jax.random.key(found.fit.seed)
    known = known_start(found.known, found.problem, problem, axes, start)
    given: dict[str, Any] = {
        "x": axes[0].words,
        "y": axes[1].words,
        "others": "profiled" if profiled else "fixed",
        "chunk": chunk,
        "constraints": tuple(entry.name for entry in constraints),
        "start": (found.fit.screened, found.fit.starts) if known is None else repr(known),
        "tables": cheap is not None,
    }

    def search() -> Start:
        if known is not None:
            return known
        settings = FitSettings(found.fit.screened, found.fit.starts)
        if cheap is not None:
            return start_by_table(problem, cheap, minimise(cheap, key, settings, report))
        fit = minimise(problem if profiled else found.problem, key, settings, report)
        return start_of(fit, found.problem, problem)

    plan = plan_of(every, chunk)
    identity = sampling_identity(problem, key, "plane", **given)
    if cheap is not None:
        parts = sampling_identity(cheap, key, "plane")  # what differs is the table
        identity |= {f"with tables, {name}": x for name, x in parts.items() if identity.get(name) != x}
    return PlaneRows(problem, axes, profiled, every, plan, identity, search, constraints, report, cheap)


# -- in a folder ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A recipe whose rows are made in this process, wave after wave."""

    rows: PlaneRows

    def prepared(self) -> PlaneRows:
        return self.rows


def _filled(rows: PlaneRows, card: str, folder: Path, overwrite: bool, resume: bool, say: Say, method: str) -> None:
    """Make the chunks that are missing in a folder."""
    words = {"x": rows.axes[0].words, "y": rows.axes[1].words, "method": method}
    manifest = Manifest(rows.plan, rows.identity, words, "plane", (*FILES, LOG))
    dataset = open_dataset(folder, manifest, card, Part(), overwrite, resume)
    rows.read = lambda chunk: read_columns(dataset.file(chunk))
    log, shown = _Log(folder / LOG), rows.report

    def both(stage: str, done: int, total: int) -> None:
        shown(stage, done, total)
        log.note(stage, done, total)

    rows.report = both
    try:
        tasks = dataset.missing(range(rows.plan.chunks), say)
        log.line(f"{'go on' if len(tasks) < rows.plan.chunks else 'begin'}: {len(tasks)} of {rows.plan.chunks} chunks")

        def kept(before: int, done: int, total: int) -> None:
            log.line(f"kept: {done} of {total} rows")
            shown("plane", done, total)

        fill(_Prepared(rows), dataset, tasks, rows.plan.number, made_here, kept)
    except KeyboardInterrupt as stopped:
        log.line("interrupted")
        raise interrupts.kind()(f"the chunks that are done are in {dataset.points}, --resume goes on") from stopped
    except BaseException:
        remove_if_empty(dataset)
        raise


class _Log:
    """Lines with the time in a file; a disk that is full costs no run."""

    def __init__(self, path: Path):
        self._path, self._began, self._said = path, time.monotonic(), -60.0

    def note(self, stage: str, done: int, total: int) -> None:
        """What a stage has done, at most every ten seconds."""
        if time.monotonic() - self._said > 10.0:
            self._said = time.monotonic()
            self.line(f"{stage}: {done} of {total}")

    def line(self, words: str) -> None:
        """One line."""
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {time.monotonic() - self._began:7.1f} s  {words}\n")
        except OSError:
            pass


# -- the result -----------------------------------------------------------------------------------------------------


def _plane(rows: PlaneRows, method: str, constraints: tuple[Constraint, ...]) -> Plane:
    """The table with what is read off the whole plane."""
    problem, found, start = rows.problem, rows.table(), rows.start()
    twice_nll = found[TWICE_NLL]
    best, lowest, problems = dict(start.points[0]), start.twice_nll[0], []
    finite = np.where(np.isfinite(twice_nll), twice_nll, np.inf)
    k = int(np.argmin(finite))
    if not np.isfinite(lowest) or finite[k] < lowest:
        if np.isfinite(lowest) and finite[k] < lowest - MISSED:
            problems.append(
                f"a cell has -2 ln L lower by {lowest - finite[k]:.2f} than the fit's best point; contours are above it"
            )
        best, lowest = {name: float(found[name][k]) for name in problem.names}, float(finite[k])
    counts = np.bincount(found[STATUS_COLUMN], minlength=len(STATUS))
    for status, words in ((2, "have not converged"), (4, "have no likelihood")):
        if counts[status]:
            problems.append(f"{counts[status]} of {len(twice_nll)} cells {words}, see the column status")
    names = measurement_names(problem)
    fitted = [n for n, m in zip(names, problem.measurements, strict=True) if is_limit(m)]
    others = [n for n, m in zip(names, problem.measurements, strict=True) if not is_limit(m)]
    own = [m for m in problem.measurements if isinstance(m, Constraint)]
    return Plane(
        axes=rows.axes,
        method=method,
        table=_table(rows, found, lowest, constraints),
        best=best,
        lowest=lowest,
        model=problem.model.name,
        measurements=tuple(others),
        fitted=tuple(fitted),
        outside=tuple(entry.name for entry in constraints),
        fails=tuple(entry.name for entry in (*constraints, *own) if entry.fails_without),
        problems=tuple(problems),
    )


def _table(rows: PlaneRows, found: Columns, lowest: float, constraints: tuple[Constraint, ...]) -> Columns:
    """The columns that a user sees: axes first, words in place of numbers of words."""
    x, y = (axis.name for axis in rows.axes)
    columns: Columns = {CELL: found[CELL], x: found[x], y: found[y], TWICE_NLL: found[TWICE_NLL]}
    columns |= {ABOVE: found[TWICE_NLL] - lowest}
    columns |= {STATUS_COLUMN: np.array(STATUS)[found[STATUS_COLUMN]]}
    columns |= {name: found[name] for name in found if name not in columns and name not in (RATIOS, EXCLUDED)}
    if constraints:
        columns |= {f"ratio.{entry.name}": found[RATIOS][:, k] for k, entry in enumerate(constraints)}
        names = np.array([entry.name for entry in constraints])
        columns["excluded_by"] = np.array([" ".join(names[row > 0]) for row in found[EXCLUDED]])
    return columns

"""A whole scan, from a card to a folder: points of the prior, a Sobol sequence or a lattice, and what is said there."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from anomfit import interrupts
from anomfit.cards import Card, card_from_text, card_text, load_card, problem_from_card
from anomfit.environment import require_platform
from anomfit.errors import reject
from anomfit.explaining import explained
from anomfit.folders import named_folder
from anomfit.identity import sampling_identity
from anomfit.inference.compiled import FORWARD_LANES
from anomfit.inference.devices import batch_mesh, devices_for, prepare_devices
from anomfit.inference.scan import MOST, TWICE_NLL, Columns, Design, ScanRows, check_shape, lattice_shape
from anomfit.inference.undefined import CURE, KEPT, placed
from anomfit.precision import require_double_precision
from anomfit.problem import Problem
from anomfit.results.names import check_names
from anomfit.scanning.cluster import Cluster
from anomfit.scanning.dataset import Dataset, Manifest, open_dataset, remove_if_empty
from anomfit.scanning.engine import Report, fill, made_here
from anomfit.scanning.files import some_rows
from anomfit.scanning.plan import Part, Plan, part_from

DEVICES = 4096  # at most, of a processor: one a core
CHUNK = 16_384
MOST_CHUNK = 10_000_000  # some GB of memory

Say = Callable[[str], None]


@dataclass(frozen=True)
class ScanSettings:
    """How a card is scanned: `number` points of a `design` ("prior", "sobol", "lattice") in files of `chunk` rows.

    shape: sides of a lattice, in place of as many nodes along every free parameter. keep: see `ScanRows`.
    """

    number: int = 100_000
    design: str = "prior"
    seed: int = 1
    chunk: int = CHUNK
    keep: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()

    def __post_init__(self):
        Design(self.design)
        Plan(self.number, self.chunk)
        if self.number > MOST[self.design]:
            raise reject("--number", self.number, f"give at most {MOST[self.design]} points from {self.design}")
        if self.chunk > MOST_CHUNK:
            raise reject("--chunk", self.chunk, f"give a whole number from 1 to {MOST_CHUNK}")
        if self.shape and self.design != "lattice":
            sides = "x".join(map(str, self.shape))
            raise reject("--number", sides, "only a lattice has sides; give one number, or --from lattice")


@dataclass(frozen=True)
class ScanRecipe:
    """What any machine needs to make rows of a scan."""

    card: str
    design: Design
    chunk: int
    keep: tuple[str, ...]
    tables: bool = False

    def prepared(self) -> "RowsOfCard":
        """The rows of the card's problem, built here, with tables where the scan has them."""
        from anomfit.tables.problems import tabulated

        require_double_precision()
        require_platform()
        problem = problem_from_card(card_from_text(self.card))
        return RowsOfCard(_on_each_device(tabulated(problem)) if self.tables else problem, self)


class RowsOfCard:
    """The rows of a scan with what they rest on and what a chunk says of itself."""

    def __init__(self, problem: Problem, recipe: ScanRecipe):
        self.problem = problem
        self._rows = ScanRows(problem, recipe.design, recipe.keep)
        design = recipe.design
        given = {"from": design.kind, "chunk": recipe.chunk, "keep": recipe.keep, "lattice": design.shape}
        key = jax.random.key(design.seed)
        self.identity: Mapping[str, str] = sampling_identity(problem, key, "scan", **given)

    def columns(self, first: int, last: int) -> Columns:
        """The columns of the rows first, ..., last - 1 (see `ScanRows`)."""
        return self._rows.columns(first, last)

    def words(self, columns: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """The number of undefined rows, and the lowest -2 ln L with its free parameters."""
        twice_nll = columns[TWICE_NLL]
        finite = np.isfinite(twice_nll)
        found: dict[str, Any] = {"undefined": int(np.isnan(twice_nll).sum()), "lowest": None, "at": None}
        if finite.any():
            row = int(np.argmin(np.where(finite, twice_nll, np.inf)))
            found["lowest"] = float(twice_nll[row])
            found["at"] = {p.name: float(columns[p.name][row]) for p in self.problem.free}
        return found


@dataclass(frozen=True)
class Scan:
    """What is in the folder: rows there and asked for, how many of them are undefined, and the lowest point, if any.

    points: the folder of the Parquet files. problems: what must be said, in sentences.
    """

    points: Path
    rows: int
    number: int
    undefined: int
    lowest: float | None
    at: dict[str, float] | None
    problems: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all rows are there, those of other parts included."""
        return self.rows == self.number


@explained()
def run_scan(
    card: Card | str | Path,
    folder: str | Path,
    settings: ScanSettings | None = None,
    part: Part | str | None = None,
    scheduler: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    say: Say | None = None,
    report: Report | None = None,
    tables: bool = False,
) -> Scan:
    """Scan a card: a table of points with -2 ln L and chi^2 of every measurement, as a Parquet dataset in `folder`.

    `part` (such as "2/8") makes every eighth chunk, for many machines that share the folder; `scheduler` is the address
    of a Dask scheduler whose workers make the chunks. The table is the same bit for bit however it is made, on
    processors of one kind. `resume` goes on after a kill, also to a larger number of points. `report(before, done,
    total)` is called with numbers of rows after every chunk.

    With `tables` pairs are looked up where a table holds them (see `tables.problems.tabulated`); a table
    that is not there is built first, unless the points are too few for that.

    Raises InputError for whatever is wrong with card, settings, folder or machine, before anything is computed;
    KeyboardInterrupt after Ctrl-C (Terminated after SIGTERM), when the chunks that are done are kept.
    """
    settings, folder = settings or ScanSettings(), named_folder(folder)
    part = part_from(part) if isinstance(part, str) else part or Part()
    say, report = say or (lambda line: None), report or (lambda before, done, total: None)
    if scheduler is not None and not part.is_all:
        raise reject(
            "--part", f"{part.i}/{part.n}", "a scheduler shares the chunks out itself; leave out one of the two"
        )
    made = made_here if scheduler is None else Cluster(scheduler)
    with interrupts.handled():
        require_double_precision()
        require_platform()
        prepare_devices(DEVICES)
        chosen = card if isinstance(card, Card) else load_card(card)
        problem = problem_from_card(chosen, lambda sentence: say(f"warning: {sentence}"))
        if not problem.names or not problem.free:
            raise reject("free", [], "leave at least one parameter free")
        check_names(problem)
        text = card_text(chosen)
        fast = _with_tables(problem, settings, say) if tables else problem
        design = _design(settings, len(problem.free))
        recipe = ScanRecipe(text, design, settings.chunk, settings.keep, fast is not problem)
        rows = RowsOfCard(fast, recipe)
        words = _words(settings, design) | (_table_words(fast) if recipe.tables else {})
        manifest = Manifest(Plan(settings.number, settings.chunk), rows.identity, words)
        dataset = open_dataset(folder, manifest, text, part, overwrite, resume)
        try:
            chunks = part.chunks(manifest.plan)
            tasks = dataset.missing(chunks, say)
            total = sum(task.last - task.first for task in map(manifest.plan.task, chunks))
            fill(_Prepared(recipe, rows) if scheduler is None else recipe, dataset, tasks, total, made, report)
        except KeyboardInterrupt as stopped:
            raise interrupts.kind()(f"the chunks that are done are in {dataset.points}, --resume goes on") from stopped
        except BaseException:
            if part.is_all:
                remove_if_empty(dataset)
            raise
        with interrupts.postponed():
            return _found(dataset, problem)


@dataclass(frozen=True)
class _Prepared:
    """A recipe whose rows are made in this process already."""

    recipe: ScanRecipe
    rows: RowsOfCard

    def prepared(self) -> RowsOfCard:
        return self.rows


def _design(settings: ScanSettings, free: int) -> Design:
    if settings.design != "lattice":
        return Design(settings.design, settings.seed)
    if settings.shape:
        check_shape(settings.shape, free)
    return Design("lattice", 0, settings.shape or lattice_shape(settings.number, free))


def _with_tables(problem: Problem, settings: ScanSettings, say: Say) -> Problem:
    """The problem with tables, or as it is where the exact rule is sooner done."""
    from anomfit.tables.using import with_tables

    fast = with_tables(problem, settings.number, say)
    return problem if fast is None else _on_each_device(fast)


def _on_each_device(fast: Problem) -> Problem:
    """The problem with its table on every device that shares points: it would be copied at every call."""
    devices = devices_for(FORWARD_LANES)
    return fast if devices == 1 else jax.device_put(fast, NamedSharding(batch_mesh(devices), PartitionSpec()))


def _table_words(fast: Problem) -> dict[str, Any]:
    """What a reader of scan.json wants to know of the table."""
    from anomfit.tables.using import use_of

    used = use_of(fast)
    return {} if used is None else {"table": {k: x for k, x in asdict(used).items() if x is not None}}


def _words(settings: ScanSettings, design: Design) -> dict[str, Any]:
    """What a reader of scan.json wants to know besides the number and the identity."""
    more = {"lattice": design.shape} if design.shape else {"seed": design.seed}
    return {"from": design.kind, **more, "keep": settings.keep}


def _found(dataset: Dataset, problem: Problem) -> Scan:
    """What all files say, those of other parts included."""
    files = dataset.all_words()
    lowest = min((words for _, words in files if words["lowest"] is not None), key=lambda w: w["lowest"], default=None)
    undefined = sum(words["undefined"] for _, words in files)
    rows = sum(words["rows"] for _, words in files)
    return Scan(
        points=dataset.points,
        rows=rows,
        number=dataset.manifest.plan.number,
        undefined=undefined,
        lowest=None if lowest is None else lowest["lowest"],
        at=None if lowest is None else {p.name: lowest["at"][p.name] for p in problem.free},
        problems=_of_undefined(files, problem, undefined, rows),
    )


def _of_undefined(files, problem: Problem, undefined: int, rows: int) -> tuple[str, ...]:
    """A sentence on where the likelihood is not a number, from the first few thousand of such points."""
    if not undefined:
        return ()
    names, values, seen = [p.name for p in problem.free], [], 0
    for path, words in files:
        if words["undefined"] and seen < KEPT:
            table = some_rows(path, [TWICE_NLL, *names])
            values.append({name: table[name][np.isnan(table[TWICE_NLL])][: KEPT - seen] for name in names})
            seen += len(values[-1][names[0]])
    where = placed(problem, {name: np.concatenate([one[name] for one in values]) for name in names})
    remedy = f"give the model a finite prediction there, such as no signal, see {CURE}"
    return (f"the likelihood is not a number at {undefined} of {rows} points ({where}): they are NaN; {remedy}",)

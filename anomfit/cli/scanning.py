"""`anomfit scan`: many points of a card to a table."""

import re
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from anomfit.cli.fitting import CardName, Fixed
from anomfit.cli.options import NoCache, Out, TargetWords, pairs, start_jax, whole_number
from anomfit.cli.progress import say
from anomfit.errors import reject

if TYPE_CHECKING:
    from anomfit.scanning import Scan

MOST = 2**53
EIGHTHS, SELDOM = 8, 60.0  # a line of a log at every eighth, and at least so often, in seconds
NUMBER = re.compile(r"[0-9]{1,16}|[0-9](\.[0-9]{1,15})?[eE]\+?[0-9]{1,2}")
SIDES = re.compile(r"[0-9]{1,16}(x[0-9]{1,16})+")

Report = Callable[[int, int, int], None]


Number = Annotated[
    str, typer.Option("--number", metavar="N", help="How many points (1e6), or the sides of a lattice (100x50).")
]
Design = Annotated[str, typer.Option("--from", metavar="DESIGN", help="prior, sobol or lattice: where the points are.")]
Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep",
        metavar="MEASUREMENT",
        help="Also keep its total signal, or with /bins after the name every bin's; may be repeated.",
    ),
]
Seed = Annotated[
    str | None, typer.Option("--seed", metavar="N", help="Seed of the points from prior and sobol; default 1.")
]
Chunk = Annotated[str, typer.Option("--chunk", metavar="N", help="Points of a file.")]
Part = Annotated[
    str | None, typer.Option("--part", metavar="i/n", help="Make every n-th file only: one of n machines.")
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="Let the workers of a Dask scheduler make the files."),
]
Tables = Annotated[
    bool,
    typer.Option("--tables/--exact", help="Look pairs up in tables (docs/tables.md), or compute them, the default."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a scan that is already in the folder.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the scan in the folder, also to a larger number.")]


def scan(
    card: CardName,
    out: Out = None,
    number: Number = "1e5",
    design: Design = "prior",
    keep: Keep = None,
    settings: Fixed = None,
    targets: TargetWords = None,
    seed: Seed = None,
    chunk: Chunk = "16384",
    part: Part = None,
    scheduler: Scheduler = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    tables: Tables = False,
    no_cache: NoCache = False,
) -> None:
    """Compute -2 ln L and chi^2 of every measurement at many points of a card, and write a table.

    The folder gets points/ (a Parquet dataset: parameters, the model's physical quantities, ln of the prior, -2 ln L
    and chi^2 by measurement), scan.json and card.toml. The pulls of nuisance parameters are 0. After Ctrl-C or a kill,
    --resume goes on where the scan was. The table is the same however many machines make it: docs/scans.md.

    \b
    Examples:
      anomfit scan two-higgs-doublet --number 1e6 --out my-scan
      anomfit scan oscillation --from sobol --number 65536 --keep miniboone
      anomfit scan oscillation --from lattice --number 200x100
      anomfit scan my.toml --number 1e8 --out big --part 3/16
      anomfit scan my.toml --number 1e8 --out big --scheduler tcp://10.0.0.1:8786
      anomfit scan my.toml --number 2e6 --out my-scan --resume
      anomfit scan two-higgs-doublet-miniboone --number 1e6 --tables
    """
    count, shape = _number(number)
    size, changes, words = whole_number("--chunk", chunk, 1, MOST), pairs("--set", settings or []), targets or []
    if seed is not None and design == "lattice":
        raise reject("--seed", seed, "a lattice has nothing random; leave it out")
    chosen_seed = 1 if seed is None else whole_number("--seed", seed)
    start_jax(no_cache)
    from anomfit.cards import load_card, with_fixed, with_target_choices
    from anomfit.folders import new_folder
    from anomfit.scanning import ScanSettings, run_scan

    asked = ScanSettings(count, design, chosen_seed, size, tuple(keep or ()), shape)
    chosen = with_target_choices(with_fixed(load_card(card), changes), pairs("--target", words))
    folder = new_folder(card, "scan") if out is None else out
    report = _bar() if sys.stderr.isatty() else _lines()
    found = run_scan(chosen, folder, asked, part, scheduler, overwrite, resume, say, report, tables)
    _say(found)


def _say(found: "Scan") -> None:
    """What must be said of a scan: problems, how much is there, and the lowest point."""
    for sentence in found.problems:
        say(f"warning: {sentence}")
    there = f"{found.rows} points" if found.complete else f"{found.rows} of {found.number} points"
    say(f"{there} in {found.points}, {found.undefined} of them undefined")
    if found.lowest is not None:
        at = ", ".join(f"{name} = {value:.4g}" for name, value in (found.at or {}).items())
        say(f"lowest -2 ln L = {found.lowest:.4f} at {at}")


def _number(text: str) -> tuple[int, tuple[int, ...]]:
    """Points, and the sides of the lattice if those are given: "1000", "1e6", "100x50"."""
    if SIDES.fullmatch(text):
        shape = tuple(map(int, text.split("x")))
        count = 1
        for side in shape:
            count *= side
        if 1 <= count <= MOST:
            return count, shape
    elif NUMBER.fullmatch(text) and Decimal(text) == int(Decimal(text)) and 1 <= int(Decimal(text)) <= MOST:
        return int(Decimal(text)), ()
    raise reject("--number", text, f"give a whole number from 1 to {MOST}, such as 1e6, or sides, such as 100x50")


def _bar() -> Report:
    """A bar with the time left on standard error; what an earlier run has done does not count as speed."""
    from tqdm import tqdm

    shown: list[tqdm] = []

    def show(before: int, done: int, total: int) -> None:
        if not shown:
            shown.append(tqdm(total=total, initial=before, desc="points", unit_scale=True, leave=False))
        shown[0].update(done - shown[0].n)
        if done >= total:
            shown[0].close()

    return show


def _lines() -> Report:
    """Lines with the time left on standard error, for a log."""
    from tqdm import tqdm

    from anomfit.cli.streams import silence

    began, said = time.monotonic(), {"at": time.monotonic(), "eighth": -1}

    def show(before: int, done: int, total: int) -> None:
        now, eighth = time.monotonic(), EIGHTHS * done // max(total, 1)
        if done == before or (eighth == said["eighth"] and now - said["at"] < SELDOM):
            said["eighth"] = max(said["eighth"], eighth)
            return
        said.update(at=now, eighth=eighth)
        left = (total - done) * (now - began) / (done - before)
        try:
            print(f"points: {done} of {total}, {tqdm.format_interval(left)} left", file=sys.stderr, flush=True)
        except OSError:
            silence(sys.stderr)

    return show

"""`anomfit toys`: data sets thrown from the likelihood and fitted again."""

import sys
from typing import Annotated

import typer

from anomfit import interrupts
from anomfit.cli.fitting import Overwrite, Resume
from anomfit.cli.options import NoCache, Out, start_jax, whole_number
from anomfit.cli.progress import bars, lines, say

MOST_TOYS, MOST_STARTS = 1_000_000, 10_000


def toys(
    subject: Annotated[str, typer.Argument(metavar="RESULT_OR_CARD", help="A result, a card or a model's name.")],
    out: Out = None,
    number: Annotated[str, typer.Option("--number", metavar="N", help="How many data sets.")] = "100",
    point: Annotated[
        str | None, typer.Option("--point", metavar="NAME", help="Throw at a published point; default: the best fit.")
    ] = None,
    no_new_physics: Annotated[
        bool, typer.Option("--no-new-physics", help="Throw without any signal: the global significance.")
    ] = False,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--parameter", metavar="NAME", help="Also find the coverage of its interval; may be repeated."),
    ] = None,
    starts: Annotated[str, typer.Option("--starts", metavar="N", help="Descents of each fit.")] = "4",
    seed: Annotated[str, typer.Option("--seed", metavar="N", help="Seed of the thrown data.")] = "1",
    overwrite: Overwrite = False,
    resume: Resume = False,
    tables: Annotated[
        bool, typer.Option("--tables", help="Search with tables and few nodes first; every number stays exact.")
    ] = False,
    no_cache: NoCache = False,
) -> None:
    """Throw data sets from the likelihood at a point, fit each again, and calibrate what the fit of the data says.

    Counts are thrown from their Poisson or correlated Gaussian distribution, and so is what other data say of the
    nuisance parameters; limits have no data and stay. The folder gets toys.csv (a row a toy), report.md with the
    calibrated p-values beside the asymptotic ones, card.toml and toys.png. Ctrl-C keeps the toys that are done;
    --resume goes on, also to a larger number.

    \b
    Examples:
      anomfit toys my-fit --number 200
      anomfit toys my-fit --number 200 --tables
      anomfit toys oscillation --number 200 --parameter sin2_2theta
      anomfit toys my-fit --no-new-physics --number 1000 --out null
      anomfit toys my-fit --no-new-physics --number 5000 --out null --resume
    """
    counted, descents = whole_number("--number", number, 1, MOST_TOYS), whole_number("--starts", starts, 1, MOST_STARTS)
    chosen_seed = whole_number("--seed", seed)
    start_jax(no_cache)
    from rich.console import Console

    from anomfit.folders import new_folder
    from anomfit.inference.compare.toys import ToySettings
    from anomfit.results.toys import thrown_words, toy_tables
    from anomfit.toying import Where, run_toys_of

    settings, where = ToySettings(number=counted, starts=descents), Where(point, no_new_physics)
    folder = new_folder(subject, "toys") if out is None else out
    progress = bars() if sys.stderr.isatty() else lines()
    asked = parameters or ()
    found = run_toys_of(subject, folder, settings, where, asked, chosen_seed, overwrite, resume, say, progress, tables)
    console = Console() if sys.stdout.isatty() else Console(width=150)
    print(thrown_words(found.toys))
    for table in toy_tables(found.toys, found.observed, found.problem.free):
        console.print(table.rich())
    print(f"written to {folder}")
    if not found.toys.complete:
        raise interrupts.kind()(f"the toys that were done are in {folder}")

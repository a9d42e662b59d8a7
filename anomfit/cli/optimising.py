"""`anomfit optimise`: benchmark points, and the allowed region, by gradient."""

import sys
from typing import Annotated

import typer

from anomfit import interrupts
from anomfit.cli.fitting import CardName, Overwrite, Seed
from anomfit.cli.options import NoCache, Out, pairs, start_jax, whole_number
from anomfit.cli.progress import bars, lines, say

MOST_STARTS = 10_000_000  # some GB of memory


def optimise(
    card: CardName,
    out: Out = None,
    starts: Annotated[str, typer.Option("--starts", metavar="N", help="Starts drawn from the prior.")] = "2048",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Fix a parameter to a value; may be repeated."),
    ] = None,
    boundary: Annotated[
        tuple[str, str] | None,
        typer.Option("--boundary", metavar="X Y", help="Also find the allowed region along two free parameters."),
    ] = None,
    seed: Seed = None,
    overwrite: Overwrite = False,
    no_cache: NoCache = False,
) -> None:
    """Find points of a model that satisfy all conditions of a card: many starts from the prior, followed by gradient.

    The folder gets optima.csv, ends.csv, report.md (conditions, what holds each optimum, how stiff every direction is,
    how the published points rank), card.toml and figures; with --boundary also boundary.csv and boundary.png. Ctrl-C
    stops and keeps what is found so far.

    \b
    Examples:
      anomfit optimise dark-scalar-2019
      anomfit optimise dark-scalar-2019 --set kappa=0 --out kappa-0
      anomfit optimise dark-scalar-2019 --boundary m_S eta_d
      anomfit optimise my.toml --starts 512 --seed 7
    """
    changes, number = pairs("--set", settings or []), whole_number("--starts", starts, 1, MOST_STARTS)
    chosen_seed = None if seed is None else whole_number("--seed", seed)
    start_jax(no_cache)
    from rich.console import Console

    from anomfit.cards import load_card
    from anomfit.folders import named_folder, new_folder
    from anomfit.inference.optima.search import SearchSettings
    from anomfit.optimising import run_optimise, with_fixed
    from anomfit.results.optima import optima_table, what_holds
    from anomfit.run import with_seed

    chosen = load_card(card)
    chosen = chosen if chosen_seed is None else with_seed(chosen, chosen_seed)
    chosen = with_fixed(chosen, changes) if changes else chosen
    folder = new_folder(card, "optimise") if out is None else named_folder(out)
    progress = bars() if sys.stderr.isatty() else lines()
    found = run_optimise(chosen, folder, SearchSettings(starts=number), boundary, None, overwrite, say, progress)
    console = Console() if sys.stdout.isatty() else Console(width=150)
    console.print(optima_table(found.search).rich())
    print(f"optimum 1\n{what_holds(found.search.optima[0])}")
    print(f"written to {folder}")
    if found.search.interrupted or (found.boundary is not None and found.boundary.interrupted):
        raise interrupts.kind()(f"what was found is in {folder}")

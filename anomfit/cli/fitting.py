"""`anomfit fit` and `anomfit sample`: from a card to a folder of results."""

import sys
from typing import Annotated, NamedTuple

import typer

from anomfit.cli.options import NoCache, Out, TargetWords, pairs, start_jax, whole_number
from anomfit.cli.progress import bars, say

FAILED = 1  # the exit status of a run that found a best fit, where a check of it ended with an error
EXCLUDED = 3  # the exit status of --strict

CardName = Annotated[
    str,
    typer.Argument(metavar="MODEL_OR_CARD", help="A model, a card (my.toml), or a file of yours (my_model.py:model)."),
]
Seed = Annotated[str | None, typer.Option("--seed", metavar="N", help="Another seed than the card's.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a result that is already in the folder.")]
Strict = Annotated[bool, typer.Option("--strict", help="End with status 3 if a constraint excludes the best fit.")]
Fixed = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Fix a parameter at this value, in place of the card's line."),
]
Tables = Annotated[
    bool | None,
    typer.Option(
        "--tables/--exact",
        help="Look pairs up in tables and take few nodes elsewhere (docs/tables.md), or take all nodes; "
        "by default what is sooner done.",
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run in the folder.")]


def fit(
    card: CardName,
    settings: Fixed = None,
    targets: TargetWords = None,
    out: Out = None,
    no_sample: Annotated[bool, typer.Option("--no-sample", help="Stop after the best fit and its errors.")] = False,
    seed: Seed = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    strict: Strict = False,
    tables: Tables = None,
    no_cache: NoCache = False,
) -> None:
    """Fit a model to data: the best fit with errors, then the posterior, then figures and a report.

    The folder gets report.md, card.toml (the whole configuration), result.nc (ArviZ reads it), figures. Without --out
    it is a new folder named after the card. Ctrl-C stops; --resume goes on from the last finished block.

    \b
    Examples:
      anomfit fit two-higgs-doublet --out my-fit
      anomfit fit two-higgs-doublet --no-sample
      anomfit fit my.toml --out my-fit --seed 7
      anomfit fit two-higgs-doublet --set m_N2=130MeV --set sin_delta=0.1
      anomfit fit my.toml --out my-fit --resume
      anomfit fit two-higgs-doublet-miniboone --exact
      anomfit fit my.toml --strict || echo "excluded, or something else went wrong"
    """
    changes = _Changes(settings, targets, seed)
    _start(card, changes, out, overwrite, resume, strict, no_cache, tables, sample=not no_sample)


def sample(
    card: CardName,
    settings: Fixed = None,
    targets: TargetWords = None,
    out: Out = None,
    seed: Seed = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    strict: Strict = False,
    tables: Tables = None,
    no_cache: NoCache = False,
) -> None:
    """Sample the posterior of a card, starting at the best fit; the fit is made first unless --resume finds it.

    \b
    Examples:
      anomfit sample two-higgs-doublet --out my-fit
      anomfit fit my.toml --out my-fit --no-sample
      anomfit sample my.toml --out my-fit --resume
    """
    _start(card, _Changes(settings, targets, seed), out, overwrite, resume, strict, no_cache, tables, sample=True)


class _Changes(NamedTuple):
    """What options change of a card."""

    settings: list[str] | None
    targets: list[str] | None
    seed: str | None


def _start(
    card: str,
    changes: _Changes,
    out: str | None,
    overwrite: bool,
    resume: bool,
    strict: bool,
    no_cache: bool,
    tables: bool | None,
    sample: bool,
) -> None:
    start_jax(no_cache)
    from rich.console import Console

    from anomfit.cards import load_card, with_fixed, with_target_choices
    from anomfit.cli.streams import complain
    from anomfit.folders import named_folder, new_folder
    from anomfit.results.summary import print_summary
    from anomfit.results.verdict import exclusion_words
    from anomfit.run import run_fit, with_seed

    chosen = with_fixed(load_card(card), pairs("--set", changes.settings or []))
    chosen = with_target_choices(chosen, pairs("--target", changes.targets or []))
    chosen = chosen if changes.seed is None else with_seed(chosen, whole_number("--seed", changes.seed))
    folder = new_folder(card) if out is None else named_folder(out)
    result = run_fit(chosen, folder, sample, overwrite, resume, say, bars() if sys.stderr.isatty() else None, tables)
    print_summary(result, None if sys.stdout.isatty() else Console(width=120))
    print(f"written to {folder}")
    if result.failed:
        complain(f"{len(result.failed)} of the checks failed, see the report; --resume makes all of them again")
        raise typer.Exit(FAILED)
    if strict and result.exclusions is not None and result.exclusions.of_best_fit:
        complain(f"--strict: {exclusion_words(result.exclusions)}")
        raise typer.Exit(EXCLUDED)

"""`anomfit tables`: kernels of masses, built and checked, or removed."""

import sys
from typing import Annotated

import typer

from anomfit.cli.fitting import Fixed
from anomfit.cli.options import NoCache, TargetWords, pairs, start_jax, whole_number
from anomfit.cli.progress import bars, lines, say
from anomfit.errors import reject

MOST = 1_000_000


def tables(
    card: Annotated[
        str | None,
        typer.Argument(metavar="MODEL_OR_CARD", help="A model, a card (my.toml), or a file of yours."),
    ] = None,
    settings: Fixed = None,
    targets: TargetWords = None,
    points: Annotated[
        str | None,
        typer.Option("--points", metavar="N", help="Compare with the exact rule again, at N points of the prior."),
    ] = None,
    clean: Annotated[bool, typer.Option("--clean", help="Remove every table that is kept.")] = False,
    no_cache: NoCache = False,
) -> None:
    """Build the tables of kernels in which a card's pairs are looked up, and check them.

    A table holds what the exact rule gives for masses, so that couplings, mixings and lifetimes cost nothing: a point
    takes a thirtieth of the time or less. It is kept in the user's cache folder (ANOMFIT_TABLES names another), one for
    a model and the measurement's options, whatever the card frees or fixes. Ctrl-C stops; the same command goes on.
    What can be tabulated, how to use tables and how exact they are: docs/tables.md.

    \b
    Examples:
      anomfit tables two-higgs-doublet-miniboone
      anomfit tables zprime-two-higgs-doublet
      anomfit tables my.toml --points 1000
      anomfit tables --clean
    """
    if clean:
        _clean(card)
        return
    if card is None:
        raise reject("MODEL_OR_CARD", "", "name a model or a card, or give --clean")
    number = None if points is None else whole_number("--points", points, 1, MOST)
    start_jax(no_cache)
    from anomfit import interrupts
    from anomfit.cards import load_card, problem_from_card, with_fixed, with_target_choices
    from anomfit.tables.problems import checked_again, tabulated

    chosen = with_fixed(load_card(card), pairs("--set", settings or []))
    chosen = with_target_choices(chosen, pairs("--target", targets or []))
    with interrupts.handled():
        problem = problem_from_card(chosen, lambda sentence: say(f"warning: {sentence}"))
        show = bars() if sys.stderr.isatty() else lines()
        fast = tabulated(problem, say, show)
        if number is not None:
            for name, errors in checked_again(problem, fast, number, show):
                say(f"{name}: {errors.sentence()}")


def _clean(card: str | None) -> None:
    from anomfit.tables.store import clean, tables_folder

    if card is not None:
        raise reject("MODEL_OR_CARD", card, "--clean removes every table; leave the name out")
    number, megabytes = clean()
    say(f"{number} tables removed from {tables_folder()}, {megabytes:.0f} MB")

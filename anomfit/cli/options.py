"""Options that several verbs share, how text given on the command line is taken apart, and how JSON is printed."""

import json
import math
from typing import Annotated

import typer

from anomfit.errors import InputError, quoted, reject
from anomfit.plain_json import finite_or_none

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Do not keep compiled programs between runs.")]
Out = Annotated[str | None, typer.Option("--out", metavar="DIR", help="Folder for the results.")]

ModelOrResult = Annotated[
    str,
    typer.Argument(
        metavar="MODEL_OR_RESULT",
        help="A model, a file of yours (my_model.py:model), or a result (the folder of a fit, or its result.nc).",
    ),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a parameter; may be repeated.")
]
TargetWords = Annotated[
    list[str] | None,
    typer.Option("--target", metavar="KEY=VALUE", help="Choose nucleon, nucleus or bound (docs/nuclear.md)."),
]

LARGEST = 2**32 - 1  # of a seed, here as in a card


def start_jax(no_cache: bool) -> None:
    """What a verb that computes does first: refuse single precision; keep compiled programs unless the user says no."""
    from anomfit.environment import require_platform
    from anomfit.precision import require_double_precision

    if not no_cache:
        from anomfit.cli.compile_cache import use_compile_cache

        use_compile_cache()
    require_double_precision()
    require_platform()


def pairs(option: str, entries: list[str]) -> dict[str, str]:
    """`["m_N2=130MeV", ...]` as a dictionary; what is not NAME=VALUE, or named twice, is refused."""
    found: dict[str, str] = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not equals or not name or not value:
            raise reject(option, entry, "write NAME=VALUE")
        if name in found:
            twice = f"{quoted(name)} is given twice, as {quoted(found[name])} and {quoted(value)}"
            raise InputError(f"{option}: {twice}; give it once")
        found[name] = value
    return found


def whole_number(option: str, text: str, low: int = 0, high: int = LARGEST) -> int:
    """A whole number from `low` to `high` from the text given to an option."""
    fits = text.isascii() and text.isdigit() and len(text) <= len(str(high))
    if not fits or not low <= int(text) <= high:
        raise reject(option, text, f"give a whole number from {low} to {high}")
    return int(text)


def in_words(number: float, digits: int) -> str:
    """A number of a table; one that is not finite is said in words."""
    if math.isfinite(number):
        return f"{number:.{digits}g}"
    return "not a number" if math.isnan(number) else ("infinite" if number > 0.0 else "-infinite")


def print_json(found: object, indent: int | None = 2) -> None:
    """Print JSON that every reader takes: a number that is not finite is null, JSON has no NaN."""
    print(json.dumps(finite_or_none(found), indent=indent, ensure_ascii=False, allow_nan=False), flush=True)

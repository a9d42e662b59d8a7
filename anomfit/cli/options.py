"""Options that several verbs share, and how text given on the command line is taken apart."""

from pathlib import Path
from typing import Annotated

import typer

from anomfit.errors import InputError, reject

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Do not keep compiled programs between runs.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder for the results.")]


def start_cache(no_cache: bool) -> None:
    """Keep compiled programs in the user's cache unless the user says no."""
    if not no_cache:
        from anomfit.cli.compile_cache import use_compile_cache

        use_compile_cache()


def pairs(option: str, entries: list[str]) -> dict[str, str]:
    """`["m_N2=130MeV", ...]` as a dictionary; what is not NAME=VALUE, or named twice, is refused."""
    found: dict[str, str] = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not equals or not name or not value:
            raise reject(option, entry, "write NAME=VALUE")
        if name in found:
            raise InputError(f"{option}: {name!r} is given twice, as {found[name]!r} and {value!r}; give it once")
        found[name] = value
    return found


def whole_number(option: str, text: str) -> int:
    """A whole number, 0 or above, from the text given to an option."""
    if not text.isascii() or not text.isdigit():
        raise reject(option, text, "give a whole number, 0 or above")
    return int(text)

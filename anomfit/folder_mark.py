"""The mark in a folder of results: the names of the files there that anomfit wrote, which alone it may replace."""

import os
from collections.abc import Iterable
from pathlib import Path

from anomfit.errors import InputError, quoted

MARK = ".anomfit"
HEAD = "# anomfit wrote the files that are named here, and replaces or removes no other one in this folder"


def marked(folder: Path) -> frozenset[str]:
    """The names in the folder's mark; none where there is no mark."""
    try:
        lines = (folder / MARK).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return frozenset()
    return frozenset(line for line in lines if Path(line).name == line and not line.startswith("#"))


def is_marked(folder: Path) -> bool:
    """Whether the folder has a mark."""
    return (folder / MARK).is_file()


def mark(folder: Path, names: Iterable[str]) -> None:
    """Add names to the folder's mark, which is made if need be; whoever else adds some at the same time loses none."""
    known = marked(folder)
    lines = [f"\n{name}" for name in dict.fromkeys(names) if name not in known]  # one cut off spoils none after it
    text = "".join(lines if is_marked(folder) else [HEAD, *lines])
    if text:
        opened = os.open(folder / MARK, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            file.write(text)


def foreign(folder: Path, names: Iterable[str]) -> list[str]:
    """Those of the names that are in the folder and that anomfit has not written there."""
    known = marked(folder)
    return [name for name in dict.fromkeys(names) if name not in known and os.path.lexists(folder / name)]


def refuse_foreign(folder: Path, names: Iterable[str], remedy: str = "name another folder") -> None:
    """InputError when any of the names is a file that anomfit has not written."""
    found = foreign(folder, names)
    if found:
        listed = ", ".join(found)
        raise InputError(
            f"--out: {quoted(str(folder))} holds {listed}, not written by anomfit or by another version of it; move "
            f"{'it' if len(found) == 1 else 'them'} away, or {remedy}"
        )

"""The folder of a result: which names it holds, when it may be written, and how a half-made file never stays."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anomfit.errors import InputError, reject
from anomfit.userfiles import is_user_file

RESULT, REPORT, CARD, CHAINS, NESTED = "result.nc", "report.md", "card.toml", "chains.npz", "nested.h5"
OURS = (RESULT, REPORT, CARD, CHAINS, NESTED)  # figures are drawn over


def new_folder(card_name: str, verb: str = "fit") -> Path:
    """A folder that does not exist yet, in the current one, named after verb and card: anomfit-fit-NAME, or -NAME-2."""
    stem = card_name.rsplit(":", 1)[-1] if is_user_file(card_name) else Path(card_name).stem
    candidates = (Path(f"anomfit-{verb}-{stem}" + (f"-{i}" if i > 1 else "")) for i in range(1, 10_000))
    return next(folder for folder in candidates if not folder.exists())


def open_folder(folder: Path, card_text: str, overwrite: bool = False, resume: bool = False) -> None:
    """Make `folder` ready for a run of the card; nothing is left behind when it is refused.

    Raises InputError when it holds a result and neither `overwrite` nor `resume` is asked for, when there is nothing to
    go on with or the card is another one (`resume`), and when it cannot be written.
    """
    if overwrite and resume:
        raise reject("--resume", True, "it goes on with a run that --overwrite would remove; give one of the two")
    if folder.exists() and not folder.is_dir():
        raise reject("--out", str(folder), "a file is in the way; name a folder")
    held = [name for name in OURS if (folder / name).is_file()]
    if resume:
        _check_same_card(folder, card_text)
    elif held and not overwrite:
        raise reject("--out", str(folder), "it holds a result; add --overwrite, or --resume, or name another folder")
    _check_writable(folder)
    for name in held if overwrite else ():
        (folder / name).unlink()
    with written_whole(folder / CARD) as part:
        part.write_text(card_text, encoding="utf-8")


def discard_if_empty(folder: Path) -> None:
    """Remove a folder that `open_folder` made and that got no result, so that a refused run leaves nothing."""
    if {path.name for path in folder.iterdir()} == {CARD}:
        (folder / CARD).unlink()
        folder.rmdir()


def result_file(path: Path) -> Path:
    """The NetCDF file of a result named by its folder or by itself; InputError when there is none."""
    found = path / RESULT if path.is_dir() else path
    if not found.is_file():
        raise reject("result", str(path), f"there is no such file; name the folder of a fit or its {RESULT}")
    return found


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` to write to; renamed at the end, removed when the writing fails."""
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _check_same_card(folder: Path, card_text: str) -> None:
    try:
        before = (folder / CARD).read_text(encoding="utf-8")
    except OSError:
        raise reject("--resume", str(folder), "there is no run to go on with; start one without --resume") from None
    if before != card_text:
        raise reject("--resume", str(folder), "it belongs to another card or seed; use that one, or another --out")


def _check_writable(folder: Path) -> None:
    existed = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(folder / ".anomfit-probe") as part:
            part.write_bytes(b"")
        (folder / ".anomfit-probe").unlink()
    except OSError as error:
        if not existed and folder.is_dir():
            folder.rmdir()
        raise InputError(f"--out: {str(folder)!r} cannot be written ({error.strerror}); name another folder") from error

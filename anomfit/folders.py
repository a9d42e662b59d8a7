"""The folder of a result: which names it holds, when it may be written, and how a half-made file never stays."""

import errno
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path

from anomfit.errors import InputError, quoted, reject
from anomfit.folder_lock import check_still_held, locked
from anomfit.folder_mark import MARK, is_marked, mark, marked, refuse_foreign
from anomfit.userfiles import is_user_file

RESULT, REPORT, CARD, CHAINS, NESTED = "result.nc", "report.md", "card.toml", "chains.npz", "nested.h5"
TEMPERED = "tempered.npz"
BEFORE = ("chains.before.npz", "nested.before.h5", "tempered.before.npz")  # the last states but one
OPTIMA, ENDS, GRID = "optima.csv", "ends.csv", "boundary.csv"
FIT = (RESULT, REPORT, CARD, CHAINS, NESTED, TEMPERED, *BEFORE)
SEARCH = (REPORT, CARD, OPTIMA, ENDS, GRID)
TOYS, TOY_STATE = "toys.csv", "toys.npz"
TOY_FILES, TOY_FIGURES = (REPORT, CARD, TOYS, TOY_STATE, "toys.before.npz"), ("toys.png",)
FIT_FIGURES = ("constraints.png", "corner.png", "signals.png", "pulls.png", "dark-scalar-today.png")
SEARCH_FIGURES = ("optima.png", "boundary.png")
OLD = ".anomfit-replaced"  # what --overwrite replaces, until there is something in its place
FULL = (errno.ENOSPC, errno.EDQUOT)


def new_folder(card_name: str, verb: str = "fit") -> Path:
    """A folder that does not exist yet, in the current one, named after verb and card: anomfit-fit-NAME, or -NAME-2."""
    stem = card_name.rsplit(":", 1)[-1] if is_user_file(card_name) else Path(card_name).stem
    candidates = (Path(f"anomfit-{verb}-{stem}" + (f"-{i}" if i > 1 else "")) for i in range(1, 10_000))
    return next(folder for folder in candidates if not folder.exists())


def named_folder(name: str | Path) -> Path:
    """The folder that a user named, "~" being the home; InputError for no name at all and for an unknown home."""
    if not str(name) or "\0" in str(name):
        raise reject("--out", str(name), "name a folder; for the current one, write .")
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise reject("--out", str(name), "there is no such home folder; write the whole path") from None


def made_folder(folder: Path) -> Path:
    """The folder, made if need be; InputError where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or error
        raise InputError(f"--out: {quoted(str(folder))} cannot be made ({why}); name another folder") from error
    return folder


def spectrum_figure_name(measurement: str, era: str) -> str:
    """The name of the file, without ending, that a measurement's spectrum is drawn in."""
    return "".join(c if c.isalnum() or c in "-._" else "-" for c in f"spectrum-{measurement}-{era}")


@contextmanager
def opened_folder(
    folder: Path,
    card_text: str,
    files: Sequence[str] = FIT,
    figures: Sequence[str] = FIT_FIGURES,
    overwrite: bool = False,
    resume: bool = False,
) -> Iterator[None]:
    """Hold `folder` for a run of the card that writes `files` and `figures`: made, locked, and with the card in it.

    What `overwrite` replaces is put aside, and comes back if the run ends without anything in its place. A run that
    fails before it has kept anything leaves the folder as it was; one that is interrupted leaves its card, for
    `resume`.

    Raises InputError, and leaves nothing behind, when the folder holds a result and neither `overwrite` nor `resume` is
    asked for, when there is nothing to go on with or the card is another one (`resume`), when a file is in the way that
    anomfit has not written, when another run uses the folder, and when it cannot be written.
    """
    if overwrite and resume:
        raise reject("--resume", True, "it goes on with a run that --overwrite would remove; give one of the two")
    with ExitStack() as held:
        try:
            if folder.exists() and not folder.is_dir():
                raise reject("--out", str(folder), "a file is in the way; name a folder")
            held.callback(_remove_empty, _make(folder))
            held.enter_context(locked(folder))
            _prepare(folder, card_text, files, figures, overwrite, resume)
        except OSError as error:
            why = error.strerror or error
            raise InputError(f"--out: {quoted(str(folder))} cannot be written ({why}); name another folder") from error
        try:
            yield
        except KeyboardInterrupt:
            _settle(folder, keep_card=True)
            raise
        except BaseException:
            _settle(folder, keep_card=False)
            raise
        _settle(folder, keep_card=True)


def holds_run(folder: Path, card_text: str, files: Sequence[str]) -> bool:
    """Whether the folder holds any of the files, of a run of this card: not those that an ended run has put back."""
    try:
        is_same = _without_places((folder / CARD).read_text(encoding="utf-8")) == _without_places(card_text)
    except (OSError, UnicodeDecodeError):
        return False
    return is_same and any((folder / name).is_file() for name in files)


def result_file(path: Path) -> Path:
    """The NetCDF file of a result named by its folder or by itself; InputError when there is none."""
    found = path / RESULT if path.is_dir() else path
    if not found.is_file():
        raise reject("result", str(path), f"there is no such file; name the folder of a fit or its {RESULT}")
    return found


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` to write to: on the disk and renamed at the end, removed when the writing fails.

    In a folder with our mark, `path` gets into the mark. Raises InputError where it cannot be written; what was there
    is as it was.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        check_still_held(path.parent)
        if is_marked(path.parent):
            claim(path)
        yield part
        _flush(part)
        os.replace(part, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def claim(path: Path) -> None:
    """Enter a file in its folder's mark before it is written; InputError where one is that anomfit has not written."""
    folder = path.parent
    try:
        _adopt(folder)
        refuse_foreign(folder, [path.name])
        mark(folder, [path.name])
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> InputError:
    if not path.parent.is_dir():
        return InputError(f"{path}: cannot be written, its folder is not there any more; start again")
    remedy = "make room and run it again" if error.errno in FULL else "name another folder, or make this one writable"
    return InputError(f"{path}: cannot be written ({error.strerror or error}); {remedy}")


def _flush(path: Path) -> None:
    """Have the file's bytes on the disk, where a full one is found out, before anything is replaced by it."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _make(folder: Path) -> list[Path]:
    """Make the folder; the folders that were made, the innermost first."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        _remove_empty(missing)
        raise
    return missing


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _prepare(folder, card_text, files, figures, overwrite, resume) -> None:
    try:
        _adopt(folder)
        _restore(folder)
        _remove_parts(folder)
        if resume:
            _check_same_card(folder, card_text)
        elif _kept(folder) and not overwrite:
            on = ", or --resume" if RESULT in files else ""
            raise reject("--out", str(folder), f"it holds a result; add --overwrite{on}, or name another folder")
        refuse_foreign(folder, [*files, *figures])
        if overwrite:
            _put_aside(folder)
        mark(folder, files)
        with written_whole(folder / CARD) as part:
            part.write_text(card_text, encoding="utf-8")
    except BaseException:
        _settle(folder, keep_card=True)
        raise


def _ours(folder: Path) -> list[str]:
    return sorted(name for name in marked(folder) if (folder / name).is_file())


def _kept(folder: Path) -> list[str]:
    """What a run has left that is worth keeping: all but its card."""
    return [name for name in _ours(folder) if name != CARD]


def _put_aside(folder: Path) -> None:
    if _kept(folder):
        (folder / OLD).mkdir()
        for name in _ours(folder):
            os.replace(folder / name, folder / OLD / name)


def _restore(folder: Path) -> None:
    """End a replacement: what was put aside comes back if nothing has taken its place, else it goes."""
    old = folder / OLD
    if not old.is_dir():
        return
    if not _kept(folder):
        for path in old.iterdir():
            os.replace(path, folder / path.name)
    shutil.rmtree(old, ignore_errors=True)


def _remove_parts(folder: Path) -> None:
    """Remove the half-written files of a run that was killed."""
    for name in map(Path, marked(folder)):
        for part in (f".{name}.part", f".{name.stem}.part{name.suffix}"):
            (folder / part).unlink(missing_ok=True)


def _settle(folder: Path, keep_card: bool) -> None:
    """What is done when a run ends; nothing where the folder is not this run's any more."""
    with suppress(OSError, InputError):
        check_still_held(folder)
        replaces = (folder / OLD).is_dir()
        if not _kept(folder) and (replaces or not keep_card):
            (folder / CARD).unlink(missing_ok=True)
        _restore(folder)
        if not _ours(folder):
            (folder / MARK).unlink(missing_ok=True)


def _adopt(folder: Path) -> None:
    """Mark the files of a folder that an earlier version, which left no mark, wrote: its report holds its card."""
    if is_marked(folder):
        return
    try:
        card = (folder / CARD).read_text(encoding="utf-8").strip()
        is_ours = bool(card) and card in (folder / REPORT).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        is_ours = False
    names = [*FIT, *SEARCH, *FIT_FIGURES, *SEARCH_FIGURES, "spectrum-*.png"] if is_ours else []
    mark(folder, [path.name for path in folder.iterdir() if any(fnmatch(path.name, name) for name in names)])


def _check_same_card(folder: Path, card_text: str) -> None:
    try:
        before = (folder / CARD).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise reject("--resume", str(folder), "there is no run to go on with; start one without --resume") from None
    if _without_places(before) != _without_places(card_text):
        raise reject("--resume", str(folder), "it belongs to another card or seed; use that one, or another --out")


def _without_places(card_text: str) -> str:
    """The card's text with a user's own files by name alone: they may have been moved, the folder with them."""
    return re.sub(r'"[^"\n]*[/\\]([^"/\\\n]+\.(?:py:[^"\n]*|csv))"', r'"\1"', card_text)

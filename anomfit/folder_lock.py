"""One run a folder: a lock file that names its owner and falls free when the owner dies.

The operating system's own lock on the file (`flock`) says whether the owner lives; what is written in the file is for
people, for other machines, and for file systems without such locks.
"""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from anomfit.errors import InputError, quoted

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

LOCK = ".anomfit-lock"


class Owner(NamedTuple):
    """Who holds a folder: machine, process, and when the process began, in clock ticks of the machine ("": unknown)."""

    host: str
    process: int
    began: str


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` in this block, so that no other run can use it.

    Raises InputError while another run that lives, or one of another machine, holds it, and OSError where the lock
    cannot be written. The lock of a run that has died is taken over.
    """
    path, key = folder / LOCK, folder.resolve()
    opened = _taken(path)
    _held[key] = opened
    try:
        yield
    finally:
        del _held[key]
        with suppress(OSError):
            if _is_same_file(path, opened):
                path.unlink()
        os.close(opened)


def check_still_held(folder: Path) -> None:
    """InputError when a folder that this process holds has been removed, moved or made again by others since."""
    opened = _held.get(folder.resolve())
    if opened is not None and not _is_same_file(folder / LOCK, opened):
        raise InputError(
            f"--out: the folder {quoted(str(folder))} was removed or moved while it was in use; start again, with "
            "another --out if need be"
        )


_held: dict[Path, int] = {}  # the folders that this process holds, with their open lock files


def _taken(path: Path) -> int:
    while True:
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if _take(path, opened):
                return opened
        except BaseException:
            os.close(opened)
            raise
        os.close(opened)


def _take(path: Path, opened: int) -> bool:
    """Whether the open lock file is ours now; False if its owner let it go just now, and there may be another."""
    is_free = _flock(opened)
    if not _is_same_file(path, opened):
        return False
    owner = _read(opened)
    if is_free is False:
        raise _in_use(path, owner)
    if owner is not None and owner.host != platform.node():
        raise _in_use(path, owner)
    if is_free is None and owner is not None and _lives(owner):
        raise _in_use(path, owner)
    try:
        os.ftruncate(opened, 0)
        os.pwrite(opened, json.dumps(Owner(platform.node(), os.getpid(), _began(os.getpid()))._asdict()).encode(), 0)
        os.fsync(opened)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return True


def _flock(opened: int) -> bool | None:
    """True when no one else has the file locked, False when someone has, None where there are no such locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _in_use(path: Path, owner: Owner | None) -> InputError:
    folder = quoted(str(path.parent))
    if owner is None:
        return InputError(f"--out: {folder} is in use by another run; name another folder, or wait for its end")
    if owner.host != platform.node():
        where = f"by process {owner.process} on {quoted(owner.host)}"
        return InputError(
            f"--out: {folder} is in use {where}; name another folder, or, if that run has ended, remove {path}"
        )
    return InputError(
        f"--out: {folder} is in use by process {owner.process}; name another folder, or wait for its end or stop it"
    )


def _read(opened: int) -> Owner | None:
    """The owner named in the lock file; None in one that was never written to its end."""
    try:
        found = json.loads(os.pread(opened, 4096, 0))
        return Owner(str(found["host"]), int(found["process"]), str(found["began"]))
    except (ValueError, KeyError, TypeError):
        return None


def _lives(owner: Owner) -> bool:
    """Whether the owner, a process of this machine, still runs; a later process of the same number is another."""
    if os.name != "posix":
        return True  # not known, and asking ends the process there
    try:
        os.kill(owner.process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # another user's
    return _began(owner.process) == owner.began


def _began(process: int) -> str:
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return fields[19]
    except (OSError, IndexError):
        return ""


def _is_same_file(path: Path, opened: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(opened))
    except OSError:
        return False

"""States of sampling runs on disk: at every instant a whole one, the newest or the one before, whatever writes it.

A sampler writes to a name of its own. What it wrote gets a last line, with the digest of the whole and the identity of
the run, and takes the place of the newest state by renaming, which becomes the one before. HDF5 and NumPy ignore what
follows their own content. A state is read only when its digest is right, so that no sampler ever sees half of one.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from anomfit.errors import InputError
from anomfit.folder_lock import check_still_held
from anomfit.identity import refuse_other

_MARK = b"\nanomfit state, SHA-256 of all but itself "
T = TypeVar("T")


def state_files(path: Path) -> tuple[Path, Path]:
    """The files of the newest state and of the one before."""
    return path, path.with_name(f"{path.stem}.before{path.suffix}")


def keep_state(path: Path, identity: Mapping[str, str], save: Callable[[Path], object], room: int = 0) -> None:
    """Put the state that `save` writes to the name it is given in place of the one in `path`.

    A run killed at any moment leaves the previous state or the new one. `room` is for a library that ends the process
    when the disk is full, as HDF5 does: the bytes by which a state may outgrow twice the one before, tried without it.
    Raises InputError when the state cannot be written, with the previous one intact.
    """
    part, (newest, before) = _part(path), state_files(path)
    try:
        check_still_held(path.parent)
        if room:
            part.write_bytes(bytes(room + 2 * (newest.stat().st_size if newest.exists() else 0)))
            part.unlink()
        save(part)
        with part.open("r+b") as file:
            words = json.dumps(dict(identity)).encode()
            file.write(_MARK + _digest(file.read(), words) + words + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if newest.exists():
            os.replace(newest, before)
        os.replace(part, newest)
    except OSError as error:
        message = f"{path}: the state of the sampling cannot be written ({error.strerror or error}); the one before is"
        raise InputError(f"{message} intact: free some space, or allow writing there, and resume the run") from error
    finally:
        part.unlink(missing_ok=True)


def kept_state(path: Path, identity: Mapping[str, str], load: Callable[[Path], T]) -> T | None:
    """What `load` reads from the newest whole state; None when there is none at all.

    Raises InputError for the state of a run that differs in `identity`, and when no state is whole.
    """
    _part(path).unlink(missing_ok=True)
    found = [file for file in state_files(path) if file.is_file()]
    for file in found:
        if (of_run := _checked(file)) is not None:
            refuse_other(file, of_run, identity)
            return load(file)
    if not found:
        return None
    names = " and ".join(str(file) for file in found)
    raise InputError(f"{names}: damaged, or no state of a sampling run of this version; delete it to start again")


def _part(path: Path) -> Path:
    return path.with_name(f".{path.stem}.part{path.suffix}")


def _checked(file: Path) -> dict[str, str] | None:
    """The identity of the run whose state this is; None if it differs from its digest, or has none."""
    try:
        content, _, line = file.read_bytes().rpartition(_MARK)
    except OSError as error:
        raise InputError(f"{file}: it cannot be read ({error.strerror or error})") from error
    digest, words = line[:64], line[64:-1]
    return json.loads(words) if digest == _digest(content, words) else None


def _digest(content: bytes, words: bytes) -> bytes:
    return hashlib.sha256(content + words).hexdigest().encode()

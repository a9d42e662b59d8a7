"""Tables kept between runs in the user's cache folder, each in a folder named by a digest of all that it depends on.

A digest holds the beam, the response, the nodes and the grid, the source of every room that a kernel comes from, the
records that these read, and the versions of the libraries: a table of anything else is not found, and built anew.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from anomfit import __version__
from anomfit.data import data_folder
from anomfit.errors import InputError, quoted
from anomfit.folders import written_whole
from anomfit.user_cache import user_cache

SWITCH = "ANOMFIT_TABLES"  # another folder
LARGEST = 2e9  # bytes of all tables: the ones that were not used for longest are removed for new ones
TABLE, ABOUT, PIECES = "table.npz", "about.json", "pieces"
ROOMS = ("beams", "detectors", "physics", "rates", "tables")
# of tables: they use one, and what they choose for it stands in the digest by itself
BYSTANDERS = (
    "checking",
    "correction",
    "counts",
    "plan",
    "planning",
    "problems",
    "stand_ins",
    "store",
    "use",
    "using",
)
RECORDS = ("miniboone", "nuclei", "surroundings")
LIBRARIES = ("jax", "jaxlib", "numpy", "scipy")


class About(NamedTuple):
    """What is known of a table that is kept."""

    title: str
    megabytes: float
    processor_seconds: float
    error: str  # against the exact rule, in words; empty as long as it was not looked at
    passes: bool  # whether it is good enough to be used unasked


def tables_folder() -> Path:
    """The folder of all tables; InputError where the user has no home to keep it in."""
    switch = os.environ.get(SWITCH, "").strip()
    try:
        return Path(switch).expanduser() if switch else user_cache() / "anomfit" / "tables"
    except RuntimeError:
        raise InputError(f"tables: there is no home folder to keep them in; name a folder in {SWITCH}") from None


def table_folder(static: tuple, leaves: Any) -> Path:
    """Where a table is kept, whether or not it is there. static: all that is static of what it depends on, each with a
    `repr` of its own; leaves: all else, arrays.
    """
    parts = [__version__, repr(static), *(f"{name} {metadata.version(name)}" for name in LIBRARIES)]
    arrays = (b"\n".join(part.encode() for part in parts), *_arrays(leaves), _sources())
    return tables_folder() / _digest(arrays).hex()[:24]


def load(folder: Path) -> dict[str, jax.Array] | None:
    """The arrays of the table kept in a folder, which counts as used now; None where there is none, or none that can be
    read.
    """
    try:
        with np.load(folder / TABLE, allow_pickle=False) as kept:
            arrays = {name: jnp.asarray(kept[name]) for name in kept.files}
        (folder / TABLE).touch()
        return arrays
    except (OSError, ValueError, EOFError, KeyError):
        return None


def keep(folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """A table written to its folder, its pieces and, beyond the limit, the tables used longest ago removed."""
    with written_whole(folder / TABLE) as part, part.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    shutil.rmtree(folder / PIECES, ignore_errors=True)
    _make_room(folder)


def about(folder: Path) -> About | None:
    """What is known of the table in a folder."""
    try:
        return About(**json.loads((folder / ABOUT).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_about(folder: Path, known: About) -> None:
    """Kept beside the table."""
    with written_whole(folder / ABOUT) as part:
        part.write_text(json.dumps(known._asdict(), indent=2) + "\n", encoding="utf-8")


def clean() -> tuple[int, float]:
    """Every table removed, and unfinished ones: how many, and how many MB."""
    found = _folders()
    size = sum(map(_size, found)) / 1e6
    for folder in found:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise InputError(
                f"{quoted(str(folder))}: cannot be removed ({error.strerror}); remove it yourself"
            ) from error
    return len(found), size


def made_folder(folder: Path) -> Path:
    """The folder of a table, made if it is not there; InputError where that cannot be done."""
    try:
        (folder / PIECES).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remedy = f"name another folder in {SWITCH}"
        raise InputError(f"tables: {quoted(str(folder))} cannot be made ({error.strerror}); {remedy}") from error
    return folder


def _folders() -> list[Path]:
    """Those of tables, and nothing else that may be in the folder."""
    root = tables_folder()
    if not root.is_dir():
        return []
    return [x for x in sorted(root.iterdir()) if x.is_dir() and ((x / TABLE).exists() or (x / PIECES).exists())]


def _make_room(own: Path) -> None:
    others = sorted((folder for folder in _folders() if folder != own), key=_used)
    room = LARGEST - _size(own) - sum(map(_size, others))
    for folder in others:
        if room >= 0.0:
            return
        room += _size(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _used(folder: Path) -> float:
    try:
        return (folder / TABLE).stat().st_mtime
    except OSError:  # unfinished
        return time.time()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _arrays(leaves: Any) -> Iterable[bytes]:
    for leaf in jax.tree.leaves(leaves):
        array: Any = np.asarray(leaf)
        yield f"{array.dtype} {array.shape} ".encode() + array.tobytes()


@lru_cache(maxsize=1)
def _sources() -> bytes:
    """Of source files and records, once a process: later edits change nothing of what is already loaded."""
    package, records = Path(str(resources.files("anomfit"))), data_folder()
    files = [path for room in ROOMS for path in sorted((package / room).rglob("*.py"))]
    files = [path for path in files if "tables" not in path.parts or path.stem not in BYSTANDERS]
    files += [path for name in RECORDS for path in sorted((records / name).rglob("*")) if path.is_file()]
    return _digest(part for path in files for part in (path.name.encode(), path.read_bytes()))


def _digest(contents: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.digest()

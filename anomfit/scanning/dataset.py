"""The folder of a scan: scan.json, card.toml and points/, a Parquet dataset of one file a chunk. A plane has one too.

Any number of processes and machines may work in it at the same time. A file is written under a name of its own and
renamed, so that a chunk is there as a whole or not at all, and whoever writes a chunk writes the same bytes. scan.json
says what the rows rest on (`identity`); each file carries the digest of that, so that rows of two likelihoods never
stand in one table unnoticed.
"""

import hashlib
import json
import os
import platform
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anomfit.errors import InputError, quoted, reject
from anomfit.folder_mark import MARK, mark, marked, refuse_foreign
from anomfit.folders import CARD
from anomfit.identity import refuse_other
from anomfit.scanning.files import is_intact, said_words
from anomfit.scanning.plan import Part, Plan, Task

POINTS = "points"
SCHEMA = 1  # of scan.json
_CHUNK = re.compile(r"points-([0-9]{6,10})\.parquet")
_ASIDE = re.compile(r"\.points-[0-9]{6,10}\.parquet\.(.+)-([0-9]+)-[0-9a-f]{8}")


@dataclass(frozen=True)
class Manifest:
    """What a scan is: its rows, what fixes them (`identity`, the size of the chunks included), and words to read.

    verb: what makes it, which names its file, scan.json. more: further files that it writes into the folder.
    """

    plan: Plan
    identity: Mapping[str, str]
    words: Mapping[str, Any]
    verb: str = "scan"
    more: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file in which the manifest stands."""
        return f"{self.verb}.json"

    @property
    def files(self) -> tuple[str, ...]:
        """All that is written into the folder."""
        return (self.name, CARD, POINTS, *self.more)

    @property
    def digest(self) -> str:
        """Of all that fixes the rows; the same for a larger number of them."""
        return hashlib.sha256(json.dumps(dict(self.identity), sort_keys=True).encode()).hexdigest()

    def as_text(self) -> str:
        """The text of scan.json."""
        numbers = {"schema_version": SCHEMA, "number": self.plan.number, "chunk": self.plan.size}
        return (
            json.dumps({**numbers, **self.words, "identity": dict(self.identity)}, indent=2, ensure_ascii=False) + "\n"
        )


@dataclass(frozen=True)
class Dataset:
    """The folder of a scan that is under way or done."""

    folder: Path
    manifest: Manifest

    @property
    def points(self) -> Path:
        """The folder of the Parquet files."""
        return self.folder / POINTS

    def file(self, chunk: int) -> Path:
        """The file of a chunk."""
        return self.points / f"points-{chunk:06}.parquet"

    def words(self, task: Task, more: Mapping[str, Any]) -> dict[str, Any]:
        """What the file of a chunk says of itself."""
        return {"digest": self.manifest.digest, "chunk": task.chunk, "first": task.first, **more}

    def missing(self, chunks: Iterable[int], say: Callable[[str], None]) -> list[Task]:
        """Those of the chunks that have to be made. A damaged file is said, and made again; InputError for a file of
        another scan.
        """
        plan, found = self.manifest.plan, []
        for task in map(plan.task, chunks):
            path = self.file(task.chunk)
            if not path.exists():
                found.append(task)
                continue
            words = said_words(path)
            if words is not None and words.get("digest") != self.manifest.digest:
                raise InputError(
                    f"{path}: it belongs to another {self.manifest.verb}; move it away, or name another folder"
                )
            if words is None or not is_intact(path):
                say(f"warning: {path} is damaged and is made again")
                found.append(task)
            elif words["rows"] != task.last - task.first:  # the last chunk of a scan that has become longer
                found.append(task)
        return found

    def keep(self, chunk: int, content: bytes) -> None:
        """Put a chunk's file in its place. InputError where it cannot be written, and where another scan is there."""
        if not _is_same(self.folder, self.manifest):
            raise InputError(f"{self.folder}: another {self.manifest.verb} has been started in it; name another folder")
        _put(self.file(chunk), content)

    def all_words(self) -> list[tuple[Path, dict[str, Any]]]:
        """The files of all chunks that are there, in order, with what they say of themselves; damaged ones left out."""
        paths = map(self.file, range(self.manifest.plan.chunks))
        found = [(path, said_words(path)) for path in paths if path.exists()]
        return [(path, words) for path, words in found if words is not None]


def open_dataset(
    folder: Path, manifest: Manifest, card: str, part: Part, overwrite: bool = False, resume: bool = False
) -> Dataset:
    """The folder made ready for this scan: new, gone on with, or, with `overwrite`, emptied of an earlier scan.

    A part of several goes on with what it finds without being told: its first start and its later ones are the same
    command. A scan may be gone on with to a larger number of points, but not part by part.

    Raises InputError, and changes nothing, for a folder that holds something else, for a scan that is neither to be
    replaced nor gone on with, and for one of another likelihood, design or number.
    """
    if overwrite and resume:
        raise reject("--resume", True, "it goes on with a run that --overwrite would remove; give one of the two")
    if overwrite and not part.is_all:
        remedy = "it would remove what other parts have made; remove the folder before the first part starts"
        raise reject("--overwrite", True, remedy)
    try:
        return _opened(folder, manifest, card, part, overwrite, resume)
    except OSError as error:
        why = error.strerror or error
        raise InputError(f"--out: {quoted(str(folder))} cannot be written ({why}); name another folder") from error


def _opened(folder: Path, manifest: Manifest, card: str, part: Part, overwrite: bool, resume: bool) -> Dataset:
    if folder.exists() and not folder.is_dir():
        raise reject("--out", str(folder), "a file is in the way; name a folder")
    before, verb = _read(folder / manifest.name), manifest.verb
    if before is None:
        _refuse_other_results(folder, manifest)
        if resume and part.is_all:
            raise reject("--resume", str(folder), f"there is no {verb} to go on with; start one without --resume")
    elif not overwrite:
        if part.is_all and not resume:
            remedy = f"it holds a {verb}; add --overwrite, or --resume, or name another folder"
            raise reject("--out", str(folder), remedy)
        _refuse_other_scan(folder, before, manifest, part)
    _refuse_other_points(folder)
    if overwrite and before is not None:
        _remove_scan(folder, manifest)
    folder.mkdir(parents=True, exist_ok=True)
    mark(folder, manifest.files)
    (folder / POINTS).mkdir(exist_ok=True)
    _remove_left(folder / POINTS)
    _put(folder / CARD, card.encode())
    _put(folder / manifest.name, manifest.as_text().encode())
    return Dataset(folder, manifest)


def remove_if_empty(dataset: Dataset) -> None:
    """Leave nothing of a scan that has failed before its first chunk was there."""
    with suppress(OSError):
        if not any(dataset.points.iterdir()):
            _remove_scan(dataset.folder, dataset.manifest)
            (dataset.folder / MARK).unlink()
            dataset.folder.rmdir()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        known = {"number": int(found["number"]), "identity": {str(k): str(v) for k, v in found["identity"].items()}}
        version = found["schema_version"]
    except FileNotFoundError:
        return None
    except (UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path}: damaged, or not written by anomfit; remove the folder, or name another") from None
    if version != SCHEMA:
        raise InputError(f"{path}: written by another version of anomfit; use that one, or name another folder")
    return known


def _is_same(folder: Path, manifest: Manifest) -> bool:
    before = _read(folder / manifest.name)
    return before is None or before["identity"] == dict(manifest.identity)


def _refuse_other_results(folder: Path, manifest: Manifest) -> None:
    held = sorted(name for name in marked(folder) if (folder / name).is_file() and name != CARD)
    if held:
        raise reject("--out", str(folder), f"it holds other results ({held[0]}); name another folder")
    refuse_foreign(folder, manifest.files)


def _refuse_other_scan(folder: Path, before: Mapping[str, Any], manifest: Manifest, part: Part) -> None:
    number = manifest.plan.number
    refuse_other(folder / manifest.name, before["identity"], manifest.identity)
    if before["number"] != number and (number < before["number"] or not part.is_all):
        remedy = "give that number" if not part.is_all else "give that number or a larger one"
        raise reject("--number", number, f"the scan in {folder} has {before['number']} points; {remedy}")


def _refuse_other_points(folder: Path) -> None:
    points = folder / POINTS
    names = [path.name for path in points.iterdir()] if points.is_dir() else []
    for name in sorted(names):
        if not name.startswith(".") and _CHUNK.fullmatch(name) is None:
            raise InputError(f"--out: {quoted(str(points))} holds {name}, not written by anomfit; move it away")


def _remove_scan(folder: Path, manifest: Manifest) -> None:
    """Remove what a scan has written; scan.json goes first, so that no half of a scan is taken for a whole one."""
    (folder / manifest.name).unlink(missing_ok=True)
    points = folder / POINTS
    for path in list(points.iterdir()) if points.is_dir() else []:
        if _CHUNK.fullmatch(path.name) or _ASIDE.fullmatch(path.name):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        points.rmdir()
    for name in (CARD, *manifest.more):
        (folder / name).unlink(missing_ok=True)


def _remove_left(points: Path) -> None:
    """Remove what processes of this machine that have died left half-written."""
    for path in list(points.iterdir()):
        found = _ASIDE.fullmatch(path.name)
        if found is not None and found[1] == _host() and not _lives(int(found[2])):
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    if os.name != "posix":
        return True  # not known, and asking ends the process there
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # another user's
    return True


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9.]", "-", platform.node()) or "host"


def _put(path: Path, content: bytes) -> None:
    """Have the file there as a whole, on the disk; what was there before is replaced at the end."""
    aside = path.with_name(f".{path.name}.{_host()}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except OSError as error:
        remedy = "make room, or allow writing there, and go on with --resume"
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); {remedy}") from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)

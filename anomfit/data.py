"""The data room: TOML records with provenance beside CSV tables, read through one function.

A record `folder/name` is the file data/folder/name.toml; a table, if it has one, is a plain CSV (one line of column
names, then one line a row) whose number of rows and SHA-256 stand in the record. The SHA-256 of every TOML file, cards
and references included, stands in data/SHA256SUMS. So a damaged file is refused; after a change that is meant,
`python -m anomfit.data_digests` writes the digests anew.
"""

import csv
import difflib
import hashlib
import io
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from anomfit.errors import InputError, reject

STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "release": "published by the experiment or the authors as numbers",
        "digitised": "read off a published figure",
        "derived": "computed from other records",
        "recalled": "written from memory of the publication, not read again",
        "third-party": "made public by somebody other than the collaboration",
        "assumed": "chosen by us where nothing is public; its variation is printed",
    }
)

TEXT = "text"  # the unit of a column of labels
OTHER_COLUMNS = "*"  # in a record: the unit and meaning of every column that is not listed
NOT_RECORDS = ("cards",)  # folders of data/ that hold something else
SUMS = "SHA256SUMS"
INTACT = "the installed data are damaged or incomplete, install anomfit again"


@dataclass(frozen=True, eq=False)
class Record:
    """Numbers and where they come from; mappings and arrays are read-only.

    values: numbers by name, with the unit, source and status of each beside; columns: arrays of the table, all of one
    length, with unit (`text` for labels) and meaning; parts: records inside this one, by name; built_from: names of the
    sibling parts that a derived part is computed from; references: keys of references.toml.
    """

    name: str
    title: str
    status: str
    source: str
    references: tuple[str, ...]
    notes: str
    values: Mapping[str, float]
    units: Mapping[str, str]
    value_sources: Mapping[str, str]
    value_statuses: Mapping[str, str]
    columns: Mapping[str, np.ndarray]
    column_units: Mapping[str, str]
    column_meanings: Mapping[str, str]
    parts: Mapping[str, "Record"]
    built_from: tuple[str, ...]

    def matrix(self) -> np.ndarray:
        """The numeric columns side by side, shape (rows, numeric columns), in the order of the file."""
        numeric = [column for name, column in self.columns.items() if self.column_units[name] != TEXT]
        table = np.stack(numeric, axis=1)
        table.setflags(write=False)
        return table


def data_folder() -> Path:
    """The folder with the data: inside the package when installed from a wheel, beside it in a checkout."""
    return _folder_of(Path(str(resources.files("anomfit"))))


def record_names() -> tuple[str, ...]:
    """Names of all records, sorted."""
    folder = data_folder()
    paths = (path.relative_to(folder) for path in folder.glob("*/**/*.toml"))
    return tuple(sorted(path.with_suffix("").as_posix() for path in paths if path.parts[0] not in NOT_RECORDS))


def load_record(name: str) -> Record:
    """The record of this name, for example "miniboone/nu_enuqe_2020"; read once, then kept.

    Raises InputError for an unknown name and for a file that is missing, not readable, cut short or changed.
    """
    return _load(data_folder(), name)


def read_toml(folder: Path, name: str) -> dict[str, Any]:
    """The content of a TOML file of the data room, "references.toml"; InputError as `read_intact`, or when no TOML."""
    try:
        return tomllib.loads(read_intact(folder, name))
    except tomllib.TOMLDecodeError as error:
        raise reject("data file", name, f"it is not valid TOML ({error}); {INTACT}") from error


def read_intact(folder: Path, name: str) -> str:
    """The text of a TOML file of the data room `folder`, named by its path in there.

    Raises InputError when it is missing, cannot be read, or differs from its digest in SHA256SUMS.
    """
    text = _read(folder / name)
    if f"{digest(text)}  {name}" not in _read(folder / SUMS).splitlines():
        raise reject(
            "data file", name, f"it changed (its SHA-256 differs from {SUMS}); {INTACT}, or see CONTRIBUTING.md"
        )
    return text


def digest(text: str) -> str:
    """The SHA-256 of a text of the data room, whatever its line endings are on this system."""
    return hashlib.sha256(text.encode()).hexdigest()


def _folder_of(package: Path) -> Path:
    inside = package / "data"
    return inside if inside.is_dir() else package.parent / "data"


@lru_cache(maxsize=256)
def _load(folder: Path, name: str) -> Record:
    if name not in record_names():
        near = difflib.get_close_matches(name, record_names(), n=1, cutoff=0.4) or list(record_names()[:1])
        hint = f"the nearest known record is {near[0]!r}" if near else INTACT
        raise reject("data record", name, hint)
    file = f"{name}.toml"
    try:
        return _record(name, read_toml(folder, file), (folder / file).parent)
    except KeyError as error:
        raise reject("data record", name, f"the field {error.args[0]!r} is missing in it; {INTACT}") from error


def _record(name: str, content: Mapping[str, Any], folder: Path) -> Record:
    status = _known_status(name, content["status"])
    values = content.get("values", {})
    declared = content.get("columns", {})
    columns = _table(folder / content["table"]["file"], content["table"], declared) if "table" in content else {}
    about = {column: declared.get(column, declared.get(OTHER_COLUMNS)) for column in columns}
    statuses = {key: _known_status(f"{name}, {key}", item.get("status", status)) for key, item in values.items()}
    parts = {key: _record(f"{name}:{key}", item, folder) for key, item in content.get("parts", {}).items()}
    return Record(
        name=name,
        title=content["title"],
        status=status,
        source=content["source"],
        references=tuple(content["references"]),
        notes=content.get("notes", "").strip(),
        values=MappingProxyType({key: _number(name, key, item["value"]) for key, item in values.items()}),
        units=MappingProxyType({key: item["unit"] for key, item in values.items()}),
        value_sources=MappingProxyType({key: item.get("source", content["source"]) for key, item in values.items()}),
        value_statuses=MappingProxyType(statuses),
        columns=MappingProxyType(columns),
        column_units=MappingProxyType({column: item["unit"] for column, item in about.items()}),
        column_meanings=MappingProxyType({column: item["meaning"] for column, item in about.items()}),
        parts=MappingProxyType(parts),
        built_from=tuple(content.get("built_from", ())),
    )


def _table(path: Path, expected: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, np.ndarray]:
    text = _read(path)
    if digest(text) != expected["sha256"]:
        rows = len(text.splitlines()) - 1
        found = (
            f"it has {rows} rows where {expected['rows']} are expected" if rows != expected["rows"] else "it changed"
        )
        raise reject("data table", path.name, f"{found} (its SHA-256 differs from the record's); {INTACT}")
    header, *rows = list(csv.reader(io.StringIO(text)))
    if len(rows) != expected["rows"] or any(len(row) != len(header) for row in rows):
        raise reject("data table", path.name, f"it does not have {expected['rows']} full rows; {INTACT}")
    unknown = set(header) - set(declared) if OTHER_COLUMNS not in declared else set()
    absent = set(declared) - set(header) - {OTHER_COLUMNS}
    if unknown or absent:
        raise reject(
            "data table", path.name, f"its columns {sorted(unknown | absent)} differ from the record's; {INTACT}"
        )
    cells = dict(zip(header, zip(*rows, strict=True), strict=True))
    return {name: _column(path, name, cells[name], declared.get(name) or declared[OTHER_COLUMNS]) for name in header}


def _column(path: Path, name: str, cells: tuple[str, ...], about: Mapping[str, Any]) -> np.ndarray:
    if about["unit"] == TEXT:
        column = np.array(cells)
    else:
        try:
            column = np.array([float(cell) for cell in cells])
        except ValueError as error:
            raise reject(
                "data table", path.name, f"column {name!r} holds a cell that is no number; {INTACT}"
            ) from error
        if not about.get("may_be_missing", False) and not np.all(np.isfinite(column)):
            raise reject("data table", path.name, f"column {name!r} holds a number that is not finite; {INTACT}")
    column.setflags(write=False)
    return column


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise reject("data file", path.name, f"it is missing; {INTACT}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"data file: {path.name!r} cannot be read ({error}); {INTACT}") from error


def _known_status(name: str, status: str) -> str:
    if status not in STATUSES:
        raise reject(f"status of {name}", status, f"use one of {', '.join(STATUSES)}")
    return status


def _number(name: str, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise reject(f"{name}, {key}", value, f"it must be a number; {INTACT}")
    if not math.isfinite(value):
        raise reject(f"{name}, {key}", value, f"it must be finite; {INTACT}")
    return float(value)

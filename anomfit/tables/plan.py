"""What can be looked up in a problem: which measurements, in which tables, and what stands in for them then."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from anomfit.measurements.base import Measurement
from anomfit.tables.pieces import Progress


class TablePlan(NamedTuple):
    """One table: the folder that it is kept in, how it is built from pieces in a folder, and as arrays and back."""

    folder: Path
    build: Callable[[Path, Progress | None], Any]
    to_arrays: Callable[[Any], dict]
    from_arrays: Callable[[dict], Any]


class Plan(NamedTuple):
    """What is known of the measurement at a place of a problem.

    stand_in: makes its copy from the tables; seconds: of processor time that building and checking take; saved: how
    many of them a likelihood with tables saves over one with few nodes.
    """

    place: int
    exact: Measurement
    tables: tuple[TablePlan, ...]
    stand_in: Callable[[list[Any]], Measurement]
    seconds: float
    saved: float


class Kept(Protocol):
    """A table in use."""

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        ...

    @property
    def table(self) -> Any:
        """With `megabytes`."""
        ...


@runtime_checkable
class FromTables(Protocol):
    """A stand-in that looks up tables."""

    @property
    def tables(self) -> tuple[Kept, ...]:
        """All of them."""
        ...

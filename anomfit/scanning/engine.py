"""Rows by their number, made in chunks, here or on other machines, and kept one by one: scans, toys, planes, many fits.

A `Recipe` says in a few picklable words how rows are made, and `prepared` makes what makes them (a compiled problem,
say) once a process. Rows depend on their number alone, so that any chunk can be made again anywhere. Memory is that of
one chunk.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from anomfit import interrupts
from anomfit.scanning.dataset import Dataset
from anomfit.scanning.files import encoded
from anomfit.scanning.plan import Task

Columns = Mapping[str, np.ndarray]
Report = Callable[[int, int, int], None]  # rows done before this run, done now, and to do in all


class Rows(Protocol):
    """What makes rows."""

    @property
    def identity(self) -> Mapping[str, str]:
        """What the rows rest on; the same wherever the same rows would be made."""
        ...

    def columns(self, first: int, last: int) -> Columns:
        """The columns of the rows first, ..., last - 1."""
        ...

    def words(self, columns: Columns) -> Mapping[str, Any]:
        """What is worth knowing of a chunk without reading it, as JSON."""
        ...


class Recipe(Protocol):
    """How to make rows, in hashable and picklable words."""

    def prepared(self) -> Rows:
        """What makes the rows, in this process."""
        ...

    def __hash__(self) -> int: ...


class Made(Protocol):
    """A way to make chunks: the file of every task, in any order."""

    def __call__(self, recipe: Any, dataset: Dataset, tasks: Sequence[Task]) -> Iterator[tuple[Task, bytes]]: ...


def content_of(rows: Rows, dataset: Dataset, task: Task) -> bytes:
    """The file of one chunk."""
    columns = rows.columns(task.first, task.last)
    return encoded(columns, dataset.words(task, rows.words(columns)))


def made_here(recipe: Recipe, dataset: Dataset, tasks: Sequence[Task]) -> Iterator[tuple[Task, bytes]]:
    """One chunk after the other in this process, whose devices share each."""
    rows = recipe.prepared()
    for task in tasks:
        interrupts.check()
        yield task, content_of(rows, dataset, task)


def fill(recipe: Recipe, dataset: Dataset, tasks: Sequence[Task], total: int, made: Made, report: Report) -> None:
    """Make the chunks that are missing, `tasks`, of `total` rows, and keep each as soon as it is there."""
    before = done = total - sum(task.last - task.first for task in tasks)
    report(before, done, total)
    if not tasks:
        return
    for task, content in made(recipe, dataset, tasks):
        dataset.keep(task.chunk, content)
        done += task.last - task.first
        report(before, done, total)

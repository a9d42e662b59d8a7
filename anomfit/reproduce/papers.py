"""The papers whose numbers are computed, by arXiv number and by the alias of their model."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from anomfit.errors import reject
from anomfit.precision import require_double_precision
from anomfit.reproduce import dark_scalar, two_higgs_doublet
from anomfit.reproduce.statements import Computed, Row, load_statements

Group = Callable[[], Mapping[str, Computed]]


class Paper(NamedTuple):
    """A paper: arXiv number, aliases, and the groups of calculations, each of which gives numbers by statement."""

    name: str
    aliases: tuple[str, ...]
    groups: Callable[[], tuple[Group, ...]]


_PAPERS = (
    Paper("2010.06159", ("two-higgs-doublet", "arXiv:2010.06159"), two_higgs_doublet.groups),
    Paper("2005.08920", ("dark-scalar", "arXiv:2005.08920"), dark_scalar.groups),
)


def paper_names() -> tuple[str, ...]:
    """arXiv numbers."""
    return tuple(paper.name for paper in _PAPERS)


def paper_name(name: str) -> str:
    """The arXiv number of a paper given by it or by an alias; an unknown one is refused."""
    return _find(name).name


def reproduce(paper: str | None = None) -> Iterator[Row]:
    """The rows of a paper (an arXiv number or an alias) or of all papers, each as soon as it is computed.

    Raises InputError for an unknown paper and in single precision, before anything is computed.
    """
    require_double_precision()
    chosen = _PAPERS if paper is None else (_find(paper),)
    return (row for entry in chosen for row in _rows(entry))


def _find(name: str) -> Paper:
    for paper in _PAPERS:
        if name == paper.name or name in paper.aliases:
            return paper
    known = ", ".join(f"{paper.name} ({', '.join(paper.aliases)})" for paper in _PAPERS)
    raise reject("paper", name, f"use one of {known}")


def _rows(paper: Paper) -> Iterator[Row]:
    statements = load_statements(paper.name)
    for group in paper.groups():
        for name, computed in group().items():
            yield Row(paper.name, statements[name], computed.value, computed.detail)

"""The papers whose numbers are computed, by arXiv number and by the alias of their model."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from anomfit.errors import reject
from anomfit.precision import require_double_precision
from anomfit.reproduce import dark_scalar, dark_seesaw, dark_seesaw_poster, two_higgs_doublet, zprime_two_higgs_doublet
from anomfit.reproduce.inputs import Flux, Input, Moved, Room, common_pull, flux_of, room_of
from anomfit.reproduce.statements import Computed, NotComputed, Row, Statement, load_not_computed, load_statements

Group = Callable[[], Mapping[str, Computed]]


class Calculations(NamedTuple):
    """The groups of calculations, each of which gives numbers by statement, and the inputs of all of them."""

    groups: tuple[Group, ...]
    inputs: Mapping[str, Input]


class Paper(NamedTuple):
    """A paper: arXiv number, aliases, and its calculations."""

    name: str
    aliases: tuple[str, ...]
    calculations: Callable[[], Calculations]


_PAPERS = (
    Paper(
        "2010.06159",
        ("two-higgs-doublet", "arXiv:2010.06159"),
        lambda: Calculations(*two_higgs_doublet.calculations()),
    ),
    Paper("2005.08920", ("dark-scalar", "arXiv:2005.08920"), lambda: Calculations(*dark_scalar.calculations())),
    Paper("2007.11813", ("dark-seesaw", "arXiv:2007.11813"), lambda: Calculations(*dark_seesaw.calculations())),
    Paper("dark-seesaw-poster", ("seesaw-poster",), lambda: Calculations(*dark_seesaw_poster.calculations())),
    Paper(
        "2006.01948",
        ("zprime-two-higgs-doublet", "arXiv:2006.01948"),
        lambda: Calculations(*zprime_two_higgs_doublet.calculations()),
    ),
)


def paper_names() -> tuple[str, ...]:
    """arXiv numbers."""
    return tuple(paper.name for paper in _PAPERS)


def paper_name(name: str) -> str:
    """The arXiv number of a paper given by it or by an alias; an unknown one is refused."""
    return _find(name).name


def reproduce(paper: str | None = None) -> Iterator[Row]:
    """The rows of a paper (an arXiv number or an alias) or of all papers, in the order of their statements.

    Each comes as soon as it is computed, but rows of a flux wait for the others of its paper, whose pull they share.
    Raises InputError for an unknown paper and in single precision, before anything is computed.
    """
    require_double_precision()
    return (row for entry in _chosen(paper) for row in _rows(entry))


def not_computed(paper: str | None = None) -> list[NotComputed]:
    """What of a paper, or of all, has no row, with the reason; errors as `reproduce`."""
    return [entry for chosen in _chosen(paper) for entry in load_not_computed(chosen.name)]


def _chosen(paper: str | None) -> tuple[Paper, ...]:
    return _PAPERS if paper is None else (_find(paper),)


def _find(name: str) -> Paper:
    for paper in _PAPERS:
        if name == paper.name or name in paper.aliases:
            return paper
    known = ", ".join(f"{paper.name} ({', '.join(paper.aliases)})" for paper in _PAPERS)
    raise reject("paper", name, f"use one of {known}")


class _Found(NamedTuple):
    """A computed number on its way to a row."""

    statement: Statement
    computed: Computed
    room: Room
    flux: Flux | None


def _rows(paper: Paper) -> Iterator[Row]:
    statements = load_statements(paper.name)
    groups, inputs = paper.calculations()
    order = list(statements).index
    waiting: list[_Found] = []
    for group in groups:
        for name, computed in sorted(group().items(), key=lambda item: order(item[0])):
            flux = flux_of(computed.slopes, inputs)
            found = _Found(statements[name], computed, room_of(computed.slopes, inputs), flux)
            if flux is None and not waiting:
                yield _row(paper.name, found, {})
            else:
                waiting.append(found)
    pulls = _pulls(waiting)
    for found in waiting:
        yield _row(paper.name, found, pulls)


def _pulls(rows: list[_Found]) -> dict[str, float]:
    """The pull of each flux that some row depends on."""
    by_flux: dict[str, list[Moved]] = {}
    for row in rows:
        if row.flux is not None:
            moved = Moved(row.statement, row.computed.value, row.room, row.flux.moves)
            by_flux.setdefault(row.flux.name, []).append(moved)
    return {name: common_pull(moved) for name, moved in by_flux.items()}


def _row(paper: str, found: _Found, pulls: Mapping[str, float]) -> Row:
    statement, computed, room, flux = found
    if flux is None:
        return Row(paper, statement, computed.value, computed.detail, room.at(0.0))
    pull = pulls[flux.name]
    words = f"One standard deviation of {flux.name} moves it by {flux.moves:+.2g}; all its rows share {pull:+.2f}."
    return Row(paper, statement, computed.value, computed.detail, room.at(pull), pull * flux.moves, words)

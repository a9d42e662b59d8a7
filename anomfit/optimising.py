"""A whole search, from a card to a folder: distinct optima, what holds them, published points, an allowed region."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jax

from anomfit.cards import Card, card_text, problem_from_card
from anomfit.cards.building import chosen_parametrisation, named_parameter, stated_value
from anomfit.errors import reject
from anomfit.folders import CARD, REPORT, RESULT, open_folder
from anomfit.precision import require_double_precision
from anomfit.userfiles import resolve_model

if TYPE_CHECKING:
    from anomfit.inference.boundary import Boundary, BoundarySettings
    from anomfit.inference.optimise import Search, SearchSettings
    from anomfit.inference.published import PublishedPoint
    from anomfit.problem import Problem

OPTIMA, ENDS, GRID = "optima.csv", "ends.csv", "boundary.csv"
OURS = (OPTIMA, ENDS, GRID, "optima.png", "boundary.png")
DEVICES = 2  # more lanes than that gain little on the machines this was measured on

Say = Callable[[str], None]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Optimised:
    """What `run_optimise` found: the problem, the search, the published points, the grid if one was asked for."""

    problem: "Problem"
    search: "Search"
    published: "tuple[PublishedPoint, ...]"
    boundary: "Boundary | None"


def with_fixed(card: Card, changes: Mapping[str, float | str]) -> Card:
    """The card with these parameters fixed (taken from the free ones) or fixed to other values.

    Raises InputError for an unknown parameter or a value out of its bounds.
    """
    chosen = chosen_parametrisation(resolve_model(card.model), card.parametrisation)
    values = {name: stated_value(named_parameter(chosen, name), value) for name, value in changes.items()}
    return dataclasses.replace(
        card,
        free=tuple(entry for entry in card.free if entry.name not in values),
        fixed=(*((name, value) for name, value in card.fixed if name not in values), *values.items()),
    )


def run_optimise(
    card: Card,
    folder: Path,
    settings: "SearchSettings | None" = None,
    axes: tuple[str, str] | None = None,
    grid: "BoundarySettings | None" = None,
    overwrite: bool = False,
    say: Say | None = None,
    progress: Progress | None = None,
) -> Optimised:
    """Search the card's prior (seed of its fit); optima.csv, ends.csv, report.md, card.toml and figures go to `folder`.

    With `axes`, two free parameters, the allowed region along them too (boundary.csv, boundary.png). `say` gets a line
    whenever something is known. After Ctrl-C what was found so far is written. Raises InputError for whatever is wrong
    with card, folder or axes before anything is written.
    """
    from anomfit.inference.boundary import boundary, check_axes
    from anomfit.inference.devices import prepare_devices
    from anomfit.inference.optimise import optimise
    from anomfit.inference.published import published_points
    from anomfit.results.optima import boundary_words, headline, speed

    say = say or (lambda line: None)
    require_double_precision()
    prepare_devices(DEVICES)
    problem = problem_from_card(card)
    if not problem.names:
        raise reject("free", [], "leave at least one parameter free")
    if axes is not None:
        check_axes(problem, axes)
    _open(folder, card, overwrite)
    search = optimise(problem, jax.random.key(card.fit.seed), settings, progress)
    say(headline(search))
    say(speed(search))
    published = published_points(problem, search)
    for point in published:
        fails = f"fails {', '.join(point.failing)}" if point.failing else "all conditions hold"
        say(f"{point.name}: -2 ln L = {point.twice_nll:.3f}, rank {point.rank} of {search.starts + 1}; {fails}")
    found = Optimised(problem, search, published, None)
    _keep(folder, card, found)
    if axes is not None and not search.interrupted:
        region = boundary(problem, axes, search, grid, progress)
        found = dataclasses.replace(found, boundary=region)
        say(boundary_words(region, problem))
        _keep(folder, card, found)
    return found


def _open(folder: Path, card: Card, overwrite: bool) -> None:
    held = [name for name in (REPORT, RESULT, CARD, *OURS) if (folder / name).is_file()]
    if held and not overwrite:
        raise reject("--out", str(folder), f"it holds {held[0]}; add --overwrite, or name another folder")
    open_folder(folder, card_text(card), overwrite=True)
    for name in OURS:
        (folder / name).unlink(missing_ok=True)


def _keep(folder: Path, card: Card, found: Optimised) -> None:
    from anomfit.plotting.optima import save_search_figures
    from anomfit.results.optima import write_optimise_report
    from anomfit.results.optima_csv import write_boundary, write_ends, write_optima
    from anomfit.results.result import provenance

    problem, search = found.problem, found.search
    write_optima(folder / OPTIMA, search, found.published)
    write_ends(folder / ENDS, problem, search)
    if found.boundary is not None:
        write_boundary(folder / GRID, problem, found.boundary)
    origin = provenance(problem, card_text(card), card.fit.seed)
    write_optimise_report(folder / REPORT, problem, origin, search, found.published, found.boundary)
    shown = {point.name: point.values for point in found.published}
    save_search_figures(folder, problem, search, shown, found.boundary)

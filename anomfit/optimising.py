"""A whole search, from a card to a folder: distinct optima, what holds them, published points, an allowed region."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jax

from anomfit import interrupts
from anomfit.cards import Card, card_text, problem_from_card
from anomfit.cards.building import chosen_parametrisation, named_parameter, stated_value
from anomfit.environment import require_libraries, require_platform
from anomfit.errors import reject
from anomfit.explaining import explained
from anomfit.folders import ENDS, GRID, OPTIMA, REPORT, SEARCH, SEARCH_FIGURES, named_folder, opened_folder
from anomfit.precision import require_double_precision
from anomfit.userfiles import resolve_model

if TYPE_CHECKING:
    from anomfit.inference.optima.boundary import Boundary, BoundarySettings
    from anomfit.inference.optima.published import PublishedPoint
    from anomfit.inference.optima.search import Search, SearchSettings
    from anomfit.problem import Problem

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


@explained()
def run_optimise(
    card: Card,
    folder: str | Path,
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
    with card, folder, axes or machine before anything is computed, and where the folder cannot be written later; what
    is in it is whole at any time. A figure that cannot be drawn is a warning.
    """
    from anomfit.inference.devices import prepare_devices
    from anomfit.inference.optima.boundary import boundary, check_axes
    from anomfit.inference.optima.published import published_points
    from anomfit.inference.optima.search import optimise
    from anomfit.results.optima import boundary_words, headline, speed

    folder, say = named_folder(folder), say or (lambda line: None)
    with interrupts.handled():
        require_double_precision()
        require_platform()
        prepare_devices(DEVICES)
        problem = problem_from_card(card, lambda sentence: say(f"warning: {sentence}"))
        if not problem.free:  # pulls of nuisance parameters alone are no search
            raise reject("free", [], "leave at least one parameter free")
        if axes is not None:
            check_axes(problem, axes)
        require_libraries()
        with opened_folder(folder, card_text(card), SEARCH, SEARCH_FIGURES, overwrite):
            search = optimise(problem, jax.random.key(card.fit.seed), settings, progress)
            say(headline(search))
            say(speed(search))
            with interrupts.postponed():
                published = published_points(problem, search)
                for point in published:
                    fails = f"fails {', '.join(point.failing)}" if point.failing else "all conditions hold"
                    rank = f"rank {point.rank} of {search.starts + 1}"
                    say(f"{point.name}: -2 ln L = {point.twice_nll:.3f}, {rank}; {fails}")
                found = Optimised(problem, search, published, None)
                _keep(folder, card, found, say)
            if axes is not None and not search.interrupted:
                region = boundary(problem, axes, search, grid, progress)
                found = dataclasses.replace(found, boundary=region)
                say(boundary_words(region, problem))
                _keep(folder, card, found, say)
    return found


def _keep(folder: Path, card: Card, found: Optimised, say: Say) -> None:
    from anomfit.plotting.optima import save_search_figures
    from anomfit.results.optima import write_optimise_report
    from anomfit.results.optima_csv import write_boundary, write_ends, write_optima
    from anomfit.results.result import provenance

    problem, search = found.problem, found.search
    write_optima(folder / OPTIMA, search, found.published)
    write_ends(folder / ENDS, problem, search)
    if found.boundary is not None:
        write_boundary(folder / GRID, problem, found.boundary)
    shown = {point.name: point.values for point in found.published}
    failures: list[str] = []
    save_search_figures(folder, problem, search, shown, found.boundary, failures.append)
    for sentence in failures:
        say(f"warning: {sentence}")
    origin = provenance(problem, card_text(card), card.fit.seed)
    remarks = [f"Warning: {sentence}." for sentence in failures]
    write_optimise_report(folder / REPORT, problem, origin, search, found.published, found.boundary, remarks)

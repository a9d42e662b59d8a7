"""`anomfit plane`: -2 ln L, or a posterior, over two parameters, with contours and exclusion lines."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from anomfit.cli.fitting import Fixed, Overwrite
from anomfit.cli.options import NoCache, Out, TargetWords, pairs, start_jax, whole_number
from anomfit.cli.progress import bars, lines, say
from anomfit.errors import reject

if TYPE_CHECKING:
    from anomfit.cards import Card
    from anomfit.planes import Plane
    from anomfit.planes.axes import Range

MOST_CHUNK = 1_000_000


Subject = Annotated[
    str,
    typer.Argument(metavar="CARD_OR_RESULT", help="A model, a card (my.toml), or a result (the folder of a fit)."),
]
AlongX = Annotated[str, typer.Option("--x", metavar="NAME", help="The parameter along x.")]
AlongY = Annotated[str, typer.Option("--y", metavar="NAME", help="The parameter along y.")]
Grid = Annotated[str, typer.Option("--grid", metavar="NXxNY", help="Cells along x and y.")]
Ranges = Annotated[
    list[str] | None,
    typer.Option(
        "--range", metavar="NAME=LOW:HIGH", help="Range of x or y; needed for a parameter that the card fixes."
    ),
]
Profile = Annotated[bool, typer.Option("--profile", help="Minimise over all other parameters in every cell.")]
Posterior = Annotated[bool, typer.Option("--posterior", help="Show the density of a result's draws.")]
Start = Annotated[
    str | None, typer.Option("--result", metavar="RESULT", help="Take the best fit from here, and look for none.")
]
FitOnly = Annotated[bool, typer.Option("--fit-only", help="Leave out the constraints that are not in the fit.")]
Chunk = Annotated[str, typer.Option("--chunk", metavar="N", help="Cells that are kept together.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the plane in the folder.")]
Tables = Annotated[
    bool, typer.Option("--tables", help="Profile with a table of kernels first; every number stays exact.")
]


def plane(
    subject: Subject,
    x: AlongX,
    y: AlongY,
    grid: Grid = "60x60",
    ranges: Ranges = None,
    profile: Profile = False,
    posterior: Posterior = False,
    start: Start = None,
    settings: Fixed = None,
    targets: TargetWords = None,
    without: FitOnly = False,
    chunk: Chunk = "256",
    out: Out = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    tables: Tables = False,
    no_cache: NoCache = False,
) -> None:
    """Compute -2 ln L over two parameters, the others fixed at the best fit, or profiled, or a posterior's density.

    The folder gets plane.parquet and plane.csv (a row a cell), contours.parquet and contours.csv, plane.png, plane.log.
    Contours are drawn at 68 and 95 % for one and for two parameters, for each measurement, and where each constraint
    begins to exclude. After Ctrl-C or a kill, --resume goes on, to the same table bit for bit: docs/planes.md.

    \b
    Examples:
      anomfit plane oscillation --x sin2_2theta --y delta_m2 --out my-plane
      anomfit plane two-higgs-doublet-miniboone --x m_N2 --y m_hprime --profile --tables
      anomfit plane my-fit --x m_N2 --y m_hprime --profile --grid 40x30 --range m_N2=50MeV:500MeV
      anomfit plane my.toml --x y_mu --y y_tau --range y_tau=-0.1:0.1 --result my-fit
      anomfit plane my-fit --x m_N2 --y m_hprime --posterior
      anomfit plane my.toml --x m_N2 --y m_hprime --profile --out my-plane --resume
    """
    from anomfit.planes.axes import checked_grid

    if profile and posterior:
        raise reject("--posterior", True, "it integrates the others out, and --profile minimises; give one of the two")
    cells, given = checked_grid(grid), _ranges(ranges or [])
    size = whole_number("--chunk", chunk, 1, MOST_CHUNK)
    start_jax(no_cache)
    from anomfit.folders import named_folder, new_folder
    from anomfit.planes import plane as computed

    chosen = _chosen(subject, settings or [], targets or [], posterior)
    folder = named_folder(out) if out is not None else new_folder(subject.rstrip("/"), "plane")
    found = computed(
        chosen,
        x,
        y,
        cells,
        given,
        "posterior" if posterior else "profile" if profile else "fixed",
        start,
        None if posterior else folder,
        not without,
        overwrite,
        resume,
        say,
        bars() if sys.stderr.isatty() else lines(),
        size,
        tables,
    )
    _report(found)
    for file in found.save(folder):
        print(file)


def _chosen(subject: str, settings: list[str], targets: list[str], posterior: bool) -> "Card | str":
    """A card with its changes, or the name of a result; InputError for what does not go with either."""
    from anomfit.cards import load_card, with_fixed, with_target_choices
    from anomfit.results.opened import named_result, refuse_with_result

    changes, words = pairs("--set", settings), pairs("--target", targets)
    path = named_result(subject)
    if path is not None:
        refuse_with_result(path, set=settings, target=targets)
        return subject
    if posterior:
        raise reject("--posterior", subject, "a card has no draws; name the folder of a fit")
    return with_target_choices(with_fixed(load_card(subject), changes), words)


def _ranges(texts: list[str]) -> "dict[str, Range]":
    """Ranges by name; InputError for two of one name."""
    from anomfit.planes.axes import range_from

    given: dict[str, Range] = {}
    for text in texts:
        name, ends = range_from(text)
        if name in given:
            raise reject("--range", text, f"{name} has a range already; give it once")
        given[name] = ends
    return given


def _report(found: "Plane") -> None:
    """What must be said of a plane, the lowest point, and the intervals of both parameters."""
    for sentence in found.problems:
        say(f"warning: {sentence}")
    if found.method == "posterior":
        return
    at = ", ".join(f"{axis.name} = {found.best[axis.name]:.4g}" for axis in found.axes)
    say(f"lowest -2 ln L = {found.lowest:.4f} at {at}")
    for name, intervals in found.intervals().items():
        said = [f"{share} {_interval(*ends)}" for share, ends in intervals.items()]
        say(f"{name}: {', '.join(said)}")


def _interval(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "all of the plane"
    return f"{'below' if low is None else f'{low:.4g} to'} {'above' if high is None else f'{high:.4g}'}"

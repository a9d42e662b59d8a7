"""A whole run of toys, from a card or a result to a folder: data sets thrown at a point, each fitted again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jax

from anomfit import interrupts
from anomfit.cards import Card, card_from_text, card_text, load_card, problem_from_card
from anomfit.cards.building import point_values
from anomfit.environment import require_libraries, require_platform
from anomfit.errors import InputError, quoted, reject
from anomfit.explaining import explained
from anomfit.folders import (
    REPORT,
    TOY_FIGURES,
    TOY_FILES,
    TOY_STATE,
    TOYS,
    named_folder,
    opened_folder,
    result_file,
)
from anomfit.identity import identity, refuse_other
from anomfit.precision import require_double_precision
from anomfit.problem import Problem
from anomfit.tabulating import refuse_without_tables, tabulated_descents

if TYPE_CHECKING:
    from anomfit.inference.compare.toys import Toys, ToySettings, Truth
    from anomfit.inference.fit.minimise import Fit
    from anomfit.results.toys import Observed

DEVICES = 2

Say = Callable[[str], None]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Thrown:
    """What `run_toys_of` found: the problem, the toys, and the data's own numbers beside them."""

    problem: Problem
    toys: "Toys"
    observed: "Observed"


@dataclass(frozen=True)
class Where:
    """Where toys are thrown: at a named point of the model, without new physics, or (neither) at the best fit."""

    point: str | None = None
    no_new_physics: bool = False

    def __post_init__(self):
        if self.point is not None and self.no_new_physics:
            raise reject("--point", self.point, "toys are thrown at one place; leave out --no-new-physics")


@explained()
def run_toys_of(
    subject: str,
    folder: str | Path,
    settings: "ToySettings | None" = None,
    where: Where | None = None,
    parameters: Sequence[str] = (),
    seed: int = 1,
    overwrite: bool = False,
    resume: bool = False,
    say: Say | None = None,
    progress: Progress | None = None,
    tables: bool = False,
) -> Thrown:
    """Throw toys for a result (its folder or result.nc) or a card, whose best fit is then found first.

    toys.csv (a row a toy), report.md, card.toml and toys.png go to `folder`. `parameters` are those whose coverage is
    asked for. tables: whether searches take tables and few nodes; every fit ends with the exact rule. Every block of
    toys is kept, so that `resume` goes on after a kill, also to a larger number. After Ctrl-C the toys that are done
    are written. Raises InputError for whatever is wrong with subject, point, parameters, tables or folder before
    anything is computed, and for a result of another likelihood.
    """
    from anomfit.inference.compare.goodness import goodness_of_fit
    from anomfit.inference.compare.significance import significance
    from anomfit.inference.compare.throwing import check_throwable
    from anomfit.inference.compare.toys import check_parameters, run_toys
    from anomfit.inference.devices import prepare_devices
    from anomfit.results.toys import Observed

    folder, say, where = named_folder(folder), say or (lambda line: None), where or Where()
    with interrupts.handled():
        require_double_precision()
        require_platform()
        prepare_devices(DEVICES)
        card, result = _subject(subject)
        problem = problem_from_card(card, lambda sentence: say(f"warning: {sentence}"))
        if not problem.names:
            raise reject("free", [], "leave at least one parameter free")
        check_throwable(problem.measurements)
        check_parameters(problem, parameters, where.no_new_physics)
        if where.point is not None:
            point_values(problem.model, problem.parametrisation, where.point)
        if result is not None:
            refuse_other(result_file(Path(subject)), result.provenance.identity, identity(problem))
        if tables:
            refuse_without_tables(problem)
        require_libraries()
        with opened_folder(folder, card_text(card), TOY_FILES, TOY_FIGURES, overwrite, resume):
            fast = tabulated_descents(problem, say, progress) if tables else problem
            fit, effective = _best_fit(problem, fast, card, result, say, progress)
            with interrupts.postponed():
                goodness = goodness_of_fit(problem, fit.point, effective)
                observed = Observed(goodness, significance(problem, fit.point))
                truth = _truth(problem, fit, where, observed)
            key, state = jax.random.key(seed), folder / TOY_STATE
            toys = run_toys(
                problem, truth, key, settings, parameters, progress, state, None if fast is problem else fast
            )
            with interrupts.postponed():
                _keep(folder, problem, card, toys, observed, say)
    return Thrown(problem, toys, observed)


def _subject(subject: str):
    """The card, and the result if it is one; a shipped name wins over a folder of that name."""
    from anomfit.results.files import load_result
    from anomfit.results.opened import named_result

    path = named_result(subject)
    if path is None:
        return load_card(subject), None
    result = load_result(path)
    if result.fit is None or result.hesse is None:
        remedy = "go on with it: anomfit fit CARD --out DIR --resume"
        raise InputError(f"result: {quoted(str(subject))} has no finished fit; {remedy}")
    return card_from_text(result.provenance.card), result


def _best_fit(
    problem: Problem, fast: Problem, card: Card, result, say: Say, progress: Progress | None
) -> "tuple[Fit, int]":
    """The best fit, searched in `fast`, and its effective number of parameters."""
    from anomfit.inference.fit.minimise import FitSettings, minimise
    from anomfit.inference.fit.refine import refined
    from anomfit.inference.fit.uncertainties import hesse

    if result is not None:
        return result.fit, result.hesse.effective_parameters
    if card.fit.start_from == "draws":
        remedy = "give the folder of a fit in place of the card"
        say(f"warning: the card's descents start from draws, which toys have not: they start from the prior; {remedy}")
    settings = FitSettings(screened=card.fit.screened, starts=card.fit.starts)
    fit = minimise(fast, jax.random.key(card.fit.seed), settings, progress)
    if fast is not problem:
        fit = refined(problem, fit, settings, progress)
    say(f"best fit ({fit.seconds:.0f} s): -2 ln L = {fit.twice_nll:.4f}, {fit.message}")
    if fit.message.startswith("interrupted"):
        raise interrupts.kind()
    return fit, hesse(problem, fit).effective_parameters


def _truth(problem: Problem, fit: "Fit", where: Where, observed: "Observed") -> "Truth":
    from anomfit.inference.compare.toys import Truth, true_point

    if where.no_new_physics:
        return Truth(None, observed.significance.null_pulls)
    if where.point is None:
        return true_point(problem, fit.point)
    return true_point(problem, point_values(problem.model, problem.parametrisation, where.point))


def _keep(folder: Path, problem: Problem, card: Card, toys: "Toys", observed: "Observed", say: Say) -> None:
    from anomfit.plotting.toys import save_toy_figures
    from anomfit.results.result import provenance
    from anomfit.results.toys import write_toy_report, write_toys

    failures: list[str] = []
    write_toys(folder / TOYS, toys, problem.free)
    save_toy_figures(folder, toys, observed, len(problem.free), failures.append)
    for sentence in failures:
        say(f"warning: {sentence}")
    origin = provenance(problem, card_text(card), card.fit.seed)
    remarks = [f"Warning: {sentence}." for sentence in failures]
    write_toy_report(folder / REPORT, origin, toys, observed, problem.free, remarks)

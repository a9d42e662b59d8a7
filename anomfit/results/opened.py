"""A result as the argument of a verb: which names are results, and the fit behind one, ready to be asked again."""

from dataclasses import dataclass
from pathlib import Path

from anomfit.cards import Card, card_from_text, problem_from_card, shipped_card_names
from anomfit.errors import InputError, quoted, reject
from anomfit.folders import result_file
from anomfit.inference.fit.minimise import Fit
from anomfit.problem import Problem
from anomfit.results.files import load_result
from anomfit.results.result import Result
from anomfit.userfiles import is_user_file


@dataclass(frozen=True)
class OpenedResult:
    """A result with a finished fit, the card that it was made from, and the problem that this card describes."""

    path: Path
    result: Result
    card: Card
    problem: Problem

    @property
    def fit(self) -> Fit:
        """The best fit."""
        assert self.result.fit is not None
        return self.result.fit


def named_result(subject: str) -> Path | None:
    """The result.nc that `subject` names; None where it names a model or a card.

    A result is a path with a slash, a folder, or a file that ends in .nc. A model or card that ships under the same
    name comes first: "./oscillation" is the folder, "oscillation" the model. A name that ends in .toml is a card, and
    one such as "my_model.py:model" a user's model. InputError for a path that leads to no result.
    """
    from anomfit.catalogue import model_names

    is_shipped = subject in {*model_names(), *shipped_card_names()}
    if is_shipped or is_user_file(subject) or subject.endswith(".toml") or "\0" in subject:
        return None
    is_result = "/" in subject or subject.endswith(".nc") or Path(subject).is_dir()
    return result_file(Path(subject)) if is_result else None


def opened_result(path: Path) -> OpenedResult:
    """The result in `path` (see `named_result`) with its card and problem.

    InputError for a file that is damaged or no result, for one without a finished fit, and for what is wrong with the
    card today, such as a user's file that has gone.
    """
    result = load_result(path)
    if result.fit is None:
        remedy = "go on with it: anomfit fit CARD --out DIR --resume"
        raise InputError(f"result: {quoted(str(path))} has no finished fit; {remedy}")
    card = card_from_text(result.provenance.card)
    return OpenedResult(path, result, card, problem_from_card(card))


def refuse_with_result(path: Path, **given: object) -> None:
    """InputError where an option that moves the point stands beside a result, which is asked at its best fit."""
    for option, value in given.items():
        if value:
            name = f"--{option.replace('_', '-')}"
            raise reject(
                name, value, f"{quoted(str(path))} is asked at its best fit; leave {name} out, or name a model"
            )

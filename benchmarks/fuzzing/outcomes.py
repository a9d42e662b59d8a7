"""What one case is, and how what became of it is judged: a refusal in one sentence, a good result, or a fault."""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from anomfit.errors import InputError

LONGEST = 400  # characters of a refusal
REFUSED, ACCEPTED, POOR, TRACEBACK, HANG = "refused", "accepted", "poor", "tracebacks", "hangs"
VERDICTS = (REFUSED, ACCEPTED, POOR, TRACEBACK, HANG)
FAULTS = (POOR, TRACEBACK, HANG)


class Case(NamedTuple):
    """One input. `run` returns words on what was accepted, raises InputError for a refusal and Poor for a fault."""

    what: str  # the damage, in words
    files: Mapping[str, bytes]  # the input as files of the case's folder, by relative name
    run: Callable[[], str]


@dataclass(frozen=True)
class Outcome:
    """A verdict of VERDICTS; `said` is the refusal, what was accepted, or the traceback."""

    verdict: str
    what: str
    said: str
    seconds: float = field(default=0.0, compare=False)


class Poor(Exception):
    """What is neither a refusal nor a result: a refusal of several lines, a file that a refused run left behind."""


class ChecksDone(BaseException):
    """Raised in place of a long computation, once everything was checked; no handler of `Exception` stops it."""


def judged(case: Case) -> Outcome:
    """Run a case and judge what becomes of it."""
    try:
        return Outcome(ACCEPTED, case.what, case.run())
    except InputError as error:
        fault = fault_of(str(error))
        return Outcome(POOR if fault else REFUSED, case.what, f"{fault}: {error!s:.2000}" if fault else str(error))
    except Poor as error:
        return Outcome(POOR, case.what, str(error))
    except BaseException:  # SystemExit and MemoryError too
        return Outcome(TRACEBACK, case.what, traceback.format_exc(limit=-12)[-6000:])


def fault_of(sentence: str) -> str:
    """What is wrong with a refusal as a sentence for a terminal; empty when nothing is."""
    if not sentence.strip():
        return "it says nothing"
    if len(sentence) > LONGEST:
        return f"it has {len(sentence)} characters"
    if not sentence.isprintable():
        return "it has a line break or a control character"
    return ""

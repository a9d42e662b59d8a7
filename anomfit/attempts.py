"""Steps that follow a best fit: one that fails costs its own numbers alone, and is said."""

import textwrap
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
HERE = Path(__file__).parent
COMPARISON = "the comparison with constraints and other projections"
WORDS = 300  # letters of an error's own words


class Attempts:
    """Steps that are tried one after the other; `failed` has a sentence for each that ended with an error.

    An interrupt is no error: it ends the step and whatever calls it.
    """

    def __init__(self, say: Callable[[str], None], before: tuple[str, ...] = ()):
        self._say, self.failed = say, before

    def at(self, name: str, step: Callable[[], T], instead: T) -> T:
        """What the step of this name gives, or `instead` of it where it fails."""
        try:
            return step()
        except Exception as error:  # whatever it is: hours of work wait to be kept
            self.failed = (*self.failed, f"{name} failed, {_words(error)}")
            self._say(f"warning: {self.failed[-1]}; what was found is kept")
            return instead


def _words(error: Exception) -> str:
    """An error in a line: its kind, its own words, and the last place of ours that it came through."""
    words = textwrap.shorten(str(error), WORDS)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(HERE)]
    ours = [frame for frame in frames if Path(frame.filename).name != Path(__file__).name]
    place = f" ({Path(ours[-1].filename).relative_to(HERE.parent)}, line {ours[-1].lineno})" if ours else ""
    return f"{type(error).__name__}{': ' if words else ''}{words}{place}"

"""Standard output and error as the user has them: of any encoding, closed from the start, or closed by their reader."""

import os
import sys
from contextlib import suppress
from typing import TextIO


def prepare_streams() -> None:
    """Make printing never fail over a letter: one it lacks is numbered (\\u03bd); a closed one is emptied."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the shell: >&-
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def silence(stream: TextIO) -> None:
    """Let what is printed from now on, and what waits to be, go nowhere."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def complain(sentence: str) -> None:
    """Print a line on standard error, if there is anyone to read it; control characters are written as escapes."""
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in " ".join(sentence.split()))
    try:
        print(f"anomfit: {line}", file=sys.stderr, flush=True)
    except OSError:
        silence(sys.stderr)

"""What a long run shows while it works: lines on standard output, bars or lines of progress on standard error."""

import sys
from collections.abc import Callable

from anomfit import interrupts
from anomfit.cli.streams import complain, silence

EIGHTHS = 8  # lines of progress a stage

Progress = Callable[[str, int, int], None]


def say(line: str) -> None:
    """Print a line at once. When nobody reads any more the run ends at its next step, with what it has found kept."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        silence(sys.stdout)
        interrupts.stop(interrupts.OutputClosed)
    except OSError as error:  # the disk behind a log is full: that costs no run
        silence(sys.stdout)
        complain(f"standard output: {error.strerror}; the run goes on without it")


def bars() -> Progress:
    """A progress bar a stage on standard error, gone when the stage is done."""
    from tqdm import tqdm

    shown: dict[str, tqdm] = {}

    def show(stage: str, done: int, total: int) -> None:
        bar = shown.setdefault(stage, tqdm(total=total, desc=stage, leave=False))
        bar.update(done - bar.n)
        if done >= total:
            shown.pop(stage).close()

    return show


def lines() -> Progress:
    """A line for every eighth of a stage on standard error, for a terminal without bars or a log."""
    reached: dict[str, int] = {}

    def show(stage: str, done: int, total: int) -> None:
        eighth = EIGHTHS * done // max(total, 1)
        if eighth > reached.get(stage, 0):
            reached[stage] = eighth
            try:
                print(f"{stage}: {done} of {total}", file=sys.stderr, flush=True)
            except OSError:
                silence(sys.stderr)

    return show

"""The command line: each verb is thin and calls one public function. Start with `anomfit --help`."""

import logging
import os
import re
import sys

from anomfit import interrupts

INTERRUPTED, TERMINATED, UNREAD, BAD_INPUT = 130, 143, 141, 2  # the first three as the shell counts signals
_LONG_WORD = re.compile(r"\S{81,}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line with `arguments` (default: the process's own); the exit status.

    What a user can get wrong (InputError, a usage error, a file that cannot be read or written) is one line on standard
    error and status 2; Ctrl-C is one line and 130, SIGTERM one line and 143. Where nobody reads the output any more the
    verb ends without a word, with status 141. A defect of anomfit itself keeps its traceback.
    """
    from anomfit.cli.streams import prepare_streams, silence

    prepare_streams()
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells of the home that it cannot write into
    os.environ["MPLBACKEND"] = "agg"  # nothing is shown; what a notebook or a user's shell sets may not exist here
    with interrupts.ending():
        status = _status(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.stdout.flush()
    except OSError as error:
        status = _unwritten(error)
        silence(sys.stdout)
    if arguments is None:
        interrupts.leave_to_system()
    return status


def _status(arguments: list[str]) -> int:
    from anomfit.cli.app import Carried, command
    from anomfit.cli.streams import complain
    from anomfit.errors import InputError

    try:
        status = command()(args=arguments or ["--help"], prog_name="anomfit", standalone_mode=False)
        if status == INTERRUPTED:  # Ctrl-C while typer was at work
            complain("interrupted")
        return int(status or 0)
    except Carried as carried:
        if isinstance(carried.error, OSError):
            return _unwritten(carried.error)
        return _stopped(carried.error)
    except KeyboardInterrupt as stopped:
        return _stopped(stopped)
    except InputError as error:
        complain(str(error))
        return BAD_INPUT
    except OSError as error:
        return _unwritten(error)
    except Exception as error:
        return _usage_status(error)


def _stopped(stopped: KeyboardInterrupt) -> int:
    from anomfit.cli.streams import complain

    if isinstance(stopped, interrupts.OutputClosed):
        return UNREAD
    is_terminated = isinstance(stopped, interrupts.Terminated)
    complain("; ".join(["terminated" if is_terminated else "interrupted", *map(str, stopped.args)]))
    return TERMINATED if is_terminated else INTERRUPTED


def _unwritten(error: OSError) -> int:
    from anomfit.cli.streams import complain, silence
    from anomfit.errors import shortened

    if isinstance(error, BrokenPipeError):  # the reader of our output, such as head, has gone
        silence(sys.stdout)
        return UNREAD
    complain(_of_users_file(error) or f"{shortened(str(error.filename or 'output'))}: {error.strerror or error}")
    return BAD_INPUT


def _usage_status(error: Exception) -> int:
    """The status for typer's own exceptions, whose classes moved between versions; anything else is raised again."""
    from anomfit.cli.streams import complain
    from anomfit.errors import shortened

    kind = type(error).__name__
    if kind == "Abort":  # Ctrl-C, in older versions
        complain("interrupted")
        return INTERRUPTED
    if kind == "Exit":
        return int(getattr(error, "exit_code", 0))
    if hasattr(error, "format_message"):
        said = _LONG_WORD.sub(lambda word: shortened(word[0]), error.format_message())  # type: ignore[attr-defined]
        verb = getattr(getattr(error, "ctx", None), "command_path", "anomfit")  # "anomfit scan"
        complain(f"{said.rstrip('.')}; see '{verb} --help'")
        return BAD_INPUT
    known = _of_users_file(error) or _of_environment(error)
    if known is None:
        raise error
    complain(known)
    return BAD_INPUT


def _of_environment(error: Exception) -> str | None:
    """The sentence for a variable JAX_... that JAX cannot understand, which it says when it is imported."""
    is_one = isinstance(error, ValueError) and "for environment 'JAX_" in str(error)
    return f"{error}; unset it, or set it to 1 or 0" if is_one else None


def _of_users_file(error: Exception) -> str | None:
    """The sentence for an exception out of a user's own file, if one was read."""
    explaining = sys.modules.get("anomfit.explaining")
    return None if explaining is None else explaining.users_sentence(error)

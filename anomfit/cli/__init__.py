"""The command line: each verb is thin and calls one public function. Start with `anomfit --help`."""

import os
import sys

INTERRUPTED, BAD_INPUT = 130, 2


def main(arguments: list[str] | None = None) -> int:
    """Run the command line with `arguments` (default: the process's own); the exit status.

    What a user can get wrong (InputError, a usage error, a file that cannot be read or written) is one line on standard
    error and status 2; Ctrl-C is one line and 130. A defect of anomfit itself keeps its traceback.
    """
    from anomfit.cli.app import command
    from anomfit.errors import InputError

    given = sys.argv[1:] if arguments is None else arguments
    try:
        status = int(command()(args=given or ["--help"], prog_name="anomfit", standalone_mode=False) or 0)
        return _complain("interrupted", status) if status == INTERRUPTED else status
    except InputError as error:
        return _complain(str(error), BAD_INPUT)
    except BrokenPipeError:  # the reader of our output, such as head, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _complain(f"{error.filename or 'file'}: {error.strerror or error}", BAD_INPUT)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except Exception as error:
        return _usage_status(error)


def _usage_status(error: Exception) -> int:
    """The status for typer's own exceptions, whose classes moved between versions; anything else is raised again."""
    kind = type(error).__name__
    if kind == "Abort":  # Ctrl-C, in older versions
        return _complain("interrupted", INTERRUPTED)
    if kind == "Exit":
        return int(getattr(error, "exit_code", 0))
    if hasattr(error, "format_message"):
        return _complain(f"{error.format_message().rstrip('.')}; see 'anomfit --help'", BAD_INPUT)  # type: ignore[attr-defined]
    raise error


def _complain(sentence: str, status: int) -> int:
    print("anomfit: " + " ".join(sentence.split()), file=sys.stderr)
    return status

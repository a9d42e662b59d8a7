"""The one exception that a user's input can cause; the command line prints its sentence and exits with status 2."""

import difflib
from collections.abc import Sequence

LONGEST = 80  # characters of a value that a sentence quotes
LONGEST_LIST = 230  # characters of a list of names: a longer one is not read


class InputError(ValueError):
    """One clear sentence that names the field, the value and the remedy."""


def reject(field: str, value: object, remedy: str) -> InputError:
    """The error for a bad `field` with this `value`; `remedy` completes the sentence ("give a mass above 0")."""
    name = shortened(field if field.isprintable() else repr(field)[1:-1])
    return InputError(f"{name}: {quoted(value)} is not usable; {remedy}")


def quoted(value: object) -> str:
    """`repr(value)` in at most 80 characters; a number or a nesting that Python refuses to print is described."""
    try:
        return shortened(repr(value))
    except (ValueError, RecursionError):  # an integer of thousands of digits, brackets in brackets
        return f"a value of the kind {type(value).__name__!r}, too long to print,"


def shortened(text: str) -> str:
    """`text` in at most 80 characters: both ends of a longer one, since a path is told by its last part."""
    if len(text) <= LONGEST:
        return text
    ends = (LONGEST - len(" ... ")) // 2
    return f"{text[:ends]} ... {text[-ends:]}"


def one_of(names: Sequence[str], value: str, listed_by: str) -> str:
    """The remedy for an unknown name: all `names`, or those most like `value` and the command that lists the rest."""
    if len(", ".join(names)) <= LONGEST_LIST:
        return f"use one of {', '.join(names)}"
    near = difflib.get_close_matches(value, names, n=3, cutoff=0.4)
    return f"{'did you mean ' + ' or '.join(near) + '? ' if near else ''}use one of those that {listed_by!r} lists"

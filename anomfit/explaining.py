"""An exception in a user's own file as one sentence that names the file and the line, also where JAX called it."""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jax

from anomfit.errors import InputError
from anomfit.user_modules import is_users_path

PRINTED = re.compile(r'File "([^"]+)", line (\d+)')  # a traceback as text: what JAX makes of one in a callback
STOPS = (KeyboardInterrupt, GeneratorExit)  # no fault of the file
LONGEST = 240  # characters of an exception's own words
TRACED = "the numbers there are traced by JAX and have no value yet"
WORDS: tuple[tuple[type[Exception], str], ...] = (  # the more special first
    (
        jax.errors.TracerBoolConversionError,
        f"it branches (if, and, or, not, while, min, max) on a number of the point; {TRACED}, so use jnp.where, "
        "jnp.minimum or jnp.maximum",
    ),
    (jax.errors.TracerIntegerConversionError, f"it uses a number of the point as an index or a size; {TRACED}"),
    (jax.errors.NonConcreteBooleanIndexError, f"it picks entries by a condition; {TRACED}, so use jnp.where"),
    (
        jax.errors.TracerArrayConversionError,
        f"it hands a number of the point to NumPy or SciPy; {TRACED}, so use jax.numpy or jax.scipy",
    ),
    (
        jax.errors.ConcretizationTypeError,
        f"it turns a number of the point into a Python number (float, int, math.sqrt); {TRACED}, so use jax.numpy",
    ),
    (
        jax.errors.UnexpectedTracerError,
        "it keeps a number of one call on an object or in the module and uses it in another; hand it over as a value",
    ),
)


@contextmanager
def explained() -> Iterator[None]:
    """What runs inside may call a user's file: an exception that comes out of one leaves as an InputError."""
    try:
        yield
    except STOPS:
        raise
    except BaseException as error:
        sentence = users_sentence(error)
        if sentence is None or _names_a_file(error):
            raise
        raise InputError(sentence) from error


@contextmanager
def blamed_on(path: Path, doing: str = "") -> Iterator[None]:
    """What runs inside is the user's file at `path`: every exception becomes an InputError that names it, and the line
    where there is one; `doing` ("predict of my_model.py:load") comes first.
    """
    try:
        yield
    except STOPS:
        raise
    except BaseException as error:  # SystemExit and a class of the user's own too
        if _names_a_file(error):
            raise
        place = users_line(error) or (str(path.resolve()), None)
        raise InputError(f"user file {_at(*place)}: {doing and doing + ': '}{_words(error)}") from error


def users_sentence(error: BaseException) -> str | None:
    """What went wrong and where, if an exception comes out of a user's file; None for every other exception."""
    place = users_line(error)
    return None if place is None else f"user file {_at(*place)}: {_words(error)}"


def users_line(error: BaseException) -> tuple[str, int | None] | None:
    """File and line of the user's innermost frame behind an exception, or where its syntax is wrong; None if none."""
    while error is not None:
        if isinstance(error, SyntaxError) and error.filename and is_users_path(error.filename):
            return error.filename, error.lineno
        printed = [(name, int(line)) for name, line in PRINTED.findall(str(error)) if is_users_path(name)]
        if printed:
            return printed[-1]
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_users_path(frame.filename)]
        if frames:
            return frames[-1].filename, frames[-1].lineno
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return None


def _names_a_file(error: BaseException) -> bool:
    return isinstance(error, InputError) and "user file" in str(error)


def _at(filename: str, line: int | None) -> str:
    return filename if line is None else f"{filename}, line {line}"


def _words(error: BaseException) -> str:
    for kind, words in WORDS:
        if isinstance(error, kind):
            return words
    text = str(error.msg) if isinstance(error, SyntaxError) else str(error)
    if PRINTED.search(text):
        return f"it fails with {text.strip().splitlines()[-1]}"
    said = " ".join(text.split())
    said = said if len(said) <= LONGEST else f"{said[:LONGEST]} ..."
    if isinstance(error, InputError):
        return said
    return f"it fails with {type(error).__name__}{said and ': ' + said}"

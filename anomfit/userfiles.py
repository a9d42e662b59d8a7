"""Models, measurements and constraints by name: the catalogue's, or a user's own from a file ("my_model.py:model").

The object may be an instance, a class, or a function without arguments that makes one (a measurement's is called with
its options). What it lacks of the interface, or does wrongly at a few points, is said in one sentence that names the
file and the line, before anything is computed with it.
"""

import inspect
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from anomfit.capabilities import Model
from anomfit.constraints.base import IN_FITS, Constraint
from anomfit.declarations import check_constraint, check_measurement, check_model
from anomfit.errors import InputError, quoted, reject, shortened
from anomfit.explaining import blamed_on
from anomfit.measurements.base import Measurement
from anomfit.probing import probe_leaves
from anomfit.user_modules import load_user_module
from anomfit.user_modules import sources as sources  # which files objects come from, for whoever keeps their digests

FORM = "path/to/file.py:name"


def is_user_file(name: str) -> bool:
    """Whether `name` points at an object in a Python file ("path/to/file.py:name") and not into the catalogue."""
    return name.endswith(".py") or ".py:" in name


def is_own_table(name: str) -> bool:
    """Whether `name` is a CSV file: data or a limit of a user's, whose options say what the numbers mean."""
    return name.endswith(".csv") and "\0" not in name


def anchored(name: str, folder: Path) -> str:
    """`name` with the path of a user's file made absolute, relative to `folder`; a catalogue name is left as it is."""
    if is_own_table(name):
        return str((folder / name).resolve())
    if not is_user_file(name):
        return name
    path, attribute = _split(name)
    return f"{(folder / path).resolve()}:{attribute}"


def file_of(name: str) -> Path:
    """The file that `name` ("path/to/file.py:name") points into, resolved; it need not exist."""
    return Path(_split(name)[0]).resolve()


def resolve_model(name: str) -> Model:
    """The model called `name` in the catalogue, or the object of a user's file.

    Raises InputError for an unknown name, a file that is missing or fails to run, an object that lacks a member, and
    one that states a member of another kind. Nothing is computed here (`anomfit.probing` calls its functions).
    """
    if not is_user_file(name):
        from anomfit.catalogue import find_model

        return find_model(name)
    made = _made(name, {})
    check_model(file_of(name), made)
    return made  # type: ignore[return-value]


def resolve_measurement(name: str, /, **options: str) -> Measurement:
    """The measurement `name` or `name:era` of the catalogue with its `options`, or the object of a user's file.

    A CSV file of the user's is what its options say (`anomfit.own_tables`).

    Raises InputError as `resolve_model` does, for an option that is not known, for an object that is no pytree, and for
    a constraint that never enters a likelihood.
    """
    if is_own_table(name):
        from anomfit.own_tables import load_own_table

        return load_own_table(Path(name), options)
    if not is_user_file(name):
        from anomfit.catalogue import find_measurement

        return find_measurement(name, **options)
    made = _made(name, options)
    home = file_of(name)
    if isinstance(made, Constraint):
        check_constraint(home, made)
        if made.about.kind not in IN_FITS:
            raise InputError(f"{name}: it cannot be fitted ({made.about.kind}); see 'anomfit constraints MODEL --with'")
        return made
    check_measurement(home, made)
    probe_leaves(home, made)  # type: ignore[arg-type]
    return made  # type: ignore[return-value]


def resolve_constraints(name: str) -> tuple[Constraint, ...]:
    """The constraint in a user's file, or each of several if the object there is a tuple or list of them.

    Raises InputError as `resolve_model` does, and for a name that is none of a user's file.
    """
    if not is_user_file(name):
        raise reject("constraint", name, f"name one of yours as {FORM}; those of the catalogue are always shown")
    home, made = file_of(name), _made(name, {})
    several: tuple[Any, ...] = tuple(made) if isinstance(made, tuple | list) else (made,)
    for one in several:
        check_constraint(home, one)
    return several


def _split(name: str) -> tuple[str, str]:
    path, found, attribute = name.partition(".py:")
    if found and ":" in attribute:
        raise reject("user file", name, "a file of yours has no eras; hand it what it should know as an option")
    if not found or not attribute.isidentifier() or "\0" in path:
        raise reject("user file", name, f"write it as {FORM}, the name being a model or measurement in the file")
    return f"{path}.py", attribute


def _made(name: str, options: dict[str, str]) -> object:
    path, attribute = _split(name)
    module = _module(Path(path))
    if attribute not in vars(module):
        public = sorted(key for key in vars(module) if not key.startswith("_"))
        raise reject(attribute, name, f"the file does not define it; it defines {', '.join(public)}")
    found = vars(module)[attribute]
    if not (inspect.isclass(found) or inspect.isroutine(found)):
        if options:
            raise reject("options", options, f"{name} takes none, because it is not a class or a function")
        return found
    try:
        inspect.signature(found).bind(**options)
    except (TypeError, ValueError) as error:
        said = f"it cannot be called with the options {quoted(options)} ({shortened(str(error))})"
        raise InputError(f"user file {name}: {said}") from None
    with blamed_on(Path(path)):
        return found(**options)


def _module(path: Path) -> ModuleType:
    if not os.path.isfile(path):  # False, and no error, for a name that no file can have
        raise reject("user file", str(path), f"there is no such file; write it as {FORM}")
    with blamed_on(path):
        return load_user_module(path)

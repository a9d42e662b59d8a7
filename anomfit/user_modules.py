"""A user's Python files as modules, keyed by content: an edited file is read again, the same content is read once.

An import in a user's file looks beside that file first, so that a helper or another user's file is found by its plain
name, and two files of one name in two folders do not meet. Neither sys.path nor the names in sys.modules that other
imports see are touched. A module goes with the files that it imports: when one of them is edited, both are read again.
"""

import builtins
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import numpy as np

from anomfit.errors import reject


@dataclass(eq=False)
class UserModule:
    """A file as it was read: `root` is the folder where its imports look first, `imports` what they found there."""

    path: Path
    root: Path
    digest: str
    module: ModuleType
    imports: dict[str, "UserModule"] = field(default_factory=dict)
    is_whole: bool = False

    @property
    def package(self) -> tuple[str, ...]:
        """The names of the folders between `root` and the file."""
        return self.path.relative_to(self.root).parent.parts

    def reached(self) -> "list[UserModule]":
        """This file and all that it imports, directly or not, each once."""
        found: list[UserModule] = []
        waiting: list[UserModule] = [self]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.append(one)
                waiting += one.imports.values()
        return found


_versions: dict[tuple[Path, Path], list[UserModule]] = {}  # by path and root: every content that was read
_being_read: list[UserModule] = []
_by_name: dict[str, UserModule] = {}


def load_user_module(path: Path) -> ModuleType:
    """The module in a user's file as the file is now; the same object for as long as it and its helpers stay the same.

    Raises InputError for a file that cannot be read, and whatever the file raises while it runs.
    """
    resolved = path.resolve()
    return _load(resolved, resolved.parent).module


def is_users_path(filename: str) -> bool:
    """Whether a file of this name was read as a user's file."""
    return any(str(one.path) == filename for one in (*_by_name.values(), *_being_read))


def sources(*objects: object) -> dict[str, str]:
    """SHA-256 by resolved path of every user's file that `objects` come from, the helpers they import included.

    The digests are those of the contents that were read, which are the ones that run. Empty for what ships.
    """
    if not _by_name:
        return {}
    named = {one for name in _modules_behind(objects) for one in _by_name[name].reached()}
    return {str(one.path): one.digest for one in sorted(named, key=lambda one: str(one.path))}


def home_of(one: object) -> Path | None:
    """The user's file that an object comes from, that of its class first; None for what ships."""
    name = next(_modules_behind((one,)), None) if _by_name else None
    return None if name is None else _by_name[name].path


def _load(path: Path, root: Path) -> UserModule:
    for known in (*_being_read, *_versions.get((path, root), ())):
        if (known.path, known.root) == (path, root) and _is_current(known):
            return known
    try:
        content = path.read_bytes()
    except OSError as error:
        raise reject("user file", str(path), f"it cannot be read ({error.strerror})") from None
    digest = hashlib.sha256(content).hexdigest()
    module = ModuleType(_free_name(path, root, digest))
    module.__file__ = str(path)
    module.__spec__ = ModuleSpec(module.__name__, None, origin=str(path))
    made = UserModule(path, root, digest, module)
    module.__dict__["__builtins__"] = {**vars(builtins), "__import__": partial(_import, made)}
    sys.modules[module.__name__] = module  # where dataclasses and pickles look a class up
    _by_name[module.__name__] = made
    _being_read.append(made)
    try:
        exec(compile(content, str(path), "exec", dont_inherit=True), module.__dict__)
    except BaseException:
        del sys.modules[module.__name__]
        raise
    finally:
        _being_read.remove(made)
    made.is_whole = True
    _versions.setdefault((path, root), []).append(made)
    return made


def _is_current(known: UserModule) -> bool:
    """Whether it and all that it imports were read to the end (or are being read) and stand in the files like that."""
    return all(one in _being_read or (one.is_whole and one.digest == _digest(one.path)) for one in known.reached())


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _free_name(path: Path, root: Path, digest: str) -> str:
    name = f"anomfit_user_{path.stem}_{hashlib.sha256(f'{path}|{root}|{digest}'.encode()).hexdigest()[:12]}"
    taken = sum(other == name or other.startswith(f"{name}_") for other in _by_name)
    return f"{name}_{taken + 1}" if taken else name  # the same content read again, because a helper was edited


# -- imports in user's files ----------------------------------------------------------------------------------------


def _import(
    importer: UserModule,
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    """The built-in __import__, which gives these names, with a look in the importer's root first."""
    parts = _absolute(importer, name, level)
    if level == 0 and not _is_beside(importer, parts[0]):
        return builtins.__import__(name, globals, locals, fromlist or (), level)
    chain = [_step(importer, parts[: i + 1]) for i in range(len(parts))]
    for part, parent, child in zip(parts[1:], chain, chain[1:], strict=False):
        setattr(parent.module, part, child.module)
    if not fromlist:
        return chain[0].module
    found = chain[-1].module if chain else ModuleType(importer.root.name)  # "from . import helper" beside the file
    for wanted in fromlist:
        if not hasattr(found, wanted) and _file_of(importer.root, (*parts, wanted)) is not None:
            setattr(found, wanted, _step(importer, (*parts, wanted)).module)
    return found


def _absolute(importer: UserModule, name: str, level: int) -> tuple[str, ...]:
    parts = tuple(part for part in name.split(".") if part)
    if level == 0:
        return parts
    if level - 1 > len(importer.package):
        raise ImportError(f"{'.' * level}{name} lies above {importer.root}, where the imports of this file begin")
    return (*importer.package[: len(importer.package) - (level - 1)], *parts)


def _is_beside(importer: UserModule, head: str) -> bool:
    """Whether `head` is a file or package of the user; a file that imports its own name means the installed package."""
    path = _file_of(importer.root, (head,))
    return path is not None and path != importer.path


def _file_of(root: Path, parts: tuple[str, ...]) -> Path | None:
    stem = root.joinpath(*parts)
    return next((path for path in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py") if path.is_file()), None)


def _step(importer: UserModule, parts: tuple[str, ...]) -> UserModule:
    dotted = ".".join(parts)
    if dotted not in importer.imports:  # what it imported once stays, also when a method imports it again later
        path = _file_of(importer.root, parts)
        if path is None:
            raise ModuleNotFoundError(f"No module named {dotted!r}", name=dotted)
        importer.imports[dotted] = _load(path, importer.root)
    return importer.imports[dotted]


# -- which files an object comes from -------------------------------------------------------------------------------


def _modules_behind(objects: tuple[object, ...]) -> Iterator[str]:
    """Names of the user's modules that define the objects' classes and the functions and classes they hold."""
    seen: set[int] = set()
    waiting: list[object] = [*objects]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, str | bytes | int | float | complex | jax.Array | np.ndarray | None):
            continue
        seen.add(id(one))
        kinds = one.__mro__ if isinstance(one, type) else type(one).__mro__
        names = [getattr(kind, "__module__", None) for kind in kinds] + [getattr(one, "__module__", None)]
        yield from (name for name in names if isinstance(name, str) and name in _by_name)
        waiting += _held_by(one)


def _held_by(one: object) -> list[object]:
    if isinstance(one, Mapping):
        return [*one.values()]
    if isinstance(one, list | tuple | set | frozenset):
        return [*one]
    if isinstance(one, partial):
        return [one.func, *one.args, *one.keywords.values()]
    if isinstance(one, type | ModuleType):
        return []
    return [*getattr(one, "__dict__", {}).values()]

"""Dataclasses as JSON and back; a value of another kind than the dataclass says is refused, not passed on."""

import dataclasses
import json
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np


def to_json(part: Any) -> str:
    """JSON of dataclasses, arrays and plain values; NaN and infinity stay, as Python's JSON has them."""

    def plain(value: Any):
        if isinstance(value, np.ndarray | np.generic):
            return value.tolist()
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}

    return json.dumps(part, default=plain)


def from_plain(kind: Any, value: Any) -> Any:
    """The `kind` (a dataclass, a named tuple, tuple[X, ...], dict[X, Y], an array, X | None, ...) that JSON stands for.

    Raises ValueError where the value is of another kind, and KeyError for a field that is missing or unknown.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, value)
    if origin in (Union, UnionType):
        return _first(arguments, value)
    if origin is tuple:
        return tuple(from_plain(arguments[0], entry) for entry in _checked(list, value))
    if origin in (dict, Mapping):
        return {key: from_plain(arguments[1], entry) for key, entry in _checked(dict, value).items()}
    if origin is Literal:
        return _first_equal(arguments, value)
    if kind is np.ndarray:
        return np.array(_checked(list, value), dtype=float)
    if hasattr(kind, "_fields"):
        hints = get_type_hints(kind)
        pairs = zip(kind._fields, _checked(list, value), strict=True)
        return kind(*(from_plain(hints[name], entry) for name, entry in pairs))
    return _plain(kind, value)


def _dataclass(kind: Any, value: Any) -> Any:
    given, hints = _checked(dict, value), get_type_hints(kind)
    unknown = set(given) - set(hints)
    if unknown:
        raise KeyError(*unknown)
    needed = [f.name for f in dataclasses.fields(kind) if f.default is f.default_factory is dataclasses.MISSING]
    return kind(**{name: from_plain(hints[name], given[name]) for name in dict.fromkeys([*needed, *given])})


def _first(kinds: tuple[Any, ...], value: Any) -> Any:
    for kind in kinds:
        try:
            return from_plain(kind, value)
        except (KeyError, ValueError):
            continue
    raise ValueError(f"none of {kinds}")


def _first_equal(known: tuple[Any, ...], value: Any) -> Any:
    if value not in known:
        raise ValueError(f"none of {known}")
    return value


def _plain(kind: type, value: Any) -> Any:
    if kind is NoneType:
        return _checked(NoneType, value)
    if kind is float:
        float(_checked((int, float), value) if not isinstance(value, bool) else _checked(NoneType, value))
        return value
    if kind is int and isinstance(value, bool):
        raise ValueError("a truth value")
    return _checked(kind, value)


def _checked(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"not of the kind {kind}")
    return value

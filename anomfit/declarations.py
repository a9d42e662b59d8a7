"""What a user's model or measurement states about itself: every member is there and of the right kind."""

import inspect
import math
import operator
from collections.abc import Iterable, Mapping
from functools import partial
from numbers import Real
from pathlib import Path
from typing import Any

from anomfit.capabilities import Model, together
from anomfit.constraints.base import KINDS, SIGMAS, About, Constraint
from anomfit.errors import InputError, quoted
from anomfit.explaining import blamed_on
from anomfit.measurements.base import Bin, Measurement
from anomfit.parameters import Nuisance, Parameter, Parametrisation
from anomfit.user_modules import is_users_path


def check_model(home: Path, model: Any) -> None:
    """Refuse, with an InputError that names the file, a model that lacks a member or states one of another kind."""
    _check_members(home, model, Model)
    _check_texts(home, model, ("name", "title"))
    _check_lists(home, model, "references", str, "keys of references, each in quotation marks")
    _check_nuisances(home, model)
    chosen = model.parametrisations
    if not (isinstance(chosen, Mapping) and chosen and _is_of(chosen.values(), Iterable, Parametrisation)):
        words = "parametrisations must map names to anomfit.parameters.Parametrisation objects, at least one"
        raise fault(home, model, "parametrisations", f"{words}, not be {quoted(chosen)}")
    for key, parametrisation in chosen.items():
        _check_parametrisation(home, model, key, parametrisation)
    _check_points(home, model)
    try:
        hash(model)
    except TypeError:
        cure = "make its class a plain one, or decorate it with @dataclass(frozen=True, eq=False)"
        raise fault(home, model, "__init__", f"the model cannot be hashed, which compiling needs; {cure}") from None


def check_measurement(home: Path, measurement: Any) -> None:
    """Refuse, with an InputError that names the file, a measurement that lacks a member or states one of another kind,
    and one whose table is no list of bins.
    """
    _check_members(home, measurement, Measurement)
    _check_texts(home, measurement, ("name", "era", "title"))
    _check_lists(home, measurement, "references", str, "keys of references, each in quotation marks")
    _check_nuisances(home, measurement)
    stated = {name: getattr(measurement, name) for name in ("samples", "accepts", "choices", "independent_numbers")}
    if not _is_of(stated["samples"], frozenset | set, str):
        raise _other_kind(home, measurement, "samples", stated, 'a frozenset of names, such as frozenset({"my-data"})')
    accepts, choices = stated["accepts"], stated["choices"]
    if not (
        isinstance(accepts, tuple)
        and accepts
        and all(_is_of(together(needs), tuple, type) for needs in accepts)
        and all(_can_be_asked(kind) for needs in accepts for kind in together(needs))
    ):
        words = "a tuple of capabilities, such as (PredictsLeptonMoment,); a Protocol of yours needs @runtime_checkable"
        raise _other_kind(home, measurement, "accepts", stated, words)
    if not (isinstance(choices, Mapping) and all(_is_of(pair, tuple, str) for pair in choices.items())):
        raise _other_kind(home, measurement, "choices", stated, "a dictionary of words, such as {'error': 'Gaussian'}")
    if not _is_whole(stated["independent_numbers"]):
        words = "a whole number, 0 or above: how many measured numbers chi^2 sums over"
        raise _other_kind(home, measurement, "independent_numbers", stated, words)
    with blamed_on(home, "bins"):
        table = measurement.bins()
    _check_bins(home, measurement, table)


def check_constraint(home: Path, constraint: Any) -> None:
    """Refuse, with an InputError that names the file, what is no constraint or one that lacks a part."""
    if not isinstance(constraint, Constraint):
        words = f"{quoted(constraint)} is no anomfit.constraints.Constraint, and no tuple of them"
        raise InputError(f"user file {home}: {words}")
    about, data = constraint.about, constraint.data
    if not isinstance(about, About) or about.kind not in KINDS:
        words = f"about must be an anomfit.constraints.About whose kind is one of {', '.join(KINDS)}"
        raise fault(home, constraint, "about", f"{words}; not {quoted(about)}")
    _check_texts(home, about, ("name", "title", "quantity", "unit", "era", "source", "assumption"))
    if not callable(constraint.physics):
        words = "physics must be a function of model, point, nuisances and data"
        raise fault(home, constraint, "physics", f"{words}, not {quoted(constraint.physics)}")
    wanted = ("value", *SIGMAS) if about.kind == "measured" else ()
    if not isinstance(data, Mapping) or any(name not in data for name in wanted):
        among = f" with {', '.join(wanted)}" if wanted else ""
        words = f"data must be a dictionary of numbers and arrays by name{among}"
        raise fault(home, constraint, "data", f"{words}, not {quoted(data)}")
    check_measurement(home, constraint)
    for part in (about, constraint.nuisances):
        try:
            hash(part)
        except TypeError:
            words = f"{quoted(part)} cannot be hashed, which compiling needs; write tuples instead of lists in it"
            raise fault(home, constraint, "about", words) from None


def fault(home: Path, owner: Any, member: str, sentence: str) -> InputError:
    """The error for what is wrong with `member` of a user's object: with its line, where the user's file defines it."""
    found = inspect.getattr_static(owner, member, None)
    while not hasattr(found, "__code__") and found is not None:
        found = _inside(found)
    code, sentence = getattr(found, "__code__", None), " ".join(sentence.split())
    if code is not None and is_users_path(code.co_filename):
        return InputError(f"user file {code.co_filename}, line {code.co_firstlineno}: {sentence}")
    return InputError(f"user file {home}: {sentence}")


def _inside(found: object) -> object:
    """The function inside a property, a static method, a partial or what jit made; None where there is none."""
    if isinstance(found, partial):
        return found.func
    return next((x for x in (getattr(found, name, None) for name in ("fget", "__func__", "__wrapped__")) if x), None)


def _check_members(home: Path, made: Any, protocol: type) -> None:
    wanted = {*inspect.get_annotations(protocol)} | {
        key
        for key, value in vars(protocol).items()
        if (inspect.isfunction(value) or isinstance(value, property)) and not key.startswith("_")
    }
    missing = []
    for member in sorted(wanted):
        with blamed_on(home, member):
            try:
                getattr(made, member)
            except AttributeError:
                if inspect.getattr_static(made, member, None) is not None:  # it is there, and fails
                    raise
                missing.append(member)
    kind = protocol.__name__.lower()
    if missing:
        what = getattr(made, "__name__", type(made).__name__)
        raise InputError(f"user file {home}: {what}: it is not a {kind}; it lacks {', '.join(missing)}")
    for member in wanted:
        value = getattr(made, member)
        if inspect.isfunction(vars(protocol).get(member)) and not callable(value):
            raise fault(home, made, member, f"{member} must be a method of a {kind}, not {quoted(value)}")


def _check_texts(home: Path, owner: Any, members: tuple[str, ...]) -> None:
    for member in members:
        value = getattr(owner, member)
        if not (isinstance(value, str) and value and value.isprintable()):
            raise fault(home, owner, member, f"{member} must be one line of text, not {quoted(value)}")


def _check_lists(home: Path, owner: Any, member: str, kind: type, words: str) -> None:
    value = getattr(owner, member)
    if not _is_of(value, tuple | list, kind):
        raise fault(home, owner, member, f"{member} must be a tuple of {words}, not {quoted(value)}")


def _check_nuisances(home: Path, owner: Any) -> None:
    _check_lists(home, owner, "nuisances", Nuisance, "anomfit.parameters.Nuisance objects")
    names = [nuisance.name for nuisance in owner.nuisances]
    if len(set(names)) < len(names):
        raise fault(home, owner, "nuisances", f"nuisances must have different names, not {', '.join(names)}")


def _check_parametrisation(home: Path, model: Any, key: object, chosen: Parametrisation) -> None:
    def wrong(sentence: str) -> InputError:
        return fault(home, model, "parametrisations", f"parametrisation {key!r}: {sentence}")

    if not isinstance(key, str) or not isinstance(chosen.name, str):
        raise wrong(f"its name must be text, not {quoted(chosen.name if isinstance(key, str) else key)}")
    if not _is_of(chosen.parameters, tuple, Parameter) or not chosen.parameters:
        raise wrong(f"its parameters must be a tuple of Parameter objects, not {quoted(chosen.parameters)}")
    for parameter in chosen.parameters:
        for member in ("name", "symbol", "unit", "description"):
            value = getattr(parameter, member)
            if not isinstance(value, str) or not parameter.name:
                raise wrong(f"the {member} of {quoted(parameter.name)} must be text, not {quoted(value)}")
    if len(set(chosen.names)) < len(chosen.names):
        raise wrong(f"its parameters must have different names, not {', '.join(chosen.names)}")
    for member in ("to_physical", "from_physical"):
        if not callable(getattr(chosen, member)):
            raise wrong(f"{member} must be a function of a point, not {quoted(getattr(chosen, member))}")
    if not isinstance(chosen.upper, Mapping) or not all(callable(bound) for bound in chosen.upper.values()):
        raise wrong(f"upper must map names of parameters to functions of a point, not be {quoted(chosen.upper)}")
    if not _is_of(chosen.absorbs, tuple, str):
        raise wrong(f"absorbs must be a tuple of names, not {quoted(chosen.absorbs)}")
    unknown = [name for name in chosen.upper if name not in chosen.names]
    if unknown:
        known = ", ".join(chosen.names)
        raise wrong(f"upper names {quoted(unknown[0])}, which is none of its parameters ({known})")


def _check_points(home: Path, model: Any) -> None:
    points = model.points
    is_table = isinstance(points, Mapping) and all(isinstance(point, Mapping) for point in points.values())
    if not is_table or not all(isinstance(name, str) for name in points):
        raise fault(home, model, "points", f"points must map names to dictionaries of values, not be {quoted(points)}")
    for name, point in points.items():
        for parameter, value in point.items():
            if not (isinstance(value, Real) or getattr(value, "shape", None) == ()) or not math.isfinite(value):
                words = f"point {name!r}: {parameter} must be a finite number, not {quoted(value)}"
                raise fault(home, model, "points", words)


def _check_bins(home: Path, measurement: Any, table: Any) -> None:
    if not _is_of(table, list | tuple, Bin) or not table:
        words = f"bins must return a list of anomfit.measurements.base.Bin, at least one, not {quoted(table)}"
        raise fault(home, measurement, "bins", words)
    for i, entry in enumerate(table):
        if not (isinstance(entry.label, str) and isinstance(entry.unit, str)):
            raise fault(home, measurement, "bins", f"bins: label and unit of bin {i} must be text, not {quoted(entry)}")
        numbers = {name: getattr(entry, name) for name in ("low", "high", "data", "background", "error")}
        for name, value in numbers.items():
            if not isinstance(value, Real):
                words = f"bins: {name} of bin {i} must be a number, not {quoted(value)}; write float(...)"
                raise fault(home, measurement, "bins", words)
            if name in ("data", "background", "error") and not math.isfinite(value):
                raise fault(home, measurement, "bins", f"bins: {name} of bin {i} is {value}; give a finite number")
        if numbers["error"] < 0.0:
            raise fault(home, measurement, "bins", f"bins: error of bin {i} is {numbers['error']}; give 0 or more")


def _other_kind(home: Path, owner: Any, member: str, stated: Mapping[str, object], words: str) -> InputError:
    return fault(home, owner, member, f"{member} must be {words}; not {quoted(stated[member])}")


def _is_of(value: Any, container, kind: type) -> bool:
    return isinstance(value, container) and all(isinstance(entry, kind) for entry in value)


def _is_whole(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and operator.index(value) >= 0
    except TypeError:
        return False


def _can_be_asked(capability: type) -> bool:
    try:
        isinstance(None, capability)
    except TypeError:
        return False
    return True

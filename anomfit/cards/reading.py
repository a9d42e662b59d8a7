"""From a TOML text or file to a card; what is not understood is refused by name."""

import dataclasses
import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from anomfit.cards.card import Card, CardFit, CardSampling, FreeParameter, MeasurementChoice, Quantity
from anomfit.cards.limits import LARGEST, check_limits, too_large
from anomfit.errors import LONGEST, InputError, quoted, reject, shortened
from anomfit.userfiles import anchored, is_own_table

SECTIONS = (
    "model",
    "parametrisation",
    "point",
    "free",
    "fixed",
    "measurements",
    "targets",
    "fit",
    "sampling",
    "bibtex",
)
GAUSSIAN = "{mean = ..., sigma = ...}"
FREE_FORMS = (
    'write "default", [low, high] or {range = [low, high], prior = "log-uniform"}, or {mean = ..., sigma = ...}'
)


def read_card(path: Path) -> Card:
    """The card in a file; a user's files named in it are found relative to the card's folder."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        text = content.decode("utf-8-sig")
        folder = path.resolve().parent
    except FileNotFoundError:
        raise reject(
            "card", str(path), "there is no such file; 'anomfit card MODEL' prints one to start from"
        ) from None
    except OSError as error:
        raise InputError(f"card: {quoted(str(path))} cannot be read ({error.strerror}); name a TOML file") from error
    except ValueError as error:  # no UTF-8, or a null character in the name
        raise InputError(f"card: {quoted(str(path))} cannot be read as text ({shortened(str(error))})") from error
    if len(content) > LARGEST:
        raise too_large(str(path))
    return card_from_text(text, source=str(path), folder=folder)


def card_from_text(text: str, source: str = "card", folder: Path | None = None) -> Card:
    """The card in a TOML text; `source` names it in errors, `folder` anchors a user's files (None: as they stand)."""
    check_limits(text, source)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise reject("card", source, f"it is not valid TOML ({shortened(str(error))})") from error
    except ValueError as error:  # Python's own limit
        raise reject("card", source, "a whole number in it has thousands of digits; give a number") from error
    own_tables = {name: entry for name, entry in content.items() if is_own_table(name)}
    _refuse_unknown("card", content, (*SECTIONS, *own_tables))
    if "model" not in content:
        raise reject("card", source, "it names no model; add the line: model = \"...\", see 'anomfit models'")
    anchor = (lambda name: anchored(name, folder)) if folder is not None else (lambda name: name)
    return Card(
        model=anchor(_text("model", content["model"])),
        parametrisation=_optional_text("parametrisation", content),
        point=_optional_text("point", content),
        free=tuple(_free(name, entry) for name, entry in _table("free", content).items()),
        fixed=tuple((name, _quantity(f"fixed.{name}", value)) for name, value in _table("fixed", content).items()),
        measurements=tuple(
            _measurement(anchor(name), entry)
            for name, entry in (*_table("measurements", content).items(), *own_tables.items())
        ),
        fit=_settings(CardFit, "fit", content),
        sampling=_sampling(content),
        bibtex=_optional_text("bibtex", content) or "",
        targets=tuple((name, _text(f"targets.{name}", word)) for name, word in _table("targets", content).items()),
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for a misspelt name: the nearest known one and, when they are few, all."""
    options = list(known)
    close = difflib.get_close_matches(name[:LONGEST], options, n=1, cutoff=0.0)  # quadratic in the length
    if not close:
        return "none is known here"
    listing = f" (known: {', '.join(options)})" if 1 < len(options) <= 12 else ""
    return f"the nearest known one is {close[0]!r}{listing}"


def _refuse_unknown(section: str, given: Iterable[str], known: Iterable[str]) -> None:
    known = tuple(known)
    for key in given:
        if key not in known:
            raise InputError(f"{shortened(section)}: the key {quoted(key)} is not known; {nearest(key, known)}")


def _table(name: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    value = content.get(name, {})
    if not isinstance(value, dict):
        raise reject(name, value, f"make it a table, [{name}] with one line an entry")
    return value


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise reject(name, value, "give a name in quotation marks")
    return value


def _text_or_number(name: str, value: object) -> str:
    return _text(name, value) if isinstance(value, str) else repr(_quantity(name, value))


def _optional_text(name: str, content: Mapping[str, Any]) -> str | None:
    return _text(name, content[name]) if name in content else None


def _quantity(name: str, value: object) -> Quantity:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise reject(name, value, 'give a number, or text with a unit such as "130MeV"')
    return value


def _free(name: str, entry: object) -> FreeParameter:
    if not isinstance(entry, dict):
        return FreeParameter(name, *_range(name, entry))
    _refuse_unknown(f"free.{name}", entry, ("range", "prior", "mean", "sigma"))
    low, high = _range(name, entry.get("range", "default"))
    if "mean" in entry or "sigma" in entry:
        for key, other in (("mean", "sigma"), ("sigma", "mean")):
            if key not in entry:
                raise reject(
                    f"free.{name}.{other}", entry[other], f"a Gaussian prior has a {key} too; write {GAUSSIAN}"
                )
        if "prior" in entry:
            raise reject(f"free.{name}.prior", entry["prior"], "mean and sigma make the prior Gaussian; leave it out")
        mean, sigma = (_quantity(f"free.{name}.{key}", entry[key]) for key in ("mean", "sigma"))
        return FreeParameter(name, low, high, mean=mean, sigma=sigma)
    prior = _optional_text("prior", entry)
    if prior not in (None, "log-uniform", "uniform"):
        raise reject(f"free.{name}.prior", prior, f"use 'log-uniform' or 'uniform', or write {GAUSSIAN}")
    return FreeParameter(name, low, high, prior)


def _range(name: str, entry: object) -> tuple[Quantity, Quantity] | tuple[None, None]:
    if entry == "default":
        return None, None
    if not isinstance(entry, list) or len(entry) != 2:
        raise reject(f"free.{name}", entry, FREE_FORMS)
    low, high = (_quantity(f"free.{name}", value) for value in entry)
    return low, high


def _measurement(name: str, entry: object) -> MeasurementChoice:
    if isinstance(entry, str):
        return MeasurementChoice(name, None if entry == "default" else _text(f"measurements.{name}", entry))
    if not isinstance(entry, dict):
        raise reject(f"measurements.{name}", entry, 'write "default", an era in quotation marks, or {era = "..."}')
    of_one = _text_or_number if is_own_table(name) else _text
    options = {key: of_one(f"measurements.{name}.{key}", value) for key, value in entry.items()}
    era = None if is_own_table(name) else options.pop("era", None)
    return MeasurementChoice(name, era, tuple(sorted(options.items())))


def _settings(kind: type, section: str, content: Mapping[str, Any]):
    given = _table(section, content)
    _refuse_unknown(section, given, (entry.name for entry in dataclasses.fields(kind)))
    return kind(**given)


def _sampling(content: Mapping[str, Any]) -> CardSampling:
    sampling = _settings(CardSampling, "sampling", content)
    for name in sampling.foreign:
        if name in content.get("sampling", {}):
            value = content["sampling"][name]
            raise reject(f"sampling.{name}", value, f'method = "{sampling.method}" has no such setting; leave it out')
    return sampling

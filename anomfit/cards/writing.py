"""From a card to TOML text that reads back as the same card: what a result file keeps."""

import dataclasses
import json
import re

from anomfit.cards.card import Card, FreeParameter, MeasurementChoice

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def card_text(card: Card) -> str:
    """The card as TOML, every setting that its method has written out, in a fixed order."""
    head = [("model", card.model), ("parametrisation", card.parametrisation), ("point", card.point)]
    head += [("bibtex", card.bibtex or None)]
    lines = [f"{key} = {_value(value)}" for key, value in head if value is not None]
    lines += ["", "[free]", *(f"{_key(entry.name)} = {_free(entry)}" for entry in card.free)]
    lines += ["", "[fixed]", *(f"{_key(name)} = {_value(value)}" for name, value in card.fixed)]
    lines += ["", "[measurements]", *(f"{_key(entry.name)} = {_measurement(entry)}" for entry in card.measurements)]
    if card.targets:
        lines += ["", "[targets]", *(f"{_key(name)} = {_value(word)}" for name, word in card.targets)]
    foreign = card.sampling.foreign
    for section in ("fit", "sampling"):
        settings = dataclasses.asdict(getattr(card, section)).items()
        lines += ["", f"[{section}]", *(f"{key} = {_value(value)}" for key, value in settings if key not in foreign)]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _value(name)


def _value(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML wants it escaped, JSON does not


def _free(entry: FreeParameter) -> str:
    parts = []
    if entry.low is not None and entry.high is not None:
        parts.append(f"range = [{_value(entry.low)}, {_value(entry.high)}]")
    if entry.prior is not None:
        parts.append(f"prior = {_value(entry.prior)}")
    if entry.mean is not None and entry.sigma is not None:
        parts.append(f"mean = {_value(entry.mean)}, sigma = {_value(entry.sigma)}")
    return f"{{{', '.join(parts)}}}" if parts else '"default"'


def _measurement(entry: MeasurementChoice) -> str:
    era = () if entry.era is None else (("era", entry.era),)
    return f"{{{', '.join(f'{_key(key)} = {_value(value)}' for key, value in (*era, *entry.options))}}}"

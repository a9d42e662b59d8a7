"""TOML text from nested dictionaries, odd values included: the standard library reads TOML and does not write it."""

import json
import math
import re
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Raw(str):
    """A value that is written as it stands: a date, a hexadecimal number, a multi-line text, nonsense."""


def toml_text(content: dict[str, Any]) -> str:
    """The content as TOML: plain entries first, then a section a table."""
    plain = [f"{_key(key)} = {_value(value)}" for key, value in content.items() if not isinstance(value, dict)]
    tables = [(key, value) for key, value in content.items() if isinstance(value, dict)]
    sections = [
        "\n".join([f"[{_key(key)}]", *(f"{_key(k)} = {_value(v)}" for k, v in table.items())]) for key, table in tables
    ]
    return "\n\n".join(["\n".join(plain), *sections]) + "\n"


def _key(name: object) -> str:
    return str(name) if _BARE.fullmatch(str(name)) else json.dumps(str(name)).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, list):
        return f"[{', '.join(_value(entry) for entry in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_key(key)} = {_value(entry)}' for key, entry in value.items())}}}"
    return repr(value)

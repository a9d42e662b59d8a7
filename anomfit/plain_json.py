"""JSON as the standard has it: it knows no NaN and no infinity."""

import math
from collections.abc import Mapping
from typing import Any


def finite_or_none(value: Any) -> Any:
    """`value`, numbers and texts in mappings and lists, with None for every number that is NaN or infinite."""
    if isinstance(value, Mapping):
        return {key: finite_or_none(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_none(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

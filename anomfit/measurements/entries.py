"""How a measurement with several eras stands in the catalogue."""

from collections.abc import Callable
from typing import NamedTuple

from anomfit.measurements.base import Measurement


class Entry(NamedTuple):
    """An era: its loader, where its numbers come from (a status of the data room, or none), its references, and other
    names of it.
    """

    load: Callable[..., Measurement]
    title: str
    status: str
    references: tuple[str, ...]
    aliases: tuple[str, ...] = ()

"""What a measurement says of itself: era, title, choices, bins in words, and, if it likes, data and references."""

from collections.abc import Mapping
from typing import NamedTuple


class Described(NamedTuple):
    """What a reader wants to know of a measurement, static: era, title, choices, bins (label, low, high, unit).

    references: keys of references.toml, sample: the data; empty where the measurement's class states them.
    """

    era: str
    title: str
    stated: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, float, float, str], ...]
    references: tuple[str, ...] = ()
    sample: str = ""


class HasDescription:
    """What a measurement says of itself, from its field `described`."""

    described: Described

    @property
    def era(self) -> str:
        """The data's era, or the projection's name."""
        return self.described.era

    @property
    def title(self) -> str:
        """One line for listings."""
        return self.described.title

    @property
    def choices(self) -> Mapping[str, str]:
        """Options in force, in words."""
        return dict(self.described.stated)


class HasSources(HasDescription):
    """The same for eras that differ in data and publication."""

    @property
    def references(self) -> tuple[str, ...]:
        """Keys of references.toml."""
        return self.described.references

    @property
    def samples(self) -> frozenset[str]:
        """The data; eras that look at the same have the same."""
        return frozenset({self.described.sample})

"""Which rows a scan has, in which chunks, and which of the chunks are whose."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from anomfit.errors import reject

MOST_PARTS = 1_000_000


class Task(NamedTuple):
    """One chunk: its number, and its rows first, ..., last - 1."""

    chunk: int
    first: int
    last: int


@dataclass(frozen=True)
class Plan:
    """`number` rows in chunks of `size`; the last one may be shorter."""

    number: int
    size: int

    def __post_init__(self):
        for name, value in (("--number", self.number), ("--chunk", self.size)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise reject(name, value, "give a whole number above 0")

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return -(-self.number // self.size)

    def task(self, chunk: int) -> Task:
        """The rows of a chunk."""
        return Task(chunk, chunk * self.size, min((chunk + 1) * self.size, self.number))


@dataclass(frozen=True)
class Part:
    """Part `i` of `n`, counted from 1: every n-th chunk. Parts need not know of each other."""

    i: int = 1
    n: int = 1

    def chunks(self, plan: Plan) -> range:
        """The chunks of this part, in ascending order."""
        return range(self.i - 1, plan.chunks, self.n)

    @property
    def is_all(self) -> bool:
        """Whether there is no other part."""
        return self.n == 1


def part_from(text: str) -> Part:
    """ "2/8" as part 2 of 8; InputError for anything else."""
    found = re.fullmatch(r"([0-9]{1,7})/([0-9]{1,7})", text)
    if found is not None:
        i, n = int(found[1]), int(found[2])
        if 1 <= i <= n <= MOST_PARTS:
            return Part(i, n)
    raise reject("--part", text, "write i/n, such as 2/8, with i from 1 to n")

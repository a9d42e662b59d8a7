"""What papers state, as data, beside what this library computes for it."""

from anomfit.reproduce.counts import count_lines, counts
from anomfit.reproduce.papers import not_computed, paper_names, reproduce
from anomfit.reproduce.statements import Computed, NotComputed, Row, Statement

__all__ = [
    "Computed",
    "NotComputed",
    "Row",
    "Statement",
    "count_lines",
    "counts",
    "not_computed",
    "paper_names",
    "reproduce",
]

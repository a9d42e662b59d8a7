"""What papers state, as data, beside what this library computes for it."""

from anomfit.reproduce.papers import paper_names, reproduce
from anomfit.reproduce.statements import Computed, Row, Statement

__all__ = ["Computed", "Row", "Statement", "paper_names", "reproduce"]

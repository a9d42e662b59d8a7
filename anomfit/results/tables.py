"""Plain tables of text, for the terminal and for reports."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table


@dataclass(frozen=True)
class TextTable:
    """A titled table of text, with sentences below it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """The table in Markdown, under a heading."""
        lines = [f"## {self.title}", ""]
        if self.rows:
            lines += [_row(self.columns), _row(["---"] * len(self.columns)), *map(_row, self.rows), ""]
        return "\n".join([*lines, *(f"{note}\n" for note in self.notes)])

    def rich(self) -> Table:
        """The table for a terminal."""
        table = Table(title=self.title, box=box.SIMPLE_HEAD, title_justify="left", caption_justify="left")
        for i, column in enumerate(self.columns):
            table.add_column(column, justify="left" if i == 0 else "right", overflow="fold")
        for row in self.rows:
            table.add_row(*row)
        table.caption = "\n".join(self.notes) or None
        return table


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

"""A statement of a paper with its tolerance, and the row that compares it with a computed number."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from anomfit.data import data_folder, read_toml
from anomfit.plain_json import finite_or_none

Verdict = Literal["agrees", "differs", "paper inconsistent"]


class Computed(NamedTuple):
    """A number in its statement's unit, and what else the calculation has to say, with the numbers it found."""

    value: float
    detail: str = ""


@dataclass(frozen=True)
class Statement:
    """A number that a paper states; `quoted` and the absolute `tolerance` in `unit`.

    basis: what the tolerance rests on. comparison: "equal", or "at most" or "at least" for a limit. reading: "literal"
    for a formula or sentence taken as it stands although other numbers of the paper contradict it, otherwise "meant".
    """

    id: str
    quantity: str
    reference: str
    quoted: float
    unit: str
    tolerance: float
    basis: str
    comparison: str
    reading: str
    note: str


@dataclass(frozen=True)
class Row:
    """One line of `anomfit reproduce`."""

    paper: str
    statement: Statement
    computed: float
    detail: str

    @property
    def relative_difference(self) -> float:
        """(computed - quoted) / |quoted|; for a limit this says how far from it the number is."""
        return (self.computed - self.statement.quoted) / abs(self.statement.quoted)

    @property
    def verdict(self) -> Verdict:
        """Within the tolerance: "agrees". Outside: "paper inconsistent" for a literal reading, otherwise "differs"."""
        excess = self.computed - self.statement.quoted
        distance = {"equal": abs(excess), "at most": excess, "at least": -excess}[self.statement.comparison]
        if distance <= self.statement.tolerance:
            return "agrees"
        return "paper inconsistent" if self.statement.reading == "literal" else "differs"

    @property
    def note(self) -> str:
        """What the record says, then what the calculation found."""
        return " ".join(part for part in (self.statement.note, self.detail) if part)

    @property
    def line(self) -> str:
        """The row for a terminal; the note follows where the verdict is not "agrees"."""
        statement = self.statement
        bound = "" if statement.comparison == "equal" else f"{statement.comparison} "
        unit = "" if statement.unit == "1" else f" {statement.unit}"
        text = (
            f"{self.verdict:18}  {statement.quantity}: quoted {bound}{statement.quoted:.6g}{unit}, computed "
            f"{self.computed:.4g}{unit} ({100.0 * self.relative_difference:+.3g} %)  [{statement.reference}]"
        )
        return text if self.verdict == "agrees" or not self.note else f"{text}\n{'':20}{self.note}"

    def as_json(self) -> dict[str, object]:
        """The object that `anomfit reproduce --json` prints."""
        found = {
            "paper": self.paper,
            "quantity": self.statement.quantity,
            "reference": self.statement.reference,
            "quoted": self.statement.quoted,
            "computed": self.computed,
            "unit": self.statement.unit,
            "relative_difference": self.relative_difference,
            "verdict": self.verdict,
            "note": self.note,
        }
        return finite_or_none(found)


def load_statements(paper: str) -> dict[str, Statement]:
    """The statements of a paper by id, in the order of data/reproduce/PAPER.toml.

    Raises InputError when the file is missing or damaged.
    """
    content = read_toml(data_folder(), f"reproduce/{paper}.toml")
    return {
        name: Statement(
            id=name,
            quantity=item["quantity"],
            reference=item["source"],
            quoted=float(item["value"]),
            unit=item["unit"],
            tolerance=float(item["tolerance"]),
            basis=item["basis"],
            comparison=item.get("comparison", "equal"),
            reading=item.get("reading", "meant"),
            note=item.get("note", ""),
        )
        for name, item in content["values"].items()
    }

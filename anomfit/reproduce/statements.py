"""A statement of a paper with its tolerance, and the row that compares it with a computed number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from anomfit.data import data_folder, read_toml
from anomfit.plain_json import finite_or_none

Verdict = Literal["agrees", "within the inputs' digits", "differs", "paper inconsistent"]
Kind = Literal["input read back", "datum", "prediction"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
KINDS: tuple[Kind, ...] = get_args(Kind)
NOT_COMPUTED = "not computed"  # in place of a verdict


class Computed(NamedTuple):
    """A number in its statement's unit, what else the calculation has to say, and its slopes.

    slopes: by the name of an input (`inputs.Input`), the derivative of the number in it.
    """

    value: float
    detail: str = ""
    slopes: Mapping[str, float] = {}


ROUNDING = 1e-9  # relative: a number exactly on the edge of what the inputs leave is within it


@dataclass(frozen=True)
class Statement:
    """A number that a paper states; `quoted` and the absolute `tolerance` in `unit`.

    kind: "input read back" (what the paper puts in, through our formulas), "datum" (published by others, from our data)
    or "prediction". basis: what the tolerance rests on. comparison: "equal"; "at most" or "at least" for a limit;
    "order of magnitude" (or that "at most") for a bare power of ten, whose tolerance is in decades. reading: "literal"
    for a formula or sentence taken as it stands although other numbers of the paper contradict it, otherwise "meant".
    """

    id: str
    quantity: str
    reference: str
    quoted: float
    unit: str
    tolerance: float
    basis: str
    kind: Kind
    comparison: str
    reading: str
    note: str

    def excess(self, computed: float) -> float:
        """How far a number lies outside of the tolerance, in `unit`; 0 or less inside."""
        if self.comparison.startswith("order of magnitude"):
            factor = 10.0**self.tolerance
            above = computed - self.quoted * factor
            return above if self.comparison.endswith("at most") else max(above, self.quoted / factor - computed)
        above = computed - self.quoted
        return {"equal": abs(above), "at most": above, "at least": -above}[self.comparison] - self.tolerance


@dataclass(frozen=True)
class NotComputed:
    """A number or claim of a paper that has no row, and why."""

    paper: str
    quantity: str
    reference: str
    reason: str

    @property
    def line(self) -> str:
        """The entry for a terminal."""
        return f"{NOT_COMPUTED:27}{self.quantity}  [{self.reference}]\n{'':29}{self.reason}"

    def as_json(self) -> dict[str, object]:
        """The object that `anomfit reproduce --json` prints: the fields of a row, None where there is no number."""
        known = {"paper": self.paper, "quantity": self.quantity, "reference": self.reference}
        return {**dict.fromkeys(_FIELDS), **known, "verdict": NOT_COMPUTED, "note": self.reason}


@dataclass(frozen=True)
class Row:
    """One line of `anomfit reproduce`; `allowance` is how far the inputs may move `computed`, in the unit.

    shift: what the pull of its beam's flux, which all rows of that beam share, adds to `computed`; flux: that in words.
    """

    paper: str
    statement: Statement
    computed: float
    detail: str
    allowance: float = 0.0
    shift: float = 0.0
    flux: str = ""

    @property
    def relative_difference(self) -> float:
        """(computed - quoted) / |quoted|; for a limit this says how far from it the number is."""
        return (self.computed - self.statement.quoted) / abs(self.statement.quoted)

    @property
    def verdict(self) -> Verdict:
        """Within the tolerance: "agrees"; with the flux's pull within what the inputs leave open besides: "within the
        inputs' digits". Otherwise "paper inconsistent" for a literal reading, "differs" for the rest.
        """
        if self.statement.excess(self.computed) <= 0.0:
            return "agrees"
        if self.statement.excess(self.computed + self.shift) <= self.allowance * (1.0 + ROUNDING):
            return "within the inputs' digits"
        return "paper inconsistent" if self.statement.reading == "literal" else "differs"

    @property
    def note(self) -> str:
        """What the record says, what the calculation found, what the inputs leave open."""
        statement = self.statement
        moved = ""
        if self.allowance > 0.0:
            share = f" ({100.0 * self.allowance / abs(self.computed):.2g} %)" if self.computed else ""
            unit = "" if statement.unit == "1" else f" {statement.unit}"
            moved = f"The inputs leave +- {self.allowance:.2g}{unit}{share}."
        return " ".join(part for part in (statement.note, self.detail, moved, self.flux) if part)

    @property
    def line(self) -> str:
        """The row for a terminal; the note follows where the verdict is not "agrees"."""
        statement = self.statement
        bound = "" if statement.comparison == "equal" else f"{statement.comparison} "
        unit = "" if statement.unit == "1" else f" {statement.unit}"
        text = (
            f"{self.verdict:25}  {statement.kind:15}  {statement.quantity}: quoted {bound}{statement.quoted:.6g}"
            f"{unit}, computed {self.computed:.4g}{unit} ({100.0 * self.relative_difference:+.3g} %)  "
            f"[{statement.reference}]"
        )
        return text if self.verdict == "agrees" or not self.note else f"{text}\n{'':29}{self.note}"

    def as_json(self) -> dict[str, object]:
        """The object that `anomfit reproduce --json` prints."""
        statement = self.statement
        numbers = (statement.quoted, self.computed, statement.unit, self.relative_difference)
        room = (statement.tolerance, statement.basis, self.allowance)
        values = (self.paper, statement.quantity, statement.reference, statement.kind, *numbers, *room)
        return finite_or_none(dict(zip(_FIELDS, (*values, self.verdict, self.note), strict=True)))


_FIELDS = (
    "paper",
    "quantity",
    "reference",
    "kind",
    "quoted",
    "computed",
    "unit",
    "relative_difference",
    "tolerance",
    "basis",
    "inputs_leave",
    "verdict",
    "note",
)


def load_statements(paper: str) -> dict[str, Statement]:
    """The statements of a paper by id, in the order of data/reproduce/PAPER.toml.

    Raises InputError when the file is missing or damaged.
    """
    return {
        name: Statement(
            id=name,
            quantity=item["quantity"],
            reference=item["source"],
            quoted=float(item["value"]),
            unit=item["unit"],
            tolerance=float(item["tolerance"]),
            basis=item["basis"],
            kind=item["kind"],
            comparison=item.get("comparison", "equal"),
            reading=item.get("reading", "meant"),
            note=item.get("note", ""),
        )
        for name, item in paper_file(paper)["values"].items()
    }


def load_not_computed(paper: str) -> list[NotComputed]:
    """What of a paper has no row; errors as `load_statements`."""
    entries = paper_file(paper)["not_computed"].values()
    return [NotComputed(paper, item["quantity"], item["source"], item["reason"]) for item in entries]


def paper_file(paper: str) -> Mapping[str, Mapping]:
    """The content of data/reproduce/PAPER.toml; errors as `load_statements`."""
    return read_toml(data_folder(), f"reproduce/{paper}.toml")

"""What a result, a card or a model rests on, ready to cite: the bibliography that ships and a user's own BibTeX."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from anomfit.cards import Card, card_from_text, load_card, problem_from_card
from anomfit.results.bibtex import read_bibtex
from anomfit.results.citations import Citation, find_citation
from anomfit.userfiles import file_of, is_user_file

SOFTWARE_KEYS = ("jax", "numpy", "scipy", "iminuit", "minuit")  # of data/references.toml
SAMPLING_KEYS = {
    "nuts": ("numpyro", "nuts", "arviz", "r-hat"),
    "nested": ("nautilus", "arviz"),
    "tempered": (
        "smc",
        "differential-evolution",
        "expectation-maximisation",
        "delayed-acceptance",
        "pcn",
        "arviz",
        "r-hat",
    ),
}
WHERE = "put its BibTeX entry into a .bib file beside your Python file, or into the card as bibtex = '''...'''"


class Cited(NamedTuple):
    """The entries found, in order, and the keys that no bibliography has."""

    entries: tuple[Citation, ...]
    missing: tuple[str, ...]

    @property
    def complaint(self) -> str:
        """One sentence about the keys that are missing; empty if there are none."""
        several = "are" if len(self.missing) > 1 else "is"
        return f"{', '.join(self.missing)} {several} in no bibliography; {WHERE}" if self.missing else ""


def cited(subject: str) -> Cited:
    """What a result, a card or a model with its default card rests on: model, measurements, methods, software.

    `subject` is the folder of a fit, its result.nc, a card, or a model's name. A key that data/references.toml does not
    know is looked for in the card's `bibtex` and in the .bib files beside the user's files. InputError when `subject`
    is none of these.
    """
    keys, card = _keys_and_card(subject)
    own = _own_entries(card)
    found = {key: find_citation(key) or own.get(key) for key in dict.fromkeys(keys)}
    entries = dict.fromkeys(entry.key for entry in found.values() if entry is not None)
    by_key = {entry.key: entry for entry in found.values() if entry is not None}
    return Cited(tuple(by_key[key] for key in entries), tuple(key for key, entry in found.items() if entry is None))


def _keys_and_card(subject: str) -> tuple[Sequence[str], Card]:
    from anomfit.results.opened import named_result

    path = named_result(subject)
    if path is not None:
        from anomfit.results.files import load_result

        result = load_result(path)
        card = card_from_text(result.provenance.card)
        used, method = result.provenance.references, result.samples.method if result.samples is not None else None
        weighted = ("psis",) if result.table is not None and result.table.correction is not None else ()
    else:
        weighted = ()
        card = load_card(subject)
        problem, method = problem_from_card(card), card.sampling.method
        used = (*problem.model.references, *(key for m in problem.measurements for key in m.references))
    sampling = SAMPLING_KEYS[method] if method is not None else ()
    return (*used, *sampling, *weighted, *SOFTWARE_KEYS), card


def _own_entries(card: Card) -> Mapping[str, Citation]:
    names = (card.model, *(entry.name for entry in card.measurements))
    folders = dict.fromkeys(file_of(name).parent for name in names if is_user_file(name))
    found = read_bibtex(card.bibtex)
    for folder in folders:
        for path in sorted(folder.glob("*.bib")):
            found = {**read_bibtex(path.read_text(encoding="utf-8", errors="replace")), **found}
    return found

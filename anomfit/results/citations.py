"""What a result rests on, ready to cite: BibTeX entries and INSPIRE keys from data/references.toml."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from anomfit.data import data_folder, read_toml
from anomfit.errors import reject

KINDS = ("model", "measurement", "theory", "method", "software")
INSPIRE_UNKNOWN = "inspire unknown"


@dataclass(frozen=True)
class Citation:
    """One entry of the bibliography: `fields` are its BibTeX fields, `inspire` its INSPIRE key or None if not known."""

    key: str
    kind: str
    entry_type: str
    fields: Mapping[str, str]
    inspire: str | None
    verbatim: str = ""  # the BibTeX entry as a user wrote it

    @property
    def text(self) -> str:
        """One line: authors, title, where, and the INSPIRE key."""
        people = self.fields.get("author", self.fields.get("collaboration", "")).split(" and ")
        names = "; ".join(people[:3]) if len(people) <= 3 and people[-1] != "others" else f"{people[0]} et al."
        journal = " ".join(self.fields[name] for name in ("journal", "volume", "pages") if name in self.fields)
        names_of_links = {"eprint": "arXiv", "doi": "doi", "url": "url"}
        links = [f"{name} {self.fields[field]}" for field, name in names_of_links.items() if field in self.fields]
        year = f"({self.fields['year']})" if "year" in self.fields else ""
        parts = [names, self.fields.get("title", self.key), f"{journal} {year}".strip(), *links]
        return ", ".join([*filter(None, parts), self.inspire or INSPIRE_UNKNOWN])

    @property
    def bibtex(self) -> str:
        """The BibTeX entry; its key is the INSPIRE key where there is one. A user's own stays as it is."""
        if self.verbatim:
            return self.verbatim
        label = self.inspire or re.sub(r"[^A-Za-z0-9:.-]+", "-", self.key)
        fields = dict(self.fields)
        if "eprint" in fields:
            fields["archivePrefix"] = "arXiv"
        lines = [f"    {name} = {{{_braced(name, value)}}}," for name, value in fields.items()]
        return "\n".join([f"@{self.entry_type}{{{label},", *lines, "}"])


def bibliography(keys: Iterable[str]) -> list[Citation]:
    """The entries for these keys of data/references.toml, in order, each once; an unknown key raises InputError."""
    chosen = []
    for key in dict.fromkeys(keys):
        found = find_citation(key)
        if found is None:
            near = difflib.get_close_matches(key, _references(data_folder()), n=1, cutoff=0.0)[0]
            raise reject("reference", key, f"it is not in the bibliography, the nearest key is {near!r}")
        chosen.append(found)
    return chosen


def find_citation(key: str) -> Citation | None:
    """The entry of data/references.toml with this key or INSPIRE key; None: there is none."""
    known = _references(data_folder())
    return known.get(key) or next((entry for entry in known.values() if entry.inspire == key), None)


def as_bibtex(entries: Iterable[Citation]) -> str:
    """A BibTeX file with these entries."""
    return "\n\n".join(entry.bibtex for entry in entries) + "\n"


@lru_cache(maxsize=8)
def _references(folder: Path) -> Mapping[str, Citation]:
    entries = read_toml(folder, "references.toml")
    return MappingProxyType({key: _citation(key, entry) for key, entry in entries.items()})


def _citation(key: str, entry: Mapping[str, object]) -> Citation:
    missing = {"kind", "type", "author", "title", "year"} - set(entry)
    if missing or entry["kind"] not in KINDS:
        raise reject("reference", key, f"its entry lacks {sorted(missing) or 'a known kind'}; install anomfit again")
    inspire = entry.get("inspire")
    fields = {name: str(value) for name, value in entry.items() if name not in ("kind", "type", "inspire")}
    return Citation(
        key=key,
        kind=str(entry["kind"]),
        entry_type=str(entry["type"]),
        fields=MappingProxyType(fields),
        inspire=None if inspire is None else str(inspire),
    )


def _braced(name: str, value: str) -> str:
    """A title keeps its capitals."""
    return f"{{{value}}}" if name == "title" else value

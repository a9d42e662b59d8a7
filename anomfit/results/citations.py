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

    @property
    def text(self) -> str:
        """One line: authors, title, where, and the INSPIRE key."""
        people = self.fields["author"].split(" and ")
        names = "; ".join(people[:3]) if len(people) <= 3 and people[-1] != "others" else f"{people[0]} et al."
        journal = " ".join(self.fields[name] for name in ("journal", "volume", "pages") if name in self.fields)
        names_of_links = {"eprint": "arXiv", "doi": "doi", "url": "url"}
        links = [f"{name} {self.fields[field]}" for field, name in names_of_links.items() if field in self.fields]
        parts = [names, self.fields["title"], f"{journal} ({self.fields['year']})".strip(), *links]
        return ", ".join([*parts, self.inspire or INSPIRE_UNKNOWN])

    @property
    def bibtex(self) -> str:
        """The BibTeX entry; its key is the INSPIRE key where there is one."""
        label = self.inspire or re.sub(r"[^A-Za-z0-9:.-]+", "-", self.key)
        fields = dict(self.fields)
        if "eprint" in fields:
            fields["archivePrefix"] = "arXiv"
        lines = [f"    {name} = {{{_braced(name, value)}}}," for name, value in fields.items()]
        return "\n".join([f"@{self.entry_type}{{{label},", *lines, "}"])


def bibliography(keys: Iterable[str]) -> list[Citation]:
    """The entries for these keys of data/references.toml, in order, each once; an unknown key raises InputError."""
    known = _references(data_folder())
    chosen = []
    for key in dict.fromkeys(keys):
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
            raise reject("reference", key, f"it is not in the bibliography, the nearest key is {near!r}")
        chosen.append(known[key])
    return chosen


def as_bibtex(keys: Iterable[str]) -> str:
    """A BibTeX file with these entries; an unknown key raises InputError."""
    return "\n\n".join(citation.bibtex for citation in bibliography(keys)) + "\n"


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

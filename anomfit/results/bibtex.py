"""A user's BibTeX, read as far as a list of references needs it: types, keys and fields. The rest is left out."""

import re
from collections.abc import Iterator

from anomfit.results.citations import Citation

INSPIRE_KEY = re.compile(r"[A-Za-z-]+(?:-2)?:\d{4}[a-z]{2,3}")
_ENTRY = re.compile(r"@(\w+)\s*\{\s*([^\s,{}]+)\s*,")
_FIELD = re.compile(r"(\w[\w-]*)\s*=\s*")
_NOT_ENTRIES = ("comment", "preamble", "string")


def read_bibtex(text: str) -> dict[str, Citation]:
    """The entries of a BibTeX text by key, and by arXiv:number where they have an eprint; each prints as it stands."""
    found: dict[str, Citation] = {}
    for kind, key, inside, whole in _entries(text):
        entry = Citation(
            key=key,
            kind="own",
            entry_type=kind,
            fields=dict(_fields(inside)),
            inspire=key if INSPIRE_KEY.fullmatch(key) else None,
            verbatim=whole,
        )
        found.setdefault(key, entry)
        if "eprint" in entry.fields:
            found.setdefault(f"arXiv:{entry.fields['eprint'].removeprefix('arXiv:')}", entry)
    return found


def _entries(text: str) -> Iterator[tuple[str, str, str, str]]:
    start = 0
    while match := _ENTRY.search(text, start):
        end = _closing(text, match.end(), "}")
        start = match.end() if end is None else end + 1
        if end is not None and match[1].lower() not in _NOT_ENTRIES:
            yield match[1].lower(), match[2], text[match.end() : end], text[match.start() : end + 1]


def _fields(inside: str) -> Iterator[tuple[str, str]]:
    start = 0
    while match := _FIELD.search(inside, start):
        opening = inside[match.end() : match.end() + 1]
        closing = {"{": "}", '"': '"'}.get(opening)
        first = match.end() + (closing is not None)
        end = _closing(inside, first, closing or ",")
        start = len(inside) if end is None else end + 1
        yield match[1].lower(), " ".join(inside[first:end].replace("{", "").replace("}", "").split())


def _closing(text: str, start: int, closing: str) -> int | None:
    """Where `closing` stands outside of braces that open after `start`; None: nowhere."""
    depth = 0
    for i in range(start, len(text)):
        if depth == 0 and text[i] == closing and text[i - 1] != "\\":
            return i
        depth += {"{": 1, "}": -1}.get(text[i], 0)
    return None

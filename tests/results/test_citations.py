import re
import tomllib
from importlib import metadata

import pytest

from anomfit import data
from anomfit.errors import InputError
from anomfit.results import citations
from anomfit.results.bibtex import read_bibtex
from anomfit.results.citations import KINDS, as_bibtex, bibliography

ENTRIES = tomllib.loads((data.data_folder() / "references.toml").read_text(encoding="utf-8"))
SOFTWARE = ("jax", "numpyro", "iminuit", "arviz", "matplotlib", "corner", "particle")
OLD_OR_NEW = r"(\d{4}\.\d{4,5}|[a-z-]+/\d{7})"  # arXiv identifiers


def test_keys_are_arxiv_numbers_or_words():
    for citation in bibliography(ENTRIES):
        if citation.key.startswith("arXiv:"):
            assert re.fullmatch(OLD_OR_NEW, citation.key.removeprefix("arXiv:"))
            assert citation.fields["eprint"] == citation.key.removeprefix("arXiv:")
        else:
            assert re.fullmatch(r"[a-z0-9-]+", citation.key)


@pytest.mark.parametrize("key", ENTRIES)
def test_every_entry_is_whole(key):
    (citation,) = bibliography([key])
    assert citation.kind in KINDS
    assert all(value.strip() for value in citation.fields.values())
    assert 1950 <= int(citation.fields["year"]) <= 2100
    assert {"journal", "eprint", "doi", "url", "school"} & set(citation.fields)
    assert citation.text.endswith(citation.inspire or "inspire unknown")
    if citation.inspire:
        assert re.fullmatch(r"[A-Za-z-]+(?:-2)?:\d{4}[a-z]{2,3}", citation.inspire)
    if "doi" in citation.fields:
        assert re.fullmatch(r"10\.\d{4,5}/\S+", citation.fields["doi"])


def test_inspire_keys_are_unique():
    known = [citation.inspire for citation in bibliography(ENTRIES) if citation.inspire]
    assert len(known) == len(set(known))


def test_journal_pages_agree_with_the_doi():
    """American Physical Society: journal, volume and page stand in the identifier."""
    journals = {"Phys. Rev. D": "PhysRevD", "Phys. Rev. Lett.": "PhysRevLett", "Phys. Rev.": "PhysRev"}
    checked = 0
    for citation in bibliography(ENTRIES):
        fields = citation.fields
        if fields.get("journal") in journals and "doi" in fields:
            first_page = fields["pages"].split("--")[0]
            assert fields["doi"] == f"10.1103/{journals[fields['journal']]}.{fields['volume']}.{first_page}"
            checked += 1
    assert checked > 10


def test_the_software_that_results_are_made_with_is_there():
    for name in SOFTWARE:
        assert bibliography([name])[0].kind == "software"
        assert metadata.version(name)


def test_order_is_kept_and_repetitions_are_dropped():
    keys = ["jax", "arXiv:2006.16883", "jax", "nuts"]
    assert [citation.key for citation in bibliography(keys)] == ["jax", "arXiv:2006.16883", "nuts"]
    assert bibliography([]) == []


def test_bibtex_of_a_paper():
    assert as_bibtex(bibliography(["arXiv:0806.1449"])) == (
        "@article{MiniBooNE:2008hfu,\n"
        "    author = {Aguilar-Arevalo, A. A. and others},\n"
        "    title = {{The Neutrino Flux prediction at MiniBooNE}},\n"
        "    year = {2009},\n"
        "    eprint = {0806.1449},\n"
        "    collaboration = {MiniBooNE},\n"
        "    journal = {Phys. Rev. D},\n"
        "    volume = {79},\n"
        "    pages = {072002},\n"
        "    doi = {10.1103/PhysRevD.79.072002},\n"
        "    archivePrefix = {arXiv},\n"
        "}\n"
    )


def test_bibtex_of_everything_is_well_formed():
    entries = as_bibtex(bibliography(ENTRIES)).rstrip("\n").split("\n\n")
    assert len(entries) == len(ENTRIES)
    labels = []
    for entry in entries:
        opening = re.match(r"@(article|software|phdthesis|techreport)\{([A-Za-z0-9:.-]+),\n", entry)
        assert opening is not None
        labels.append(opening[2])
        assert entry.endswith("\n}")
        depth = 0
        for character in entry:
            depth += {"{": 1, "}": -1}.get(character, 0)
            assert depth >= 0
        assert depth == 0
        assert entry.count("$") % 2 == 0
    assert len(labels) == len(set(labels))


def test_a_key_that_is_not_known_is_refused_with_the_nearest():
    with pytest.raises(InputError) as caught:
        bibliography(["jax", "numpyroo"])
    assert (
        str(caught.value)
        == "reference: 'numpyroo' is not usable; it is not in the bibliography, the nearest key is 'numpyro'"
    )
    with pytest.raises(InputError):
        bibliography(["Nobody:2099xyz"])


def test_an_inspire_key_finds_the_entry_too():
    assert bibliography(["MiniBooNE:2008hfu"]) == bibliography(["arXiv:0806.1449"])


OWN = r"""
This line is no entry. @comment{Mine:2020abc, title = {not this}}
@Article{Mine:2020abc,
  author = "M{\"u}ller, A. and Other, B.",
  title = {{A {D}ark photon, with {braces}}},
  journal = {Phys. Rev. D}, volume = 101, year = 2020,
  eprint = {2001.01234}
}
@misc{note, title={A note}, howpublished = {\url{https://example.org/x,y}}}
@article{cut, title = {never closed
"""


def test_bibtex_of_a_user_is_read_and_printed_as_it_stands():
    found = read_bibtex(OWN)
    assert set(found) == {"Mine:2020abc", "arXiv:2001.01234", "note"}
    paper = found["Mine:2020abc"]
    assert paper is found["arXiv:2001.01234"]
    assert paper.fields["title"] == "A Dark photon, with braces"
    assert paper.text.endswith("Phys. Rev. D 101 (2020), arXiv 2001.01234, Mine:2020abc")
    assert found["note"].text == "A note, inspire unknown"
    printed = as_bibtex([paper, found["note"]])
    assert printed.startswith("@Article{Mine:2020abc,\n  author = ")
    assert r"\url{https://example.org/x,y}" in printed
    assert read_bibtex(printed).keys() == found.keys()


@pytest.mark.parametrize(
    "text", ["", "@", "@article{", "@article{a", "@article{a,", "@article{a,}", '@a{b, c = "', "}{@"]
)
def test_what_is_no_bibtex_is_no_entry(text):
    assert set(read_bibtex(text)) <= {"a"}


@pytest.mark.parametrize("broken", ["[jax", "[jax]\nkind = 'software'\n", "[jax]\nkind = 'rumour'\n"])
def test_a_damaged_bibliography_is_refused(tmp_path, monkeypatch, broken):
    (tmp_path / "references.toml").write_text(broken, encoding="utf-8")
    monkeypatch.setattr(citations, "data_folder", lambda: tmp_path)
    with pytest.raises(InputError) as caught:
        bibliography(["jax"])
    assert "\n" not in str(caught.value)

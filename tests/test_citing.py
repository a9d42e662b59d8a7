"""What a user's model cites: BibTeX in the card or beside the file; what is in neither is one sentence and no error."""

from pathlib import Path

import pytest

from anomfit.citing import cited

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
ENTRY = "@article{Mine:2020abc,\n  author = {Mine, A. N.},\n  title = {{Dark} photons of mine},\n  year = {2020}\n}"


@pytest.fixture
def card(tmp_path) -> Path:
    model = (EXAMPLES / "my_model.py").read_text()
    keys = '("Mine:2020abc", "arXiv:2010.06159")'
    (tmp_path / "my_model.py").write_text(
        model.replace("references: tuple[str, ...] = ()", f"references: tuple = {keys}")
    )
    (tmp_path / "my_measurement.py").write_text((EXAMPLES / "my_measurement.py").read_text())
    path = tmp_path / "my_card.toml"
    path.write_text((EXAMPLES / "my_card.toml").read_text())
    return path


def test_a_key_in_no_bibliography_is_said_and_the_rest_is_listed(card):
    found = cited(str(card))
    assert found.missing == ("Mine:2020abc",)
    assert found.complaint.startswith("Mine:2020abc is in no bibliography; put its BibTeX entry into a .bib file")
    assert "arXiv:2010.06159" in [entry.key for entry in found.entries]


def test_an_entry_beside_the_file_is_found(card):
    (card.parent / "my.bib").write_text(ENTRY)
    found = cited(str(card))
    assert found.missing == ()
    assert found.entries[0].text == "Mine, A. N., Dark photons of mine, (2020), Mine:2020abc"
    assert found.entries[0].bibtex == ENTRY


def test_an_entry_in_the_card_is_found_and_goes_with_the_result(card):
    from anomfit.cards import card_from_text, card_text, load_card

    card.write_text(f"bibtex = '''\n{ENTRY}'''\n{card.read_text()}")
    assert cited(str(card)).missing == ()
    assert card_from_text(card_text(load_card(card))) == load_card(card)  # what a result keeps


def test_the_verb_ends_with_0_in_both_forms(card, capsys, monkeypatch):
    from anomfit.cli import main

    monkeypatch.setenv("ANOMFIT_CACHE", "off")
    for arguments in ([], ["--bibtex"]):
        assert main(["cite", str(card), *arguments]) == 0
        captured = capsys.readouterr()
        assert "2010.06159" in captured.out
        assert captured.err.startswith("anomfit: Mine:2020abc is in no bibliography")
        assert captured.err.count("\n") == 1

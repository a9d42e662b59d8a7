"""The folder of a result: refused when it holds one, never left half-written."""

import pytest

from anomfit.errors import InputError
from anomfit.folders import CARD, CHAINS, RESULT, discard_if_empty, new_folder, open_folder, result_file, written_whole


def test_a_new_folder_is_named_after_the_card_and_never_an_old_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(new_folder("cards/my.toml")) == "anomfit-fit-my"
    assert str(new_folder("two-higgs-doublet")) == "anomfit-fit-two-higgs-doublet"
    assert str(new_folder("docs/my_model.py:dark_photon")) == "anomfit-fit-dark_photon"
    (tmp_path / "anomfit-fit-my").mkdir()
    assert str(new_folder("my")) == "anomfit-fit-my-2"


def test_a_folder_with_a_result_is_kept_unless_it_is_to_be_replaced(tmp_path):
    open_folder(tmp_path / "new" / "deep", "card")
    assert (tmp_path / "new" / "deep" / CARD).read_text() == "card"
    (tmp_path / RESULT).write_text("old")
    (tmp_path / CHAINS).write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="--overwrite"):
        open_folder(tmp_path, "card")
    assert (tmp_path / RESULT).read_text() == "old"
    open_folder(tmp_path, "card", overwrite=True)
    assert not (tmp_path / RESULT).exists()
    assert not (tmp_path / CHAINS).exists()
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_going_on_needs_the_same_card(tmp_path):
    with pytest.raises(InputError, match="no run to go on with"):
        open_folder(tmp_path, "card", resume=True)
    open_folder(tmp_path, "card")
    (tmp_path / CHAINS).write_text("state")
    with pytest.raises(InputError, match="another card"):
        open_folder(tmp_path, "other card", resume=True)
    open_folder(tmp_path, "card", resume=True)
    assert (tmp_path / CHAINS).read_text() == "state"
    with pytest.raises(InputError, match="one of the two"):
        open_folder(tmp_path, "card", resume=True, overwrite=True)


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(InputError, match="--out"):
            open_folder(folder, "card")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def write_half(path):
    with written_whole(path) as part:
        part.write_text("half")
        part.write_text(str(1 // 0))


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "table.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        write_half(path)
    assert path.read_text() == "old"
    with written_whole(path) as part:
        part.write_text("new")
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.txt"]


def test_a_result_is_named_by_its_folder_or_itself(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        result_file(tmp_path)
    (tmp_path / RESULT).write_text("result")
    assert result_file(tmp_path) == result_file(tmp_path / RESULT) == tmp_path / RESULT


def test_a_run_that_came_to_nothing_leaves_nothing(tmp_path):
    open_folder(tmp_path / "new", "card")
    discard_if_empty(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
    open_folder(tmp_path / "used", "card")
    (tmp_path / "used" / RESULT).write_text("result")
    discard_if_empty(tmp_path / "used")
    assert (tmp_path / "used" / RESULT).exists()

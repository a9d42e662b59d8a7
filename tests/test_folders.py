"""The folder of a result: refused when it holds one, never left half-written; only our own files are replaced."""

import errno
import json
import os
import platform
import signal
import subprocess
import sys

import pytest

from anomfit.errors import InputError
from anomfit.folder_lock import LOCK, locked
from anomfit.folder_mark import MARK, mark
from anomfit.folders import (
    CARD,
    CHAINS,
    FIT,
    NESTED,
    OPTIMA,
    REPORT,
    RESULT,
    SEARCH,
    holds_run,
    named_folder,
    new_folder,
    opened_folder,
    result_file,
    written_whole,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write(path, text):
    with written_whole(path) as part:
        part.write_text(text)


def run(folder, card="card", text=None, **options):
    """A run that keeps a result with this text, or nothing."""
    with opened_folder(folder, card, **options):
        if text is not None:
            write(folder / RESULT, text)


def meddle(folder, *acts, **options):
    """A run in the midst of which something happens."""
    with opened_folder(folder, "card", **options):
        for act in acts:
            act()


def fail(error):
    raise error


def test_a_new_folder_is_named_after_the_card_and_never_an_old_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(new_folder("cards/my.toml")) == "anomfit-fit-my"
    assert str(new_folder("two-higgs-doublet")) == "anomfit-fit-two-higgs-doublet"
    assert str(new_folder("docs/my_model.py:dark_photon")) == "anomfit-fit-dark_photon"
    (tmp_path / "anomfit-fit-my").mkdir()
    assert str(new_folder("my")) == "anomfit-fit-my-2"


def test_a_tilde_is_the_home_and_no_name_is_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert named_folder("~/fits/one") == tmp_path / "fits" / "one"
    for name in ("", "~nobody-of-this-name/x", "a\0b"):
        with pytest.raises(InputError, match="--out"):
            named_folder(name)


def test_a_folder_with_a_result_is_kept_unless_it_is_to_be_replaced(tmp_path):
    deep = tmp_path / "new" / "deep"
    with opened_folder(deep, "card"):
        assert (deep / CARD).read_text() == "card"
        write(deep / RESULT, "old")
        write(deep / CHAINS, "old")
    (deep / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="--overwrite"):
        run(deep)
    assert (deep / RESULT).read_text() == "old"
    run(deep, "other", "new", overwrite=True)
    assert names(deep) == [MARK, CARD, "mine.txt", RESULT]
    assert [(deep / name).read_text() for name in (CARD, RESULT, "mine.txt")] == ["other", "new", "mine"]


def test_what_is_replaced_comes_back_when_the_new_run_comes_to_nothing(tmp_path):
    run(tmp_path, "card", "old")
    found = []
    for error in (InputError, KeyboardInterrupt, ZeroDivisionError):
        with pytest.raises(error):
            meddle(tmp_path, lambda: found.append(names(tmp_path)), lambda error=error: fail(error), overwrite=True)
        assert found[-1] == [MARK, LOCK, ".anomfit-replaced", CARD]
        assert [(tmp_path / name).read_text() for name in (CARD, RESULT)] == ["card", "old"]
        assert names(tmp_path) == [MARK, CARD, RESULT]


def test_a_run_killed_before_it_replaced_anything_costs_nothing(tmp_path):
    from anomfit.folders import _put_aside

    for card in ("card", "the card of the killed run"):
        run(tmp_path, "card", "old", overwrite=True)
        _put_aside(tmp_path)
        (tmp_path / CARD).write_text(card)
        with pytest.raises(InputError, match="holds a result"):
            run(tmp_path)
        assert [(tmp_path / name).read_text() for name in (CARD, RESULT)] == ["card", "old"]
        assert names(tmp_path) == [MARK, CARD, RESULT]


def test_what_was_put_back_is_not_taken_for_what_was_found(tmp_path):
    run(tmp_path, "card", "old")
    assert holds_run(tmp_path, "card", [RESULT])
    assert not holds_run(tmp_path, "card", [CHAINS])
    assert not holds_run(tmp_path, "other", [RESULT])
    assert not holds_run(tmp_path / "none", "card", [RESULT])


def test_going_on_needs_the_same_card(tmp_path):
    with pytest.raises(InputError, match="no run to go on with"):
        run(tmp_path, resume=True)
    assert names(tmp_path) == []
    with opened_folder(tmp_path, "card"):
        write(tmp_path / CHAINS, "state")
    with pytest.raises(InputError, match="another card"):
        run(tmp_path, "other card", resume=True)
    run(tmp_path, resume=True)
    assert (tmp_path / CHAINS).read_text() == "state"
    with pytest.raises(InputError, match="one of the two"):
        run(tmp_path, resume=True, overwrite=True)


def test_a_run_goes_on_where_its_folder_and_the_users_files_have_been_moved(tmp_path):
    card = 'model = "{}/my_model.py:dark_photon"\n"/elsewhere/my_measurement.py:load" = {{}}'
    run(tmp_path / "here", card.format("/one/place"), "old")
    (tmp_path / "here").rename(tmp_path / "there")
    run(tmp_path / "there", card.format("/another"), resume=True)
    assert "/another/my_model.py" in (tmp_path / "there" / CARD).read_text()
    with pytest.raises(InputError, match="another card"):
        run(tmp_path / "there", card.format("/another").replace("dark_photon", "other"), resume=True)


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for folder in (
        tmp_path / "file",
        tmp_path / "file" / "deeper",
        tmp_path / "new" / ("x" * 300),
        tmp_path / ("x" * 300),
    ):
        with pytest.raises(InputError, match="--out"):
            run(folder)
    assert names(tmp_path) == ["file"]


def test_a_run_that_came_to_nothing_leaves_nothing_and_an_interrupted_one_its_card(tmp_path):
    for error in (InputError, ZeroDivisionError):
        with pytest.raises(error):
            meddle(tmp_path / "deep" / "new", lambda error=error: fail(error))
        assert names(tmp_path) == []
    with pytest.raises(KeyboardInterrupt):
        meddle(tmp_path / "new", lambda: fail(KeyboardInterrupt))
    assert names(tmp_path / "new") == [MARK, CARD]
    run(tmp_path / "new", resume=True)
    run(tmp_path / "new", "other card", "result")  # a card without a result blocks nothing
    with pytest.raises(InputError):
        meddle(tmp_path / "new", lambda: fail(InputError), overwrite=True)
    assert (tmp_path / "new" / RESULT).read_text() == "result"


def test_files_of_others_are_never_replaced_or_removed(tmp_path):
    for name in (NESTED, CHAINS, "pulls.png"):
        (tmp_path / name).write_text("mine")
    for options in ({}, {"overwrite": True}):
        with pytest.raises(InputError, match=r"holds chains.npz, nested.h5, pulls.png, not written by.*move them"):
            run(tmp_path, **options)
    assert names(tmp_path) == [CHAINS, NESTED, "pulls.png"]
    with opened_folder(tmp_path, "card", SEARCH, ("optima.png",), overwrite=True):
        write(tmp_path / OPTIMA, "found")
    with opened_folder(tmp_path, "card", SEARCH, ("optima.png",), overwrite=True):
        write(tmp_path / OPTIMA, "found again")
        with pytest.raises(InputError, match=r"holds pulls.png"):
            write(tmp_path / "pulls.png", "ours")
    assert {(tmp_path / name).read_text() for name in (NESTED, CHAINS, "pulls.png")} == {"mine"}


def test_the_folder_of_an_earlier_version_is_known_by_the_card_in_its_report(tmp_path):
    for name in (RESULT, CHAINS, "spectrum-miniboone-enuqe.png"):
        (tmp_path / name).write_text("old")
    (tmp_path / CARD).write_text("model = 1\n")
    (tmp_path / REPORT).write_text("# a report of something else\n")
    with pytest.raises(InputError, match="not written by anomfit"):
        run(tmp_path, overwrite=True)
    (tmp_path / REPORT).write_text("# model: data\n\n```toml\nmodel = 1\n```\n")
    with pytest.raises(InputError, match="holds a result"):
        run(tmp_path)
    run(tmp_path, text="new", overwrite=True)
    assert names(tmp_path) == [MARK, CARD, RESULT]


def test_the_mark_names_files_of_its_own_folder_only(tmp_path):
    (tmp_path / "other.txt").write_text("other")
    inner = tmp_path / "inner"
    run(inner, text="old")
    mark(inner, ["../other.txt"])
    run(inner, text="new", overwrite=True)
    assert (tmp_path / "other.txt").read_text() == "other"


HOLD = """
import sys, time
from pathlib import Path
from anomfit.folder_lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_folder_has_one_run_and_falls_free_when_that_dies(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        for options in ({}, {"overwrite": True}, {"resume": True}):
            with pytest.raises(InputError, match=f"in use by process {other.pid}"):
                run(tmp_path, **options)
        other.send_signal(signal.SIGKILL)
    assert names(tmp_path) == [LOCK]
    with locked(tmp_path), pytest.raises(InputError, match=f"in use by process {os.getpid()}"):
        run(tmp_path)
    assert names(tmp_path) == []


def owner(**changes):
    return json.dumps({"host": platform.node(), "process": 2**22 + 1, "began": "1", **changes})


def test_the_lock_of_another_machine_is_left_with_a_word_on_how_to_remove_it(tmp_path):
    (tmp_path / LOCK).write_text(owner(host="elsewhere"))
    with pytest.raises(InputError, match=r"on 'elsewhere'.*if that run has ended, remove .*\.anomfit-lock"):
        run(tmp_path)
    assert names(tmp_path) == [LOCK]


@pytest.mark.parametrize("has_flock", [True, False])
def test_a_dead_owner_is_found_out_also_without_locks_of_the_system(tmp_path, monkeypatch, has_flock):
    if not has_flock:
        monkeypatch.setattr("anomfit.folder_lock.fcntl", None)
        (tmp_path / LOCK).write_text(owner(process=os.getppid(), began=began_of(os.getppid())))
        with pytest.raises(InputError, match="in use by process"):
            run(tmp_path)
    for text in (owner(), owner(process=os.getppid(), began="another process of that number"), "{", ""):
        (tmp_path / LOCK).write_text(text)
        run(tmp_path)
    assert names(tmp_path) == [MARK, CARD]


def began_of(process):
    from anomfit.folder_lock import _began

    return _began(process)


def test_a_folder_that_is_removed_or_taken_by_others_meanwhile_is_an_error(tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(InputError, match="removed or moved"):
        meddle(folder, lambda: folder.rename(tmp_path / "moved"), lambda: write(folder / RESULT, "text"))
    assert names(tmp_path) == ["moved"]

    def taken():
        folder.rename(tmp_path / "moved again")
        folder.mkdir()
        (folder / CARD).write_text("of others")

    with pytest.raises(InputError, match="removed or moved"):
        meddle(folder, taken, lambda: write(folder / RESULT, "text"))
    assert (folder / CARD).read_text() == "of others"
    assert names(folder) == [CARD]


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
    write(path, "new")
    assert path.read_text() == "new"
    assert names(tmp_path) == ["table.txt"]


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "make room"), (errno.EACCES, "name another folder")])
def test_a_full_disk_or_a_folder_that_is_read_only_is_a_sentence_and_the_old_file_stays(
    tmp_path, monkeypatch, number, words
):
    write(tmp_path / "table.txt", "old")

    def fails(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(InputError, match=f"table.txt: cannot be written .*{words}"):
        write(tmp_path / "table.txt", "new")
    assert (tmp_path / "table.txt").read_text() == "old"
    assert names(tmp_path) == ["table.txt"]
    with pytest.raises(InputError, match=r"--out.*cannot be written"):
        run(tmp_path / "new")
    assert names(tmp_path) == ["table.txt"]


def test_half_written_files_of_a_killed_run_are_removed_by_the_next(tmp_path):
    run(tmp_path, text="old")
    for name in (f".{RESULT}.part", ".chains.part.npz"):
        (tmp_path / name).write_text("half")
    run(tmp_path, resume=True)
    assert names(tmp_path) == [MARK, CARD, RESULT]


def test_every_file_of_a_fit_is_known_to_the_mark(tmp_path):
    with opened_folder(tmp_path, "card"):
        for name in FIT:  # whatever writes them
            (tmp_path / name).write_text("text")
    run(tmp_path, text="new", overwrite=True)
    assert names(tmp_path) == [MARK, CARD, RESULT]


def test_a_result_is_named_by_its_folder_or_itself(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        result_file(tmp_path)
    (tmp_path / RESULT).write_text("result")
    assert result_file(tmp_path) == result_file(tmp_path / RESULT) == tmp_path / RESULT

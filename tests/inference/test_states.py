"""States of sampling runs: at every instant a whole one, of the run that asks for it."""

import errno
import os

import h5py
import numpy as np
import pytest

from anomfit.errors import InputError
from anomfit.inference import states
from anomfit.inference.states import keep_state, kept_state, state_files

RUN = {"anomfit": "1", "the seed": "3"}


def number(value):
    return lambda part: np.savez(part, value=value)


def read(path):
    with np.load(path) as file:
        return int(file["value"])


def test_the_newest_state_is_read_and_then_the_one_before(tmp_path):
    file = tmp_path / "state.npz"
    assert kept_state(file, RUN, read) is None
    for value in (1, 2, 3):
        keep_state(file, RUN, number(value))
    assert kept_state(file, RUN, read) == 3
    newest, before = state_files(file)
    content = newest.read_bytes()
    newest.write_bytes(content[: len(content) // 2])
    assert kept_state(file, RUN, read) == 2
    newest.unlink()
    assert kept_state(file, RUN, read) == 2
    before.write_bytes(b"")
    with pytest.raises(InputError, match="damaged"):
        kept_state(file, RUN, read)


@pytest.mark.parametrize("place", [10, -300, -5])
def test_one_wrong_byte_anywhere_is_seen(tmp_path, place):
    file = tmp_path / "state.npz"
    keep_state(file, RUN, number(1))
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        kept_state(file, RUN, read)


class Killed(BaseException):
    """What ends a run at a moment of the test's choice."""


@pytest.mark.parametrize("step", ["save", "fsync", "replace", "second replace"])
def test_a_run_that_ends_while_it_writes_leaves_a_whole_state(tmp_path, monkeypatch, step):
    file, replace, replaced = tmp_path / "state.npz", os.replace, []
    for value in (1, 2):
        keep_state(file, RUN, number(value))

    def ends(*given):
        raise Killed

    def ends_later(*given):
        replaced.append(given)
        if len(replaced) == (1 if step == "replace" else 2):
            raise Killed
        replace(*given)

    def half_saved(part):
        part.write_bytes(b"half")
        raise Killed

    with monkeypatch.context() as patch:
        if step != "save":
            patch.setattr(states.os, *(("fsync", ends) if step == "fsync" else ("replace", ends_later)))
        with pytest.raises(Killed):
            keep_state(file, RUN, half_saved if step == "save" else number(3))
    assert kept_state(file, RUN, read) == 2
    assert {path.name for path in tmp_path.iterdir()} <= {path.name for path in state_files(file)}


def test_another_runs_state_is_refused_in_words(tmp_path):
    keep_state(tmp_path / "state.npz", RUN, number(1))
    with pytest.raises(InputError, match=r"state\.npz: it belongs to another run: the seed was 3 and is 4; undo this"):
        kept_state(tmp_path / "state.npz", {**RUN, "the seed": "4"}, read)


def test_hdf5_reads_a_state_as_any_file(tmp_path):
    def save(part):
        with h5py.File(part, "x") as file:
            file["value"] = 7

    keep_state(tmp_path / "state.h5", RUN, save)
    with h5py.File(tmp_path / "state.h5") as file:
        assert file["value"][()] == 7


@pytest.mark.parametrize("room", [0, 1000])
def test_a_full_disk_is_one_sentence_and_the_state_before_stays(tmp_path, monkeypatch, room):
    """With `room`, the library that would write is not even called."""
    file, called = tmp_path / "state.npz", []
    keep_state(file, RUN, number(1))

    def full(*given):
        called.append(len(given))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(states.Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\); the one before is intact"):
        keep_state(file, RUN, full, room)
    assert called == [2 if room else 1]  # a path's own method, or the library's one argument
    assert kept_state(file, RUN, read) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]

"""Work in other processes: in order, the same numbers wherever it is done, and processes that end with their parent."""

import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from functools import partial
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from anomfit import interrupts
from anomfit.inference.sample import workers as room
from anomfit.inference.sample.workers import workers

PARENT = """
import sys, time
from anomfit.inference.sample.workers import workers
with workers(2) as pool:
    print(*pool.map(eval, ["__import__('os').getpid()"] * 2), flush=True)
    pool.map(time.sleep, [600, 600])
"""


def test_results_come_in_order_from_other_processes():
    with workers(2) as pool:
        assert pool.size == 2
        assert pool.map(sqrt, [4.0, 9.0, 16.0]) == [2.0, 3.0, 4.0]
        pids = pool.map(eval, ["__import__('os').getpid()"] * 2)
        assert len({*pids, os.getpid()}) == 3


def test_a_worker_starts_without_jax_and_prints_nothing(capfd):
    with workers(1) as pool:
        assert pool.map(eval, ["print('words') or 'jax' in __import__('sys').modules"]) == [False]
        assert pool.map(partial(print, "words"), [1]) == [None]
    assert capfd.readouterr() == ("", "")


def test_without_processes_the_work_is_done_here_on_copies(monkeypatch):
    """A generator that is drawn from is a copy, as in another process: the numbers do not depend on the workers."""

    def refused(*given, **options):
        raise OSError("Resource temporarily unavailable")

    drawn = []
    for popen in (subprocess.Popen, refused):
        monkeypatch.setattr(room.subprocess, "Popen", popen)
        generator = np.random.default_rng(3)
        with workers(2) as pool:
            drawn.append(pool.map(generator.normal, [0.0, 1.0]) + pool.map(generator.normal, [0.0]))
    assert drawn[0] == drawn[1]


def test_a_worker_that_ends_or_fails_is_stood_in_for():
    with workers(2) as pool:
        with pytest.raises(ZeroDivisionError):
            pool.map(eval, ["1 / 0"])
        for pid in pool.map(eval, ["__import__('os').getpid()"] * 2):
            os.kill(pid, signal.SIGKILL)
        assert pool.map(sqrt, [4.0, 9.0]) == [2.0, 3.0]


def test_workers_end_with_a_parent_that_is_killed_and_hold_none_of_its_files(tmp_path):
    """`| tee` comes back: the pipe that was the parent's standard output has no writer left; nor has its error."""
    shared = Path("/dev/shm")
    before = set(shared.iterdir()) if shared.is_dir() else set()
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert all(_runs(pid) for pid in pids)
        parent.kill()
        assert parent.stdout.read() == b""  # returns when nobody holds the other end
    until = time.monotonic() + 10.0
    while any(_runs(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(_runs(pid) for pid in pids)
    if shared.is_dir():
        assert {path.name for path in set(shared.iterdir()) - before if str(parent.pid) in path.name} == set()


def test_an_interrupt_stops_the_work_of_workers():
    with interrupts.handled(), workers(2) as pool:
        began = time.monotonic()
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            pool.map(time.sleep, [600, 600])
        assert time.monotonic() - began < 10.0


def interrupted(item):
    """What scikit-learn does with a Ctrl-C while it trains: a warning, and the network as it is."""
    warnings.warn("Training interrupted by user.", stacklevel=1)


def test_a_ctrl_c_that_the_training_answers_is_not_lost(monkeypatch):
    def refused(*given, **options):
        raise OSError("Resource temporarily unavailable")

    monkeypatch.setattr(room.subprocess, "Popen", refused)
    with workers(2) as pool, pytest.raises(KeyboardInterrupt):
        pool.map(interrupted, [1])


def _runs(pid: int) -> bool:
    """Whether the process is there and is no zombie, which waits only for its parent to look."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False

"""Pieces of a table that is being built: worked out on threads, kept in files, and taken from these afterwards."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np

from anomfit import interrupts
from anomfit.folders import written_whole

PATIENCE = 0.2  # s between two looks for a signal

Progress = Callable[[str, int, int], None]


def side_by_side(piece: Callable[[int, threading.Event], dict[str, np.ndarray]], number: int) -> Iterator:
    """(i, piece) in order, as many at once as there are cores; JAX lets go of Python's lock while it computes.

    Signals reach the main thread alone: it looks for them while it waits, and has the pieces stop.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    stop = threading.Event()
    with ThreadPoolExecutor(cores) as pool:
        waiting = {i: pool.submit(piece, i, stop) for i in range(number)}
        try:
            for i in range(number):
                while not wait([waiting[i]], timeout=PATIENCE).done:
                    interrupts.check()
                yield i, waiting.pop(i).result()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def kept(path: Path, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """What is in the file, or what `make` gives, kept there; a file that cannot be read is made again."""
    try:
        with np.load(path, allow_pickle=False) as found:
            return dict(found)
    except (OSError, ValueError, EOFError, KeyError):
        pass
    found = make()
    with written_whole(path) as part, part.open("wb") as file:
        np.savez(file, allow_pickle=False, **found)
    return found

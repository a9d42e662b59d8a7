"""Processes beside this one for work in NumPy that holds Python's lock, such as the training of networks.

They change how long a call takes and never what it gives: a call computes on a copy of its function and item, here as
there, and what a process cannot do, or cannot be started for, is done here. They end with this process, whatever ends
it, and hold none of its files (see `worker_process`).
"""

import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from anomfit import interrupts

PROGRAM = Path(__file__).with_name("worker_process.py")
LOOK = 0.2  # seconds between looks at whether an interrupt has come


class Workers:
    """What nautilus asks of a pool: a `map` over some workers, and their number, which fixes how it shares out work.

    `size` is that number even where fewer processes, or none, could be started: the numbers do not depend on it.
    """

    def __init__(self, size: int):
        self.size = size
        self._programs = [_Process() for _ in range(size)]  # _processes, to nautilus, is a number of its own pools
        self._threads = ThreadPoolExecutor(size)

    def map(self, function: Callable, items: Iterable) -> list[Any]:
        """function of every item, in order. KeyboardInterrupt when one comes in between, which stops the workers."""
        calls = [pickle.dumps((function, item), protocol=pickle.HIGHEST_PROTOCOL) for item in items]
        futures = [self._threads.submit(self._programs[i % self.size].answer, call) for i, call in enumerate(calls)]
        try:
            while wait(futures, timeout=LOOK).not_done:
                interrupts.check()
        except BaseException:
            self.stop()
            raise
        answers = [future.result() for future in futures]
        return [found if done else _here(call) for (done, found), call in zip(answers, calls, strict=True)]

    def stop(self) -> None:
        """End the processes, amid a call too."""
        for process in self._programs:
            process.kill()
        self._threads.shutdown(cancel_futures=True)  # they wait for answers no longer
        for process in self._programs:
            process.close()


class _Process:
    """One worker, which is not there if it could not be started."""

    def __init__(self):
        self._lock = Lock()
        try:
            self._popen: subprocess.Popen | None = subprocess.Popen(
                [sys.executable, "-P", str(PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is answered by the parent alone
            )
        except OSError:
            self._popen = None
            return
        with suppress(OSError):  # one that has ended already answers no call either
            self._send(pickle.dumps(sys.path))

    def answer(self, call: bytes) -> tuple[bool, Any]:
        """Whether the worker could do the `call`, and what it gives."""
        with self._lock:
            if self._popen is None:
                return False, None
            try:
                self._send(pickle.dumps(call, protocol=pickle.HIGHEST_PROTOCOL))
                return pickle.load(self._popen.stdout)  # type: ignore[arg-type]
            except (OSError, EOFError, ValueError, pickle.UnpicklingError):  # it has ended
                return False, None

    def kill(self) -> None:
        if self._popen is not None:
            self._popen.kill()

    def close(self) -> None:
        if self._popen is not None:
            with suppress(BrokenPipeError), self._popen:
                pass

    def _send(self, sent: bytes) -> None:
        self._popen.stdin.write(sent)  # type: ignore[union-attr]
        self._popen.stdin.flush()  # type: ignore[union-attr]


@contextmanager
def workers(size: int) -> Iterator[Workers]:
    """`size` workers, which end with the block."""
    made = Workers(size)
    try:
        yield made
    finally:
        made.stop()


def _here(call: bytes) -> Any:
    """What a call gives, from copies of its function and item, as in another process."""
    function, item = pickle.loads(call)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Got `batch_size`")  # fewer points than a batch: all are taken
        warnings.filterwarnings("error", message="Training interrupted")  # scikit-learn's answer to Ctrl-C, to go on
        try:
            return function(item)
        except UserWarning as swallowed:
            raise KeyboardInterrupt from swallowed

"""Ctrl-C and SIGTERM that are never lost, and that a run can answer between two steps.

A KeyboardInterrupt that Python raises wherever it happens to be is swallowed now and then: JAX runs callbacks of its
own in the garbage collector, and what is raised in those is only printed. Long runs therefore take a signal as a flag
(`handled`), which their loops read (`check`). A thread hears every signal through Python's wakeup descriptor, also
while the main thread sits in a compiler: it ends the process at the second signal, whatever the main thread is doing.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

SAME = 0.3  # signals closer than this are one: timeout(1) sends each of its own twice


class Terminated(KeyboardInterrupt):
    """What SIGTERM raises; whatever answers Ctrl-C answers it too, and the command line ends with status 143."""


class OutputClosed(KeyboardInterrupt):
    """Nobody reads what is printed any more, as after `| head -1`: a run ends as at Ctrl-C, and without a word."""


KINDS: dict[int, type[KeyboardInterrupt]] = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}


def check() -> None:
    """Raise KeyboardInterrupt, or Terminated, if a signal has arrived in `handled`; nothing otherwise, and cheap.

    Loops call it between two batches. A signal is raised once, so that what answers it can still compute.
    """
    if _listener is not None and _listener.asked is not None and not _listener.waits and _in_main_thread():
        kind, _listener.asked = _listener.asked, None
        raise kind


@contextmanager
def handled() -> Iterator[None]:
    """In this block the first Ctrl-C or SIGTERM is raised by `check`, and at the end of the block at the latest.

    The second one ends the process at once in a program of ours (`ending`), and is raised at once elsewhere, as in a
    notebook. Outside the main thread nothing changes; the handlers that were there before come back after the block.
    """
    with _listening(is_program=False) as listener:
        if listener is None:
            yield
            return
        before, listener.keeps = listener.keeps, True
        try:
            yield
            check()
        finally:
            listener.keeps = before


def stop(kind: type[KeyboardInterrupt]) -> None:
    """End the run as a signal would: at the next `check` in `handled`, else at once."""
    if _listener is None or not _listener.keeps:
        raise kind
    _listener.asked = _listener.kind = kind


@contextmanager
def postponed() -> Iterator[None]:
    """In this block `check` raises nothing: a short last step is finished, and the next check raises."""
    before = _listener is not None and _listener.waits
    if _listener is not None:
        _listener.waits = True
    try:
        yield
    finally:
        if _listener is not None:
            _listener.waits = before


def kind() -> type[KeyboardInterrupt]:
    """What to raise for an interrupt that was answered: Terminated after SIGTERM, KeyboardInterrupt by default."""
    return KeyboardInterrupt if _listener is None else _listener.kind


@contextmanager
def ending() -> Iterator[None]:
    """In this block a Ctrl-C or SIGTERM ends the process at once: for verbs that keep nothing when interrupted.

    Nothing is raised: that can end in a crash while a compiled library is imported. `handled` may stand inside.
    """
    with _listening(is_program=True):
        yield


def leave_to_system() -> None:
    """Let a later Ctrl-C end the process as the system does: a program that only has to exit has nothing to say."""
    if _in_main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


class _Listener:
    """What has arrived, and the thread that hears it.

    `keeps` says whether a signal sets a flag or ends the process, `waits` that the flag is not read for now. Only in a
    program of ours is it ours to end the process.
    """

    def __init__(self, is_program: bool):
        self._is_program = is_program
        self.asked: type[KeyboardInterrupt] | None = None
        self.keeps = self.waits = False
        self.kind: type[KeyboardInterrupt] = KeyboardInterrupt
        self._answered, self._is_flag = 0.0, False
        self._heard, self.wakeup = socket.socketpair()
        self.wakeup.setblocking(False)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def answer(self, number: int, frame: object) -> None:
        """The handler; Python calls it in the main thread, when that is back in Python."""
        if not self._answered:
            self._answered, self._is_flag = time.monotonic(), self.keeps
            self.asked = self.kind = KINDS[number]
        elif not self._is_program and time.monotonic() - self._answered > SAME:
            raise KINDS[number]

    def close(self) -> None:
        self.wakeup.close()
        self._thread.join()
        self._heard.close()

    def _listen(self) -> None:
        """Hear signals, also such as Python handles for others, until the other end is closed."""
        since = 0.0
        while heard := self._heard.recv(1):
            number = heard[0]
            if number not in KINDS:
                continue
            if not since and (self.keeps or self._is_flag):  # the block of `handled` may have ended just now
                since = time.monotonic()
                _say(f"{_word(number)}; what is found is kept after this step, a second signal ends at once")
            elif not self._is_program:
                continue
            elif not since or time.monotonic() - since > SAME:
                _end(number)


_listener: _Listener | None = None  # signals belong to the process, and so does this


@contextmanager
def _listening(is_program: bool) -> Iterator[_Listener | None]:
    global _listener
    if _listener is not None or not _in_main_thread():
        yield _listener if _in_main_thread() else None
        return
    _listener = listener = _Listener(is_program)
    # a signal that is ignored (nohup, a shell's background job) stays so, as one that another program handles
    found = {number: signal.getsignal(number) for number in KINDS}
    before = {number: was for number, was in found.items() if was not in (signal.SIG_IGN, None)}
    wakeup = signal.set_wakeup_fd(listener.wakeup.fileno(), warn_on_full_buffer=False)
    try:
        for number in before:
            signal.signal(number, listener.answer)
        yield listener
    finally:
        for number, was in before.items():
            signal.signal(number, was)
        signal.set_wakeup_fd(wakeup)
        _listener = None
        listener.close()


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _word(number: int) -> str:
    return "interrupted" if number == signal.SIGINT else "terminated"


def _say(sentence: str) -> None:
    with suppress(OSError, ValueError):  # standard error may be closed
        print(f"anomfit: {sentence}", file=sys.stderr, flush=True)


def _end(number: int) -> NoReturn:
    _say(_word(number))
    os._exit(128 + number)

"""Cases tried in long-lived processes under a watchdog: one that takes too long is a hang and ends its process."""

import dataclasses
import importlib
import os
import resource
import shutil
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from multiprocessing import connection, get_context
from pathlib import Path
from random import Random

from fuzzing.outcomes import HANG, TRACEBACK, Case, Outcome, judged

MEMORY = 6 * 2**30  # bytes of addresses a process may use; more is a MemoryError
TO_START = 600.0  # seconds until a process is ready
CASE, SHARED = "case", "shared"


def tried(
    kind: str, seed: int, indices: Sequence[int], limit: float, workers: int, prepared: Path | None = None
) -> Iterator[tuple[int, Outcome, Path]]:
    """Try these cases of a kind (a module of this package); yields index, outcome and the folder with the input.

    The folder is the process's own: what is to be kept of it must be copied before the next item is asked for. What
    the kind's cases share is made once, or taken from `prepared` if it was left there before.
    """
    with tempfile.TemporaryDirectory(prefix="anomfit-fuzz-") as scratch:
        shared = Path(scratch) / SHARED
        kept = prepared.resolve() / kind if prepared is not None else shared
        if not kept.is_dir():
            kept.mkdir(parents=True)
            _prepare(kind, kept)
        if kept != shared:
            shared.symlink_to(kept)
        team = [Worker(kind, seed, Path(scratch) / f"worker-{i}") for i in range(min(workers, len(indices)))]
        try:
            yield from _rounds(team, list(indices), limit)
        finally:
            for worker in team:
                worker.end()


def one_case(kind: str, seed: int, index: int, folder: Path) -> Case:
    """The case of this index, its files written to `folder`/case; what the kind shares lies in `folder`/../shared."""
    module = importlib.import_module(f"fuzzing.{kind}")
    case = module.case(Random(f"{kind} {seed} {index}"), folder / CASE, folder.parent / SHARED)
    shutil.rmtree(folder / CASE, ignore_errors=True)
    (folder / CASE).mkdir(parents=True)
    for name, content in case.files.items():
        (folder / CASE / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / CASE / name).write_bytes(content)
    return case


class Worker:
    """A process that tries one case after another, and is replaced when it hangs or dies."""

    def __init__(self, kind: str, seed: int, folder: Path):
        self.kind, self.seed, self.folder = kind, seed, folder
        self.index, self.began = -1, 0.0
        self._start()

    def _start(self) -> None:
        context = get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(
            target=_serve, args=(other, self.kind, self.seed, self.folder, os.getpid()), daemon=True
        )
        self.process.start()
        other.close()
        if not self.pipe.poll(TO_START) or self.pipe.recv() != "ready":
            raise RuntimeError(f"{self.kind}: a process did not start within {TO_START:.0f} s")

    def give(self, index: int) -> None:
        self.index, self.began = index, time.monotonic()
        self.pipe.send(index)

    def outcome(self, limit: float) -> Outcome | None:
        """What became of its case; None while it is at work within the limit."""
        seconds = time.monotonic() - self.began
        try:
            if self.pipe.poll():
                received = self.pipe.recv()
                if isinstance(received, str):
                    raise RuntimeError(f"{self.kind} {self.index}: the case cannot be made\n{received}")
                return received
        except (EOFError, ConnectionResetError):
            self.process.join()
            died = Outcome(TRACEBACK, "?", f"the process died with exit code {self.process.exitcode}", seconds)
            self._start()
            return died
        if seconds <= limit:
            return None
        self.end()
        self._start()
        return Outcome(HANG, "?", f"no end after {seconds:.1f} s", seconds)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _rounds(team: list[Worker], waiting: list[int], limit: float) -> Iterator[tuple[int, Outcome, Path]]:
    waiting.reverse()
    busy: list[Worker] = []
    for worker in team:
        worker.give(waiting.pop())
        busy.append(worker)
    while busy:
        connection.wait([worker.pipe for worker in busy], timeout=0.2)
        for worker in list(busy):
            outcome = worker.outcome(limit)
            if outcome is None:
                continue
            yield worker.index, outcome, worker.folder / CASE
            busy.remove(worker)
            if waiting:
                worker.give(waiting.pop())
                busy.append(worker)


def _prepare(kind: str, shared: Path) -> None:
    process = get_context("spawn").Process(target=_prepare_here, args=(kind, shared))
    process.start()
    process.join()
    if process.exitcode != 0:
        raise RuntimeError(f"{kind}: its inputs could not be prepared")


def _prepare_here(kind: str, shared: Path) -> None:
    module = importlib.import_module(f"fuzzing.{kind}")
    if hasattr(module, "prepare"):
        module.prepare(shared)


def _serve(pipe, kind: str, seed: int, folder: Path, parent: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    os.environ.update(HOME=str(folder), ANOMFIT_CACHE="off", MPLBACKEND="Agg")
    _quiet()
    importlib.import_module(f"fuzzing.{kind}").start()
    pipe.send("ready")
    while os.getppid() == parent:
        if not pipe.poll(2.0):
            continue
        try:
            index = pipe.recv()
        except EOFError:
            return
        try:
            case = one_case(kind, seed, index, folder)
        except Exception:  # a fault of these scripts
            pipe.send(traceback.format_exc())
            return
        began = time.monotonic()
        outcome = judged(case)
        os.chdir(folder)
        pipe.send(dataclasses.replace(outcome, seconds=time.monotonic() - began))


def _quiet() -> None:
    """Nothing of a case on the terminal, neither from C nor from Python."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)

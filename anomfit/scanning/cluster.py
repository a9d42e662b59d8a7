"""Chunks made by the workers of a Dask scheduler; what a worker that dies was making is made by another one.

Workers send the bytes of a chunk's file back, and the process that asked writes them: they need no disk in common with
it, only the same anomfit, JAX and data, which each of them checks before its first chunk.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from anomfit import interrupts
from anomfit.errors import InputError, quoted, reject
from anomfit.identity import differences
from anomfit.scanning.dataset import Dataset
from anomfit.scanning.engine import Recipe, Rows, content_of
from anomfit.scanning.plan import Task

PATIENCE = 30  # seconds for an answer of the scheduler
LOOK = 0.2  # seconds between looks at whether an interrupt has come
AHEAD = 2  # chunks for every thread of a worker, the one under way included
LIVES = 8  # workers that may die over one chunk
ABSENT = "install anomfit[cluster], which has dask and distributed"


class Cluster:
    """The workers of the scheduler at `address`, such as tcp://10.0.0.1:8786."""

    def __init__(self, address: str):
        self.address = address
        if not address or not address.isprintable():
            raise reject("--scheduler", address, "give the address that 'dask scheduler' prints")
        try:
            import distributed
        except ImportError as error:
            raise reject("--scheduler", address, ABSENT) from error
        self._distributed = distributed
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what they tell is said here in one sentence

    def __call__(self, recipe: Recipe, dataset: Dataset, tasks: Sequence[Task]) -> Iterator[tuple[Task, bytes]]:
        """The files of the tasks as they come. InputError where scheduler or workers cannot do it."""
        client = self._client()
        try:
            yield from self._made(client, recipe, dataset, list(reversed(tasks)))
        finally:
            with suppress(TimeoutError, OSError):
                client.close(timeout=PATIENCE)

    def _client(self) -> Any:
        try:
            return _started(self._distributed, self.address)
        except (OSError, ValueError, TypeError, KeyError, ImportError) as error:
            why = " ".join(str(error).split()) or type(error).__name__
            remedy = "start 'dask scheduler' and give the address that it prints"
            raise reject("--scheduler", self.address, f"it does not answer ({quoted(why)}); {remedy}") from error

    def _made(self, client, recipe, dataset, waiting: list[Task]) -> Iterator[tuple[Task, bytes]]:
        """A window of chunks is with the workers at any time: memory here and there is that of a few."""
        under_way: dict[Any, Task] = {}
        deaths: dict[int, int] = {}
        while waiting or under_way:
            room = max(1, AHEAD * sum(self._asked(client.nthreads).values()))
            while waiting and len(under_way) < room:
                task = waiting.pop()
                key = f"{dataset.manifest.digest[:16]}-{task.chunk}-{deaths.get(task.chunk, 0)}"
                # the lower the chunk the sooner, so that what is done has few gaps
                future = client.submit(_content, recipe, dataset, task, key=key, priority=-task.chunk, pure=False)
                under_way[future] = task
            for future in self._done(client, under_way):
                task = under_way.pop(future)
                content = self._result(future)
                if content is None:
                    deaths[task.chunk] = deaths.get(task.chunk, 0) + 1
                    if deaths[task.chunk] > LIVES:
                        remedy = "give the workers more memory, or a smaller --chunk in another folder"
                        raise InputError(f"--scheduler: chunk {task.chunk} has ended {LIVES} workers or more; {remedy}")
                    waiting.append(task)
                else:
                    yield task, content
                future.release()

    def _done(self, client, under_way) -> list[Any]:
        """The futures that are no longer under way, once there are some."""
        while True:
            interrupts.check()
            if client.status not in ("running", "connecting"):
                raise self._lost()
            try:
                with client.as_current():
                    found: Any = self._distributed.wait(list(under_way), timeout=LOOK, return_when="FIRST_COMPLETED")
                return list(found.done)
            except TimeoutError:
                continue
            except (self._distributed.CancelledError, OSError):
                return [future for future in under_way if future.status != "pending"]

    def _result(self, future) -> bytes | None:
        """The bytes; None where they were lost with a worker. What went wrong in the work itself is raised."""
        try:
            return future.result(timeout=PATIENCE)
        except (self._distributed.KilledWorker, self._distributed.CancelledError, TimeoutError):
            return None
        except ImportError as error:
            remedy = "install the same anomfit, with its libraries, where the workers run"
            raise reject(
                "--scheduler", self.address, f"a worker cannot import what it needs ({error}); {remedy}"
            ) from error

    def _asked(self, question) -> dict:
        try:
            return question()
        except (OSError, ValueError) as error:
            raise self._lost() from error

    def _lost(self) -> InputError:
        remedy = "what is done is kept, start it again and go on with --resume"
        return reject("--scheduler", self.address, f"it does not answer any more; {remedy}")


def _started(distributed: Any, address: str) -> Any:
    """A client of the scheduler; one that cannot be started is closed at once.

    Dask leaves that to the garbage collector, which may come while the next client is being started, and wait for ever.
    """

    class Client(distributed.Client):
        def start(self, **how):
            try:
                super().start(**how)
            except BaseException:
                with suppress(TimeoutError, OSError):
                    self.close(timeout=PATIENCE)
                raise

    return Client(address, timeout=PATIENCE, set_as_default=False)


_one_at_a_time = threading.Lock()  # JAX has the cores of a worker already


@lru_cache(maxsize=1)
def _prepared(recipe: Recipe) -> Rows:
    return recipe.prepared()


def _content(recipe: Recipe, dataset: Dataset, task: Task) -> bytes:
    """On a worker: the file of a chunk. InputError where this machine would make other rows."""
    import distributed

    with _one_at_a_time:
        rows = _prepared(recipe)
        if words := differences(dataset.manifest.identity, rows.identity):
            here = distributed.get_worker().address
            raise InputError(f"--scheduler: the worker {here} would make other rows: {words}; give it the same")
        return content_of(rows, dataset, task)

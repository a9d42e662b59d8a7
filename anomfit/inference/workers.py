"""Processes beside this one for work in NumPy that holds Python's lock, such as the training of networks.

Nothing of JAX is imported here: a process that only trains networks starts without it.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from joblib import Parallel, delayed


class Workers:
    """What nautilus asks of a pool: a `map` over a few processes, and their number."""

    def __init__(self, parallel: Parallel, size: int):
        self._parallel, self.size = parallel, size

    def map(self, function: Callable, items: Iterable) -> list[Any]:
        """function of every item, in order."""
        return list(self._parallel(delayed(_quietly)(function, item) for item in items))


@contextmanager
def workers(size: int) -> Iterator[Workers]:
    """`size` processes, which end with the block."""
    with Parallel(n_jobs=size) as parallel:
        yield Workers(parallel, size)


def _quietly(function: Callable, item):
    with warnings.catch_warnings():
        # fewer points than a batch, all are taken; Ctrl-C, which is answered elsewhere
        warnings.filterwarnings("ignore", message="Got `batch_size`|Training interrupted")
        return function(item)

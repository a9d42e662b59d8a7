"""`pytest.approx(x, rel=...)` means just that in these tests.

pytest adds an absolute tolerance of 1e-12, under which every cross section in GeV^-2 and every magnetic moment agrees
with every other. Give `abs` where a number may really be off by that much.
"""

import ctypes
import gc
import os
import shutil
import tempfile
from collections import Counter
from itertools import count
from pathlib import Path

import jax
import pytest

# Folders and files whose programs run once or a hundred times.
RUN_ONCE = {"physics", "reproduce", "test_coarse"}
MAPS = Path("/proc/self/maps")
FULL = 30_000  # of the 65530 mappings that Linux grants a process by default
STATM = Path("/proc/self/statm")
MUCH = 4e9  # bytes in memory, of a worker beside another one
LIBC = ctypes.CDLL(None) if os.name == "posix" else None
SELDOM = 50  # tests, between two looks at them

_approx = pytest.approx
_ran = count(1)


def _strict(expected, rel=None, abs=None, nan_ok=False):
    if abs is None:
        return _approx(expected, rel=1e-6 if rel is None else rel, abs=0.0, nan_ok=nan_ok)
    return _approx(expected, rel=rel, abs=abs, nan_ok=nan_ok)


pytest.approx = _strict

# The workers of one run and the processes that tests start share compiled programs: a small operation on arrays costs
# more to compile than to look up, and the same ones are compiled many times.
KEPT = None
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:  # in the process that starts the workers
    KEPT = tempfile.mkdtemp(prefix="anomfit-tests-")
    os.environ |= {"JAX_COMPILATION_CACHE_DIR": KEPT, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    jax.config.update("jax_compilation_cache_dir", KEPT)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)

# Tracing makes many objects that live long: looking through all of them is to be seldom.
gc.freeze()
gc.set_threshold(100_000, 20, 20)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """The files with most slow tests first, so that no worker is left alone with a long file at the end."""
    tests = Counter(item.path for item in items)
    slow = Counter(item.path for item in items if item.get_closest_marker("slow") is not None)
    items.sort(key=lambda item: (-slow[item.path], -tests[item.path]))


def pytest_unconfigure():
    if KEPT is not None:
        shutil.rmtree(KEPT, ignore_errors=True)


@pytest.fixture
def interrupt(monkeypatch):
    """interrupt(module, name, call): Ctrl-C in the module's function from that call on, counted from 1."""

    def arrange(module, name: str, call: int = 1) -> None:
        real, calls = getattr(module, name), []

        def interrupted(*arguments):
            calls.append(name)
            if len(calls) >= call:
                raise KeyboardInterrupt
            return real(*arguments)

        monkeypatch.setattr(module, name, interrupted)

    return arrange


@pytest.fixture(autouse=True, scope="module")
def _compiled_quickly(request):
    """Where compiling is most of the time LLVM optimises nothing; results differ by rounding, for which there is room.

    What runs longer than it compiles loses: likelihoods take three times as long then.
    """
    quickly = not RUN_ONCE.isdisjoint((request.path.parent.name, request.path.stem))
    jax.config.update("jax_disable_most_optimizations", quickly)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(autouse=True)
def _room_for_programs(request):
    """Drop compiled programs before they fill the process or the machine: mappings of a process have an end, too."""
    yield
    is_heavy = request.node.get_closest_marker("slow") is not None
    if (is_heavy or next(_ran) % SELDOM == 0) and MAPS.exists():
        with MAPS.open() as lines:
            many = sum(1 for _ in lines) > FULL
        if not many and _resident() > MUCH:
            _trim()  # most of it is what compiling has left behind
        if many or _resident() > MUCH:
            jax.clear_caches()
            gc.collect()
            _trim()


def _resident() -> int:
    """Bytes of the process that are in memory."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _trim() -> None:
    """Give freed memory back, which the C library keeps otherwise."""
    if hasattr(LIBC, "malloc_trim"):
        LIBC.malloc_trim(0)

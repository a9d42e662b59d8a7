"""Compiled programs kept between runs in the user's cache folder; whatever is wrong with the cache stays silent."""

import hashlib
import os
import platform
import sys
import warnings
from pathlib import Path

from anomfit.user_cache import user_cache

SWITCH = "ANOMFIT_CACHE"  # "off", or another folder
LEAST_COMPILE_SECONDS = 0.3  # quicker programs are not worth a file


def cache_folder() -> Path | None:
    """The folder of compiled programs; None when ANOMFIT_CACHE=off, and where the user has no home to keep it in.

    One subfolder a kind of processor and JAX version: a home that several machines share would otherwise offer each
    machine the programs of the others, which JAX rejects or, worse, runs.
    """
    switch = os.environ.get(SWITCH, "").strip()
    if switch.lower() in ("off", "0", "no", "false"):
        return None
    try:
        root = Path(switch).expanduser() if switch else user_cache() / "anomfit" / "xla"
        str(root).encode()  # JAX takes no other name
    except (RuntimeError, UnicodeEncodeError):  # a batch system without HOME, or "~somebody" who is not known here
        return None
    return root / _fingerprint()


def use_compile_cache() -> Path | None:
    """Tell JAX to keep compiled programs; the folder, or None when switched off or when it cannot be written.

    A damaged or rejected entry is compiled again without a word: JAX's warnings about the cache are ignored, and so are
    the compiler's log lines where JAX is not yet imported.
    """
    folder = cache_folder()
    if folder is None or not _is_writable(folder):
        return None
    warnings.filterwarnings("ignore", message=r"Error (reading|writing) persistent compilation cache")
    if "jax" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when jaxlib loads
    import jax

    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", LEAST_COMPILE_SECONDS)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return folder


def _fingerprint() -> str:
    from importlib.metadata import version

    words = [platform.machine(), platform.processor(), version("jaxlib")]
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        words += [line for line in lines if line.startswith(("flags", "Features", "model name"))][:2]
    except OSError:
        pass
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError:
        return False
    return True

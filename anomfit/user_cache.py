"""Where a user's caches are kept: the folder that the operating system has for them."""

import os
import sys
from pathlib import Path


def user_cache() -> Path:
    """The folder; RuntimeError where the user has no home to keep it in, as in some batch systems."""
    if Path(os.environ.get("XDG_CACHE_HOME", "")).is_absolute():  # the standard ignores any other
        return Path(os.environ["XDG_CACHE_HOME"])
    if sys.platform == "win32" and "LOCALAPPDATA" in os.environ:
        return Path(os.environ["LOCALAPPDATA"])
    home = Path.home()
    if not (home.is_absolute() and home.is_dir()):
        raise RuntimeError("the home folder is not there")
    below = {"darwin": ("Library", "Caches"), "win32": ("AppData", "Local")}.get(sys.platform, (".cache",))
    return home.joinpath(*below)

"""What a machine can lack and a run needs at its end: found out before the work, or gone round."""

import importlib
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any
from unittest import mock

from anomfit.errors import InputError, quoted, reject

AT_THE_END = ("h5netcdf", "matplotlib.figure", "arviz")  # what writes, draws and judges a result


def require_platform() -> None:
    """InputError where JAX is told, by JAX_PLATFORMS, to compute on what this machine does not have."""
    import jax

    wanted = jax.config.jax_platforms  # type: ignore[attr-defined]
    if wanted in (None, "", "cpu"):
        return
    try:
        jax.local_devices()
    except (RuntimeError, AssertionError):
        remedy = "JAX finds no such device here; unset it or set it to cpu, or install JAX with what drives the device"
        raise reject("JAX_PLATFORMS", wanted, remedy) from None


def require_libraries() -> None:
    """InputError where a library that is needed when a result is written cannot be imported here."""
    for name in AT_THE_END:
        try:
            import_arviz() if name == "arviz" else importlib.import_module(name)
        except Exception as error:  # whatever a damaged installation or a setting of the user leads to
            reason = quoted(" ".join(str(error).split()))
            raise InputError(f"{name}: it cannot be imported ({reason}); mend that, or install it again") from error


def import_arviz() -> Any:
    """ArviZ, without its daily announcement, for which version 0.23 writes into the user's cache when imported.

    ArviZ looks for its settings in the user's home; where there is none, an empty folder stands for it.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)
        try:
            Path.home()  # without a home ArviZ would make a folder named "~" where it is
            return importlib.import_module("arviz")
        except (OSError, RuntimeError) as error:
            lacking = ("XDG_CACHE_HOME", *(("HOME",) if isinstance(error, RuntimeError) else ()))
            with tempfile.TemporaryDirectory() as empty, mock.patch.dict(os.environ, dict.fromkeys(lacking, empty)):
                return importlib.import_module("arviz")

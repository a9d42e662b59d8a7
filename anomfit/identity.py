"""What fixes the numbers of a run, as named digests: two runs of one identity may go on with each other's work.

`identity` names what the likelihood and the prior rest on: anomfit, its numerical source and tables, the user's files,
the data, the fixed values and the free parameters. `sampling_identity` adds what fixes the draws: key, settings, and
the libraries that compute them. A fit may be followed by sampling with another JAX, whose likelihoods agree to
rounding; draws go on only with the same, since no other gives the numbers of a run that never stopped. So it is with
XLA_FLAGS, by which programs compile to others in the last bit.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Array

from anomfit import __version__
from anomfit.capabilities import choices_of
from anomfit.data import data_folder
from anomfit.errors import InputError
from anomfit.measurements.base import StandsIn
from anomfit.measurements.coarse import Coarse
from anomfit.parameters import Nuisance, Parameter
from anomfit.problem import Problem
from anomfit.userfiles import sources

NUMERICAL = (
    *("beams", "constraints", "detectors", "inference", "measurements", "models", "physics", "rates"),
    *("statistics", "tables"),
    *("capabilities.py", "data.py", "parameters.py", "prediction.py", "problem.py", "units.py"),
)
"""Folders and files of the package that numbers come from; the rest reads, writes, draws and explains."""
NO_TABLES = ("cards", "reproduce")  # folders of data/ that no likelihood reads: what a card says is in the problem
OWN = "anomfit's "  # how the names of the package's parts begin
PLURAL = ("the data", "the choices of the model", "anomfit's constraints", "anomfit's measurements", "anomfit's models")
DIGEST = 64  # characters; what is shorter is said
SHOWN = 4  # parts that a sentence names
LIBRARIES = {
    "nuts": ("jax", "jaxlib", "numpyro"),
    "tempered": ("jax", "jaxlib", "numpy"),
    "toys": ("jax", "jaxlib", "scipy", "numpy"),
    "scan": ("jax", "jaxlib", "scipy", "numpy"),
    "plane": ("jax", "jaxlib", "iminuit", "scipy", "numpy"),
    "nested": ("jax", "jaxlib", "nautilus-sampler", "scikit-learn", "scipy", "numpy"),
}


def identity(problem: Problem) -> dict[str, str]:
    """Digest or value, by the name that a sentence gives it, of all that fixes likelihood and prior of `problem`."""
    parts = {"anomfit": __version__, **_package(), **_user_files(problem)}
    parts["the model"] = f"{problem.model.name}, {problem.parametrisation.name}"
    parts["the choices of the model"] = repr(sorted(choices_of(problem.model).items()))
    for measurement in problem.measurements:
        name = f"{measurement.name}:{measurement.era}"
        if isinstance(measurement, StandsIn):
            stated = str(sorted(measurement.choices.items())).encode()
            which = "the few nodes" if isinstance(measurement, Coarse) else "the table"
            parts[f"{which} of {name}"] = _digest(stated, *map(_content, jax.tree.leaves(measurement)))
            measurement = measurement.exact
        choices = str(sorted(measurement.choices.items())).encode()
        parts[f"the data of {name}"] = _digest(choices, *map(_content, jax.tree.leaves(measurement)))
    parts |= {f"the fixed {name}": repr(float(value)) for name, value in problem.fixed.items()}
    parts |= {f"the range of {p.name}": f"{_prior(p)} from {p.low!r} to {p.high!r}" for p in problem.free}
    parts |= {f"the nuisance {n.name}": _width_of(n) for n in problem.nuisances}
    order = (*problem.names, *(f"{m.name}:{m.era}" for m in problem.measurements))
    return parts | {"the order of parameters and measurements": _digest(*(name.encode() for name in order))}


def _prior(parameter: Parameter) -> str:
    kind = parameter.prior
    return f"{kind} {parameter.mean!r} +- {parameter.sigma!r}" if parameter.is_gaussian else kind


def sampling_identity(problem: Problem, key: Array, method: str, **settings: Any) -> dict[str, str]:
    """`identity` of `problem` with what fixes the draws: `key`, `settings` by name and the libraries of `method`."""
    parts = {**identity(problem), "the seed": _digest(_content(jax.random.key_data(key)))}
    parts |= {f"the setting {name}": repr(value) for name, value in settings.items()}
    parts["XLA_FLAGS"] = repr(os.environ.get("XLA_FLAGS", ""))
    return parts | {name: metadata.version(name) for name in LIBRARIES[method]}


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What differs between two identities, in words for a sentence; empty when nothing does."""
    if not before:
        return "it does not say what it was computed from"
    if before["anomfit"] != now["anomfit"]:  # says it all: the package's parts are not named one by one
        before, now = ({name: x for name, x in one.items() if not name.startswith(OWN)} for one in (before, now))
    found = [_change(name, before[name], now[name]) for name in before if name in now and before[name] != now[name]]
    found += [f"{name} is not used any more" for name in before if name not in now]
    found += [f"{name} is new" for name in now if name not in before]
    return ", ".join(found if len(found) <= SHOWN else [*found[: SHOWN - 1], f"{len(found) - SHOWN + 1} more differ"])


def refuse_other(path: Path, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """InputError when the work kept in `path` is not that of the run that would go on with it: what changed, in words.

    A run that goes on with numbers of another likelihood would mix the two.
    """
    if words := differences(before, now):
        raise InputError(f"{path}: it belongs to another run: {words}; undo this, or start again in another folder")


def _change(name: str, before: str, now: str) -> str:
    if max(len(before), len(now)) < DIGEST:
        return f"{name} was {before} and is {now}"
    return f"{name} {'have' if name.startswith(PLURAL) else 'has'} changed"


def _width_of(nuisance: Nuisance) -> str:
    bounds = "" if nuisance.bounds is None else f" between {nuisance.bounds[0]!r} and {nuisance.bounds[1]!r}"
    return f"{nuisance.mean!r} +- {nuisance.sigma!r}{bounds}"


def _user_files(problem: Problem) -> dict[str, str]:
    """By name without the folder, so that a folder may be moved; files of one name are one part."""
    digests: dict[str, str] = {}
    for path, digest in sources(problem.model, *problem.measurements).items():
        name = Path(path).name
        digests[name] = _digest(digests[name].encode(), digest.encode()) if name in digests else digest
    return digests


@lru_cache(maxsize=1)
def _package() -> dict[str, str]:
    """Digests of the package's numerical source, and of its tables, by folder."""
    package, tables = Path(str(resources.files("anomfit"))), data_folder()
    source = {f"{OWN}{name}": sorted((package / name).rglob("*.py")) or [package / name] for name in NUMERICAL}
    folders = sorted(folder for folder in tables.iterdir() if folder.is_dir() and folder.name not in NO_TABLES)
    found = {f"{OWN}data/{folder.name}": sorted(p for p in folder.rglob("*") if p.is_file()) for folder in folders}
    return {name: _of_files(paths) for name, paths in {**source, **found}.items()}


def _of_files(paths: Iterable[Path]) -> str:
    return _digest(*(part for path in paths for part in (path.name.encode(), path.read_bytes())))


def _content(leaf: Any) -> bytes:
    array = np.asarray(leaf)
    return f"{array.dtype} {array.shape} ".encode() + array.tobytes()


def _digest(*parts: bytes) -> str:
    """SHA-256 of parts, each with its length, so that no two lists of parts look alike."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()

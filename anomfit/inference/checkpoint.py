"""The state of a sampling run on disk: written whole under a temporary name and renamed, refused if it is not ours."""

import hashlib
import json
import os
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.errors import InputError
from anomfit.inference.amplitude import Amplitude
from anomfit.inference.conditional import Conditional
from anomfit.inference.devices import place
from anomfit.inference.nuts import Block, Tuning
from anomfit.inference.straight import Straight
from anomfit.problem import Problem


@dataclass(frozen=True)
class Checkpoint:
    """A run after `steps` transitions, warmup included: coordinates, the chains' state and the draws kept so far."""

    mark: str
    coordinates: Straight | None
    state: Any
    draws: Block
    steps: int
    seconds: float
    sampling_seconds: float


def fingerprint(problem: Problem, key, chains: int, tuning: Tuning) -> str:
    """A digest of what fixes the numbers of a run: data, fixed values, ranges, measurements, key, chains and tuning."""
    digest = hashlib.sha256()
    words = [problem.model.name, problem.parametrisation.name, *map(repr, problem.free), *map(repr, problem.nuisances)]
    words += [f"{m.name}:{m.era} {sorted(m.choices.items())}" for m in problem.measurements]
    words += [repr(sorted(problem.fixed)), str(chains), repr(tuning)]
    digest.update("\n".join(words).encode())
    for leaf in [*jax.tree.leaves(problem), jax.random.key_data(key)]:
        digest.update(np.asarray(leaf).tobytes())
    return digest.hexdigest()


def write_checkpoint(path: Path, run: Checkpoint) -> None:
    """Write `run` to `path`; a run killed at any moment leaves the previous file or the new one, never half of one."""
    leaves = [jax.random.key_data(x) if _is_key(x) else x for x in jax.tree.leaves(run.state)]
    arrays = {f"state_{i}": np.asarray(x) for i, x in enumerate(leaves)}
    arrays |= {f"draws_{name}": x for name, x in run.draws._asdict().items()}
    arrays |= {f"coordinates_{i}": np.asarray(x) for i, x in enumerate(jax.tree.leaves(run.coordinates))}
    meta = {
        "mark": run.mark,
        "coordinates": _described(run.coordinates),
        "steps": run.steps,
        "seconds": run.seconds,
        "sampling_seconds": run.sampling_seconds,
    }
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez(file, meta=np.array(json.dumps(meta)), allow_pickle=False, **arrays)
    os.replace(part, path)


def read_checkpoint(path: Path, template: Any, mark: str) -> Checkpoint:
    """Read a run back; `template` has its state's structure. InputError if the file is damaged or another run's."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(str(arrays["meta"]))
        shapes, structure = jax.tree.flatten(template)
        leaves = [arrays[f"state_{i}"] for i in range(len(shapes))]
        draws = Block(*(arrays[f"draws_{name}"] for name in Block._fields))
        coordinates = _coordinates(arrays, meta["coordinates"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a readable state of a sampling run; delete it to start again") from error
    if meta["mark"] != mark:
        raise InputError(f"{path}: belongs to a run with another card, seed or tuning; use those, or delete it")
    keys = [jax.random.wrap_key_data(x) if _is_key(t) else x for x, t in zip(leaves, shapes, strict=True)]
    state = place(jax.tree.unflatten(structure, keys), draws.z.shape[0])
    return Checkpoint(mark, coordinates, state, draws, meta["steps"], meta["seconds"], meta["sampling_seconds"])


def _described(coordinates: Straight | None) -> dict[str, int] | None:
    """Numbers of layers by kind of step: what the kept leaves do not say."""
    if coordinates is None:
        return None
    steps = {"conditionals": coordinates.conditionals, "amplitudes": coordinates.amplitudes}
    return {kind: len(step.layers) for kind, step in steps.items() if step is not None}


def _coordinates(arrays: dict[str, np.ndarray], layers: dict[str, int] | None) -> Straight | None:
    """The steps as described, with the kept leaves in their order."""
    if layers is None:
        return None
    names = sorted((name for name in arrays if name.startswith("coordinates_")), key=lambda name: int(name[12:]))
    leaves = iter([jnp.asarray(arrays[name]) for name in names])

    def step(kind: type, count: int):
        return kind(
            tuple((next(leaves), next(leaves)) for _ in range(count)), *(next(leaves) for _ in fields(kind)[1:])
        )

    conditionals = step(Conditional, layers["conditionals"]) if "conditionals" in layers else None
    return Straight(conditionals, step(Amplitude, layers["amplitudes"]) if "amplitudes" in layers else None)


def _is_key(leaf) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)

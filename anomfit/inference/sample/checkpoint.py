"""The state of a run of chains as arrays on disk, and back."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.inference.devices import place
from anomfit.inference.sample.amplitude import Amplitude
from anomfit.inference.sample.conditional import Conditional
from anomfit.inference.sample.nuts import Block
from anomfit.inference.sample.straight import Straight
from anomfit.inference.states import keep_state, kept_state


@dataclass(frozen=True)
class Checkpoint:
    """A run after `steps` transitions, warmup included: coordinates, the chains' state and the draws kept so far;
    `problems` are sentences about its starts (see `undefined`).
    """

    identity: dict[str, str]
    coordinates: Straight | None
    state: Any
    draws: Block
    steps: int
    seconds: float
    sampling_seconds: float
    problems: tuple[str, ...] = ()


def write_checkpoint(path: Path, run: Checkpoint) -> None:
    """Keep `run` in `path` (see `states`)."""
    leaves = [jax.random.key_data(x) if _is_key(x) else x for x in jax.tree.leaves(run.state)]
    arrays = {f"state_{i}": np.asarray(x) for i, x in enumerate(leaves)}
    arrays |= {f"draws_{name}": x for name, x in run.draws._asdict().items()}
    arrays |= {f"coordinates_{i}": np.asarray(x) for i, x in enumerate(jax.tree.leaves(run.coordinates))}
    meta = {
        "coordinates": _described(run.coordinates),
        "steps": run.steps,
        "seconds": run.seconds,
        "sampling_seconds": run.sampling_seconds,
        "problems": run.problems,
    }
    described = np.array(json.dumps(meta))
    keep_state(path, run.identity, lambda part: np.savez(part, meta=described, allow_pickle=False, **arrays))


def read_checkpoint(path: Path, template: Any, identity: dict[str, str]) -> Checkpoint | None:
    """Read a run back; `template` has its state's structure. None if there is none; InputError if it is another's."""
    arrays = kept_state(path, identity, _arrays)
    if arrays is None:
        return None
    meta = json.loads(str(arrays["meta"]))
    shapes, structure = jax.tree.flatten(template)
    leaves = [arrays[f"state_{i}"] for i in range(len(shapes))]
    draws = Block(*(arrays[f"draws_{name}"] for name in Block._fields))
    coordinates = _coordinates(arrays, meta["coordinates"])
    keys = [jax.random.wrap_key_data(jnp.asarray(x)) if _is_key(t) else x for x, t in zip(leaves, shapes, strict=True)]
    state = place(jax.tree.unflatten(structure, keys), draws.z.shape[0])
    numbers = (meta["steps"], meta["seconds"], meta["sampling_seconds"])
    return Checkpoint(identity, coordinates, state, draws, *numbers, tuple(meta["problems"]))


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


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

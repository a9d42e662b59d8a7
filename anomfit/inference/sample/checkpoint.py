"""The state of a run of chains as arrays on disk, and back."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.inference.devices import place
from anomfit.inference.sample.nuts import Block
from anomfit.inference.states import keep_state, kept_state


@dataclass(frozen=True)
class Checkpoint:
    """A run after `steps` transitions, warmup included: the chains' state and the draws kept so far;
    `problems` are sentences about its starts (see `undefined`).
    """

    identity: dict[str, str]
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
    meta = {
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
    keys = [jax.random.wrap_key_data(jnp.asarray(x)) if _is_key(t) else x for x, t in zip(leaves, shapes, strict=True)]
    state = place(jax.tree.unflatten(structure, keys), draws.z.shape[0])
    numbers = (meta["steps"], meta["seconds"], meta["sampling_seconds"])
    return Checkpoint(identity, state, draws, *numbers, tuple(meta["problems"]))


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _is_key(leaf) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)

"""A function of one point for any number of points, in chunks: memory is that of a chunk, whatever the number.

`jax.vmap` keeps every intermediate result of every point at the same time, and a rate has many: the likelihood of a
whole fit at 1e5 points would take hundreds of GB.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.errors import InputError, reject
from anomfit.inference.devices import batch_mesh


def batched(function: Callable, batch_size: int) -> Callable:
    """`function` mapped over the leading axis of its arguments, `batch_size` points at once on each device.

    `function` takes any number of pytrees of arrays and returns one; what this gives takes the same pytrees with a
    leading axis more, of one length n for all arrays, and returns the values with the leading axis n, as `jax.vmap` of
    `function` would. What `function` has from around it, such as a model or a measurement, is not mapped.

    The chunks follow one after the other, and chunks of different devices run side by side, so that n points take the
    memory of `batch_size` on each device, besides arguments and values. The last chunk may be shorter; it is filled up
    with copies of the last point. `function` is compiled once, and only for a new n again. Works inside `jax.jit`,
    and `jax.grad` differentiates through it with the same bound: what a chunk needs backwards is computed again.

    Raises InputError for a `batch_size` that is no whole number above 0, and for arguments without one common leading
    axis.
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
        raise reject("batch_size", batch_size, "give a whole number above 0: how many points are computed at once")

    @wraps(function)
    def mapped(*points: Any) -> Any:
        number = _length(points)
        if number == 0:
            return jax.vmap(function)(*points)
        size = min(int(batch_size), number)
        devices = min(jax.local_device_count(), -(-number // size))
        chunks = -(-number // (size * devices))  # of each device
        full = chunks * size * devices
        shaped = jax.tree.map(lambda x: _filled(x, full).reshape(devices, chunks, size, *jnp.shape(x)[1:]), points)
        chunk = jax.checkpoint(jax.vmap(lambda one: function(*one)))
        values = _on_devices(lambda part: jax.lax.map(chunk, part), devices)(shaped)
        return jax.tree.map(lambda x: x.reshape(full, *x.shape[3:])[:number], values)

    return mapped


def _length(points: tuple[Any, ...]) -> int:
    """The length of the leading axis that all arrays have."""
    lengths = {jnp.shape(leaf)[:1] for leaf in jax.tree.leaves(points)}
    if len(lengths) != 1 or () in lengths:
        found = ", ".join(sorted(str(length[0]) if length else "none" for length in lengths)) or "no array"
        raise InputError(f"batched: the arguments need one common leading axis, and have {found}; stack the points")
    return lengths.pop()[0]


def _filled(x: Any, full: int) -> jax.Array:
    """With copies of the last entry up to the length `full`."""
    x = jnp.asarray(x)
    return jnp.concatenate([x, jnp.broadcast_to(x[-1:], (full - len(x), *x.shape[1:]))])


def _on_devices(function: Callable, devices: int) -> Callable:
    """`function` of every entry of the leading axis, one a device."""
    if devices == 1:
        return lambda shaped: jax.tree.map(lambda x: x[None], function(jax.tree.map(lambda x: x[0], shaped)))
    split = jax.sharding.PartitionSpec("batch")

    def one(part):
        return jax.tree.map(lambda x: x[None], function(jax.tree.map(lambda x: x[0], part)))

    return jax.shard_map(one, mesh=batch_mesh(devices), in_specs=(split,), out_specs=split, check_vma=False)

"""Devices: chains and starts spread over the processor's cores, or over whatever accelerators JAX sees."""

import os
from collections.abc import Callable

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

LEAN = 16  # points together on a processor, where one alone has next to nothing to compute
ACCELERATED = 512  # points together on an accelerator: 17 GB of intermediate results, the dark seesaw with MicroBooNE


def prepare_devices(wanted: int) -> int:
    """Make the processor appear as up to `wanted` JAX devices, one a core, and return how many devices there are.

    It works only before JAX has computed anything in this process; later it changes nothing and returns what there is,
    and the work is then vectorised on those.

    XLA's pool gets more threads than there are devices (it reads NPROC when the first computation starts): with one
    thread a core, a linear-algebra call on every device, such as the Cholesky factor of a covariance, waits for a
    thread that none of them gives up, seen as a fit that stands still.
    """
    os.environ.setdefault("NPROC", str(2 * (os.cpu_count() or 1) + 2))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        jax.config.update("jax_num_cpu_devices", max(1, min(wanted, cores)))
    except RuntimeError:
        return jax.local_device_count()  # JAX has started already: its devices stay as they are
    return jax.local_device_count()


def devices_for(batch: int) -> int:
    """The largest number of local devices that divides `batch`."""
    return max(n for n in range(1, jax.local_device_count() + 1) if batch % n == 0)


def batch_mesh(devices: int) -> Mesh:
    """The first `devices` local devices in a row, axis "batch"."""
    return Mesh(np.array(jax.local_devices()[:devices]), ("batch",))


def spread(function: Callable, devices: int) -> Callable:
    """`function(shared, batch)` with the leading axis of `batch`, and of what it returns, split over `devices`.

    Each device runs at its own pace, so a loop that ends early on one does not wait for the others. To be called inside
    a jitted function for which `devices` is static.
    """
    if devices == 1:
        return function
    mesh = batch_mesh(devices)
    shared, split = PartitionSpec(), PartitionSpec("batch")
    return jax.shard_map(function, mesh=mesh, in_specs=(shared, split), out_specs=split, check_vma=False)


def each(function: Callable, points, is_lean: bool = False):
    """`function` of every point of a batch: one after the other on a processor, many at once on an accelerator.

    The arrays of one point fill a processor's cache: four together take a quarter longer each. Branches of `function`
    stay branches. Where it `is_lean`, a point costs little beside the calls of its operations: of look-ups and formulas
    a few together take a third of the time, with few nodes three quarters. An accelerator needs the width.
    """
    alone = LEAN if is_lean else None
    return jax.lax.map(function, points, batch_size=alone if jax.default_backend() == "cpu" else ACCELERATED)


def place(batch, size: int):
    """A pytree of host arrays with leading axis `size`, laid out as `spread` returns them."""
    devices = devices_for(size)
    if devices == 1:
        return jax.device_put(batch)
    return jax.device_put(batch, NamedSharding(batch_mesh(devices), PartitionSpec("batch")))


def on_all(shared, size: int):
    """A pytree that every device reads, on each of those that share batches of `size`: a program moves it no more."""
    devices = devices_for(size)
    return shared if devices == 1 else jax.device_put(shared, NamedSharding(batch_mesh(devices), PartitionSpec()))

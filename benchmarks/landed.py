"""Every prediction, likelihood and constraint of every model at points of its prior: saved, or compared with a table.

    python benchmarks/landed.py --save landed.npz [--points 50]
    python benchmarks/landed.py --against landed.npz [--tolerance 1e-10]

Run the first before a change that must leave numbers as they are, and the second after it. What only one of both has is
listed; a number that moves by more than the tolerance (relative, or 1e-5 of the point's largest) ends with exit 1.
"""

import argparse
import sys
import warnings
import zlib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.capabilities import offers
from anomfit.catalogue import find_measurement, find_model, measurement_listing, model_names, shipped_constraints
from anomfit.errors import InputError

FLOOR = 1e-5  # of the largest number at a point, below which a number is compared with that
TINY = 1e-300


def main() -> None:
    """Save a table, or compare with one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--tolerance", type=float, default=1e-10)
    parser.add_argument("--models", nargs="*", default=list(model_names()))
    arguments = parser.parse_args()
    if arguments.save:
        np.savez_compressed(arguments.save, **table(arguments.models, arguments.points))
        return
    before = dict(np.load(arguments.against))
    sys.exit(compare(before, table(arguments.models, arguments.points), arguments.tolerance))


def table(models: list[str], number: int) -> dict[str, np.ndarray]:
    """Numbers by "model/name": of measurements the bins and ln L, of constraints prediction and ratio."""
    found = {}
    for name in models:
        model = find_model(name)
        points = prior_points(model, number)
        entries = {f"{row.name}:{row.era}": find_measurement(f"{row.name}:{row.era}") for row in measurement_listing()}
        for key, entry in entries.items():
            keep(found, f"{name}/{key}", lambda at, entry=entry, model=model: measured(entry, model, at), points)
        for entry in shipped_constraints():
            key = f"{name}/{entry.name}"
            if offers(model, entry.accepts):
                keep(found, key, lambda at, entry=entry, model=model: jnp.stack(entry.outcome(model, at, {})), points)
    return found


def keep(found: dict[str, np.ndarray], key: str, program, points) -> None:
    """Add what the program gives at the points, where the model has what it asks for."""
    try:
        found[key] = np.asarray(jax.jit(lambda at: jax.lax.map(program, at))(points))
    except (AttributeError, AssertionError, TypeError, ValueError, KeyError, InputError):
        return
    print(f"{key}: {found[key].shape}", flush=True)


def measured(entry, model, point):
    """Bins and ln L at the central nuisances."""
    nuisances = {n.name: jnp.asarray(n.mean) for n in (*model.nuisances, *entry.nuisances)}
    prediction = entry.predict(model, point, nuisances)
    return jnp.append(prediction.total, entry.log_likelihood(prediction, nuisances))


def prior_points(model, number: int):
    """Physical points from the prior of the first parametrisation; what the first published point has at 0 stays."""
    chosen = next(iter(model.parametrisations.values()))
    published = chosen.from_physical(next(iter(model.points.values())))
    values: dict[str, jnp.ndarray] = {}
    for parameter in chosen.parameters:
        unit = np.random.default_rng(zlib.crc32(parameter.name.encode())).random(number)  # whatever the others are
        low, high = parameter.low, np.full(number, parameter.high)
        if parameter.name in chosen.upper:
            high = np.minimum(high, np.asarray(chosen.upper[parameter.name](values)))
        high = np.maximum(high, low)
        drawn = low * (high / low) ** unit if parameter.prior == "log-uniform" else low + (high - low) * unit
        values[parameter.name] = jnp.asarray(drawn if float(published[parameter.name]) != 0.0 else np.zeros(number))
    physical = jax.vmap(chosen.to_physical)(values)
    return {name: jnp.asarray(value, dtype=float) for name, value in physical.items()}


def compare(before: dict[str, np.ndarray], after: dict[str, np.ndarray], tolerance: float) -> int:
    """Print what differs; 1 where a number has moved."""
    moved = 0
    for key in sorted(before.keys() | after.keys()):
        if key not in after or key not in before:
            print(f"{key}: only {'before' if key in before else 'after'}")
            continue
        old, new = before[key], after[key]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            largest = np.nanmax(np.abs(old), axis=tuple(range(1, old.ndim)), keepdims=True)
            off = np.abs(new - old) / np.maximum(np.abs(old), np.maximum(FLOOR * largest, TINY))
        off = np.where((old == new) | (np.isnan(old) & np.isnan(new)), 0.0, off)
        if not np.all(off <= tolerance):
            moved = 1
            print(f"{key}: moved by up to {np.nanmax(off):.2g} at {np.sum(~(off <= tolerance))} of {off.size} numbers")
    print("all others agree")
    return moved


if __name__ == "__main__":
    main()

"""Every model with every measurement and every constraint: finite, differentiable, batched, and what is refused why.

    python benchmarks/battery.py [--models two-higgs-doublet ...] [--points 4] [--part 1/4] [--write PAGE]

For each accepted pair, at points of the model's prior: bins and ln L (a measurement) or prediction and ratio (a
constraint) are finite; the derivative along a random direction in the logarithms of the parameters agrees with
differences, from one side where the number has a corner; a vmapped program gives what single calls give; and the
measurement survives a round trip through its leaves. A refused pair must have a reason. Anything else ends with exit 1.
The page needs the markers `accepted` and `refused`. With --points 0 nothing is computed: only the tables are written.
--part i/n computes every n-th program from the i-th on, so that n processes do it together.
"""

import argparse
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from landed import prior_points
from marked_tables import put_table

from anomfit.capabilities import CAPABILITY_WORDS, HasLightBosons, offers, together
from anomfit.catalogue import find_measurement, find_model, measurement_listing, model_names, shipped_constraints
from anomfit.constraints import Constraint
from anomfit.constraints.refusals import reason_of_refusal

TOGETHER = 16  # constraints that are no integrals in one compiled program
STEP = 1e-4  # in the logarithm of every parameter
CLOSE = 2e-4  # of the number and of its derivative: differences are no better


class Pair(NamedTuple):
    """One row of the table for a model: what it gives at a point from its own leaves, or why it is refused."""

    name: str
    kind: str
    leaves: Any
    numbers: Callable[[Any, dict[str, jnp.ndarray]], jnp.ndarray] | None
    reason: str

    @property
    def is_light(self) -> bool:
        """Whether it may share a program with others."""
        return isinstance(self.leaves, Constraint) and self.leaves.is_light


def main() -> None:
    """Run the table, print what fails, and write what is refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", default=list(model_names()))
    parser.add_argument("--points", type=int, default=4)
    parser.add_argument("--part", default="1/1", help="such as 1/4")
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    first, every = map(int, arguments.part.split("/"))
    counts, refused, faults = [], [], []
    for name in arguments.models:
        model = find_model(name)
        points, tally = prior_points(model, max(arguments.points, 1)), {"measurement": [0, 0], "constraint": [0, 0]}
        accepted = []
        for pair in pairs(model):
            tally[pair.kind][pair.numbers is None] += 1
            if pair.numbers is not None:
                accepted.append(pair)
                continue
            refused.append([name, pair.name, pair.reason])
            if not pair.reason:
                faults.append(f"{name} with {pair.name}: refused without a reason")
        for group in list(groups(accepted))[first - 1 :: every] if arguments.points else ():
            found = [f"{name} with {fault}" for fault in checked(group, points)]
            faults += found
            words = ", ".join(pair.name for pair in group)
            print(*(found or [f"{name} with {words}: as it must be"]), sep="\n", flush=True)
        counts.append([name, *(f"{a} of {a + b}" for a, b in tally.values())])
    for row in counts:
        print(" | ".join(row))
    if arguments.write:
        put_table(arguments.write, "accepted", "| model | measurements | constraints |", counts)
        put_table(arguments.write, "refused", "| model | refused | reason |", by_reason(refused))
    print(f"{len(faults)} faults", *faults, sep="\n")
    sys.exit(bool(faults))


def groups(accepted: list[Pair]) -> Iterator[list[Pair]]:
    """Pairs that share a compiled program: some light constraints, or one of the others."""
    light = [pair for pair in accepted if pair.is_light]
    yield from ([pair] for pair in accepted if not pair.is_light)
    yield from (light[i : i + TOGETHER] for i in range(0, len(light), TOGETHER))


def pairs(model) -> Iterator[Pair]:
    """All measurements in all eras, and all constraints."""
    for row in measurement_listing():
        entry = find_measurement(f"{row.name}:{row.era}")
        yield Pair(f"{row.name}:{row.era}", "measurement", entry, of_measurement(model, entry), missing(model, entry))
    for entry in shipped_constraints():
        reason = missing(model, entry)
        numbers = None if reason else partial(of_constraint, model)
        yield Pair(entry.name, "constraint", entry, numbers, reason)


def of_measurement(model, entry):
    """Bins and ln L at the central nuisances, as a function of the measurement's leaves and a point."""
    if not offers(model, entry.accepts):
        return None
    nuisances = {n.name: jnp.asarray(n.mean) for n in (*model.nuisances, *entry.nuisances)}

    def numbers(leaves, at):
        prediction = leaves.predict(model, at, nuisances)
        return jnp.append(prediction.total, leaves.log_likelihood(prediction, nuisances))

    return numbers


def of_constraint(model, leaves, at):
    """Prediction and ratio; the limit itself is not a number where nothing is published."""
    found = leaves.outcome(model, at, {})
    return jnp.stack([found.predicted, found.ratio])


def missing(model, entry) -> str:
    """What the model does not have, in physics, of what is measured; "" if it is accepted."""
    if offers(model, entry.accepts):
        return ""
    of_spin = isinstance(entry, Constraint) and reason_of_refusal(model, entry)
    if of_spin and not of_spin.startswith("needs"):
        return of_spin
    lacking = [[kind for kind in together(needs) if not isinstance(model, kind)] for needs in entry.accepts]
    fewest = min(lacking, key=len)
    kinds = (HasLightBosons if hasattr(kind, "spins") else getattr(kind, "base", kind) for kind in fewest)
    return f"it has no {' and no '.join(dict.fromkeys(CAPABILITY_WORDS[kind] for kind in kinds))}"


def checked(group: list[Pair], points) -> Iterator[str]:
    """What is wrong at the points."""
    rng = np.random.default_rng(zlib.crc32(group[0].name.encode()))
    towards = {name: jnp.asarray(rng.normal()) for name in points}

    def numbers(leaves, at):
        return [pair.numbers(own, at) for pair, own in zip(group, leaves, strict=True) if pair.numbers is not None]

    def along(leaves, at, step):
        return numbers(leaves, {name: x * jnp.exp(step * towards[name]) for name, x in at.items()})

    @jax.jit
    def at_all(leaves, points):
        def one(at):
            value, slope = jax.jvp(lambda step: along(leaves, at, step), (jnp.zeros(()),), (jnp.ones(()),))
            near = jax.lax.map(lambda step: along(leaves, at, step), STEP * jnp.array([-2.0, -1.0, 1.0, 2.0]))
            return value, slope, near

        return jax.lax.map(one, points), jax.vmap(lambda at: numbers(leaves, at))(points)

    leaves, shape = jax.tree.flatten([pair.leaves for pair in group])
    (value, slope, near), batched = jax.tree.map(np.asarray, at_all(jax.tree.unflatten(shape, leaves), points))
    for pair, *found in zip(group, value, slope, near, batched, strict=True):
        yield from (f"{pair.name}: {fault}" for fault in faults_of(*found))


def faults_of(value, slope, near, batched) -> Iterator[str]:
    """What is wrong with one row: (points, numbers), near with the steps between; batched from another program."""
    if not (np.all(np.isfinite(value) | np.isposinf(value)) and np.all(np.isfinite(slope))):
        yield "not finite"
    largest = 1e-9 + np.max(np.abs(np.where(np.isfinite(value), value, 0.0)), axis=-1, keepdims=True)
    if not np.allclose(batched / largest, value / largest, rtol=1e-9, atol=1e-12, equal_nan=True):
        yield "a batch differs from single points"
    far_behind, behind, ahead, far_ahead = np.moveaxis(near, 1, 0)
    central = (8.0 * (ahead - behind) - (far_ahead - far_behind)) / (12.0 * STEP)
    forwards = (4.0 * ahead - far_ahead - 3.0 * value) / (2.0 * STEP)
    backwards = (3.0 * value - 4.0 * behind + far_behind) / (2.0 * STEP)
    room = CLOSE * (np.abs(value) + np.abs(slope)) + 1e-9 * largest
    agrees = np.min([np.abs(slope - other) for other in (central, forwards, backwards)], axis=0) <= room
    if not np.all(agrees | ~np.isfinite(value)):
        where = np.argwhere(~agrees)[0]
        yield f"derivative {slope[tuple(where)]:.6g}, differences {central[tuple(where)]:.6g}, at {where.tolist()}"


def by_reason(refused: list[list[str]]) -> list[list[str]]:
    """The refused pairs, those of a model with one reason in a row."""
    rows: dict[tuple[str, str], list[str]] = {}
    for model, name, reason in refused:
        rows.setdefault((model, reason), []).append(name)
    return [[model, ", ".join(names), reason] for (model, reason), names in rows.items()]


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main()

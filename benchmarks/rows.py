"""Processor time a point of each row of a card: by the exact rule, with few nodes, and from tables.

    python benchmarks/rows.py zprime-two-higgs-doublet [--points 64] [--least 0.02] [--gradient]

Points of the prior in batches of 16, on one core. Tables are taken from the cache, or built. Rows that take less than
--least ms by every rule are added up. Compare ratios taken in one run.
"""

import argparse
import os
import time

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.cards import load_card, problem_from_card
from anomfit.errors import InputError
from anomfit.problem import Problem, with_measurements
from anomfit.tables.problems import tabulated
from anomfit.tabulating import with_few_nodes

LONG = 0.5  # s of processor time for which each program is repeated


def rules(card: str) -> dict[str, Problem]:
    exact = problem_from_card(load_card(card))
    found = {"exact": exact, "few nodes": with_few_nodes(exact, lambda line: None)}
    try:
        found["tables"] = with_few_nodes(tabulated(exact, print), lambda line: None)
    except InputError as error:
        print(error)
    return found


def milliseconds(problem: Problem, z: jax.Array, gradient: bool) -> float:
    """Of one point."""
    function = jax.grad(problem.log_posterior) if gradient else problem.log_posterior
    run = jax.jit(lambda z: jax.lax.map(function, z, batch_size=16))
    run(z).block_until_ready()
    began, times = time.process_time(), 0
    while time.process_time() < began + LONG:
        run(z).block_until_ready()
        times += 1
    return 1e3 * (time.process_time() - began) / times / len(z)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("card")
    parser.add_argument("--points", type=int, default=64)
    parser.add_argument("--least", type=float, default=0.02, help="ms, below which a row is added to the others")
    parser.add_argument("--gradient", action="store_true", help="the gradient alone in place of the value")
    arguments = parser.parse_args()
    problems = rules(arguments.card)
    exact = problems["exact"]
    z = jnp.asarray(np.random.default_rng(5).normal(size=(arguments.points, len(exact.names))))
    print(f"{'row, ms':32s}" + "".join(f"{name:>12s}" for name in problems))
    total, others = np.zeros(len(problems)), np.zeros(len(problems))
    for place, row in enumerate(exact.measurements):
        known: dict[int, float] = {}  # rows that no rule changes are measured once
        times = []
        for problem in problems.values():
            key = id(problem.measurements[place])
            if key not in known:
                known[key] = milliseconds(with_measurements(problem, (place,)), z, arguments.gradient)
            times.append(known[key])
        total += times
        if max(times) < arguments.least:
            others += times
            continue
        print(f"{row.name + ':' + row.era:32s}" + "".join(f"{one:12.4f}" for one in times), flush=True)
    for name, sums in (("others", others), ("all", total)):
        print(f"{name:32s}" + "".join(f"{one:12.4f}" for one in sums))


if __name__ == "__main__":
    main()

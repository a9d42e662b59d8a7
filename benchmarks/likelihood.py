"""Time of the likelihoods of cards: per point, value and gradient, batches, compile time, memory.

    python benchmarks/likelihood.py [--card two-higgs-doublet] [--sizes 1 32 1024] [--out likelihood.json]

Without --card: the default one, and that with LSND and KARMEN. Each setting runs in a process of its own: one pinned
thread, then both cores (one JAX device a core). Times are the median of repeats; the machine's noise is in the
quartiles. Compare ratios taken in one run.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time

CARDS = ("two-higgs-doublet-miniboone", "two-higgs-doublet")
SIZES = (1, 32, 1024)


def measure(card: str, cores: int, sizes: tuple[int, ...]) -> dict:
    os.sched_setaffinity(0, set(list(os.sched_getaffinity(0))[:cores]))
    import jax
    import jax.numpy as jnp
    import numpy as np

    from anomfit.cards import load_card, problem_from_card
    from anomfit.inference.devices import devices_for, each, prepare_devices, spread

    prepare_devices(cores)
    problem = problem_from_card(load_card(card))
    z = jax.random.normal(jax.random.key(1), (max(sizes), len(problem.names)))

    def batched(function):
        def run(problem, z):
            one = lambda shared, x: each(lambda y: function(shared, y), x)  # noqa: E731
            return spread(one, devices_for(len(z)))(problem, z)

        return jax.jit(run)

    targets = {
        "prediction": lambda p, x: [q.total for q in p.predictions(p.from_normal(x)[0])],
        "value": lambda p, x: p.log_posterior(x),
        "value and gradient": lambda p, x: jax.value_and_grad(p.log_posterior)(x),
    }
    rows = []
    for name, function in targets.items():
        for size in sizes:
            program, points = batched(function), jnp.asarray(z[:size])
            began = time.perf_counter()
            compiled = program.lower(problem, points).compile()
            compile_seconds = time.perf_counter() - began
            out = jax.block_until_ready(compiled(problem, points))
            assert all(np.all(np.isfinite(x)) for x in jax.tree.leaves(out)), name
            times = []
            for _ in range(5 if size > 100 else 20):
                began = time.perf_counter()
                jax.block_until_ready(compiled(problem, points))
                times.append((time.perf_counter() - began) / size)
            low, median, high = np.quantile(times, (0.25, 0.5, 0.75)) * 1e3
            memory = compiled.memory_analysis()
            rows.append(
                {
                    "card": card,
                    "coordinates": len(problem.names),
                    "what": name,
                    "points": size,
                    "cores": cores,
                    "ms_per_point": median,
                    "quartiles_ms": [low, high],
                    "compile_seconds": compile_seconds,
                    "program_temporary_MB": memory.temp_size_in_bytes / 1e6 if memory else None,
                }
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    return {"rows": rows, "peak_memory_MB": peak, "jax": jax.__version__, "device": str(jax.devices()[0].device_kind)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--card", action="append", help="may be repeated")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="points evaluated together")
    parser.add_argument("--cores", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--out", help="write the JSON there too")
    arguments = parser.parse_args()
    if arguments.cores:
        print(json.dumps(measure(arguments.card[0], arguments.cores, tuple(arguments.sizes))))
        return
    results, sizes = [], [str(size) for size in arguments.sizes]
    every = [(card, cores) for card in arguments.card or CARDS for cores in (1, min(2, len(os.sched_getaffinity(0))))]
    for card, cores in every:
        command = [sys.executable, __file__, "--card", card, "--cores", str(cores), "--sizes", *sizes]
        results.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        for row in results[-1]["rows"]:
            print(
                f"{row['card']} ({row['coordinates']} coordinates)  {row['cores']} core(s)  "
                f"{row['what']:<20} {row['points']:>5} points  "
                f"{row['ms_per_point']:8.3f} ms a point  compile {row['compile_seconds']:5.1f} s"
            )
        print(f"  peak memory of the process {results[-1]['peak_memory_MB']:.0f} MB")
    report = {
        "machine": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "runs": results,
    }
    if arguments.out:
        with open(arguments.out + ".part", "w") as file:
            json.dump(report, file, indent=1)
        os.replace(arguments.out + ".part", arguments.out)


if __name__ == "__main__":
    main()

"""Speed and success of the search for points: starts and points a second, share of starts that satisfy all conditions.

    python benchmarks/optimise.py [--card dark-scalar-2019] [--starts 512] [--out optimise.json]

Each setting runs in a process of its own, on one core and on two (one JAX device a core): the card as it is, and with
kappa fixed to 0 where it has kappa. Compiling is timed apart. Compare ratios taken in one run.
"""

import argparse
import json
import os
import platform
import subprocess
import sys

CARDS = ("dark-scalar-2019",)


def measure(card: str, cores: int, starts: int, fixed: dict[str, float]) -> dict:
    os.sched_setaffinity(0, set(list(os.sched_getaffinity(0))[:cores]))
    import jax

    from anomfit.cards import load_card, problem_from_card
    from anomfit.inference.devices import prepare_devices
    from anomfit.inference.optima.search import SearchSettings, optimise
    from anomfit.optimising import with_fixed

    prepare_devices(cores)
    problem = problem_from_card(with_fixed(load_card(card), fixed))
    search = optimise(problem, jax.random.key(1), SearchSettings(starts=starts))
    best = search.optima[0]
    assert best.distance < 1e-2, best.distance
    return {
        "card": card,
        "fixed": fixed,
        "coordinates": len(problem.names),
        "cores": cores,
        "starts": search.starts,
        "points": search.points,
        "compile_seconds": search.compile_seconds,
        "descent_seconds": search.descent_seconds,
        "seconds": search.seconds,
        "starts_per_second": search.starts / search.descent_seconds,
        "points_per_second": search.points / search.descent_seconds,
        "successes": search.successes,
        "success_rate": search.successes / search.starts,
        "lowest_twice_nll": best.twice_nll,
        "optima": len(search.optima),
        "jax": jax.__version__,
        "device": str(jax.devices()[0].device_kind),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--card", action="append", help="may be repeated")
    parser.add_argument("--starts", type=int, default=512)
    parser.add_argument("--cores", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--fixed", default="{}", help=argparse.SUPPRESS)
    parser.add_argument("--out", help="write the JSON there too")
    arguments = parser.parse_args()
    if arguments.cores:
        fixed = json.loads(arguments.fixed)
        print(json.dumps(measure(arguments.card[0], arguments.cores, arguments.starts, fixed)))
        return
    runs = []
    for card in arguments.card or CARDS:
        variants = ({}, {"kappa": 0.0}) if card.startswith("dark-scalar") else ({},)
        for cores, fixed in ((c, f) for f in variants for c in (1, min(2, len(os.sched_getaffinity(0))))):
            command = [sys.executable, __file__, "--card", card, "--cores", str(cores)]
            command += ["--starts", str(arguments.starts), "--fixed", json.dumps(fixed)]
            run = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            runs.append(run)
            print(
                f"{card} {run['fixed'] or ''}  {cores} core(s)  {run['starts_per_second']:.1f} starts/s  "
                f"{run['points_per_second']:.0f} points/s  success {run['success_rate']:.1%}  compile "
                f"{run['compile_seconds']:.0f} s  all {run['seconds']:.0f} s"
            )
    report = {"machine": platform.processor() or platform.machine(), "python": platform.python_version(), "runs": runs}
    if arguments.out:
        with open(arguments.out + ".part", "w") as file:
            json.dump(report, file, indent=1)
        os.replace(arguments.out + ".part", arguments.out)


if __name__ == "__main__":
    main()

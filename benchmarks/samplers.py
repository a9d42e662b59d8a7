"""The samplers on one likelihood: effective samples a second of processor time, by the scatter of seeds.

    python benchmarks/samplers.py [--card two-higgs-doublet-miniboone] [--seeds 3] [--methods nuts tempered nested]
        [--exact] [--out samplers.json]

A run's mean of a coordinate scatters from seed to seed with the variance of the posterior over the effective samples;
the ratio is pooled over all coordinates, normal ones of the prior. Beside it stands what each run claims of itself
(rank-normalised bulk ESS of chains, equal draws that weights or the scatter of populations are worth), and the distance
of the mean of a method's seeds from the mean over the methods, in standard deviations. The likelihood is looked up in a
table (docs/tables.md), which is built, in minutes, if there is none; --exact computes it. Processor time is that of
this process and its workers, compilation included in the first seed: of several seeds the median counts.
"""

import argparse
import json
import os
import resource
import time

METHODS = ("nuts", "tempered", "nested")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--card", default="two-higgs-doublet-miniboone")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--warmup", type=int, default=200)
    parser.add_argument("--draws", type=int, default=400, help="of a chain of NUTS, and a quarter of those of nautilus")
    parser.add_argument("--points", type=int, default=512)
    parser.add_argument("--moves", type=int, default=20)
    parser.add_argument("--live", type=int, default=1000)
    parser.add_argument("--out")
    arguments = parser.parse_args()
    from anomfit.inference.devices import prepare_devices

    prepare_devices(4)
    problem = problem_of(arguments)
    runs = []
    for seed in range(1, arguments.seeds + 1):
        for method in arguments.methods:
            runs.append(one_run(problem, method, seed, arguments))
            shown = {name: number for name, number in runs[-1].items() if name not in ("mean", "variance")}
            print(json.dumps(shown), flush=True)
    report = {"card": arguments.card, "methods": compared(runs), "runs": runs}
    print(json.dumps(report["methods"], indent=1))
    if arguments.out:
        with open(arguments.out + ".part", "w") as file:
            json.dump(report, file, indent=1)
        os.replace(arguments.out + ".part", arguments.out)


def problem_of(arguments):
    import anomfit
    from anomfit.cards import load_card, problem_from_card

    exact = problem_from_card(load_card(arguments.card))
    return exact if arguments.exact else anomfit.tabulated(exact, say=print)


def processor_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def one_run(problem, method: str, seed: int, arguments) -> dict:
    began = processor_seconds()
    found = sampled(problem, method, seed, arguments)
    seconds = processor_seconds() - began
    claimed = [d.ess_bulk for d in found.diagnostics]
    run = {
        "method": method,
        "seed": seed,
        "processor_seconds": seconds,
        "claimed": found.evidence.ess if found.evidence else min(claimed),
        "r_hat": max(d.r_hat for d in found.diagnostics),
        "mean": found.z.mean(axis=(0, 1)).tolist(),
        "variance": found.z.var(axis=(0, 1)).tolist(),
    }
    if found.evidence is None:
        gradients = float(found.stats["n_steps"].mean())
        return {**run, "divergences": found.divergences, "gradients_a_draw": gradients}
    return {**run, "log_evidence": found.evidence.log_evidence, "likelihoods": found.evidence.calls}


def sampled(problem, method: str, seed: int, arguments):
    import jax

    from anomfit.inference.sample.chains import SampleSettings, sample
    from anomfit.inference.sample.nested import nested_samples
    from anomfit.inference.sample.nuts import Tuning
    from anomfit.inference.sample.populations import led_populations, samples_of_populations

    key = jax.random.key(seed)
    if method == "nuts":
        tuning = Tuning(warmup=arguments.warmup)
        return sample(problem, key, SampleSettings(4, arguments.draws, arguments.draws, tuning))
    if method == "nested":
        return nested_samples(problem, key, SampleSettings(4, arguments.draws), arguments.live)
    settings = SampleSettings(4, arguments.points, arguments.points)
    found = led_populations(problem, key, settings, arguments.points, arguments.moves)
    return samples_of_populations(problem, found, settings, key)


def compared(runs: list[dict]) -> dict:
    """By method: effective samples of a run by the scatter of seeds, of the time of one, and the distance of means."""
    import numpy as np

    by_method = {method: [run for run in runs if run["method"] == method] for method in METHODS}
    by_method = {method: found for method, found in by_method.items() if found}
    means = {method: np.array([run["mean"] for run in found]) for method, found in by_method.items()}
    middle = np.mean([x.mean(axis=0) for x in means.values()], axis=0)
    report = {}
    for method, found in by_method.items():
        variance = np.mean([run["variance"] for run in found], axis=0)
        seconds = float(np.median([run["processor_seconds"] for run in found]))
        scatter = float(np.mean(means[method].var(axis=0, ddof=1) / variance)) if len(found) > 1 else np.nan
        away = (means[method].mean(axis=0) - middle) / np.sqrt(variance)
        claimed = float(np.mean([run["claimed"] for run in found]))
        report[method] = {
            "processor_seconds": seconds,
            "effective_by_scatter": 1.0 / scatter,
            "effective_claimed": claimed,
            "by_scatter_a_second": 1.0 / scatter / seconds,
            "claimed_a_second": claimed / seconds,
            "furthest_mean_in_sigma": float(np.abs(away).max()),
        }
    return report


if __name__ == "__main__":
    main()

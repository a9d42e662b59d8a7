"""Effective samples a second: NUTS against emcee's ensemble, on the same likelihood (default card).

    python benchmarks/samplers.py [--card two-higgs-doublet] [--draws 500] [--steps 4000] [--out samplers.json]

Also the check that both find the same posterior: means within 0.1 standard deviations, widths within 10 %.
"""

import argparse
import json
import os


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--card", default="two-higgs-doublet")
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--max-draws", type=int, default=4000)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--walkers", type=int, default=64)
    parser.add_argument("--out")
    arguments = parser.parse_args()
    import jax
    import numpy as np

    from anomfit.cards import load_card, problem_from_card
    from anomfit.inference.devices import prepare_devices
    from anomfit.inference.ensemble import sample_ensemble
    from anomfit.inference.sample import SampleSettings, sample

    prepare_devices(4)
    problem = problem_from_card(load_card(arguments.card))
    nuts = sample(
        problem, jax.random.key(1), SampleSettings(4, arguments.draws, arguments.max_draws), show_progress=True
    )
    ensemble = sample_ensemble(
        problem, jax.random.key(2), walkers=arguments.walkers, steps=arguments.steps, burn_in=arguments.steps // 4
    )
    rows = []
    for diagnostic in nuts.diagnostics:
        name = diagnostic.name
        log = name in {p.name for p in problem.free if p.is_log}
        a, b = (np.log(x[name]) if log else x[name] for x in (nuts.values, ensemble.values))
        width = float(np.std(a))
        rows.append(
            {
                "parameter": name,
                "nuts_ess": diagnostic.ess_bulk,
                "ensemble_ess": ensemble.ess[name],
                "mean_shift_in_sigma": float(np.mean(b) - np.mean(a)) / width,
                "width_ratio": float(np.std(b)) / width,
            }
        )
    report = {
        "rows": rows,
        "nuts": {"seconds": nuts.seconds, "ess_per_second": nuts.ess_per_second, "divergences": nuts.divergences},
        "ensemble": {"seconds": ensemble.seconds, "ess_per_second": min(ensemble.ess.values()) / ensemble.seconds},
    }
    print(json.dumps(report, indent=1))
    if arguments.out:
        with open(arguments.out + ".part", "w") as file:
            json.dump(report, file, indent=1)
        os.replace(arguments.out + ".part", arguments.out)


if __name__ == "__main__":
    main()

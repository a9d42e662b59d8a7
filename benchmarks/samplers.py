"""NUTS against two independent samplers on the same likelihood: the same posterior? effective samples a second?

    python benchmarks/samplers.py [--card two-higgs-doublet] [--draws 1000] [--steps 1000] [--out samplers.json]

The others: nautilus (nested sampling, which also gives the evidence) and emcee's ensemble. A posterior is the same when
means agree within 0.1 standard deviations and widths within 10 %, with 1000 effective samples each. An ensemble that
is shorter than 50 of its autocorrelation times says so; its numbers then compare nothing.
"""

import argparse
import json
import os


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--card", default="two-higgs-doublet")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--walkers", type=int, default=64)
    parser.add_argument("--out")
    arguments = parser.parse_args()
    import jax

    from anomfit.cards import load_card, problem_from_card
    from anomfit.inference.devices import prepare_devices
    from anomfit.inference.sample.chains import SampleSettings, sample
    from anomfit.inference.sample.ensemble import sample_ensemble
    from anomfit.inference.sample.nested import sample_nested
    from anomfit.inference.sample.nuts import Tuning

    prepare_devices(4)
    card = load_card(arguments.card)
    problem, chosen = problem_from_card(card), card.sampling
    settings = SampleSettings(
        chosen.chains, arguments.draws, chosen.max_draws, Tuning(chosen.warmup, chosen.target_accept)
    )
    nuts = sample(problem, jax.random.key(1), settings, show_progress=True)
    nested = sample_nested(problem, jax.random.key(3))
    ensemble = sample_ensemble(
        problem, jax.random.key(2), walkers=arguments.walkers, steps=arguments.steps, burn_in=arguments.steps // 4
    )
    rows = [compared(problem, diagnostic, nuts, nested, ensemble) for diagnostic in nuts.diagnostics]
    report = {
        "card": arguments.card,
        "rows": rows,
        "nuts": {"seconds": nuts.seconds, "ess_per_second": nuts.ess_per_second, "divergences": nuts.divergences},
        "nested": {
            "seconds": nested.seconds,
            "ess": nested.ess,
            "ess_per_second": nested.ess / nested.seconds,
            "calls": nested.calls,
            "log_evidence": nested.log_evidence,
        },
        "ensemble": {
            "seconds": ensemble.seconds,
            "ess_per_second": min(ensemble.ess.values()) / ensemble.seconds,
            "trustworthy": ensemble.trustworthy,
        },
    }
    print(json.dumps(report, indent=1))
    if arguments.out:
        with open(arguments.out + ".part", "w") as file:
            json.dump(report, file, indent=1)
        os.replace(arguments.out + ".part", arguments.out)


def compared(problem, diagnostic, nuts, nested, ensemble) -> dict:
    """Mean and width of one parameter, ln(value) where its prior is logarithmic, against those of NUTS."""
    import numpy as np

    name = diagnostic.name
    log = name in {p.name for p in problem.free if p.is_log}
    ours, theirs, walkers = (
        np.log(found.values[name]) if log else found.values[name] for found in (nuts, nested, ensemble)
    )
    width, middle = float(np.std(ours)), nested.mean(theirs)
    return {
        "parameter": name,
        "nuts_ess": [diagnostic.ess_bulk, diagnostic.ess_tail],
        "nested": {
            "mean_shift_in_sigma": (middle - float(np.mean(ours))) / width,
            "width_ratio": float(np.sqrt(nested.mean((theirs - middle) ** 2))) / width,
        },
        "ensemble": {
            "ess": ensemble.ess[name],
            "mean_shift_in_sigma": float(np.mean(walkers) - np.mean(ours)) / width,
            "width_ratio": float(np.std(walkers)) / width,
        },
    }


if __name__ == "__main__":
    main()

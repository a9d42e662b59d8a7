"""How far predictions are from another rule in other code, bin by bin over the prior of a model's default card.

    python benchmarks/convergence.py [--model two-higgs-doublet] [--points 60] [--finer]
    python benchmarks/convergence.py --model dark-scalar          # MiniBooNE, and MicroBooNE's search for pairs

The reference (tests/oracles) integrates in (E_nu, Q^2) target by target with explicit angles, 2 to 5 s a point. A bin
passes when it agrees to 1e-3 or to 1e-2 of its statistical error, whichever is larger; a signal of more than 1000
events counts as 1000, which any data exclude. The worst bin of every point is printed, then the worst of all. --finer
doubles the reference's own nodes for MiniBooNE, to show that it is converged.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from oracles import comparison, dark_scalar, points  # noqa: E402
from oracles.shower_table import Rule  # noqa: E402

MODELS = ("two-higgs-doublet", "dark-scalar")
LARGEST = 1000.0  # events


def comparisons(model: str, number: int, rule: Rule):
    """(measurement, point, library's bins, the reference's, data) one after the other."""
    if model == "dark-scalar":
        yield from dark_scalar.comparisons(number, rule)
        return
    chosen, counts = points.all_points(number), np.asarray(comparison.measurement().data.counts)
    library = comparison.computed_spectra(list(chosen.values()))
    for (name, point), found in zip(chosen.items(), library, strict=True):
        yield "miniboone", name, found, comparison.reference_spectrum(point, rule), counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=MODELS, default=MODELS[0])
    parser.add_argument("--points", type=int, default=60, help="points: edges and corners first, then random ones")
    parser.add_argument("--finer", action="store_true", help="the reference with about twice the nodes")
    arguments = parser.parse_args()
    print(
        f"{'measurement':11s} {'point':34s} {'bin':>3s} {'reference':>11s} {'library':>11s} {'relative':>9s}"
        f" {'of tolerance':>12s} {'total':>9s}"
    )
    worst = (0.0, "")
    rule = Rule().finer() if arguments.finer else Rule()
    for measured, name, found, reference, data in comparisons(arguments.model, arguments.points, rule):
        scale = min(1.0, LARGEST / max(reference.sum(), 1e-30))
        ratio = scale * np.abs(found - reference) / comparison.tolerance(scale * reference, data)
        k = int(np.argmax(ratio))
        relative = found[k] / reference[k] - 1.0 if reference[k] > 0.0 else 0.0
        total = found.sum() / reference.sum() - 1.0 if reference.sum() > 0.0 else 0.0
        row = f"{measured:11s} {name:34s} {k:3d} {reference[k]:11.4g} {found[k]:11.4g} {relative:9.1e}"
        row += f" {ratio[k]:12.2f} {total:9.1e}"
        print(row, flush=True)
        worst = max(worst, (float(ratio[k]), row))
    print(
        f"\nworst bin:\n{worst[1]}\n{'passes' if worst[0] <= 1.0 else 'FAILS'}: tolerance 1e-3 or"
        " 1e-2 sqrt(data + signal)"
    )
    return int(worst[0] > 1.0)


if __name__ == "__main__":
    raise SystemExit(main())

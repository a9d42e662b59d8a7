"""How far the MiniBooNE prediction is from another rule in other code, bin by bin over the prior of the default card.

    python benchmarks/convergence.py [--points 60] [--finer]

The reference (tests/oracles) integrates in (E_nu, Q^2) target by target with explicit angles, some 5 s a
point. A bin passes when it agrees to 1e-3 or to 1e-2 of its statistical error, whichever is larger. The worst bin of
every point is printed, then the worst of all. --finer doubles the reference's own nodes, to show that it is converged.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from oracles import comparison, points  # noqa: E402
from oracles.shower_table import Rule  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=60, help="points: edges and corners first, then random ones")
    parser.add_argument("--finer", action="store_true", help="the reference with about twice the nodes")
    arguments = parser.parse_args()
    chosen = points.all_points(arguments.points)
    library = comparison.computed_spectra(list(chosen.values()))
    print(
        f"{'point':34s} {'bin':>3s} {'reference':>11s} {'library':>11s} {'relative':>9s} {'of tolerance':>12s}"
        f" {'total':>9s}"
    )
    worst = (0.0, "")
    for (name, point), counts in zip(chosen.items(), library, strict=True):
        reference = comparison.reference_spectrum(point, Rule().finer() if arguments.finer else Rule())
        ratio = np.abs(counts - reference) / comparison.tolerance(reference)
        k = int(np.argmax(ratio))
        relative = counts[k] / reference[k] - 1.0 if reference[k] > 0.0 else 0.0
        total = counts.sum() / reference.sum() - 1.0 if reference.sum() > 0.0 else 0.0
        row = f"{name:34s} {k:3d} {reference[k]:11.4g} {counts[k]:11.4g} {relative:9.1e} {ratio[k]:12.2f} {total:9.1e}"
        print(row, flush=True)
        worst = max(worst, (float(ratio[k]), row))
    print(
        f"\nworst bin:\n{worst[1]}\n{'passes' if worst[0] <= 1.0 else 'FAILS'}: tolerance 1e-3 or"
        " 1e-2 sqrt(data + signal)"
    )
    return int(worst[0] > 1.0)


if __name__ == "__main__":
    raise SystemExit(main())

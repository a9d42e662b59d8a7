"""Whether calibrated p-values are what they claim: toys that calibrate, and independent ones whose p must be uniform.

    python benchmarks/toys.py [--number 200] [--seed 1] [--case NAME] [--write docs/goodness.md]

For each case, twice as many data sets as asked for are thrown at the best fit and fitted. The first half calibrates,
the second half is held against it. Printed: the Kolmogorov-Smirnov probability that the calibrated p-values are uniform
(it should not be below 0.01), how many toys the asymptotic p-value would reject at 5 and 1 %, and the time.

The test is that of two samples: all calibrated p-values share one calibration, whose fluctuation counts as much as
theirs.
"""

import argparse
import time
from pathlib import Path

import jax
import numpy as np
from scipy.stats import chi2, ks_2samp, kstest

from anomfit.cards import card_from_text, problem_from_card
from anomfit.inference.compare.toys import ToySettings, run_toys, true_point
from anomfit.inference.devices import prepare_devices
from anomfit.inference.fit.minimise import FitSettings, minimise
from anomfit.inference.fit.uncertainties import hesse

HEADER = (
    "| case | toys | s | calibrated p uniform: KS p | numbers, degrees of freedom | mean chi^2 | asymptotic p below "
    "0.05, 0.01 | asymptotic p uniform: KS p |"
)
OSCILLATION = """
model = "oscillation"
[free]
sin2_2theta = "default"
delta_m2 = "default"
[measurements]
"""
CASES = {
    "MiniBooNE with oscillation": OSCILLATION + 'miniboone = "enuqe"',
    "LSND, KARMEN and MiniBooNE with oscillation": OSCILLATION
    + 'lsnd = "l-over-e"\nkarmen = "default"\nminiboone = "enuqe"',
    "ten limits with KOTO and the moments": """
model = "dark-scalar"
parametrisation = "products"
point = "bp1"
[free]
m_S = "default"
kappa = "default"
eta_u = "default"
eta_d = "default"
[measurements]
g-2-muon = "wp2025"
g-2-electron = "rubidium"
koto = "2019"
Kplus-piplus-e949 = "default"
Kplus-piplus-na62 = "default"
Kplus-piplus-na62-pi0 = "default"
Kplus-piplus-X-gg-e787 = "default"
KL-pi0-gg-light = "default"
KL-pi0-ee = "default"
B-K-X-belle2 = "default"
e137 = "default"
nucal = "default"
charm = "default"
""",
}


def held_against(text: str, number: int, seed: int):
    """(toys, degrees of freedom, p of the hypothesis that p-values of the second half, calibrated by the first, are
    uniform).
    """
    problem = problem_from_card(card_from_text(text))
    fit = minimise(problem, jax.random.key(seed), FitSettings(screened=512, starts=8))
    toys = run_toys(problem, true_point(problem, fit.point), jax.random.key(seed), ToySettings(2 * number, starts=3))
    freedom = toys.numbers - hesse(problem, fit).effective_parameters
    return toys, freedom, float(ks_2samp(toys.total[number:], toys.total[:number]).pvalue)


def main() -> None:
    """Print a paragraph a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", choices=list(CASES))
    parser.add_argument("--write", type=Path)
    chosen = parser.parse_args()
    prepare_devices(2)
    for name in [chosen.case] if chosen.case else CASES:
        began = time.perf_counter()
        toys, freedom, uniform = held_against(CASES[name], chosen.number, chosen.seed)
        asymptotic = chi2.sf(toys.total, max(freedom, 1))
        cells = [
            f"{len(toys.total)}",
            f"{time.perf_counter() - began:.0f}",
            f"{uniform:.3f}",
            f"{toys.numbers}, {freedom}",
            f"{np.mean(toys.total):.1f}",
            f"{100.0 * np.mean(asymptotic < 0.05):.1f} %, {100.0 * np.mean(asymptotic < 0.01):.1f} %",
            f"{kstest(asymptotic, 'uniform').pvalue:.2g}",
        ]
        print(f"{name}: {', '.join(cells)}", flush=True)
        if chosen.write:
            from marked_tables import put_row  # which lies beside this file

            put_row(chosen.write, "calibration", HEADER, name, cells)


if __name__ == "__main__":
    main()

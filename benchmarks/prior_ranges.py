"""How a posterior moves when the ranges of its priors double: every range at once, and one at a time, in a page.

    python benchmarks/prior_ranges.py --result FOLDER [--live 600] [--write docs/default_fit.md]

The result's card is sampled again with every range doubled about its middle (in the logarithm, where the prior is), up
to where a parameter means something: the problem's open region, and mixings below 1. Its draws that lie within the old
ranges of all parameters but one are the posterior with that one range doubled; their number is given.
"""

import argparse
import math
import os
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from marked_tables import put_table

from anomfit.cards import problem_from_card
from anomfit.cards.finding import load_card
from anomfit.inference.devices import prepare_devices
from anomfit.inference.nested import sample_nested
from anomfit.parameters import Parameter
from anomfit.results.files import load_result

LARGEST = {"sin_delta": 0.9999}  # what a parameter cannot exceed, whatever is fitted
FEWEST = 30.0  # effective draws below which an interval is not given


def main() -> None:
    """Sample and print, or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--result", type=Path, required=True)
    parser.add_argument("--live", type=int, default=600)
    parser.add_argument("--effective", type=float, default=2500.0)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    prepare_devices(os.cpu_count() or 1)
    before = load_result(arguments.result / "result.nc")
    problem = problem_from_card(load_card(str(arguments.result / "card.toml")))
    wide = replace(problem, free=tuple(doubled(parameter) for parameter in problem.free))
    found = sample_nested(wide, jax.random.key(5), arguments.live, arguments.effective, show_progress=True)
    print(f"{found.calls} likelihoods, {found.seconds / 60.0:.1f} minutes, {found.ess:.0f} effective draws")
    rows = table(problem.free, before, found)
    for row in rows:
        print(" | ".join(row))
    if arguments.write:
        header = "| parameter | unit | range | 16 to 84 % | its range doubled | effective draws | all ranges doubled |"
        put_table(arguments.write, "ranges", header, rows)


def doubled(parameter: Parameter) -> Parameter:
    """The parameter with a range twice as wide about its middle."""
    largest = LARGEST.get(parameter.name, math.inf)
    if parameter.is_log:
        root = math.sqrt(parameter.high / parameter.low)
        return replace(parameter, low=parameter.low / root, high=min(parameter.high * root, largest))
    half = 0.5 * (parameter.high - parameter.low)
    return replace(parameter, low=parameter.low - half, high=min(parameter.high + half, largest))


def table(free, before, found) -> list[list[str]]:
    """A row for each free parameter."""
    old = {d.name: (d.q16, d.q84) for d in before.samples.diagnostics}
    inside = {p.name: (found.values[p.name] >= p.low) & (found.values[p.name] <= p.high) for p in free}
    rows = []
    for parameter in free:
        kept = np.all([inside[p.name] for p in free if p.name != parameter.name], axis=0)
        weights = np.where(kept, found.weights, 0.0)
        number = weights.sum() ** 2 / max(np.sum(weights**2), 1e-300)
        own = interval(found.values[parameter.name], weights) if number > FEWEST else "-"
        everything = interval(found.values[parameter.name], found.weights)
        span = f"{parameter.low:.3g} to {parameter.high:.3g}"
        q16, q84 = old[parameter.name]
        shown = f"{q16:.3g} to {q84:.3g}"
        rows.append([parameter.name, parameter.unit, span, shown, own, f"{number:.0f}", everything])
    return rows


def interval(values: np.ndarray, weights: np.ndarray) -> str:
    """The central 68 % of weighted draws."""
    order = np.argsort(values)
    below = np.cumsum(weights[order]) / weights.sum()
    low, high = (values[order][np.searchsorted(below, q)] for q in (0.16, 0.84))
    return f"{low:.3g} to {high:.3g}"


if __name__ == "__main__":
    main()

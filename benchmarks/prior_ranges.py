"""How a posterior moves when the ranges of its priors double: every range at once, and one at a time, in a page.

    python benchmarks/prior_ranges.py --result FOLDER [--walkers 200] [--minutes 30] [--write docs/default_fit.md]

The result's card is sampled again with every range doubled about its middle (in the logarithm, where the prior is), up
to where a parameter means something: the problem's open region, and mixings below 1. emcee's walkers (extra `test`)
start at draws of the result, so that they need not find what it found; a part of the posterior that is new and far from
all of it may be missed. The first third is left out. Draws that lie within the old ranges of all parameters but one are
the posterior with that one range doubled; their number is given.
"""

import argparse
import math
import os
import time
from dataclasses import replace
from pathlib import Path

import emcee
import jax.numpy as jnp
import numpy as np
from marked_tables import put_table

from anomfit.cards import problem_from_card
from anomfit.cards.finding import load_card
from anomfit.environment import import_arviz
from anomfit.inference.coordinates import values_at_normal
from anomfit.inference.devices import prepare_devices
from anomfit.inference.sample.likelihoods import log_posteriors
from anomfit.inference.sample.starts import to_normal
from anomfit.parameters import Parameter
from anomfit.problem import Problem
from anomfit.results.files import load_result

LARGEST = {"sin_delta": 0.9999, "U_mu4": 0.9999}  # what a parameter cannot exceed, whatever is fitted
FEWEST = 30.0  # effective draws below which an interval is not given
MOVES = [(emcee.moves.DEMove(gamma0=step), share) for step, share in ((0.32, 0.3), (0.12, 0.5), (1.0, 0.2))]
"""Differential evolution: the usual step in 27 dimensions, a short one, and one that leads from arm to arm."""


def main() -> None:
    """Sample and print, or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--result", type=Path, required=True)
    parser.add_argument("--walkers", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    prepare_devices(os.cpu_count() or 1)
    before = load_result(arguments.result / "result.nc")
    problem = problem_from_card(load_card(str(arguments.result / "card.toml")))
    wide = replace(problem, free=tuple(doubled(parameter) for parameter in problem.free))
    chain = walked(wide, before, arguments.walkers, arguments.minutes)
    effective = worth(chain)
    stuck = int(np.sum(np.all(chain == chain[0], axis=(0, 2))))
    print(f"{chain.shape[0]} steps, {effective:.0f} effective draws, {stuck} walkers that never moved")
    found = values_at_normal(wide, chain.reshape(-1, chain.shape[2]))
    rows = table(problem.free, before, found, effective)
    for row in rows:
        print(" | ".join(row))
    if arguments.write:
        header = "| parameter | unit | range | 16 to 84 % | its range doubled | effective draws | all ranges doubled |"
        put_table(arguments.write, "ranges", header, rows)


def worth(chain: np.ndarray) -> float:
    """Effective draws of the coordinate that has the fewest, all walkers together (ArviZ)."""
    arviz = import_arviz()
    return min(float(arviz.ess(chain[:, :, i].T)) for i in range(chain.shape[2]))


def walked(wide: Problem, before, walkers: int, minutes: float) -> np.ndarray:
    """Two thirds of what the walkers did in this time, (step, walker, coordinate)."""
    draws = {name: array.reshape(-1) for name, array in before.samples.values.items()}
    rng = np.random.default_rng(5)
    _, distinct = np.unique(next(iter(draws.values())), return_index=True)
    chosen = rng.choice(distinct, walkers, replace=False)
    at = np.array([to_normal(wide, {name: float(array[i]) for name, array in draws.items()}) for i in chosen])
    sampler = emcee.EnsembleSampler(
        walkers,
        at.shape[1],
        lambda z: np.nan_to_num(log_posteriors(wide, jnp.asarray(z)), nan=-np.inf, posinf=-np.inf, neginf=-np.inf),
        vectorize=True,
        moves=MOVES,
    )
    sampler.random_state = np.random.RandomState(5).get_state()
    began = time.perf_counter()
    for step, _ in enumerate(sampler.sample(at, iterations=100_000)):
        spent = (time.perf_counter() - began) / 60.0
        if step % 20 == 0:
            accepted = float(np.mean(sampler.acceptance_fraction))
            print(f"step {step}, {spent:.1f} minutes, {accepted:.2f} accepted", flush=True)
        if spent > minutes:
            break
    chain = np.asarray(sampler.get_chain())
    return chain[len(chain) // 3 :]


def doubled(parameter: Parameter) -> Parameter:
    """The parameter with a range twice as wide about its middle."""
    largest = LARGEST.get(parameter.name, math.inf)
    if parameter.is_log:
        root = math.sqrt(parameter.high / parameter.low)
        return replace(parameter, low=parameter.low / root, high=min(parameter.high * root, largest))
    half = 0.5 * (parameter.high - parameter.low)
    return replace(parameter, low=parameter.low - half, high=min(parameter.high + half, largest))


def table(free, before, found, effective: float) -> list[list[str]]:
    """A row for each free parameter; effective: the worth of all draws."""
    old = {d.name: (d.q16, d.q84) for d in before.samples.diagnostics}
    inside = {p.name: (found[p.name] >= p.low) & (found[p.name] <= p.high) for p in free}
    rows = []
    for parameter in free:
        kept = np.all([inside[p.name] for p in free if p.name != parameter.name], axis=0)
        number = effective * np.mean(kept)
        own = interval(found[parameter.name][kept]) if number > FEWEST else "-"
        span = f"{parameter.low:.3g} to {parameter.high:.3g}"
        q16, q84 = old[parameter.name]
        shown = f"{q16:.3g} to {q84:.3g}"
        rows.append(
            [parameter.name, parameter.unit, span, shown, own, f"{number:.0f}", interval(found[parameter.name])]
        )
    return rows


def interval(values: np.ndarray) -> str:
    """The central 68 % of the draws."""
    low, high = np.quantile(values, (0.16, 0.84))
    return f"{low:.3g} to {high:.3g}"


if __name__ == "__main__":
    main()

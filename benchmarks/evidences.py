"""The evidence of cards, and how it changes when the range of one prior doubles, in a page.

    python benchmarks/evidences.py zprime-two-higgs-doublet [CARD ...] [--points 512] [--only m_Zprime ...]
        [--folder FOLDER] [--write docs/zprime_two_higgs_doublet.md]

Four tempered populations for each range, as the card has them but for their points. A range doubles about its middle,
in the logarithm where the prior is logarithmic, up to where a parameter means something (`prior_ranges.doubled`). Pairs
are looked up where tables hold 99 % of the prior, and counted with few nodes elsewhere; weights of the exact rule are
not applied. FOLDER keeps the states, so that a stopped run goes on.
"""

import argparse
import os
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from marked_tables import put_table
from prior_ranges import doubled

from anomfit.cards import load_card, problem_from_card
from anomfit.inference.devices import prepare_devices
from anomfit.inference.sample.tempered import Tempered, sample_tempered
from anomfit.tables.problems import tabulated
from anomfit.tables.using import outside
from anomfit.tabulating import with_few_nodes

HELD = 0.01  # of the prior, that tables may leave out


def main() -> None:
    """Sample and print, or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cards", nargs="+")
    parser.add_argument("--points", type=int, default=512)
    parser.add_argument("--only", nargs="*", help="the parameters whose ranges double; all of them if left out")
    parser.add_argument("--folder", type=Path, default=Path("evidences"))
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    prepare_devices(os.cpu_count() or 1)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    columns = [of_card(card, arguments) for card in arguments.cards]
    names = dict.fromkeys(name for column in columns for name in column)
    rows = [[name, *(column.get(name, "-") for column in columns)] for name in names]
    for row in rows:
        print(" | ".join(row))
    if arguments.write:
        put_table(arguments.write, "evidences", f"| range doubled | {' | '.join(arguments.cards)} |", rows)


def of_card(name: str, arguments: argparse.Namespace) -> dict[str, str]:
    """By parameter, the change of ln of the evidence when its range doubles; first, with no range doubled, ln of it."""
    card = load_card(name)
    problem = problem_from_card(card)
    fast = tabulated(problem, print)

    def found(which: str) -> Tempered:
        free = tuple(doubled(one) if one.name == which else one for one in problem.free)
        wide = replace(fast, free=free)
        if outside(wide) > HELD:
            wide = replace(problem, free=free)
        return sample_tempered(
            with_few_nodes(wide, lambda line: None),
            jax.random.key(card.sampling.seed),
            card.sampling.chains,
            arguments.points,
            card.sampling.moves,
            arguments.folder / f"{name}-{which or 'card'}.npz",
        )

    value, error = evidence(before := found(""))
    said = {"none: ln of the evidence": f"{value:.2f} +- {error:.2f}"}
    print(name, said, before.calls, f"{before.seconds:.0f} s", flush=True)
    for one in problem.free:
        if arguments.only and one.name not in arguments.only:
            continue
        other, its_error = evidence(after := found(one.name))
        wide = doubled(one)
        said[f"{one.name}, to {wide.low:.3g} .. {wide.high:.3g}"] = (
            f"{other - value:+.2f} +- {np.hypot(error, its_error):.2f}"
        )
        print(name, list(said.items())[-1], after.calls, f"{after.seconds:.0f} s", flush=True)
    return said


def evidence(found: Tempered) -> tuple[float, float]:
    """Logarithm of the populations' mean evidence, and its error by their scatter."""
    top = float(np.max(found.log_evidence))
    share = np.exp(found.log_evidence - top)
    error = float(np.std(share, ddof=1) / np.sqrt(len(share)) / np.mean(share))
    return top + float(np.log(np.mean(share))), error


if __name__ == "__main__":
    main()

"""Damaged and odd cards, command lines, results and user files: each must end in one sentence or in a good result.

    python benchmarks/fuzz.py cards --number 20000 [--seed 1] [--seconds 20] [--keep DIR] [--only INDEX]
    python benchmarks/fuzz.py all

Nothing long is computed: fits and searches stop once their input is checked. A case is repeated by its seed and index.
"""

import argparse
import collections
import contextlib
import os
import shutil
import sys
import time
from pathlib import Path

from fuzzing.outcomes import ACCEPTED, FAULTS, VERDICTS, Outcome
from fuzzing.workers import tried

NUMBERS = {"cards": 20_000, "command-lines": 3000, "results": 600, "user-files": 100}
SHOWN = 8  # offending inputs and accepted ones that are printed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=(*NUMBERS, "all"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, help=f"cases a kind; default: {NUMBERS}")
    parser.add_argument("--seconds", type=float, default=60.0, help="after which a case is a hang")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", type=int, metavar="INDEX", help="this one case, with all that it says")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="folder for the offending inputs")
    parser.add_argument(
        "--prepared", type=Path, metavar="DIR", help="keep what cases share there, and take it from there"
    )
    given = parser.parse_args()
    kinds = tuple(NUMBERS) if given.kind == "all" else (given.kind,)
    faults = sum(_kind(kind, given) for kind in kinds)
    return 1 if faults else 0


def _kind(kind: str, given: argparse.Namespace) -> int:
    """Try one kind and print what became of it; the number of faults."""
    indices = range(given.number or NUMBERS[kind]) if given.only is None else [given.only]
    counts, slowest, began = collections.Counter(), (0.0, -1), time.monotonic()
    found: dict[str, list[tuple[int, Outcome]]] = collections.defaultdict(list)
    with contextlib.suppress(KeyboardInterrupt):  # what was tried until then is counted
        for index, outcome, folder in tried(
            kind.replace("-", "_"), given.seed, indices, given.seconds, given.workers, given.prepared
        ):
            counts[outcome.verdict] += 1
            slowest = max(slowest, (outcome.seconds, index))
            found[outcome.verdict].append((index, outcome))
            if given.keep is not None and (outcome.verdict in FAULTS or given.only is not None):
                shutil.copytree(folder, given.keep / f"{kind}-{given.seed}-{index}", dirs_exist_ok=True)
            if outcome.verdict in FAULTS and len(found[outcome.verdict]) <= SHOWN and given.only is None:
                print(_words(kind, given.seed, index, outcome, lines=3), flush=True)
    print(f"\n{'kind':<14}{'tried':>8}" + "".join(f"{verdict:>12}" for verdict in VERDICTS))
    print(f"{kind:<14}{counts.total():>8}" + "".join(f"{counts[verdict]:>12}" for verdict in VERDICTS))
    print(f"seed {given.seed}, {time.monotonic() - began:.0f} s; the slowest, {slowest[1]}, took {slowest[0]:.2f} s")
    if given.only is not None:
        print("\n".join(_words(kind, given.seed, *entry) for entries in found.values() for entry in entries))
        return sum(counts[verdict] for verdict in FAULTS)
    _show_accepted(found[ACCEPTED])
    return sum(counts[verdict] for verdict in FAULTS)


def _words(kind: str, seed: int, index: int, outcome: Outcome, lines: int = 0) -> str:
    said = outcome.said.strip().splitlines()
    head = f"{outcome.verdict}: {kind} --seed {seed} --only {index} ({outcome.what}; {outcome.seconds:.2f} s)"
    return "\n".join([head, *(f"    {line:.300}" for line in said[-lines:])])


def _show_accepted(entries: list[tuple[int, Outcome]]) -> None:
    """How often each kind of damage was accepted, and some examples."""
    by_damage = collections.Counter(
        part for _, outcome in entries for part in set(outcome.what.partition(": ")[0].split(" + "))
    )
    print("accepted, by what was done: " + ", ".join(f"{what} {n}" for what, n in by_damage.most_common(40)))
    for index, outcome in sorted(entries)[:: max(1, len(entries) // SHOWN)][:SHOWN]:
        print(f"    {index}: {outcome.what}: {outcome.said:.200}")


if __name__ == "__main__":
    sys.exit(main())

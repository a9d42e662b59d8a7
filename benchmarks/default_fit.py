"""The default fit from beginning to end: what it says of itself and how long it takes, in docs/default_fit.md.

    python benchmarks/default_fit.py [--card two-higgs-doublet] [--out FOLDER] [--write docs/default_fit.md]
    python benchmarks/default_fit.py --result FOLDER --write docs/default_fit.md

Run it with nothing beside it: the times are those of the wall. The folder is what 'anomfit fit' writes. With --result
nothing is fitted, and the times stay as they are.
"""

import argparse
import os
import time
from pathlib import Path

from marked_tables import put_table

STAGES = (  # what a line begins with when the stage before it has ended
    ("at ", "imports, data, the published point (compiling the values)"),
    ("best fit (", "the best fit (compiling the gradients)"),
    ("what the limits cost", "errors, significance"),
    ("No constraint", "the data without the limits; constraints, projections"),
    ("THE BEST FIT", "the data without the limits; constraints, projections"),
    ("tempered populations", ""),
    ("nested sampling", ""),
    ("sampling ", ""),
    ("figures: ", "the posterior; constraints and projections over it; figures"),
)


def main() -> None:
    """Fit the card, print what it says with times, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--card", default="two-higgs-doublet")
    parser.add_argument("--out", type=Path, default=Path("default-fit"))
    parser.add_argument("--write", type=Path)
    parser.add_argument("--result", type=Path)
    arguments = parser.parse_args()
    if arguments.result is not None:
        from anomfit.results.files import load_result

        write(load_result(arguments.result / "result.nc"), arguments.write)
        return
    began, rows = time.perf_counter(), []

    def say(line: str) -> None:
        nonlocal began
        now = time.perf_counter()
        print(f"{now - began:7.1f} s  {line}", flush=True)
        stage = next((words for start, words in STAGES if line.lstrip("0123456789 ").startswith(start)), "")
        if stage:
            rows.append([stage, f"{(now - began) / 60.0:.1f}"])
            began = now

    whole = time.perf_counter()
    from anomfit.cards import load_card
    from anomfit.run import run_fit

    result = run_fit(load_card(arguments.card), arguments.out, overwrite=True, say=say)
    rows.append([f"all, on {os.cpu_count()} cores", f"{(time.perf_counter() - whole) / 60.0:.1f}"])
    if arguments.write:
        put_table(arguments.write, "times", "| stage | minutes |", rows)
        write(result, arguments.write)


def write(result, page: Path) -> None:
    """Put what the result says of itself, and its parameters, into the page."""
    from anomfit.results.verdict import verdict

    put_table(page, "verdict", "| what the report says first |", [[line] for line in verdict(result)])
    put_table(page, "answer", "| parameter | unit | best fit | posterior, 16 to 84 % |", answer(result))


def answer(result) -> list[list[str]]:
    """A row for each free parameter: best fit and the posterior's central 68 %."""
    quantiles = {d.name: (d.q16, d.q84) for d in result.samples.diagnostics} if result.samples is not None else {}
    rows = []
    for coordinate in result.provenance.coordinates:
        if coordinate.prior != "pull":
            drawn = quantiles.get(coordinate.name)
            best = f"{result.fit.point[coordinate.name]:.4g}"
            rows.append(
                [coordinate.name, coordinate.unit, best, "-" if drawn is None else "{:.3g} to {:.3g}".format(*drawn)]
            )
    return rows


if __name__ == "__main__":
    main()

"""-2 ln L of every shipped card's best fit against no new physics: the table of docs/goodness.md, rewritten.

    python benchmarks/significances.py [--card NAME ...] [--write docs/goodness.md]

A card that is not asked for keeps its row. Without --write the rows are printed alone.
"""

import argparse
from pathlib import Path

from anomfit.folders import written_whole

BEGIN, END = "<!-- significances: begin -->", "<!-- significances: end -->"
HEADER = (
    "| card | -2 ln L without new physics | best fit | Delta chi^2 | local sigma | chi^2 / degrees of freedom | "
    "asymptotic p | limits' -2 ln L | at a bound |\n|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Fit the cards and print, or write, their rows."""
    from anomfit.cards import shipped_card_names
    from anomfit.inference.devices import prepare_devices

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--card", action="append")
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    prepare_devices(4)
    for name in arguments.card or shipped_card_names():
        line = row(name)
        print(line, flush=True)
        if arguments.write:
            rewrite(arguments.write, name, line)


def row(name: str) -> str:
    """One card's line of the table."""
    import jax

    from anomfit.cards import load_card, problem_from_card
    from anomfit.inference.minimise import FitSettings, minimise
    from anomfit.inference.significance import significance
    from anomfit.inference.uncertainties import hesse
    from anomfit.statistics.goodness import goodness_of_fit

    card = load_card(name)
    problem = problem_from_card(card)
    fit = minimise(problem, jax.random.key(card.fit.seed), FitSettings(card.fit.screened, card.fit.starts))
    errors = hesse(problem, fit)
    gain, quality = significance(problem, fit.point), goodness_of_fit(problem, fit.point, errors.effective_parameters)
    bound = ", ".join(errors.at_bound) or "none"
    p_value = "-" if quality.p_value is None else f"{quality.p_value:.3g}"
    cells = [
        f"`{name}`",
        f"{gain.null:.2f}",
        f"{fit.twice_nll:.2f}",
        f"{gain.delta_chi_squared:.2f}",
        f"{gain.local_sigmas:.1f}",
        f"{quality.chi_squared:.1f} / {quality.degrees_of_freedom}",
        p_value,
        f"{quality.limits:.2f}",
        bound,
    ]
    return "| " + " | ".join(cells) + " |"


def rewrite(path: Path, name: str, line: str) -> None:
    """Put the card's line into the table between the markers, in order of the names."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    rows = {entry.split("`")[1]: entry for entry in old.splitlines() if entry.startswith("| `")}
    rows[name] = line
    body = "\n".join([HEADER, *(rows[key] for key in sorted(rows))])
    with written_whole(path) as part:
        part.write_text(f"{before}{BEGIN}\n{body}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()

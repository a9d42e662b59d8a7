"""-2 ln L of every shipped card's best fit against no new physics: the table of docs/goodness.md, rewritten.

    python benchmarks/significances.py [--card NAME ...] [--write docs/goodness.md]
    python benchmarks/significances.py --card NAME --result FOLDER [--write docs/goodness.md]

A card that is not asked for keeps its row. Without --write the rows are printed alone. With --result the card is not
fitted again: the folder is what 'anomfit fit NAME --out FOLDER' has left.
"""

import argparse
from pathlib import Path

from marked_tables import put_row

HEADER = (
    "| card | -2 ln L without new physics | best fit | Delta chi^2 | local sigma | chi^2 / degrees of freedom | "
    "asymptotic p | limits' -2 ln L | at a bound |"
)


def main() -> None:
    """Fit the cards and print, or write, their rows."""
    from anomfit.cards import shipped_card_names
    from anomfit.inference.devices import prepare_devices

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--card", action="append")
    parser.add_argument("--result", type=Path)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    if arguments.result is not None and len(arguments.card or ()) != 1:
        parser.error("--result goes with one --card")
    prepare_devices(4)
    for name in arguments.card or shipped_card_names():
        found = fitted(name) if arguments.result is None else kept(arguments.result)
        print(f"{name}: {', '.join(found)}", flush=True)
        if arguments.write:
            put_row(arguments.write, "significances", HEADER, f"`{name}`", found)


def fitted(name: str) -> list[str]:
    """One card's row of the table, but for its name: the card is fitted."""
    import jax

    from anomfit.cards import load_card, problem_from_card
    from anomfit.inference.compare.goodness import goodness_of_fit
    from anomfit.inference.compare.significance import significance
    from anomfit.inference.fit.minimise import FitSettings, minimise
    from anomfit.inference.fit.uncertainties import hesse

    card = load_card(name)
    problem = problem_from_card(card)
    fit = minimise(problem, jax.random.key(card.fit.seed), FitSettings(card.fit.screened, card.fit.starts))
    errors = hesse(problem, fit)
    gain, quality = significance(problem, fit.point), goodness_of_fit(problem, fit.point, errors.effective_parameters)
    return cells(fit, errors, gain, quality)


def kept(folder: Path) -> list[str]:
    """The row of a card that has been fitted."""
    from anomfit.results.files import load_result

    result = load_result(folder / "result.nc")
    return cells(result.fit, result.hesse, result.significance, result.goodness)


def cells(fit, errors, gain, quality) -> list[str]:
    """What is shown of a best fit."""
    bound = ", ".join(errors.at_bound) or "none"
    p_value = "-" if quality.p_value is None else f"{quality.p_value:.3g}"
    return [
        f"{gain.null:.2f}",
        f"{fit.twice_nll:.2f}",
        f"{gain.delta_chi_squared:.2f}",
        f"{gain.local_sigmas:.1f}",
        f"{quality.chi_squared:.1f} / {quality.degrees_of_freedom}",
        p_value,
        f"{quality.limits:.2f}",
        bound,
    ]


if __name__ == "__main__":
    main()

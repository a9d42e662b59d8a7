"""What toys say of a fit, in tables: calibrated p-values, Delta chi^2, coverage, and the significance anywhere."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import chi2, kstest, norm

from anomfit.folders import written_whole
from anomfit.inference.compare.goodness import Goodness
from anomfit.inference.compare.significance import Significance
from anomfit.inference.compare.toys import Toys
from anomfit.parameters import Parameter
from anomfit.results.result import Provenance
from anomfit.results.tables import TextTable

LEVELS = (0.6827, 0.90, 0.9545)


@dataclass(frozen=True)
class Observed:
    """The data's own numbers that toys are held against: goodness of fit, and Delta chi^2 against no new physics."""

    goodness: Goodness
    significance: Significance


@dataclass(frozen=True)
class Calibrated:
    """A fraction of toys at least as extreme as the data, and its statistical error: (k + 1)/(n + 1) of n toys."""

    as_extreme: int
    toys: int

    @property
    def p_value(self) -> float:
        """Never 0: n toys cannot say more than that it is below 1/(n + 1)."""
        return (self.as_extreme + 1) / (self.toys + 1)

    @property
    def words(self) -> str:
        """The p-value with its error, or what it is below or above."""
        p = self.p_value
        if self.as_extreme == 0:
            return f"below {p:.2g}"
        if self.as_extreme == self.toys:
            return f"above {1.0 - 1.0 / (self.toys + 1):.4g}"
        return f"{p:.3g} +- {np.sqrt(p * (1.0 - p) / self.toys):.1g}"


def calibrated(statistic: np.ndarray, observed: float) -> Calibrated:
    """How many toys have a `statistic` at or above the observed one."""
    return Calibrated(int(np.sum(statistic >= observed)), len(statistic))


def toy_tables(toys: Toys, observed: Observed, free: tuple[Parameter, ...]) -> tuple[TextTable, ...]:
    """All tables that these toys have numbers for."""
    made = [_goodness_table(toys, observed.goodness)]
    if toys.at_truth is None:
        made.append(_global_table(toys, observed))
    else:
        made.append(_distance_table(toys, len(free)))
        if toys.held:
            made.append(_coverage_table(toys, free))
    return tuple(made)


def write_toys(path: Path, toys: Toys, free: tuple[Parameter, ...]) -> None:
    """toys.csv, a row a toy: -2 ln L at the best fit, without new physics, at the true parameters; chi^2; values."""
    logarithmic = {parameter.name for parameter in free if parameter.is_log}
    columns: dict[str, np.ndarray] = {"twice_nll": toys.twice_nll, "twice_nll_no_new_physics": toys.null}
    if toys.at_truth is not None:
        columns["twice_nll_true_parameters"] = toys.at_truth
    columns |= {f"twice_nll_true_{name}": values for name, values in toys.held.items()}
    columns |= {"chi_squared": toys.total, "pull_penalty": toys.penalty}
    columns |= {f"chi_squared {name}": toys.chi_squared[:, i] for i, name in enumerate(toys.measurements)}
    columns |= {name: np.exp(x) if name in logarithmic else x for name, x in toys.best.items()}
    with written_whole(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["toy", *columns])
        writer.writerows([i, *map(float, row)] for i, row in enumerate(zip(*columns.values(), strict=True)))


def write_toy_report(
    path: Path,
    origin: Provenance,
    toys: Toys,
    observed: Observed,
    free: tuple[Parameter, ...],
    remarks: Sequence[str] = (),
) -> None:
    """The tables as Markdown, where the toys were thrown, and the card; the paragraphs `remarks` stand before it."""
    parts = [
        f"# {origin.model}: toys for {', '.join(origin.measurements)}\n\nMade {origin.created}.\n",
        f"{thrown_words(toys)}\n",
        *(table.markdown() for table in toy_tables(toys, observed, free)),
        *(f"{remark}\n" for remark in remarks),
        f"## Fit card\n\n```toml\n{origin.card.rstrip()}\n```\n",
    ]
    with written_whole(path) as part:
        part.write_text("\n".join(parts), encoding="utf-8")


def thrown_words(toys: Toys) -> str:
    """Where the toys were thrown, in a sentence or two."""
    number, place = len(toys.twice_nll), "no new physics"
    if toys.truth.point is not None:
        place = ", ".join(f"{name} = {value:.4g}" for name, value in toys.truth.point.items())
    ended = "" if toys.complete else " The run was interrupted: these are the toys that were done."
    return f"{number} toys were thrown at {place}, and each was fitted again.{ended}"


def _goodness_table(toys: Toys, goodness: Goodness) -> TextTable:
    with_data = [m for m in goodness.measurements if m.numbers]
    rows = [
        _row(name, m.chi_squared, m.numbers, values)
        for name, m, values in zip(toys.measurements, with_data, toys.chi_squared.T, strict=True)
    ]
    left = goodness.degrees_of_freedom
    notes = [
        "Calibrated: the fraction of toys whose chi^2 is at least as large, (k + 1)/(n + 1). Asymptotic: chi^2 with as "
        "many degrees of freedom as the column says; for one measurement no parameter is subtracted.",
        "The last columns: how many toys, which are true by construction, have an asymptotic p-value below 0.05 and "
        "0.01. Where they are far from 5 and 1 %, the asymptotic p-value is wrong by as much.",
    ]
    if left > 0:
        rows.append(_row("total", goodness.chi_squared, left, toys.total))
        distance = kstest(chi2.sf(toys.total, left), "uniform")
        notes.append(
            f"The asymptotic p-values of the total are at most {distance.statistic:.2f} from uniform (Kolmogorov and "
            f"Smirnov, p = {distance.pvalue:.2g}); the mean chi^2 of the toys is {np.mean(toys.total):.1f}."
        )
    columns = (
        "measurement",
        "chi^2",
        "degrees of freedom",
        "asymptotic p",
        "calibrated p",
        "toys p < 0.05",
        "p < 0.01",
    )
    return TextTable(f"Goodness of fit, {len(toys.twice_nll)} toys", columns, tuple(rows), tuple(notes))


def _row(name: str, value: float, numbers: int, toys: np.ndarray) -> tuple[str, ...]:
    p_values = chi2.sf(toys, numbers)
    small = [f"{100.0 * np.mean(p_values < level):.1f} %" for level in (0.05, 0.01)]
    return (name, f"{value:.2f}", str(numbers), f"{chi2.sf(value, numbers):.3g}", calibrated(toys, value).words, *small)


def _distance_table(toys: Toys, parameters: int) -> TextTable:
    assert toys.at_truth is not None
    delta = toys.at_truth - toys.twice_nll
    rows = []
    for level in LEVELS:
        asymptotic = float(chi2.ppf(level, parameters))
        inside = float(np.mean(delta <= asymptotic))
        quantile = float(np.quantile(delta, level))
        rows.append((f"{100.0 * level:.4g} %", f"{asymptotic:.2f}", f"{quantile:.2f}", _percent(inside, len(delta))))
    notes = (
        "Delta chi^2 of the true parameters from the best fit, nuisance parameters refitted at both; asymptotic: chi^2 "
        f"of {parameters} free parameters. A direction that the data leave free, and a bound, make it smaller.",
    )
    columns = ("level", "asymptotic Delta chi^2", "of the toys", "toys inside the asymptotic region")
    return TextTable("Delta chi^2 of the true point", columns, tuple(rows), notes)


def _coverage_table(toys: Toys, free: tuple[Parameter, ...]) -> TextTable:
    rows = []
    for name, held in toys.held.items():
        delta = held - toys.twice_nll
        inside = [_percent(float(np.mean(delta <= chi2.ppf(level, 1))), len(delta)) for level in LEVELS]
        assert toys.truth.point is not None
        rows.append((name, f"{toys.truth.point[name]:.4g}", *inside))
    notes = (
        "How often the interval of the profile likelihood (Delta chi^2 below 1, 2.71 and 4) holds the true value.",
    )
    return TextTable("Coverage", ("parameter", "true value", *(f"{100 * x:.4g} %" for x in LEVELS)), tuple(rows), notes)


def _global_table(toys: Toys, observed: Observed) -> TextTable:
    delta = toys.null - toys.twice_nll
    value, local = observed.significance.delta_chi_squared, observed.significance.local_sigmas
    found = calibrated(delta, value)
    least = "at least " if found.as_extreme == 0 else ""
    quantiles = ", ".join(f"{np.quantile(delta, level):.2f} ({100 * level:.4g} %)" for level in LEVELS)
    rows = (
        ("Delta chi^2 of the data", f"{value:.2f}"),
        ("local significance", f"{local:.2f} standard deviations (p = {norm.sf(local):.2g})"),
        ("global p-value", found.words),
        ("global significance", f"{least}{max(float(norm.isf(found.p_value)), 0.0):.2f} standard deviations"),
        ("Delta chi^2 of the toys", quantiles),
    )
    notes = (
        "Toys without new physics, each fitted with all free parameters: the global p-value is the fraction that gains "
        "at least as much as the data, wherever in the ranges of the parameters. It depends on the ranges.",
    )
    return TextTable("No new physics, anywhere in the ranges", ("", ""), rows, notes)


def _percent(fraction: float, number: int) -> str:
    error = np.sqrt(max(fraction * (1.0 - fraction), 1.0 / number) / number)
    return f"{100.0 * fraction:.1f} +- {100.0 * error:.1f} %"

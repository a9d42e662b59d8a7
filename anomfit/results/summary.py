"""A result in words: the same plain tables for the terminal and for the report."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from scipy.stats import norm

from anomfit.folders import written_whole
from anomfit.inference.fit.minimise import Fit
from anomfit.inference.fit.minos import LIMIT_90
from anomfit.inference.sample.chains import Samples
from anomfit.inference.sample.diagnostics import diagnose
from anomfit.results.result import Result
from anomfit.results.tables import TextTable
from anomfit.results.verdict import (
    cost_table,
    exclusion_table,
    optima_excluded,
    projection_table,
    significance_words,
    verdict,
)
from anomfit.statistics.tension import Tension

CONSTRAINTS = "Constraints"
PRINTED = 12  # constraints in a terminal, the strongest first
IN_REPORT = "All of them are in the report."
STRONG_CORRELATION = 0.5
LISTED_OPTIMA = 8
ONE_SIDED = (
    "A one-sided interval ends where -2 ln L, minimised over the other parameters, has risen by 1, which does not "
    f"cover 68 % there. At its limit at 90 % CL it has risen by {LIMIT_90} (docs/errors.md)."
)


def tables(result: Result) -> tuple[TextTable, ...]:
    """Every table that `result` has numbers for."""
    made = [fit_table(result), exclusion_table(result), projection_table(result), significance_table(result)]
    made += [cost_table(result), optima_table(result), measurement_table(result)]
    made += [limit_table(result), tension_table(result), pull_table(result)]
    made += [posterior_table(result), table_table(result), correlation_table(result), choice_table(result)]
    made.append(version_table(result))
    return tuple(table for table in made if table is not None)


def print_summary(result: Result, console: Console | None = None) -> None:
    """Print the tables of `result`; the distinct optima and the software's versions are left to the report."""
    chosen = console or Console()
    for sentence in verdict(result):
        chosen.print(sentence, style="bold", highlight=False, markup=False)
    for table in tables(result):
        if table.title == CONSTRAINTS:
            table = replace(table, rows=table.rows[:PRINTED], notes=(IN_REPORT,))
        if table.title not in ("Distinct optima", "Software"):
            chosen.print(table.rich())


def write_report(path: Path, result: Result, extra: Sequence[str] = ()) -> None:
    """Write `result` as Markdown to `path`, whole under a temporary name, then renamed; `extra` paragraphs follow."""
    origin = result.provenance
    head = [
        f"# {origin.model}: {', '.join(origin.measurements)}",
        "",
        f"Made {origin.created}, seed {origin.seed}.",
        "",
    ]
    head += [f"{sentence}\n" for sentence in verdict(result)]
    body = [table.markdown() for table in tables(result)]
    card = ["## Fit card", "", "```toml", origin.card.rstrip(), "```", ""]
    with written_whole(path) as part:
        part.write_text("\n".join([*head, *body, *(f"{text}\n" for text in extra), *card]), encoding="utf-8")


def _how_found(fit: Fit) -> str:
    starts = "starts" if fit.start_from == "prior" else "starts at draws of the tempered populations"
    if fit.starts and not fit.reached:
        return f"all {fit.starts} {starts} ended above it, polishing the best of them led there"
    return f"{fit.reached} of {fit.starts} {starts} reached it"


def fit_table(result: Result) -> TextTable | None:
    """Best fit with HESSE and MINOS intervals."""
    fit, hesse = result.fit, result.hesse
    if fit is None:
        return None
    minos = {error.name: error for error in result.minos}
    rows, notes = [], [f"-2 ln L = {fit.twice_nll:.5f} ({fit.message}); {_how_found(fit)}."]
    for coordinate in result.provenance.coordinates:
        name = coordinate.name
        interval = "-"
        if hesse is not None and name not in hesse.at_bound:
            interval = f"{_number(hesse.low[name])} .. {_number(hesse.high[name])}"
        profile = f"{_number(minos[name].low)} .. {_number(minos[name].high)}" if name in minos else ""
        rows.append((name, coordinate.unit, _number(fit.point[name]), interval, profile))
        words = [hesse.notes[name]] if hesse is not None and name in hesse.notes else []
        if name in minos:
            words += [f"MINOS: {remark}" for remark in minos[name].remarks]
        notes += [f"{name}: {'; '.join(dict.fromkeys(words))}."] if words else []
    if any(error.only_side for error in result.minos):
        notes.append(ONE_SIDED)
    if hesse is not None and hesse.flat:
        notes.append("The data leave free: " + "; ".join(direction.words for direction in hesse.flat) + ".")
    notes += [f"Caution: {problem}." for problem in fit.problems]
    return TextTable(
        "Best fit", ("parameter", "unit", "best fit", "HESSE 68 %", "MINOS 68 %"), tuple(rows), tuple(notes)
    )


def optima_table(result: Result) -> TextTable | None:
    """The distinct local optima, if there is more than one."""
    if result.fit is None or len(result.fit.optima) < 2:
        return None
    shown = result.fit.optima[:LISTED_OPTIMA]
    names = [c.name for c in result.provenance.coordinates if c.prior != "pull"]
    excluded = optima_excluded(result, len(shown))
    rows = tuple(
        (str(i + 1), f"{o.twice_nll:.3f}", str(o.starts), *(_number(o.values[n]) for n in names), excluded[i])
        for i, o in enumerate(shown)
    )
    hidden = len(result.fit.optima) - len(shown)
    notes = (f"{hidden} more are in the result file.",) if hidden else ()
    return TextTable("Distinct optima", ("optimum", "-2 ln L", "starts", *names, "excluded by"), rows, notes)


def measurement_table(result: Result) -> TextTable | None:
    """chi^2 of each measurement and of all."""
    goodness = result.goodness
    if goodness is None:
        return None
    rows = [
        (f"{m.name}:{m.era}", f"{m.chi_squared:.2f}", str(m.numbers), _probability(m.p_value), f"{m.largest_pull:.2f}")
        for m in goodness.measurements
        if m.numbers
    ]
    rows.append(("nuisance pulls", f"{goodness.pull_penalty:.2f}", "", "", ""))
    rows.append(("total", f"{goodness.chi_squared:.2f}", str(goodness.numbers), _probability(goodness.p_value), ""))
    left, effective = goodness.degrees_of_freedom, goodness.effective_parameters
    free = sum(c.prior != "pull" for c in result.provenance.coordinates)
    notes = [
        f"The total has {left} degrees of freedom: {goodness.numbers} independent numbers less {effective} effective "
        f"parameters. {free} parameters are free; a direction that the data leave free is not counted, nor is one into "
        "a bound at which the best fit stands."
    ]
    notes += [goodness.note] if goodness.note else []
    notes += [f"{m.name}: {m.note}." for m in goodness.measurements if m.note]
    columns = ("measurement", "chi^2", "independent numbers", "p-value", "largest pull")
    return TextTable("Goodness of fit", columns, tuple(rows), tuple(notes))


def limit_table(result: Result) -> TextTable | None:
    """What limits, and data that are not public, add to -2 ln L: they have no degrees of freedom."""
    goodness = result.goodness
    limits = [m for m in goodness.measurements if not m.numbers] if goodness is not None else []
    if goodness is None or not limits:
        return None
    rows = [(f"{m.name}:{m.era}", f"{m.chi_squared:.2f}") for m in sorted(limits, key=lambda m: -m.chi_squared)]
    rows.append(("total", f"{goodness.limits:.2f}"))
    notes = ("A limit has no independent number: its -2 ln L is 2.71 at 90 % CL, and no part of chi^2.",)
    return TextTable("Limits", ("limit", "-2 ln L"), tuple(rows), notes)


def significance_table(result: Result) -> TextTable | None:
    """The best fit against no new physics, by measurement and in all."""
    found = result.significance
    if found is None:
        return None
    rows = [(g.name, f"{g.null:.2f}", f"{g.best:.2f}", f"{g.delta:+.2f}") for g in found.gains]
    best = found.null - found.delta_chi_squared
    rows.append(("total", f"{found.null:.2f}", f"{best:.2f}", f"{found.delta_chi_squared:+.2f}"))
    return TextTable(
        "No new physics",
        ("measurement", "-2 ln L without", "-2 ln L best fit", "Delta chi^2"),
        tuple(rows),
        (significance_words(found), GLOBAL_WORDS),
    )


GLOBAL_WORDS = (
    "The global significance, for a fluctuation anywhere in the ranges of the parameters, comes from toys alone: "
    "'anomfit toys RESULT --no-new-physics'."
)


def tension_table(result: Result) -> TextTable | None:
    """Each measurement against the others, if the card asks for it."""
    if not result.tensions:
        return None
    rows = tuple(_tension_row(entry) for entry in result.tensions)
    notes = (
        "Parameter goodness of fit (hep-ph/0304176): -2 ln L of the joint fit less that of the measurement alone and "
        "that of the others (limits included) alone. It is the sum of what either side pays for agreeing.",
        "Degrees of freedom: parameters that the measurement determines + the others - all together, each counted by "
        "how much of its range the data exclude, at least 1 where agreeing costs something. It depends on the ranges.",
        *(f"{entry.name}: {entry.note}." for entry in result.tensions if entry.note),
    )
    columns = ("measurement", "chi^2", "it pays", "others pay", "degrees of freedom", "p-value", "standard deviations")
    return TextTable("Tension of each measurement with the others", columns, rows, notes)


def _tension_row(entry: Tension) -> tuple[str, ...]:
    counts = f"{entry.alone.parameters:.1f} + {entry.others.parameters:.1f} - {entry.together.parameters:.1f}"
    return (
        entry.name,
        f"{entry.chi_squared:.2f}",
        f"{entry.alone.paid:.2f}",
        f"{entry.others.paid:.2f}",
        f"{entry.degrees_of_freedom:.1f} ({counts})",
        _probability(entry.p_value),
        _sigmas(entry.p_value),
    )


def pull_table(result: Result) -> TextTable | None:
    """Nuisance parameters at the best fit."""
    if result.fit is None or not result.fit.pulls:
        return None
    errors = result.hesse.errors if result.hesse is not None else {}
    rows = tuple((name, f"{pull:+.3f}", _number(errors.get(name))) for name, pull in result.fit.pulls.items())
    return TextTable("Nuisance parameters", ("name", "pull / sigma", "error / sigma"), rows)


def posterior_table(result: Result) -> TextTable | None:
    """Mean, standard deviation, quantiles, of chains R-hat and effective sample sizes too; derived quantities last."""
    samples = result.samples
    if samples is None:
        return None
    rows = []
    for d in (*samples.diagnostics, *diagnose(samples.derived)):
        numbers = [f"{x:.3g}" for x in (d.mean, d.sd, d.q16, d.q50, d.q84)]
        quality = [f"{d.r_hat:.3f}", f"{d.ess_bulk:.0f}", f"{d.ess_tail:.0f}"] if samples.method != "nested" else []
        rows.append((d.name, *numbers, *quality))
    columns = ("parameter", "mean", "sd", "16 %", "50 %", "84 %")
    if samples.method != "nested":
        columns += ("R-hat", "ESS bulk", "ESS tail")
    return TextTable("Posterior", columns, tuple(rows), tuple(_how_sampled(samples)))


def _how_sampled(samples: Samples) -> list[str]:
    chains, draws = samples.z.shape[:2]
    found, caution = samples.evidence, [f"Caution: {problem}." for problem in samples.problems]
    if found is not None and found.weighted:
        return [
            f"{found.weighted} draws of mixtures fitted to {chains} tempered populations, weighted by likelihood and "
            f"prior: {found.calls} whole likelihoods in {samples.seconds:.0f} s. By the weights (Pareto k = "
            f"{_number(found.pareto_k)}) they are worth {found.ess:.0f} equal draws; {chains * draws} of equal weight "
            f"are kept. ln of the evidence {found.log_evidence:.2f} +- {_number(found.error)} (scatter of weights).",
            *caution,
        ]
    if found is not None and found.method == "tempered":
        return [
            f"{chains} tempered populations: {found.calls} whole likelihoods in {samples.seconds:.0f} s; {draws} of "
            f"each are kept. Their means scatter as those of {found.ess:.0f} draws in all. "
            f"ln of the evidence {found.log_evidence:.2f} +- {_number(found.error)} (scatter of the populations).",
            *caution,
        ]
    if found is not None:
        return [
            f"Nested sampling: {found.calls} likelihoods in {samples.seconds:.0f} s, worth {found.ess:.0f} draws; "
            f"{chains * draws} are kept, of equal weight and independent. ln of the evidence {found.log_evidence:.2f}.",
            *caution,
        ]
    rate, divergences = samples.ess_per_second, samples.divergences
    return [
        f"{chains} chains of {draws} draws, {divergences} divergences, acceptance {samples.acceptance:.2f}.",
        f"{samples.seconds:.0f} s in all, {rate:.1f} effective samples a second after the warmup.",
        *(caution or ["R-hat and effective sample sizes are good."]),
    ]


def table_table(result: Result) -> TextTable | None:
    """The table of kernels and the few nodes that were used, their errors, and what draws were corrected for them."""
    used = result.table
    if used is None:
        return None
    rows = []
    if used.measurement:
        rows += [
            ("table of", f"{used.measurement}, {used.megabytes:.0f} MB, made {used.made}"),
            ("at points of the prior", used.prior_errors),
            ("share of the prior outside of it", f"{100.0 * used.outside:.2g} %"),
        ]
    if used.few:
        rows.append(("few nodes for", ", ".join(used.few)))
    notes = ["The search took these; the best fit and all that is stated there are of the exact rule."]
    if used.outside > 0.0 and result.samples is not None and result.samples.method == "nuts":
        notes.append("Chains cannot leave a table: the draws leave out what it does not hold of the prior.")
    found = used.correction
    if found is not None:
        if found.errors:
            rows.append(("at draws of the posterior", found.errors))
        rows += [
            ("exact likelihood", f"at all {found.draws} draws"),
            ("weights exact/sampled", f"worth {found.effective:.0f} draws, Pareto k = {found.pareto_k:.2f}"),
            ("largest change of a mean", f"{found.mean:+.3f} standard deviations ({found.mean_of})"),
            ("largest change of a width", f"{100.0 * found.width:+.2f} % ({found.width_of})"),
            ("change of ln of the evidence", f"{found.log_evidence:+.4f} +- {found.log_evidence_error:.4f}"),
        ]
        notes.append(
            "Draws were made with these and drawn again by weights: they are of the exact posterior, and so is the "
            "evidence where one is stated."
        )
    return TextTable("Tables and few nodes", ("what", "value"), tuple(rows), tuple(notes))


def correlation_table(result: Result) -> TextTable | None:
    """Pairs of parameters with a strong posterior (rank) correlation, or one of HESSE where there are no samples."""
    found, kind = _correlations(result)
    if found is None:
        return None
    names = [c.name for c in result.provenance.coordinates]
    pairs = [(found[i, j], names[i], names[j]) for i in range(len(names)) for j in range(i)]
    strong = sorted((p for p in pairs if abs(p[0]) >= STRONG_CORRELATION), key=lambda p: -abs(p[0]))
    rows = tuple((first, second, f"{value:+.2f}") for value, second, first in strong)
    notes = () if rows else (f"No pair has a correlation of {STRONG_CORRELATION} or more.",)
    return TextTable(f"Correlations ({kind})", ("parameter", "with", "correlation"), rows, notes)


def choice_table(result: Result) -> TextTable:
    """The data eras and options in force."""
    model = result.provenance.model
    rows = [(model, option, value) for option, value in result.provenance.choices.get(model, {}).items()]
    for name in result.provenance.measurements:
        options = result.provenance.choices.get(name, {})
        rows += [(name, option, value) for option, value in options.items()] or [(name, "", "")]
    return TextTable("Data and choices", ("model or measurement", "choice", "value"), tuple(rows))


def version_table(result: Result) -> TextTable:
    """The versions of the software."""
    return TextTable("Software", ("package", "version"), tuple(result.provenance.versions.items()))


def _correlations(result: Result) -> tuple[np.ndarray | None, str]:
    if result.samples is not None:
        from scipy.stats import rankdata

        ranks = [rankdata(x) for x in result.samples.values.values()]
        return np.atleast_2d(np.corrcoef(ranks)), "posterior, ranks"
    if result.hesse is not None:
        return result.hesse.correlation, "HESSE"
    return None, ""


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _probability(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _sigmas(p_value: float | None) -> str:
    """A p-value as two-sided standard deviations of a normal distribution."""
    return "-" if p_value is None else f"{abs(norm.isf(0.5 * max(p_value, 1e-300))):.1f}"

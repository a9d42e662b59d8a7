"""What a referee asks first, in sentences: what excludes a fit, what it gains, which bounds it leans on."""

from collections.abc import Iterator, Sequence

from anomfit.constraints.base import IN_FITS
from anomfit.inference.compare.exclusions import Exclusion, Exclusions
from anomfit.inference.compare.significance import Significance
from anomfit.results.result import FreeCoordinate, Result
from anomfit.results.tables import TextTable

NAMED = 6  # constraints that a sentence lists
SHARE = 0.05  # of a limit's cost or of a fraction of the posterior, below which a row is left to the tables


def verdict(result: Result) -> tuple[str, ...]:
    """The first sentences of a report: exclusion, gain over no new physics, cost of the limits, bounds, posterior."""
    sentences = [f"NOT ALL CHECKS WERE MADE: {sentence}." for sentence in result.failed]
    if result.exclusions is not None:
        sentences.append(exclusion_words(result.exclusions))
    if result.significance is not None:
        sentences.append(significance_words(result.significance))
    sentences += [*_cost_words(result), *_bound_words(result)]
    if result.exclusions is not None:
        sentences += [*_posterior_words(result.exclusions), *_marked_words(result.exclusions)]
    return tuple(sentences)


def exclusion_words(found: Exclusions) -> str:
    """What excludes the best fit, or that nothing does."""
    against = found.of_best_fit
    if not found.rows:
        return "There is no constraint that this model can be compared with."
    if not against:
        inside = sum(row.fitted for row in found.rows)
        return (
            f"No constraint excludes the best fit at 90 % CL: {len(found.rows)} were compared with it, {inside} of "
            "them in the fit."
        )
    listed = [f"{row.name} ({how_far(row)}, {row.place})" for row in against[:NAMED]]
    more = f" and {len(against) - NAMED} more" if len(against) > NAMED else ""
    return f"THE BEST FIT IS EXCLUDED at 90 % CL by {', '.join(listed)}{more}."


def how_far(row: Exclusion) -> str:
    """How far a constraint is exceeded: "12 times its limit", or in standard deviations for a measured number."""
    if row.kind == "measured":
        return f"{1.645 * row.ratio:.3g} standard deviations off"
    return f"{row.ratio:.3g} times its limit"


def significance_words(found: Significance) -> str:
    """The gain over no new physics in one sentence."""
    if found.delta_chi_squared <= 0.0:
        return "No new physics describes the data as well as the best fit does."
    return (
        f"Delta chi^2 = {found.delta_chi_squared:.2f} against no new physics (no signal in any bin, nuisance "
        f"parameters refitted): a local significance of {found.local_sigmas:.1f} standard deviations, masses fixed and "
        "one amplitude free."
    )


def _cost_words(result: Result) -> Iterator[str]:
    """What the limits take away: the data alone would gain so much, at a point that such and such limits exclude."""
    alone, gain = result.without_limits, result.significance
    if alone is None or gain is None:
        return
    limits = {row.name for row in result.exclusions.rows if row.fitted} if result.exclusions is not None else set()
    cost = sum(g.best - g.without for g in alone.gains if g.name.partition(":")[0] not in limits)
    yield (
        f"Without the limits the data would gain {alone.delta_chi_squared:.2f}: the limits cost them {cost:.2f} in "
        "-2 ln L."
    )
    against = sorted(alone.excluded_by.items(), key=lambda entry: -entry[1])
    if against:
        listed = ", ".join(f"{name} ({cost:.4g})" for name, cost in against[:NAMED])
        more = f" and {len(against) - NAMED} more" if len(against) > NAMED else ""
        yield f"The best fit without limits is excluded by limits of the fit, -2 ln L in brackets: {listed}{more}."
    paid = [(g.name, g.best - g.without) for g in alone.gains if g.best - g.without > SHARE]
    if paid:
        listed = ", ".join(f"{name} {cost:+.2f}" for name, cost in sorted(paid, key=lambda entry: -entry[1])[:NAMED])
        yield f"What the fit pays for its limits, by measurement and limit in -2 ln L: {listed}."


def _bound_words(result: Result) -> Iterator[str]:
    """Which parameters stand at an end of their range, and that the answer depends on it."""
    hesse, fit = result.hesse, result.fit
    if hesse is None or fit is None:
        return
    ranges = {c.name: c for c in result.provenance.coordinates}
    at_end = [name for name in hesse.at_bound if name in ranges]
    if not at_end:
        return
    listed = ", ".join(_at_end(ranges[name], fit.point[name]) for name in at_end)
    verb = "stands" if len(at_end) == 1 else "stand"
    yield (
        f"At a bound of its range {verb} {listed}. -2 ln L falls towards that bound, so that the best fit depends on "
        "where the range ends."
    )


def _at_end(coordinate: FreeCoordinate, value: float) -> str:
    unit = "" if coordinate.unit == "1" else f" {coordinate.unit}"
    end = "low" if abs(value - coordinate.low) < abs(coordinate.high - value) else "high"
    return f"{coordinate.name} ({value:.4g}{unit}, the {end} end)"


def _posterior_words(found: Exclusions) -> Iterator[str]:
    """The fractions of the posterior that constraints in the fit and outside of it exclude."""
    if found.inside is None or found.outside is None or not found.rows:
        return
    rows = [row for row in found.rows if row.fraction is not None and not row.fitted and row.fraction > 0.01 * SHARE]
    named = sorted(rows, key=lambda row: -(row.fraction or 0.0))[:NAMED]
    largest = f" ({', '.join(f'{row.name} {row.fraction:.1%}' for row in named)})" if named else ""
    yield (
        f"Constraints in the fit exclude {found.inside:.1%} of the posterior at 90 % CL, constraints outside of it "
        f"{found.outside:.1%}{largest}, from {found.draws} draws."
    )


def _marked_words(found: Exclusions) -> Iterator[str]:
    failing = [row.name for row in found.rows if row.fails_without]
    if failing:
        yield f"Without new physics these disagree already, and do not count: {', '.join(failing)}."
    if found.left_out:
        yield f"Not compared, because the model fails in them: {'; '.join(found.left_out)}."


def exclusion_table(result: Result) -> TextTable | None:
    """Every constraint at the best fit, ratios above 1 first, with the optima and the posterior."""
    found = result.exclusions
    if found is None or not found.rows:
        return None
    has_posterior = found.inside is not None
    rows = []
    for row in sorted(found.rows, key=lambda row: (not row.excludes, -row.ratio if row.ratio == row.ratio else 0.0)):
        optima = [str(i + 1) for i, is_excluded in enumerate(row.optima) if is_excluded]
        cost = f"{abs(row.twice_nll):.2f}" if row.kind in IN_FITS else "-"
        cells = [row.name, f"{row.predicted:.3g}", _finite(row.limit), f"{row.ratio:.3g}", cost]
        cells += [f"{row.verdict} (fails without new physics)" if row.fails_without else row.verdict, row.place]
        cells += [", ".join(optima) or "-"]
        cells += [f"{row.fraction:.1%}" if row.fraction is not None else "-"] if has_posterior else []
        rows.append(tuple(cells))
    columns = ("constraint", "predicted", "limit", "ratio", "-2 ln L", "verdict", "where", "optima excluded")
    columns += ("posterior excluded",) if has_posterior else ()
    notes = (
        "A constraint in the fit excludes a point where its -2 ln L is above 2.71, one outside of it where its ratio "
        "to the 90 % CL limit is above 1. The optima are numbered as in their table. 'anomfit constraints MODEL' says "
        "what each one is.",
    )
    return TextTable("Constraints", columns, tuple(rows), notes)


def projection_table(result: Result) -> TextTable | None:
    """chi^2 of other projections of the fitted events."""
    if not result.projections:
        return None
    rows = []
    for entry in result.projections:
        median = "-"
        if entry.posterior is not None:
            low, middle, high = entry.posterior
            median = f"{middle:.1f} ({low:.1f} .. {high:.1f})"
        rows.append((entry.name, str(entry.numbers), f"{entry.null:.1f}", f"{entry.best:.1f}", median))
    columns = ("projection", "bins", "chi^2 without new physics", "chi^2 best fit", "posterior (68 %)")
    notes = (
        "These show events that the fit has used already: they are checks of the shape, and no independent data.",
        "Statistical errors only: the systematic errors of a projection are not public. Nuisance parameters stand "
        "where the fit left them, those that the fit lacks at their centres.",
        *_worse_words(result),
    )
    return TextTable("Other projections of the same events", columns, tuple(rows), notes)


def _worse_words(result: Result) -> Iterator[str]:
    for entry in result.projections:
        if entry.best > entry.null + 1.0:
            yield f"{entry.name}: the best fit is worse than no new physics by {entry.best - entry.null:.1f}."


def cost_table(result: Result) -> TextTable | None:
    """What each measurement and limit pays between the best fit without limits and the one with them."""
    alone = result.without_limits
    if alone is None:
        return None
    rows = [(g.name, f"{g.without:.2f}", f"{g.best:.2f}", f"{g.best - g.without:+.2f}") for g in alone.gains]
    values = ", ".join(f"{name} = {value:.4g}" for name, value in alone.values.items())
    notes = (f"The best fit without limits: {values}.",)
    columns = ("measurement", "-2 ln L, limits left out", "-2 ln L best fit", "paid")
    return TextTable("What the limits cost", columns, tuple(rows), notes)


def _finite(value: float) -> str:
    return f"{value:.3g}" if abs(value) < float("inf") else "-"


def optima_excluded(result: Result, shown: int) -> Sequence[str]:
    """For each of the first optima, the constraints that exclude it."""
    if result.exclusions is None:
        return [""] * shown
    return [", ".join(result.exclusions.of_optimum(i)) or "none" for i in range(shown)]

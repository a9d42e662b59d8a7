"""A whole run, from a card to a folder: best fit, errors, posterior, report, figures; resumable after each step."""

import dataclasses
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from anomfit import interrupts
from anomfit.attempts import COMPARISON, Attempts
from anomfit.cards import Card, card_text, problem_from_card
from anomfit.cards.building import point_values
from anomfit.catalogue import measurement_listing
from anomfit.environment import require_libraries, require_platform
from anomfit.errors import reject
from anomfit.explaining import explained
from anomfit.folders import (
    CHAINS,
    FIT,
    FIT_FIGURES,
    NESTED,
    REPORT,
    RESULT,
    TEMPERED,
    holds_run,
    named_folder,
    opened_folder,
    spectrum_figure_name,
)
from anomfit.identity import identity, refuse_other
from anomfit.inference.compare.tension import check_tension
from anomfit.inference.compiled import forward_at
from anomfit.inference.devices import each, prepare_devices
from anomfit.inference.sample.nested import check_nested
from anomfit.inference.sample.tempered import check_tempered
from anomfit.precision import require_double_precision
from anomfit.problem import Problem
from anomfit.results.names import check_names
from anomfit.tabulating import as_begun, refuse_without_tables, sampled_problem, tabulated_for, with_exact_draws

if TYPE_CHECKING:
    from anomfit.inference.fit.minimise import Fit
    from anomfit.inference.sample.chains import Samples
    from anomfit.inference.sample.tempered import Tempered
    from anomfit.results.result import Result

Say = Callable[[str], None]
Progress = Callable[[str, int, int], None]

PROBES = 64  # prior points at which a measurement without any signal is looked for
SPARE = 2  # draws for each descent: its gradient may not be finite
WITHOUT_DRAWS = (
    "the card asks for descents that start from draws (fit.start_from), which a fit without sampling has not: they "
    "started from points of the prior, and a minimum in a narrow valley may be missed; fit without --no-sample"
)


def with_seed(card: Card, seed: int) -> Card:
    """The card with this seed for the fit and for the sampling (which never share their random numbers)."""
    return dataclasses.replace(
        card, fit=dataclasses.replace(card.fit, seed=seed), sampling=dataclasses.replace(card.sampling, seed=seed)
    )


@explained()
def run_fit(
    card: Card,
    folder: str | Path,
    sample: bool = True,
    overwrite: bool = False,
    resume: bool = False,
    say: Say | None = None,
    progress: Progress | None = None,
    tables: bool | None = None,
) -> "Result":
    """Fit the card and, with `sample`, draw its posterior; card.toml, result.nc, report.md and figures go to `folder`.

    The fit is kept before the sampling starts, and the chains after every block, so that `resume` goes on from there
    with the numbers of a run that never stopped. Where the card's descents start from draws, the populations are led
    before the fit; without `sample` they start from the prior, which is said. `say` gets a line whenever something is
    known; `progress(stage, done, total)` is called by the fit, and if it is given the sampler shows its bar. Chains run
    on the cores side by side if JAX has computed nothing before.

    With `tables` the search and the sampling look kernels up (see `anomfit.tabulated`). The best fit is then polished
    with the exact likelihood, which all that is stated there comes from, and draws are made exact by weights. None:
    where that can be done and is sooner done, with a table that is good enough.

    Raises InputError for whatever is wrong with card, folder or machine, before anything is computed, and where the
    folder cannot be written later; what is in it is whole at any time. KeyboardInterrupt after Ctrl-C (Terminated after
    SIGTERM), when what is found so far is kept; a figure that cannot be drawn is a warning. A check that fails once the
    best fit is found costs its own numbers alone: the result names it in `failed`, and `resume` tries all checks again.
    """
    folder, say = named_folder(folder), say or (lambda line: None)
    with interrupts.handled():
        require_double_precision()
        require_platform()
        prepare_devices(card.sampling.chains)
        problem = problem_from_card(card, lambda sentence: say(f"warning: {sentence}"))
        _refuse_impossible(problem, card, sample)
        if tables:
            refuse_without_tables(problem)
        require_libraries()
        shown = [(m.name, m.era) for m in problem.measurements]
        shown += [(row.name, row.era) for row in measurement_listing() if row.name in dict(shown)]  # projections
        spectra = [f"{spectrum_figure_name(*pair)}.png" for pair in dict.fromkeys(shown)]
        try:
            with opened_folder(folder, card_text(card), FIT, [*FIT_FIGURES, *spectra], overwrite, resume):
                tables = as_begun(folder / RESULT, tables, say) if resume else tables
                fast = tabulated_for(problem, card, sample, say, progress, tables)
                populations = cache(lambda: _populations(fast, card, folder, say, progress is not None))
                draws = populations if sample and card.fit.start_from == "draws" else None
                result = _resumed(fast, folder, needs_draws=draws is not None) if resume else None
                if result is None:
                    result = _fitted(problem, fast, card, folder, say, progress, draws)
                elif result.failed and result.fit is not None:
                    say("checks that failed before are made again")
                    result = _checked(problem, fast, card, folder, result.fit, say, progress)
                if sample:
                    result = _sampled(problem, fast, card, folder, result, populations, say, progress is not None)
                _draw(problem, card, folder, result, say)
        except KeyboardInterrupt as stopped:
            is_found = holds_run(folder, card_text(card), (RESULT, CHAINS, NESTED, TEMPERED))
            left = f"what was found is in {folder}, --resume goes on" if is_found else "nothing was found yet"
            raise interrupts.kind()(left) from stopped
    return result


def _refuse_impossible(problem: Problem, card: Card, sample: bool) -> None:
    """InputError for what would be found out only after the fit."""
    if not problem.names:
        raise reject("free", [], "leave at least one parameter free")
    check_names(problem)
    if sample and card.sampling.method == "nested":
        check_nested(problem, card.sampling.live)
    if sample and card.sampling.method == "tempered":
        check_tempered(problem, card.sampling.points)
    if card.fit.tension:
        from anomfit.best_fit import with_data

        check_tension(problem, with_data(problem))


def _resumed(problem: Problem, folder: Path, needs_draws: bool) -> "Result | None":
    """The result in the folder if its fit was ended; one that was interrupted is made anew, with the same numbers.

    So is a fit that had no draws to start from where it `needs_draws`. One whose checks failed counts as ended.
    InputError for a result of another likelihood, with which the draws would not agree.
    """
    from anomfit.results.files import load_result

    found = load_result(folder / RESULT) if (folder / RESULT).is_file() else None
    if found is None or (found.goodness is None and not found.failed):
        return None
    refuse_other(folder / RESULT, found.provenance.identity, identity(problem))
    has_draws = found.fit is not None and found.fit.start_from == "draws"
    return found if has_draws or not needs_draws else None


def silent_measurements(problem: Problem, key: jax.Array) -> tuple[str, ...]:
    """A warning sentence for every measurement that no point of the prior gives any signal: all channels are closed."""
    cube = np.asarray(jax.random.uniform(key, (PROBES, len(problem.free))), dtype=float)
    largest = np.asarray(_largest_signals(problem, jnp.asarray(cube)))
    return tuple(
        f"{m.name}:{m.era} gets no signal at any of {PROBES} points of the prior, as if every channel were closed: it "
        "constrains nothing; look at the fixed masses and the ranges"
        for m, signal in zip(problem.measurements, largest, strict=True)
        if signal == 0.0
    )


def _say_at_point(problem: Problem, card: Card, say: Say) -> None:
    """The first result of a run: how the card's named point stands against the data."""
    if card.point is None:
        return
    values = point_values(problem.model, problem.parametrisation, card.point)
    found = forward_at(problem, {name: values.get(name, 0.0) for name in problem.names})
    parts = ", ".join(
        f"{m.name} {float(chi[0]):.2f} ({m.independent_numbers})"
        for m, chi in zip(problem.measurements, found.chi_squared, strict=True)
    )
    say(f"at {card.point}: -2 ln L = {found.twice_nll[0]:.4f}; chi^2 (independent numbers): {parts}")


def _fitted(
    problem: Problem,
    fast: Problem,
    card: Card,
    folder: Path,
    say: Say,
    progress: Progress | None,
    populations: "Callable[[], Tempered] | None",
) -> "Result":
    """The fit with errors and goodness, kept; descents start from `populations`, or from the prior without any.

    fast: what is searched, with tables or `problem` itself.
    """
    from anomfit.inference.fit.minimise import FitSettings, minimise
    from anomfit.inference.fit.refine import refined
    from anomfit.inference.sample.populations import descent_starts

    _say_at_point(problem, card, say)
    key = jax.random.key(card.fit.seed)
    settings = FitSettings(screened=card.fit.screened, starts=card.fit.starts)
    draws = None if populations is None else descent_starts(fast, populations(), SPARE * card.fit.starts)
    for sentence in without_draws(card, "prior" if draws is None else "draws"):
        say(f"warning: {sentence}")
    fit = minimise(fast, key, settings, progress, draws)
    if fast is not problem:
        say(f"with tables or few nodes ({fit.seconds:.0f} s): -2 ln L = {fit.twice_nll:.4f}; polishing it exactly")
        fit = refined(problem, fit, settings, progress)
    values = ", ".join(f"{name} = {value:.4g}" for name, value in fit.values.items())
    say(f"best fit ({fit.seconds:.0f} s): -2 ln L = {fit.twice_nll:.4f}, {fit.message}; {values}")
    for sentence in fit.problems:
        say(f"warning: {sentence}")
    return _checked(problem, fast, card, folder, fit, say, progress)


def _checked(
    problem: Problem, fast: Problem, card: Card, folder: Path, fit: "Fit", say: Say, progress: Progress | None
) -> "Result":
    """The fit with all that is asked of it, kept; what fails is named in the result, and costs nothing else."""
    from anomfit.best_fit import with_comparisons, with_errors
    from anomfit.results.result import Result, provenance, spectra
    from anomfit.results.verdict import verdict
    from anomfit.tables.using import use_of

    tried = Attempts(say)
    with interrupts.postponed():
        found = tried.at("the spectra of the best fit", lambda: spectra(problem, fit.point), ())
        begun = Result(provenance(fast, card_text(card), card.fit.seed), fit, spectra=found, table=use_of(fast))
    try:
        if fit.message.startswith("interrupted"):
            raise KeyboardInterrupt
        result = with_errors(problem, fast, fit, begun, tried, progress)
        result = with_comparisons(problem, fast, card, fit, result, tried, say, progress)
    except KeyboardInterrupt:
        with interrupts.postponed():
            _keep(folder, begun, ())
        raise
    result = _kept_with_remarks(problem, card, folder, result, tried, say)
    for sentence in verdict(result):
        say(sentence)
    return result


def _kept_with_remarks(
    problem: Problem, card: Card, folder: Path, result: "Result", tried: Attempts, say: Say
) -> "Result":
    """The result with what failed, in its folder, the report with its remarks."""
    remarks = tried.at("a look for channels without signal", lambda: _remarks(problem, card, result, say), ())
    result = dataclasses.replace(result, failed=tried.failed)
    _keep(folder, result, remarks)
    return result


def _sampled(
    problem: Problem,
    fast: Problem,
    card: Card,
    folder: Path,
    result: "Result",
    populations: "Callable[[], Tempered]",
    say: Say,
    show_progress: bool,
) -> "Result":
    from anomfit.checks import Checks
    from anomfit.results.result import log_likelihoods, spectra

    chosen = sampled_problem(problem, fast, card, say)
    samples = _draws(chosen, card, folder, result.fit, populations, say, show_progress)
    point = result.fit.point if result.fit is not None else {}
    tried = Attempts(say, result.failed)
    with interrupts.postponed():
        if chosen is not problem:
            key = jax.random.fold_in(_sampling_key(card), 2)
            samples, result = with_exact_draws(problem, chosen, samples, result, key, say)
        result = dataclasses.replace(result, samples=samples)
        shown = tried.at("the spectra of the draws", lambda: spectra(problem, point, samples), result.spectra)
        each_ln = tried.at("the likelihoods of the draws", lambda: log_likelihoods(problem, samples), None)
        drawn = dataclasses.replace(result, spectra=shown, log_likelihood=each_ln)
        result = tried.at(f"{COMPARISON} at the draws", lambda: Checks(problem, card).with_posterior(drawn), drawn)
        result = _kept_with_remarks(problem, card, folder, result, tried, say)
    for sentence in samples.problems:
        say(f"warning: {sentence}")
    if not samples.complete:
        raise KeyboardInterrupt
    return result


def _sampling_key(card: Card) -> jax.Array:
    return jax.random.fold_in(jax.random.key(card.sampling.seed), 1)  # never the fit's numbers, even with its seed


def _populations(problem: Problem, card: Card, folder: Path, say: Say, show_progress: bool) -> "Tempered":
    """The tempered populations of the card, led to the posterior."""
    from anomfit.inference.sample.chains import SampleSettings
    from anomfit.inference.sample.populations import led_populations

    chosen = card.sampling
    say(f"{chosen.chains} tempered populations of {chosen.points} points; Ctrl-C stops, --resume goes on")
    settings = SampleSettings(chosen.chains, chosen.draws, max_draws=chosen.draws)
    file = folder / TEMPERED
    return led_populations(problem, _sampling_key(card), settings, chosen.points, chosen.moves, file, show_progress)


def _draws(
    problem: Problem,
    card: Card,
    folder: Path,
    fit: "Fit | None",
    populations: "Callable[[], Tempered]",
    say: Say,
    show_progress: bool,
) -> "Samples":
    from anomfit.inference.sample.chains import SampleSettings, sample
    from anomfit.inference.sample.nested import nested_samples
    from anomfit.inference.sample.nuts import Tuning
    from anomfit.inference.sample.populations import samples_of_populations

    chosen, key = card.sampling, _sampling_key(card)
    if chosen.method == "nested":
        say(f"nested sampling with {chosen.live} live points; Ctrl-C stops, --resume goes on")
        settings = SampleSettings(chosen.chains, chosen.draws, max_draws=chosen.draws)
        return nested_samples(problem, key, settings, chosen.live, folder / NESTED, show_progress)
    if chosen.method == "tempered":
        settings = SampleSettings(chosen.chains, chosen.draws, max_draws=chosen.draws)
        return samples_of_populations(problem, populations(), settings, key, chosen.weighted, show_progress)
    tuning = Tuning(chosen.warmup, chosen.target_accept)
    settings = SampleSettings(chosen.chains, chosen.draws, chosen.max_draws, tuning)
    say(f"sampling {chosen.chains} chains; Ctrl-C stops, --resume goes on")
    return sample(problem, key, settings, fit, folder / CHAINS, show_progress)


def _warnings(problem: Problem, card: Card, result: "Result", say: Say) -> tuple[str, ...]:
    """Measurements without any signal, looked for where the best fit has none; said, and returned for the report."""
    if all(np.any(spectrum.best_fit[name]) for spectrum in result.spectra for name in spectrum.best_fit):
        return ()
    found = silent_measurements(problem, jax.random.key(card.fit.seed))
    for warning in found:
        say(f"warning: {warning}")
    return tuple(f"Warning: {warning}." for warning in found)


def _remarks(problem: Problem, card: Card, result: "Result", say: Say) -> tuple[str, ...]:
    """Paragraphs for the report: warnings, and what measurements say of choices that no data settle."""
    from anomfit.measurements.flights import remarks_of

    remarks = list(_warnings(problem, card, result, say))
    if result.fit is not None:
        remarks += [f"Warning: {sentence}." for sentence in without_draws(card, result.fit.start_from)]
        parameters = {name: jnp.asarray(value) for name, value in result.fit.point.items()}
        point, nuisances = problem.physical_point(parameters), problem.nuisance_values(parameters)
        for measurement in problem.measurements:
            remarks += remarks_of(measurement, problem.model, point, nuisances)
    return tuple(remarks)


def without_draws(card: Card, start_from: str) -> tuple[str, ...]:
    """What must be said of a fit that started from the prior, "prior", though the card asks for draws."""
    return (WITHOUT_DRAWS,) if card.fit.start_from == "draws" and start_from == "prior" else ()


def _draw(problem: Problem, card: Card, folder: Path, result: "Result", say: Say) -> None:
    """The figures; what cannot be drawn is said, here and in the report, and costs nothing else."""
    from anomfit.plotting import save_figures
    from anomfit.results.summary import write_report

    failures: list[str] = []
    figures = ", ".join(path.name for path in save_figures(result, folder, failures.append))
    say(f"figures: {figures or 'none, there is nothing to draw'}")
    for sentence in failures:
        say(f"warning: {sentence}")
    if failures:
        remarks = _remarks(problem, card, result, lambda line: None)
        write_report(folder / REPORT, result, (*remarks, *(f"Warning: {sentence}." for sentence in failures)))


def _keep(folder: Path, result: "Result", remarks: tuple[str, ...]) -> None:
    from anomfit.results.files import save_result
    from anomfit.results.summary import write_report

    save_result(folder / RESULT, result)
    write_report(folder / REPORT, result, remarks)


@jax.jit
def _largest_signals(problem: Problem, cube: jax.Array) -> jax.Array:
    def at(u):
        values, _ = problem.from_cube(u)
        return jnp.stack([jnp.max(jnp.abs(prediction.total)) for prediction in problem.predictions(values)])

    return jnp.max(each(at, cube), axis=0)

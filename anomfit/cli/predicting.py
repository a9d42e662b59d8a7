"""`anomfit predict`: the prediction of a model, or of a result, beside the data."""

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anomfit.cli.options import (
    AsJson,
    ModelOrResult,
    NoCache,
    Settings,
    TargetWords,
    in_words,
    pairs,
    print_json,
    start_jax,
)

if TYPE_CHECKING:
    from anomfit.prediction import PredictionReport
    from anomfit.results.predicting import Bands, PosteriorPrediction


def predict(
    subject: ModelOrResult,
    measurement: Annotated[str, typer.Argument(help="A measurement, with an era after a colon if you like.")],
    point: Annotated[
        str | None, typer.Option("--point", metavar="NAME", help="A published point; default: the model's first.")
    ] = None,
    settings: Settings = None,
    points: Annotated[
        Path | None, typer.Option("--points", metavar="FILE.csv", help="Many points: a header of names, a row a point.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", metavar="KEY=VALUE", help="An option of the measurement.")
    ] = None,
    targets: TargetWords = None,
    parametrisation: Annotated[
        str | None,
        typer.Option(
            "--parametrisation",
            metavar="NAME",
            help="What --set and --points mean; default: the physical one, else the first that knows all the names.",
        ),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option("--figure", metavar="FILE", help="Draw it too, as .png, .pdf or .svg."),
    ] = None,
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> None:
    """Predict the events (or numbers) of a measurement at a point of a model, beside data and background.

    Masses are in GeV unless a unit is given. With --points, one prediction a row of the file, JSON lines with --json.
    A result is predicted at its best fit, with the nuisance parameters of the fit and the options of its card. Where it
    has a posterior, the median and the intervals of 68 and 95 % of what its draws predict follow.

    \b
    Examples:
      anomfit predict two-higgs-doublet miniboone
      anomfit predict two-higgs-doublet miniboone:evis --set m_N2=130MeV --set sin_delta=0.05
      anomfit predict two-higgs-doublet g-2-muon --json
      anomfit predict oscillation miniboone --points grid.csv --json > predictions.jsonl
      anomfit predict my-fit miniboone:evis --figure bands.png
    """
    start_jax(no_cache)
    if figure is not None:
        from anomfit.errors import InputError
        from anomfit.plotting.predicted import check_figure_path

        if points is not None:
            raise InputError("--figure: one prediction is drawn; leave out --points, or --figure")
        check_figure_path(figure)
    from anomfit.results.opened import named_result

    path = named_result(subject)
    if path is not None:
        given = {
            "point": point,
            "set": settings,
            "points": points,
            "target": targets,
            "parametrisation": parametrisation,
        }
        _predict_result(path, measurement, pairs("--option", option or []), given, as_json, figure)
        return
    changes = pairs("--set", settings or []), pairs("--target", targets or [])
    options = pairs("--option", option or [])
    _predict_model(subject, measurement, options, changes, point, points, parametrisation, as_json, figure)


def _predict_model(
    name: str,
    measurement: str,
    options: dict[str, str],
    changes: tuple[dict[str, str], dict[str, str]],
    point: str | None,
    points: Path | None,
    parametrisation: str | None,
    as_json: bool,
    figure: Path | None,
) -> None:
    from anomfit.capabilities import with_targets
    from anomfit.prediction import fitting_parametrisation, point_from_settings, points_from_table, read_point_table
    from anomfit.prediction import predict as predict_points
    from anomfit.userfiles import resolve_measurement, resolve_model

    changed, targets = changes
    chosen_model = with_targets(resolve_model(name), targets)
    table = read_point_table(points) if points is not None else None
    chosen = fitting_parametrisation(chosen_model, parametrisation, {*changed, *(table.header if table else ())})
    base = point_from_settings(chosen_model, chosen, point, changed)
    rows = points_from_table(table, chosen, base) if table else [base]
    data = resolve_measurement(measurement, **options)
    reports = predict_points(chosen_model, data, chosen, rows)
    for report in reports:
        if as_json:
            print_json(report.as_json(), indent=None if points is not None else 2)
        else:
            _print_table(report)
    if figure is not None:
        _draw(figure, reports[0])


def _draw(path: Path, report: "PredictionReport", posterior: "PosteriorPrediction | None" = None) -> None:
    from anomfit.plotting.predicted import save_prediction

    print(f"figure: {save_prediction(path, report, posterior)}", file=sys.stderr)


def _predict_result(
    path: Path,
    measurement: str,
    options: dict[str, str],
    given: dict[str, object],
    as_json: bool,
    figure: Path | None,
):
    from anomfit.results.opened import opened_result, refuse_with_result
    from anomfit.results.predicting import predict_result

    refuse_with_result(path, **given)
    found = predict_result(opened_result(path), measurement, options)
    if figure is not None:
        _draw(figure, found.report, found.posterior)
    if as_json:
        print_json(found.as_json())
        return
    print(f"{path}: the prediction at the best fit")
    _print_table(found.report)
    if found.posterior is not None:
        _print_posterior(found.report, found.posterior)


def _print_table(report: "PredictionReport") -> None:
    print(f"{report.model} -> {report.measurement}:{report.era}")
    print("\npoint")
    for name, value in report.point.items():
        print(f"  {name} = {value:.6g}")
    print("\nchoices")
    for name, words in report.choices.items():
        print(f"  {name}: {words}")
    columns = {"data": [b.data for b in report.bins], "background": [b.background for b in report.bins]}
    _print_bins(report, {**columns, "signal": report.total, **report.signal})
    print(f"\ntotal signal: {in_words(sum(report.total), 6)}")
    for name, value in report.interactions.items():
        print(f"interactions, {name}: {in_words(value, 6)}")
    for name, value in report.before_efficiency.items():
        print(f"before efficiency, {name}: {in_words(value, 6)}")
    undefined = sum(not math.isfinite(number) for number in report.total)
    if undefined:
        print(f"caution: {report.model} gives no finite number in {undefined} of {len(report.bins)} bins")
    print()


def _print_posterior(report: "PredictionReport", found: "PosteriorPrediction") -> None:
    kinds: dict[str, Bands | None] = {"signal": found.signal, "data": found.data}
    words = {"signal": "the signal alone", "data": "data thrown: background, signal and fluctuation"}
    for kind, bands in kinds.items():
        if bands is None:
            continue
        print(f"posterior, {found.draws} draws: {words[kind]}")
        columns = {"median": bands.median, "68 % from": bands.low_68, "68 % to": bands.high_68}
        observed = {"observed": [entry.data for entry in report.bins]} if kind == "data" else {}
        _print_bins(report, {**columns, "95 % from": bands.low_95, "95 % to": bands.high_95, **observed})
        print()


def _print_bins(report: "PredictionReport", columns: Mapping[str, Sequence[float]]) -> None:
    print(f"\n{'bin':<26}" + "".join(f"{name:>13}" for name in columns))
    label = None
    for i, entry in enumerate(report.bins):
        if entry.label != label:
            label = entry.label
            print(label)
        where = f"  {entry.low:g} to {entry.high:g} {entry.unit}" if math.isfinite(entry.low) else "  value"
        print(f"{where:<26}" + "".join(f"{in_words(column[i], 5):>13}" for column in columns.values()))

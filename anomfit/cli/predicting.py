"""`anomfit predict`: a model's prediction beside the data."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anomfit.cli.options import AsJson, NoCache, in_words, pairs, print_json, start_jax

if TYPE_CHECKING:
    from anomfit.prediction import PredictionReport


def predict(
    model: Annotated[str, typer.Argument(help="A model's name, or a file of yours: my_model.py:model.")],
    measurement: Annotated[str, typer.Argument(help="A measurement, with an era after a colon if you like.")],
    point: Annotated[
        str | None, typer.Option("--point", metavar="NAME", help="A published point; default: the model's first.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a parameter; may be repeated.")
    ] = None,
    points: Annotated[
        Path | None, typer.Option("--points", metavar="FILE.csv", help="Many points: a header of names, a row a point.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", metavar="KEY=VALUE", help="An option of the measurement.")
    ] = None,
    parametrisation: Annotated[
        str | None,
        typer.Option(
            "--parametrisation",
            metavar="NAME",
            help="What --set and --points mean; default: the physical one, else the first that knows all the names.",
        ),
    ] = None,
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> None:
    """Predict the events (or numbers) of a measurement at a point of a model, beside data and background.

    Masses are in GeV unless a unit is given. With --points, one prediction a row of the file, JSON lines with --json.

    \b
    Examples:
      anomfit predict two-higgs-doublet miniboone
      anomfit predict two-higgs-doublet miniboone:evis --set m_N2=130MeV --set sin_delta=0.05
      anomfit predict two-higgs-doublet g-2-muon --json
      anomfit predict oscillation miniboone --points grid.csv --json > predictions.jsonl
    """
    start_jax(no_cache)
    from anomfit.prediction import fitting_parametrisation, point_from_settings, points_from_table, read_point_table
    from anomfit.prediction import predict as predict_points
    from anomfit.userfiles import resolve_measurement, resolve_model

    chosen_model, changed = resolve_model(model), pairs("--set", settings or [])
    table = read_point_table(points) if points is not None else None
    chosen = fitting_parametrisation(chosen_model, parametrisation, {*changed, *(table.header if table else ())})
    base = point_from_settings(chosen_model, chosen, point, changed)
    rows = points_from_table(table, chosen, base) if table else [base]
    data = resolve_measurement(measurement, **pairs("--option", option or []))
    reports = predict_points(chosen_model, data, chosen, rows)
    for report in reports:
        if as_json:
            print_json(report.as_json(), indent=None if points is not None else 2)
        else:
            _print_table(report)


def _print_table(report: "PredictionReport") -> None:
    print(f"{report.model} -> {report.measurement}:{report.era}")
    print("\npoint")
    for name, value in report.point.items():
        print(f"  {name} = {value:.6g}")
    print("\nchoices")
    for name, words in report.choices.items():
        print(f"  {name}: {words}")
    print(f"\n{'bin':<26}" + "".join(f"{name:>13}" for name in ("data", "background", "signal", *report.signal)))
    label = None
    for i, entry in enumerate(report.bins):
        if entry.label != label:
            label = entry.label
            print(label)
        where = f"  {entry.low:g} to {entry.high:g} {entry.unit}" if math.isfinite(entry.low) else "  value"
        numbers = (entry.data, entry.background, report.total[i], *(parts[i] for parts in report.signal.values()))
        print(f"{where:<26}" + "".join(f"{in_words(number, 5):>13}" for number in numbers))
    print(f"\ntotal signal: {in_words(sum(report.total), 6)}")
    for name, value in report.before_efficiency.items():
        print(f"before efficiency, {name}: {in_words(value, 6)}")
    undefined = sum(not math.isfinite(number) for number in report.total)
    if undefined:
        print(f"caution: {report.model} gives no finite number in {undefined} of {len(report.bins)} bins")
    print()

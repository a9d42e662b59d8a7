"""`anomfit models`, `anomfit measurements`, `anomfit card`: what there is."""

import textwrap
from typing import Annotated

import typer

from anomfit.cli.options import AsJson, print_json


def models(as_json: AsJson = False) -> None:
    """List the models: parameters, published points, and what each predicts.

    \b
    Examples:
      anomfit models
      anomfit models --json
    """
    from anomfit.capabilities import offered
    from anomfit.models.catalogue import find_model, model_names

    found = [find_model(name) for name in model_names()]
    if as_json:
        print_json([_model_record(model) for model in found])
        return
    for model in found:
        print(f"{model.name}: {model.title}")
        print(f"  predicts: {', '.join(offered(model))}")
        print(f"  points: {', '.join(model.points) or 'none'}")
        for key, parametrisation in model.parametrisations.items():
            print(f"  parametrisation {key}:")
            width = max(len(name) for name in parametrisation.names)
            for p in parametrisation.parameters:
                unit = "" if p.unit == "1" else f" {p.unit}"
                bounds = f"{p.low:g} to {p.high:g}{unit}"
                print(f"    {p.name:<{width}}  {bounds:<24} {p.prior:<12} {p.description}")
        print()


def measurements(as_json: AsJson = False) -> None:
    """List the measurements with their eras (the default era of each has a star), and the constraints by name.

    \b
    Examples:
      anomfit measurements
      anomfit measurements --json
    """
    from anomfit.constraints.catalogue import fitted_constraint_names
    from anomfit.measurements.catalogue import measurement_listing

    rows = measurement_listing()
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    width = max(len(f"{row.name}:{row.era}") for row in rows)
    for row in rows:
        star = "*" if row.default else " "
        print(f"{star} {row.name + ':' + row.era:<{width}}  {row.title} [{row.status}]")
    print("\n* the default era of a measurement, used when only its name is given")
    print("\na card takes constraints too, by name ('anomfit constraints MODEL' says what each is):")
    print(
        textwrap.fill(
            ", ".join(fitted_constraint_names()),
            100,
            initial_indent="  ",
            subsequent_indent="  ",
            break_on_hyphens=False,
        )
    )


def card(model: Annotated[str, typer.Argument(help="A model, or one of the shipped cards.")]) -> None:
    """Print a fit card to start from, comments included.

    \b
    Examples:
      anomfit card two-higgs-doublet > my.toml
      anomfit card two-higgs-doublet-2020
      anomfit card my_model.py:model > my.toml
    """
    from anomfit.cards import card_text, load_card, shipped_card_names, shipped_card_text

    print(shipped_card_text(model) if model in shipped_card_names() else card_text(load_card(model)), end="")


def _model_record(model) -> dict[str, object]:
    from anomfit.capabilities import offered

    fields = ("name", "symbol", "unit", "low", "high", "prior", "description")
    return {
        "name": model.name,
        "title": model.title,
        "references": list(model.references),
        "offers": list(offered(model)),
        "parametrisations": {
            key: [{name: getattr(p, name) for name in fields} for p in parametrisation.parameters]
            for key, parametrisation in model.parametrisations.items()
        },
        "points": {name: {key: float(x) for key, x in point.items()} for name, point in model.points.items()},
    }

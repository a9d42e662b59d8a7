"""`anomfit models`, `anomfit measurements`, `anomfit card`: what there is."""

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from anomfit.cli.options import AsJson, print_json

if TYPE_CHECKING:
    from anomfit.capabilities import Model


def models(
    name: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="One model, or a file of yours: my_model.py:model.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the models: parameters, published points, and what each predicts; or one of them with all that it states.

    \b
    Examples:
      anomfit models
      anomfit models two-higgs-doublet
      anomfit models --json
    """
    from anomfit.catalogue import find_model, model_names

    if name is not None:
        model = _one_model(name)
        print_json(_model_record(model)) if as_json else _print_model(model)
        return
    found = [find_model(name) for name in model_names()]
    if as_json:
        print_json([_model_record(model) for model in found])
        return
    for model in found:
        _print_head(model)
        print(f"  points: {', '.join(model.points) or 'none'}")
        _print_parametrisations(model)
        print()


def measurements(as_json: AsJson = False) -> None:
    """List the measurements with their eras, and say which model predicts which of them.

    The default era of each measurement has a star. A card takes constraints as well; 'anomfit constraints' lists them.

    \b
    Examples:
      anomfit measurements
      anomfit measurements --json
    """
    from anomfit.capabilities import offers
    from anomfit.catalogue import accepted, find_model, measurement_listing, measurement_names, model_names

    rows, kinds = measurement_listing(), {name: accepted(name) for name in measurement_names()}
    predicted = {
        name: [model for model in model_names() if offers(find_model(model), kind)] for name, kind in kinds.items()
    }
    if as_json:
        print_json([{**row._asdict(), "predicted_by": predicted[row.name]} for row in rows])
        return
    width = max(len(f"{row.name}:{row.era}") for row in rows)
    for row in rows:
        star = "*" if row.default else " "
        print(f"{star} {row.name + ':' + row.era:<{width}}  {row.title} [{row.status}]")
    print("\n* the default era of a measurement, used when only its name is given")
    print("\nwhat each model predicts ('anomfit predict MODEL MEASUREMENT' says what a model lacks for another)")
    width = max(map(len, model_names()))
    print(" " * width + "".join(f"  {name}" for name in predicted))
    for model in model_names():
        marks = (f"{'yes' if model in known else '-':^{len(name)}}" for name, known in predicted.items())
        print(f"{model:<{width}}" + "".join(f"  {mark}" for mark in marks).rstrip())
    print("\na card takes constraints too, by the names that 'anomfit constraints MODEL' prints")


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


def _one_model(name: str) -> "Model":
    from anomfit.catalogue import find_model, model_names

    if name in model_names():
        return find_model(name)
    from anomfit.userfiles import resolve_model  # which brings much that a listing does not need

    return resolve_model(name)


def _print_head(model: "Model") -> None:
    from anomfit.capabilities import offered

    print(f"{model.name}: {model.title}")
    print(_filled(f"predicts: {', '.join(offered(model))}", "  ", "    "))


def _print_parametrisations(model: "Model") -> None:
    for key, parametrisation in model.parametrisations.items():
        print(f"  parametrisation {key}:")
        width = max(len(name) for name in parametrisation.names)
        for p in parametrisation.parameters:
            unit = "" if p.unit == "1" else f" {p.unit}"
            bounds = f"{p.low:g} to {p.high:g}{unit}"
            print(f"    {p.name:<{width}}  {bounds:<24} {p.prior_words:<12} {p.description}")


def _print_model(model: "Model") -> None:
    from anomfit.capabilities import choices_of

    _print_head(model)
    _print_parametrisations(model)
    print("  points, in physical parameters:" if model.points else "  points: none")
    for name, point in model.points.items():
        values = ", ".join(f"{key} = {float(value):.6g}" for key, value in point.items())
        print(_filled(f"{name}: {values}", "    ", "      "))
    for nuisance in model.nuisances:
        print(f"  nuisance {nuisance.name}: {nuisance.mean:g} +- {nuisance.sigma:g}, {nuisance.description}")
    for what, choice in choices_of(model).items():
        print(_filled(f"{what}: {choice}", "  ", "    "))
    print(f"  references: {', '.join(model.references) or 'none'}")


def _filled(text: str, indent: str, further: str | None = None) -> str:
    """Wrapped at 100 characters; names are not broken at their hyphens."""
    rest = indent if further is None else further
    return textwrap.fill(text, 100, initial_indent=indent, subsequent_indent=rest, break_on_hyphens=False)


def _model_record(model: "Model") -> dict[str, object]:
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

"""`anomfit constraints`: how far a point is from every other limit."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from anomfit.cli.options import AsJson, NoCache, in_words, pairs, print_json, start_jax

if TYPE_CHECKING:
    from anomfit.constraints import ConstraintRow


def constraints(
    model: Annotated[str, typer.Argument(help="A model's name, or a file of yours: my_model.py:model.")],
    point: Annotated[
        str | None, typer.Option("--point", metavar="NAME", help="A published point; default: the model's first.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a parameter; may be repeated.")
    ] = None,
    own: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="FILE.py:NAME", help="A constraint of yours beside them; may be repeated."),
    ] = None,
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> None:
    """Compare a point of a model with every constraint: one row each with prediction, limit, ratio and verdict.

    A ratio above 1 is excluded at 90 % CL. "no reach" means that the search cannot see the point (a closed channel, a
    life too short), "beyond the table" that nothing is published at its mass. Projections and limits without public
    data are shown and never fitted.

    \b
    Examples:
      anomfit constraints two-higgs-doublet
      anomfit constraints two-higgs-doublet --point table-I --set m_hprime=30MeV
      anomfit constraints two-higgs-doublet --json
      anomfit constraints my_model.py:model --with my_limits.py:limit
    """
    start_jax(no_cache)
    import jax.numpy as jnp

    from anomfit.constraints import constraint_table, shipped_constraints, with_own
    from anomfit.errors import InputError
    from anomfit.prediction import fitting_parametrisation, point_from_settings
    from anomfit.userfiles import resolve_constraints, resolve_model

    chosen_model, changed = resolve_model(model), pairs("--set", settings or [])
    chosen = fitting_parametrisation(chosen_model, None, set(changed))
    values = point_from_settings(chosen_model, chosen, point, changed)
    missing = [name for name in chosen.names if name not in values]
    if missing:
        raise InputError(f"point: it has no value for {', '.join(missing)}; name a point or set each")
    physical = chosen.to_physical({name: jnp.asarray(values[name]) for name in chosen.names})
    mine = [constraint for name in own or [] for constraint in resolve_constraints(name)]
    rows = constraint_table(chosen_model, physical, with_own(shipped_constraints(), chosen_model, mine))
    if not rows:
        raise InputError(f"model: {chosen_model.name} predicts nothing that a constraint needs")
    if as_json:
        print_json([row.as_json() for row in rows])
        return
    _print_table(chosen_model.name, rows)


def _print_table(model: str, rows: "list[ConstraintRow]") -> None:
    from anomfit.constraints import NOT_A_NUMBER

    width = max(len(row.name) for row in rows)
    print(f"{'constraint':<{width}}  {'predicted':>12} {'limit':>12} {'ratio':>12}  verdict")
    for row in rows:
        limit = f"{row.limit:.3g}" if math.isfinite(row.limit) and row.verdict != "no reach" else "-"
        predicted, ratio = in_words(row.predicted, 3), in_words(row.ratio, 2)
        print(f"{row.name:<{width}}  {predicted:>12} {limit:>12} {ratio:>12}  {row.verdict}")
        unit = "" if row.unit == "1" else f" [{row.unit}]"
        print(f"{'':<{width}}  {row.quantity}{unit}; {row.source}; data {row.era}")
        print(f"{'':<{width}}  assumes: {row.assumption}")
    excluded = [row.name for row in rows if row.excludes]
    print(f"\nexcluded or in tension at 90 % CL: {', '.join(excluded) or 'none'}")
    undefined = [row.name for row in rows if row.verdict == NOT_A_NUMBER]
    if undefined:
        print(f"undecided, since {model} gives no number there: {', '.join(undefined)}")

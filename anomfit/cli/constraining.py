"""`anomfit constraints`: how far a point is from every other limit."""

import math
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

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
    from anomfit.capabilities import Model
    from anomfit.constraints import Constraint, ConstraintRow


def constraints(
    subject: ModelOrResult,
    point: Annotated[
        str | None, typer.Option("--point", metavar="NAME", help="A published point; default: the model's first.")
    ] = None,
    settings: Settings = None,
    targets: TargetWords = None,
    own: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="FILE.py:NAME", help="A constraint of yours beside them; may be repeated."),
    ] = None,
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> None:
    """Compare a point of a model with every constraint: one row each with prediction, limit, ratio and verdict.

    A result is asked at its best fit, with its nuisance parameters and the constraints of yours that it was fitted to.
    A ratio above 1 is excluded at 90 % CL. "no reach" means that the search cannot see the point (a closed channel, a
    life too short), "beyond the table" that nothing is published at its mass. Projections and limits without public
    data are shown and never fitted. At the end stand the constraints that the model cannot be asked, with the reasons.

    \b
    Examples:
      anomfit constraints two-higgs-doublet
      anomfit constraints two-higgs-doublet --point table-I --set m_hprime=30MeV
      anomfit constraints two-higgs-doublet --json
      anomfit constraints my_model.py:model --with my_limits.py:limit
      anomfit constraints my-fit
    """
    start_jax(no_cache)
    from anomfit.catalogue import shipped_constraints, with_own
    from anomfit.constraints import constraint_table
    from anomfit.errors import InputError
    from anomfit.results.opened import named_result
    from anomfit.userfiles import resolve_constraints

    path = named_result(subject)
    if path is None:
        asked = _at_point(subject, point, pairs("--set", settings or []), pairs("--target", targets or []))
    else:
        from anomfit.results.opened import refuse_with_result

        refuse_with_result(path, point=point, set=settings, target=targets)
        asked = _at_best_fit(path)
    mine = [*asked.own, *(constraint for name in own or [] for constraint in resolve_constraints(name))]
    known = with_own(shipped_constraints(), asked.model, mine)
    rows = constraint_table(asked.model, asked.physical, known, asked.nuisances)
    if not rows:
        raise InputError(f"model: {asked.model.name} predicts nothing that a constraint needs")
    if as_json:
        print_json([row.as_json() for row in rows])
        return
    if path is not None:
        print(f"{path}: {asked.model.name} at the best fit\n")
    _print_table(asked.model.name, rows, {entry.name for entry in known if entry.fails_without})
    _print_refused(asked.model)


class _Asked(NamedTuple):
    """The point at which the constraints are asked; `own` are a result's that do not ship."""

    model: "Model"
    physical: dict[str, Any]
    nuisances: dict[str, float]
    own: "tuple[Constraint, ...]"


def _at_point(name: str, point: str | None, changed: dict[str, str], targets: dict[str, str]) -> _Asked:
    import jax.numpy as jnp

    from anomfit.capabilities import with_targets
    from anomfit.errors import InputError
    from anomfit.prediction import fitting_parametrisation, point_from_settings
    from anomfit.userfiles import resolve_model

    model = with_targets(resolve_model(name), targets)
    chosen = fitting_parametrisation(model, None, set(changed))
    values = point_from_settings(model, chosen, point, changed)
    missing = [name for name in chosen.names if name not in values]
    if missing:
        raise InputError(f"point: it has no value for {', '.join(missing)}; name a point or set each")
    physical = chosen.to_physical({name: jnp.asarray(values[name]) for name in chosen.names})
    return _Asked(model, physical, {}, ())


def _at_best_fit(path: Path) -> _Asked:
    import jax.numpy as jnp

    from anomfit.catalogue import shipped_constraints
    from anomfit.constraints import Constraint
    from anomfit.results.opened import opened_result

    opened = opened_result(path)
    problem, best = opened.problem, {name: jnp.asarray(value) for name, value in opened.fit.point.items()}
    shipped = {entry.name for entry in shipped_constraints()}
    own = tuple(m for m in problem.measurements if isinstance(m, Constraint) and m.name not in shipped)
    nuisances = {name: float(value) for name, value in problem.nuisance_values(best).items()}
    return _Asked(problem.model, problem.physical_point(best), nuisances, own)


def _print_table(model: str, rows: "list[ConstraintRow]", failing: set[str]) -> None:
    """The rows, and which of them speak against the point; `failing` disagree without new physics already."""
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
    excluded = [row.name for row in rows if row.excludes and row.name not in failing]
    print(f"\nexcluded or in tension at 90 % CL: {', '.join(excluded) or 'none'}")
    already = [row.name for row in rows if row.excludes and row.name in failing]
    if already:
        print(f"in tension without new physics already, which says nothing against {model}: {', '.join(already)}")
    undefined = [row.name for row in rows if row.verdict == NOT_A_NUMBER]
    if undefined:
        print(f"undecided, since {model} gives no number there: {', '.join(undefined)}")


def _print_refused(model: "Model") -> None:
    """The constraints that were not asked, by the reason."""
    from anomfit.catalogue import shipped_constraints
    from anomfit.constraints.refusals import refused

    by_reason: dict[str, list[str]] = {}
    for name, reason in refused(model, shipped_constraints()).items():
        by_reason.setdefault(reason, []).append(name)
    if by_reason:
        print(f"\nnot asked of {model.name}, {sum(map(len, by_reason.values()))} constraints:")
    for reason, names in by_reason.items():
        listed = textwrap.wrap(", ".join(names), 100, break_on_hyphens=False)
        print("\n    ".join([f"  {reason}:", *listed]))

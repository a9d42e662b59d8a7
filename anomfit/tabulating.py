"""A whole run with tables and few nodes: whether they are worth it, and which likelihood each step of the run takes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import jax
from jax.sharding import NamedSharding, PartitionSpec

from anomfit.cards import Card
from anomfit.problem import Problem

if TYPE_CHECKING:
    from anomfit.inference.sample.chains import Samples
    from anomfit.results.result import Result

DESCENT = 100  # gradients of one descent, about
ALONE = 8  # descents of the fit without limits
PROFILES = 400  # gradients of the two profiles of a parameter, about
TREE = 100  # gradients of a draw of NUTS, about, in a posterior of nine parameters and two nuisances
RAISED = 12  # how often tempered populations raise beta, about
NESTED = 200_000  # likelihoods of nested sampling, about: 235 000 for the default card
SPARED = 1e-3  # of the prior, that chains may leave out
COARSE = 10_000  # likelihoods from which on few nodes are worth a second compilation

Say = Callable[[str], None]
Progress = Callable[[str, int, int], None]


def refuse_without_tables(problem: Problem) -> None:
    """InputError for a problem that cannot be tabulated, with what stands in the way."""
    from anomfit.tables.problems import planned

    planned(problem)


def as_begun(result: Path, tables: bool | None, say: Say) -> bool | None:
    """`tables` of a run that goes on: where its fit was ended without a table, the exact rule goes on, which is said if
    a table is asked for; where it had one and nothing is asked for, the table.
    """
    from anomfit.results.files import load_result

    if not result.is_file():
        return tables
    has_table = load_result(result).table is not None
    if tables and not has_table:
        say(f"the fit in {result.parent} is of the exact rule, so that the exact rule goes on")
    return (tables is None or tables) if has_table else False


def tabulated_for(
    problem: Problem, card: Card, sample: bool, say: Say, progress: Progress | None, tables: bool | None
) -> Problem:
    """The problem that the run's search and sampling take: with tables, and with few nodes in what has no table, or as
    it is where that is sooner done.

    tables: whether they are asked for or refused; None where neither is.
    """
    from anomfit.tables.using import with_tables

    if tables is False:
        return problem
    likelihoods = likelihoods_of(card, sample)
    fast = with_tables(problem, likelihoods, say, progress, asked=tables is True)
    fast = problem if fast is None else _on_each_device(fast, card.sampling.chains)
    return with_few_nodes(fast, say) if likelihoods >= COARSE else fast


def tabulated_descents(problem: Problem, say: Say, progress: Progress | None) -> Problem:
    """The problem with tables, which are built if they are not there, and with few nodes elsewhere, for gradients.

    InputError for a problem that cannot be tabulated.
    """
    from anomfit.inference.compiled import GRADIENT_LANES
    from anomfit.tables.problems import tabulated

    fast = with_few_nodes(_on_each_device(tabulated(problem, say, progress), GRADIENT_LANES), lambda line: None)
    say("searches take the table, and few nodes where there is none; every fit ends with all nodes")
    return fast


def with_few_nodes(problem: Problem, say: Say) -> Problem:
    """The problem with few nodes in everything that counts pairs of a beam and is not looked up, which is said."""
    from anomfit.measurements.base import StandsIn
    from anomfit.measurements.coarse import SHARE, coarse

    new = tuple(m if isinstance(m, StandsIn) else coarse(m) for m in problem.measurements)
    names = [m.name for m, before in zip(new, problem.measurements, strict=True) if m is not before]
    if not names:
        return problem
    say(
        f"search and sampling take {SHARE:g} of the nodes or less for {', '.join(names)}; the best fit is polished, "
        "and draws are weighted, with all nodes (--exact takes them from the beginning)"
    )
    return replace(problem, measurements=new)


def _on_each_device(fast: Problem, chains: int) -> Problem:
    """The problem with its table on every device: a program that is spread over devices would copy it at every call.

    Only where all programs of a run are spread over the same devices; others could not take it from there.
    """
    from anomfit.inference.compiled import FORWARD_LANES, GRADIENT_LANES
    from anomfit.inference.devices import batch_mesh, devices_for

    devices = {devices_for(size) for size in (FORWARD_LANES, GRADIENT_LANES, chains)}
    if len(devices) > 1 or devices == {1}:
        return fast
    return jax.device_put(fast, NamedSharding(batch_mesh(devices.pop()), PartitionSpec()))


def likelihoods_of(card: Card, sample: bool) -> float:
    """About how many likelihoods a fit of the card computes at most, a gradient counted as what it costs."""
    from anomfit.tables.using import GRADIENT

    gradients = DESCENT * (card.fit.starts + ALONE) + PROFILES * len(card.free)
    found, chosen = card.fit.screened + GRADIENT * gradients, card.sampling
    if not sample:
        return found
    if chosen.method == "tempered":
        return found + RAISED * chosen.chains * chosen.points * chosen.moves + chosen.weighted
    if chosen.method == "nested":
        return found + NESTED
    return found + GRADIENT * TREE * chosen.chains * (chosen.warmup + chosen.max_draws)


def sampled_problem(exact: Problem, fast: Problem, card: Card, say: Say) -> Problem:
    """The one of the two that is sampled: chains of NUTS cannot leave a table, which must hold the prior but for a
    thousandth.

    Inside a compiled chain nothing branches, and a point outside of the table counts as excluded. Other methods ask the
    exact rule there.
    """
    from anomfit.tables.using import LOOKED_AT, outside

    if fast is exact or card.sampling.method != "nuts":
        return fast
    share = outside(fast)
    if share <= SPARED:
        return fast
    say(
        f"{share:.1%} of {LOOKED_AT} points of the prior are outside of the table, which chains cannot leave: the "
        'exact rule is sampled (write method = "tempered", or narrow the ranges, to sample with the table)'
    )
    return exact


def with_exact_draws(exact: Problem, fast: Problem, samples: "Samples", result: "Result", key: jax.Array, say: Say):
    """(samples, result): draws of `fast` made draws of `exact`, and the result with what that changed."""
    from anomfit.tables.correction import corrected

    assert result.table is not None
    samples, found = corrected(exact, fast, samples, key)
    say(
        f"exact likelihood at {found.draws} draws: they are worth {found.effective:.0f} by weights exact/sampled, "
        f"Pareto k = {found.pareto_k:.2f}; means move by up to {found.mean:+.3f} sigma ({found.mean_of})"
    )
    return samples, replace(result, table=replace(result.table, correction=found))

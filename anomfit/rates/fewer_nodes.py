"""Whatever holds numbers of quadrature nodes, with a share of them: a coarse rule for first looks."""

from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

from anomfit.rates.pair_events import Nodes

FEWEST = {"energy": 12, "angle": 6, "parent": 8, "polar": 6, "made": 12}
FEWEST_OF_SPREAD = 5


def with_fewer_nodes(thing: Any, share: float) -> Any:
    """`thing` with every `Nodes` in it replaced by `fewer`: in dataclasses, tuples, dictionaries and arguments of
    `partial`. It is the same object where there are none.
    """
    if isinstance(thing, Nodes):
        return fewer(thing, share)
    if isinstance(thing, partial):
        given, named = with_fewer_nodes(thing.args, share), with_fewer_nodes(thing.keywords, share)
        return thing if given is thing.args and named is thing.keywords else partial(thing.func, *given, **named)
    if is_dataclass(thing) and not isinstance(thing, type):
        changed = _changed({one.name: getattr(thing, one.name) for one in fields(thing) if one.init}, share)
        return replace(thing, **changed) if changed else thing
    if isinstance(thing, dict):
        changed = _changed(thing, share)
        return {**thing, **changed} if changed else thing
    if isinstance(thing, tuple) and not hasattr(thing, "_fields"):
        changed = _changed(dict(enumerate(thing)), share)
        return tuple(changed.get(i, one) for i, one in enumerate(thing)) if changed else thing
    return thing


def fewer(nodes: Nodes, share: float) -> Nodes:
    """A share of the production energies, and the square root of it of all others: these are fewer to begin with."""
    root = share**0.5
    numbers = {
        name: max(min(least, getattr(nodes, name)), round(getattr(nodes, name) * (share if name == "energy" else root)))
        for name, least in FEWEST.items()
    }
    spread = tuple(max(min(FEWEST_OF_SPREAD, number), round(number * root)) for number in nodes.spread)
    return replace(nodes, **numbers, spread=spread)


def _changed(parts: dict, share: float) -> dict:
    """Those of the parts that hold nodes, with fewer."""
    new = {name: with_fewer_nodes(one, share) for name, one in parts.items()}
    return {name: one for name, one in new.items() if one is not parts[name]}

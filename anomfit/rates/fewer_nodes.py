"""Whatever holds numbers of quadrature nodes, with a share of them: a coarse rule for first looks."""

from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from anomfit.rates.pair_events import Nodes
from anomfit.rates.radiated_setup import RadiatedNodes
from anomfit.rates.recoil_events import RecoilNodes

Counts = Nodes | RadiatedNodes | RecoilNodes

FEWEST = {
    Nodes: {"energy": 12, "angle": 6, "parent": 8, "polar": 6, "made": 12, "spread": 5},
    RadiatedNodes: {
        "energy": 10,
        "angle": 5,
        "neutrino": 6,
        "flux": 36,
        "transfer": 4,
        "of_nucleon": 8,
        "starts": 128,
        "pairs": 12,
    },
    RecoilNodes: {"parent": 8, "recoil": 4},
}


def with_fewer_nodes(thing: Any, share: float) -> Any:
    """`thing` with all numbers of nodes in it replaced by `fewer`: in dataclasses, tuples, dictionaries and arguments
    of `partial`. It is the same object where there are none.
    """
    if isinstance(thing, Counts):
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


def fewer(nodes: Counts, share: float) -> Counts:
    """A share of the many production energies of `Nodes`, and the square root of it of all others: these are few."""
    root = share**0.5
    new: dict[str, Any] = {}
    for name, least in FEWEST[type(nodes)].items():
        numbers = getattr(nodes, name)
        some = tuple(max(min(least, one), round(one * root)) for one in np.atleast_1d(numbers).tolist())
        new[name] = some if isinstance(numbers, tuple) else some[0]
    if isinstance(nodes, Nodes):
        new["energy"] = max(min(FEWEST[Nodes]["energy"], nodes.energy), round(nodes.energy * share))
    if not isinstance(nodes, RadiatedNodes):
        new["radiated"] = fewer(nodes.radiated, share)
    return replace(nodes, **new)


def _changed(parts: dict, share: float) -> dict:
    """Those of the parts that hold nodes, with fewer."""
    new = {name: with_fewer_nodes(one, share) for name, one in parts.items()}
    return {name: one for name, one in new.items() if one is not parts[name]}

"""Odd values and damage that several kinds of input share; everything is drawn from the `Random` that is given."""

import math
from collections.abc import Callable
from random import Random
from typing import Any

TEXTS = (
    "", " ", "\t", "\n", "default", "none", "null", "nan", "inf", "-inf", "true", "0", "-1", "1e400", "1e-400",
    "0x1F", "1_000", "130MeV", "130 MeV", "130MeV^2", "0.3eV^2", "-1GeV", "1GeV^1000000", "1e308TeV", "1 m", "5%",
    "٣", "１２", "1,5", "++1", "1e", ".", "\x00", "\x00.py:x", "a\x00b", "\x1b[31mred", "\u202eabc", "é", "Ω", "m_μ",
    "𝒜", "\ufeff", "\u2028", "a\rb", "a\nb", "'", '"', "\\", "$\\frac{$", "%s%d%n", "{}", "{0}", "[red]x[/red]",
    "[/]", "--", "-", "-o", "--help", "=", "a=b", "a=", "=b", "name=x", ":", "::", ".py", ".py:", ".py:x", "x.py",
    "x.py:", "x.py:y", "x.py:y:z", "x.py:1", "../x.py:y", "no/such/file.py:model", "~/x.py:y", "~nouser/x.py:y",
    "class", "__class__", "__import__('os')", "a.b.c", "two-higgs-doublet", "oscillation:enuqe", "miniboone:",
    ":enuqe", "miniboone::evis", "x" * 300, "x" * 5000, "é" * 300, "9" * 5000, "1" + "0" * 400, "0." + "3" * 400,
    "x" * 300 + ".py:x", "a/" * 200 + "x.toml",
)  # fmt: skip
NUMBERS = (
    0, 1, -1, 2, 3, 4, 5, 17, 1024, 100_000, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30,
    10**308, 10**309, 10**400, 0.0, -0.0, 0.5, 1.0, 1.5, -0.5, 0.999999, 1e-3, 1e-10, 5e-324, 1e-300, 1e300,
    1.7976931348623157e308, math.inf, -math.inf, math.nan,
)  # fmt: skip


def odd_text(random: Random) -> str:
    """A text that a user or a damaged file could give: empty, long, of another alphabet, with control characters."""
    if random.random() < 0.8:
        return random.choice(TEXTS)
    letters = [chr(random.choice((random.randrange(32, 127), random.randrange(160, 0xD800)))) for _ in range(8)]
    return "".join(letters[: random.randrange(1, 8)])


def odd_value(random: Random, depth: int = 0) -> Any:
    """A value of any type that JSON and TOML have, lists and tables included."""
    kind = random.random()
    if kind < 0.35:
        return random.choice(NUMBERS)
    if kind < 0.7:
        return odd_text(random)
    if kind < 0.8:
        return random.random() < 0.5
    if depth > 2:
        return []
    if kind < 0.92:
        return [odd_value(random, depth + 1) for _ in range(random.choice((0, 1, 2, 2, 2, 3, 40)))]
    return {odd_text(random): odd_value(random, depth + 1) for _ in range(random.choice((0, 1, 2)))}


def typo(random: Random, word: str) -> str:
    """The word with a letter lost, doubled, exchanged or replaced."""
    if not word:
        return odd_text(random)
    at = random.randrange(len(word))
    return random.choice(
        (
            word[:at] + word[at + 1 :],
            word[: at + 1] + word[at:],
            word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
            word[:at] + random.choice("xé_- .\x00Ω") + word[at + 1 :],
            word.upper(),
            word + " ",
        )
    )


def places(tree: Any, path: tuple = ()) -> list[tuple]:
    """The path of every value inside nested dictionaries and lists, the root's own apart."""
    if isinstance(tree, dict):
        entries = list(tree.items())
    elif isinstance(tree, list):
        entries = list(enumerate(tree))
    else:
        return []
    return [found for key, value in entries for found in ((*path, key), *places(value, (*path, key)))]


def holder(tree: Any, path: tuple) -> Any:
    """The dictionary or list that holds the value at `path`."""
    for key in path[:-1]:
        tree = tree[key]
    return tree


def deep(value: Any, levels: int, table: bool) -> Any:
    """The value inside so many lists or tables."""
    for _ in range(levels):
        value = {"a": value} if table else [value]
    return value


# -- damage of nested dictionaries and lists, in place; each returns words --------------------------------------------


def _replace(random: Random, tree: Any) -> str:
    path = random.choice(places(tree))
    holder(tree, path)[path[-1]] = odd_value(random)
    return "a value"


def _remove(random: Random, tree: Any) -> str:
    path = random.choice(places(tree))
    del holder(tree, path)[path[-1]]
    return "a value lost"


def _rename(random: Random, tree: Any) -> str:
    named = [path for path in places(tree) if isinstance(path[-1], str)]
    if not named:
        return _replace(random, tree)
    path = random.choice(named)
    table = holder(tree, path)
    key = typo(random, path[-1]) if random.random() < 0.7 else odd_text(random)
    items = [(key if name == path[-1] else name, value) for name, value in table.items()]
    table.clear()
    table.update(items)
    return "a key"


def _add(random: Random, tree: Any) -> str:
    tables = [tree, *(holder(tree, path)[path[-1]] for path in places(tree))]
    table = random.choice([entry for entry in tables if isinstance(entry, dict | list)])
    if isinstance(table, dict):
        table[odd_text(random)] = odd_value(random)
    else:
        table.insert(random.randint(0, len(table)), odd_value(random))
    return "an entry more"


def _move(random: Random, tree: Any) -> str:
    source, target = random.choice(places(tree)), random.choice(places(tree))
    holder(tree, target)[target[-1]] = holder(tree, source)[source[-1]] if target[: len(source)] != source else 0
    return "a value of another place"


def _nest(random: Random, tree: Any) -> str:
    path, table = random.choice(places(tree)), random.random() < 0.5
    levels = random.choice((1, 2, 9, 11, 90))
    held = holder(tree, path)
    held[path[-1]] = deep(held[path[-1]], levels, table)
    return f"{levels} deep"


TREE_DAMAGE: tuple[Callable[[Random, Any], str], ...] = (_replace, _replace, _remove, _rename, _add, _move, _nest)


def damage_tree(random: Random, tree: Any) -> str:
    """Change a tree of dictionaries and lists in place, once; words for what was done."""
    return random.choice(TREE_DAMAGE)(random, tree) if places(tree) else "nothing to change"


# -- damage of bytes --------------------------------------------------------------------------------------------------


def damage_bytes(random: Random, content: bytes) -> tuple[bytes, str]:
    """The bytes with a block zeroed, random, lost, doubled or moved, bits flipped, cut short or made longer."""
    size = random.choice((1, 2, 8, 8, 64, 512, 4096))
    at = random.randrange(max(1, len(content)))
    block = content[at : at + size]
    kind = random.choice(("zeroed", "ones", "random", "flipped", "lost", "doubled", "cut short", "longer", "moved"))
    if kind == "flipped":
        changed = bytearray(content or b"\x00")
        for _ in range(random.choice((1, 1, 3, 30))):
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
        return bytes(changed), "bits flipped"
    if kind == "cut short":
        return content[:at], kind
    if kind == "longer":
        return content + random.choice((b"\x00", b"\n", content, random.randbytes(99))), kind
    if kind == "moved":
        rest, to = content[:at] + content[at + size :], random.randrange(max(1, len(content)))
        return rest[:to] + block + rest[to:], f"{size} bytes moved"
    fills = {"zeroed": bytes(len(block)), "ones": b"\xff" * len(block), "random": random.randbytes(len(block))}
    middle = {**fills, "lost": b"", "doubled": block * 2}[kind]
    return content[:at] + middle + content[at + size :], f"{size} bytes {kind}"

"""Cards: the shipped ones and a user's, changed in structure and in text, up to where a fit starts to compute."""

import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from fuzzing.noise import damage_bytes, damage_tree, odd_text, odd_value, places, typo
from fuzzing.outcomes import Case, ChecksDone, Poor
from fuzzing.stops import Replace, keep_measurements, stop_computations
from fuzzing.toml import Raw, toml_text

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
USER_FILES = ("my_model.py", "my_measurement.py")
RAW = (
    "0x" + "f" * 300, "0o17", "0b1", "9" * 5000, "-" + "9" * 5000, "1e9999", "1979-05-27", "1979-05-27T07:32:00Z",
    "07:32:00", "+nan", "-inf", "'''a\nb'''", '"""\\\n  x"""', "{}", "[]", "[" * 900 + "]" * 900,
    "{a = " * 200 + "1" + "}" * 200, "yes", "None", "1_000", "01", ".5", "5.", "{era = 'enuqe', name = 'x'}",
    "{name = 'x'}", "{self = 'x'}", "{era = 'default', era2 = 'x'}", "{range = 'default'}", "{range = [1]}",
    "{range = ['1MeV', '1GeV'], prior = 'uniform'}", "['1MeV', '1GeV']", "['1eV^2', 10]", "[1e-300, 1e300]", "[0, 1]",
    "[inf, nan]", '"default"',
)  # fmt: skip
TEXT_LINES = (
    "model = 'oscillation'", "[free]", "[fit]", "[measurements]", "[[free]]", "[fit.seed]", "a.b.c.d = 1", "=", "]",
    "[", "x", "'''", "# é", ".".join("a" * 12) + " = 1", ".".join("a" * 3000) + " = 1",
    "[" + ".".join("b" * 2000) + "]", "seed = 1", "seed = 99999999999999999999", "miniboone = 'evis'",
    "'miniboone:evis' = {}", "'miniboone:enuqe' = {}", "lsnd = 'default'", "m_N2 = '130MeV'",
    "starts = 1\nstarts = 2",
)  # fmt: skip


def start(replace: Replace = setattr) -> None:
    """Stop before the computing, in this process; `replace` sets attributes of modules."""
    stop_computations(replace=replace)
    keep_measurements(replace)


def case(random: Random, folder: Path, shared: Path) -> Case:
    """A card file, and what a fit of it checks."""
    content, what = _card(random)
    files = {"card.toml": content}
    if b"my_m" in content:
        files |= {name: (EXAMPLES / name).read_bytes() for name in USER_FILES}
    return Case(what, files, lambda: _checked(folder))


def _checked(folder: Path) -> str:
    """Load the card and start its fit; words on the problem. A refused fit must leave no folder."""
    from anomfit.cards import card_from_text, card_text, load_card, problem_from_card
    from anomfit.run import run_fit

    out = folder / "out"
    try:
        card = load_card(folder / "card.toml")
        run_fit(card, out, tables=False)  # a table would be built
    except ChecksDone:
        shutil.rmtree(out, ignore_errors=True)
    except BaseException:
        if out.exists():
            raise Poor(f"the refused fit left {sorted(path.name for path in out.iterdir())}") from None
        raise
    else:
        raise Poor("the fit came to an end without computing anything")
    if card_from_text(card_text(card)) != card:
        raise Poor("the card does not survive writing")
    problem = problem_from_card(card)
    ranges = ", ".join(f"{p.name} {p.low:g}..{p.high:g} {p.prior}" for p in problem.free)
    return f"{problem.model.name}; {ranges}; {', '.join(f'{m.name}:{m.era}' for m in problem.measurements)}; {card.fit}"


def _card(random: Random) -> tuple[bytes, str]:
    from anomfit.cards import shipped_card_names, shipped_card_text

    name = random.choice((*shipped_card_names(), "my_card"))
    text = (EXAMPLES / "my_card.toml").read_text() if name == "my_card" else shipped_card_text(name)
    if random.random() < 0.7:
        content, done = tomllib.loads(text), []
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            done.append(random.choice(STRUCTURE)(random, content))
        return toml_text(content).encode("utf-8", "surrogatepass"), " + ".join(done)
    change = random.choice(TEXT)
    return change(random, text)


# -- structure --------------------------------------------------------------------------------------------------------


def _any(random: Random, content: dict) -> str:
    return damage_tree(random, content)


def _raw(random: Random, content: dict) -> str:
    found = places(content)
    if not found:
        return "nothing to change"
    path = random.choice(found)
    held: Any = content
    for key in path[:-1]:
        held = held[key]
    held[path[-1]] = Raw(random.choice(RAW))
    return "a value of another form"


def _section(random: Random, content: dict, name: str) -> dict:
    return content[name] if isinstance(content.get(name), dict) else content.setdefault(odd_text(random), {})


def _range(random: Random, content: dict) -> str:
    free = _section(random, content, "free")
    name = random.choice(list(free) or ["m_N2"])
    ends = [
        random.choice((1e-3, 0.1, 1, 5, "1MeV", "0.2GeV", odd_value(random)))
        for _ in range(random.choice((2, 2, 2, 1, 3)))
    ]
    form = random.choice(
        (ends, {"range": ends}, {"range": ends, "prior": random.choice(("uniform", "log-uniform", odd_text(random)))})
    )
    free[name] = form
    return "a range"


def _fix(random: Random, content: dict) -> str:
    free, fixed = _section(random, content, "free"), content.setdefault("fixed", {})
    name = random.choice(list(free) or ["m_N2"])
    if random.random() < 0.7:
        free.pop(name, None)
    if isinstance(fixed, dict):
        fixed[name] = random.choice((0.01, 0, 1, "10MeV", odd_value(random)))
    return "a parameter fixed"


def _measurement(random: Random, content: dict) -> str:
    from anomfit.catalogue import constraint_names, measurement_listing

    listing = measurement_listing()
    chosen, other = random.choice(listing), random.choice(listing)
    name = random.choice((chosen.name, chosen.name, random.choice(constraint_names()), typo(random, chosen.name)))
    era = random.choice((chosen.era, chosen.era, other.era, typo(random, chosen.era), "default", odd_text(random)))
    options = {
        random.choice(("covariance", "pairs", "koto", "name", "self", "era", odd_text(random))): odd_value(random)
    }
    entry = random.choice((era, {"era": era}, {"era": era, **options}, options, {}, odd_value(random)))
    table = _section(random, content, "measurements")
    table[random.choice((name, f"{name}:{era}"))] = entry
    return "a measurement"


def _model(random: Random, content: dict) -> str:
    from anomfit.catalogue import model_names

    key = random.choice(("model", "parametrisation", "point"))
    known = {"parametrisation": ("physical", "products"), "point": ("table-I", "bp1", "example")}
    name = random.choice(known.get(key, (*model_names(), "my_model.py:dark_photon")))
    content[key] = random.choice((name, typo(random, name), odd_value(random)))
    return f"another {key}"


def _setting(random: Random, content: dict) -> str:
    settings = {
        "fit": ("screened", "starts", "seed", "tension", "start_from"),
        "sampling": ("method", "chains", "warmup", "draws", "max_draws", "target_accept", "live", "seed"),
    }
    section = random.choice(list(settings))
    table = content.setdefault(section, {})
    if isinstance(table, dict):
        table[random.choice(settings[section])] = random.choice((1, 10, "nested", True, odd_value(random)))
    return f"a setting of {section}"


STRUCTURE: tuple[Callable[[Random, dict], str], ...] = (_any, _any, _raw, _range, _fix, _measurement, _model, _setting)


# -- text -------------------------------------------------------------------------------------------------------------


def _bytes(random: Random, text: str) -> tuple[bytes, str]:
    return damage_bytes(random, text.encode())


def _coding(random: Random, text: str) -> tuple[bytes, str]:
    coding = random.choice(("utf-8-sig", "utf-16", "latin-1", "utf-32", "cp037", "utf-7"))
    return text.replace("#", "# é", 1).encode(coding), f"coded as {coding}"


def _lines(random: Random, text: str) -> tuple[bytes, str]:
    lines = text.split("\n")
    for _ in range(random.choice((1, 1, 2, 4))):
        at, to = random.randrange(len(lines)), random.randrange(len(lines))
        change = random.randrange(4)
        if change == 0:
            lines.insert(at, random.choice(TEXT_LINES))
        elif change == 1:
            lines.insert(to, lines[at])
        elif change == 2:
            lines[at], lines[to] = lines[to], lines[at]
        else:
            lines[at] = lines[at].replace(
                random.choice("=\"'[]{}# _"), random.choice(("", "=", '"', "[", "\x00", "\x0b", "é", "\r"))
            )
    return "\n".join(lines).encode(), "lines"


def _ends(random: Random, text: str) -> tuple[bytes, str]:
    end = random.choice(("\r\n", "\r", "\n\r", "\u2028", "\x85", "\n\n\n"))
    return text.replace("\n", end).encode(), f"lines end with {end!r}"


def _large(random: Random, text: str) -> tuple[bytes, str]:
    grown = random.choice(
        (
            text + "#" + "x" * 2_000_000,
            text + ".".join("a" * 40_000) + " = 1\n",
            text + "[" + ".".join("c" * 20_000) + "]\n",
            text + "x = " + "[" * 50_000 + "]" * 50_000 + "\n",
            text + "x = " + "9" * 500_000 + "\n",
            text + "x = '''" + "y" * 900_000 + "'''\n",
            text + "".join(f"[t{i}]\n" for i in range(20_000)),
            text.replace("[free]", "[free]\n" + "".join(f"p{i} = 'default'\n" for i in range(20_000))),
            "x" * 900_000,
            "\x00" * 900_000,
        )
    )
    return grown.encode(), "very large"


def _join(random: Random, text: str) -> tuple[bytes, str]:
    from anomfit.cards import shipped_card_names, shipped_card_text

    other = shipped_card_text(random.choice(shipped_card_names()))
    at = random.randrange(len(text))
    return (text[:at] + other[random.randrange(len(other)) :]).encode(), "parts of two cards"


TEXT: tuple[Callable[[Random, str], tuple[bytes, str]], ...] = (
    *(_bytes,) * 4, *(_lines,) * 6, *(_join,) * 3, _ends, _coding, _large,
)  # fmt: skip

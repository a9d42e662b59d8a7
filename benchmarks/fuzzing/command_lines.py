"""Command lines: every verb with arguments and options drawn, misspelt and mixed, up to where it would compute."""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

from fuzzing.noise import TEXTS, damage_bytes, odd_text, typo
from fuzzing.outcomes import Case, ChecksDone, Poor, fault_of
from fuzzing.stops import Replace, held, keep_measurements, stop_computations

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
USER_MODEL, USER_MEASUREMENT = "my_model.py:dark_photon", "my_measurement.py:load"
POINTS = "epsilon,m_dark\n1e-3,0.1\n1e-4,30MeV\n"
# Nothing may be written outside of the case's folder: other absolute folders and ".." are never drawn.
UNUSABLE = ("/proc/anomfit", "/dev/null", "/dev/null/x", "/sys/anomfit")
ENVIRONMENT = {
    "ANOMFIT_CACHE": ("off", "off", "off", "~nouser/x", "/proc/x", "/dev/null", " ", "\udcff", "x\ny"),
    "HOME": (None, "", "/nonexistent", "~", "relative"),
    "XDG_CACHE_HOME": ("", "~nouser", "/proc", "relative"),
    "COLUMNS": ("0", "1", "-5", "many", "999999"),
}
CODINGS = ("utf-8", "utf-8", "utf-8", "ascii", "latin-1")
STOPPED, BAD_INPUT = "stopped", 2


def start(replace: Replace = setattr) -> None:
    """Stop before the computing, in this process; `replace` sets attributes of modules."""
    stop_computations(replace=replace)
    keep_measurements(replace)


def case(random: Random, folder: Path, shared: Path) -> Case:
    """A command line in a folder with a card, a user's files, a broken result and a table of points."""
    arguments, what = _arguments(random)
    environment = {name: random.choice(values) for name, values in ENVIRONMENT.items() if random.random() < 0.1}
    coding = random.choice(CODINGS)
    shown = " ".join([f"{name}={value!r}" for name, value in environment.items()] + [ascii(a)[:200] for a in arguments])
    files = {name: (EXAMPLES / name).read_bytes() for name in ("my_card.toml", "my_model.py", "my_measurement.py")}
    files |= {
        "points.csv": POINTS.encode(),
        "empty.toml": b"",
        "file": b"x",
        "full/result.nc": b"x",
        "full/card.toml": b"x",
    }
    files |= {"odd.csv": damage_bytes(random, POINTS.encode())[0], "broken.py": b"def model(:\n", "folder/x": b""}
    files["odd.toml"] = damage_bytes(random, files["my_card.toml"])[0]
    files["command.txt"] = f"{environment} {coding} {arguments!r}".encode()
    return Case(f"{what}: {shown}"[:400], files, lambda: _checked(folder, arguments, environment, coding))


def _checked(folder: Path, arguments: list[str], environment: dict, coding: str) -> str:
    """Run the command line; words on what it did. A refusal is one line, status 2, and leaves every file as it was."""
    before = held(folder)
    os.chdir(folder)
    with _changed(environment), _captured(coding) as (out, err):
        try:
            from anomfit.cli import main

            status = main(list(arguments))
        except ChecksDone:
            status = STOPPED
    printed, complained = (stream.buffer.getvalue().decode(coding, "replace") for stream in (out, err))
    if status == STOPPED:
        return "computes"
    if status == 0:
        return f"prints {len(printed)} characters: {printed[:60]!r}"
    if status != BAD_INPUT:
        raise Poor(f"status {status}: {complained[-1000:]}")
    fault = fault_of(complained.removeprefix("anomfit: ").removesuffix("\n"))
    if fault or not complained.startswith("anomfit: "):
        raise Poor(f"{fault}: {complained[:2000]}")
    after = held(folder)
    if after != before:
        raise Poor(f"a refused command changed {sorted(set(after) ^ set(before)) or 'files'}: {complained}")
    raise _refusal(complained)


def _refusal(complained: str) -> Exception:
    from anomfit.errors import InputError

    return InputError(complained.removeprefix("anomfit: ").strip())


@contextlib.contextmanager
def _changed(environment: dict[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in environment}
    _set(environment)
    try:
        yield
    finally:
        _set(before)


def _set(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def _captured(coding: str) -> Iterator[tuple[io.TextIOWrapper, io.TextIOWrapper]]:
    """Standard output and error of a terminal with this coding, as Python opens them."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=coding, write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), encoding=coding, errors="backslashreplace", write_through=True)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield out, err
        out.flush()
        err.flush()


# -- the arguments ----------------------------------------------------------------------------------------------------


def _arguments(random: Random) -> tuple[list[str], str]:
    """A verb with its arguments and some options, then up to three changes; words for the changes."""
    from anomfit.cli.app import command

    verbs = command().commands  # type: ignore[attr-defined]
    verb = random.choice(list(verbs))
    given = [verb]
    for parameter in verbs[verb].params:
        if parameter.param_type_name == "argument":
            given.append(_value(random, parameter.name))
        elif random.random() < 0.25:
            times = random.choice((1, 1, 2, 3)) if parameter.multiple else 1
            for _ in range(times):
                given.append(random.choice(parameter.opts))
                values = 0 if getattr(parameter, "is_flag", False) else parameter.nargs
                given += [_value(random, parameter.name) for _ in range(values)]
    done = [verb]
    for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
        done.append(_change(random, given))
    return [_harmless(argument) for argument in given], " + ".join(done)


def _harmless(argument: str) -> str:
    """Without what could be written to outside of the folder, and as the system can pass it: no NUL."""
    name, equals, value = argument.replace("\x00", "0").rpartition("=")
    kept = value if value in UNUSABLE else value.replace("..", ".").lstrip("/")
    return name + equals + kept


def _change(random: Random, given: list[str]) -> str:
    at = random.randrange(len(given))
    kind = random.choice(
        ("typo", "odd", "lost", "twice", "exchanged", "unknown option", "joined", "invalid bytes", "end")
    )
    if kind == "typo":
        given[at] = typo(random, given[at])
    elif kind == "odd":
        given[at] = odd_text(random)
    elif kind == "lost":
        given[at : at + 1] = [] if len(given) > 1 else [""]
    elif kind == "twice":
        given.insert(at, given[at])
    elif kind == "exchanged":
        to = random.randrange(len(given))
        given[at], given[to] = given[to], given[at]
    elif kind == "unknown option":
        given.insert(
            at, random.choice(("--colour", "-x", "--out=", "--jsn", "--set=", "--version", "--help", "-", "--seed=1"))
        )
    elif kind == "joined":
        given[at : at + 2] = ["=".join(given[at : at + 2])]
    elif kind == "invalid bytes":
        given[at] += "\udcff"
    else:
        given.insert(at, "--")
    return kind


def _value(random: Random, name: str | None) -> str:
    """What a user could give for an argument or option of this name."""
    if random.random() < 0.15:
        return odd_text(random)
    choose = VALUES.get(name or "", lambda random: random.choice(TEXTS))
    return choose(random)


def _models(random: Random) -> str:
    from anomfit.cards import shipped_card_names
    from anomfit.catalogue import model_names

    names = (*model_names(), *shipped_card_names(), USER_MODEL, USER_MODEL, "broken.py:model", "my_model.py:no")
    name = random.choice(names)
    return typo(random, name) if random.random() < 0.1 else name


def _cards(random: Random) -> str:
    files = (
        "my_card.toml",
        "my_card.toml",
        "./odd.toml",
        "odd.toml",
        "empty.toml",
        "no.toml",
        "folder/",
        "full",
        "./file",
        "points.csv",
    )
    return random.choice((_models(random), random.choice(files)))


def _measurements(random: Random) -> str:
    from anomfit.catalogue import measurement_listing

    row = random.choice(measurement_listing())
    names = (row.name, f"{row.name}:{row.era}", USER_MEASUREMENT, "g-2-muon", "miniboone", "e141", f"{row.name}:x")
    name = random.choice(names)
    return typo(random, name) if random.random() < 0.1 else name


def _settings(random: Random) -> str:
    name = random.choice(("m_N2", "m_dark", "epsilon", "kappa", "y_nu", "sin2_2theta", "m_S"))
    return f"{name}={random.choice(('0.1', '0', '130MeV', '-1', '1e-3', 'nan', odd_text(random)))}"


def _options(random: Random) -> str:
    name = random.choice(("scale", "covariance", "koto", "name", "self", "era"))
    return f"{name}={random.choice(('1', 'x', odd_text(random)))}"


def _whole_numbers(random: Random) -> str:
    return random.choice(
        (
            "0",
            "1",
            "7",
            "-1",
            "4294967296",
            "1" * 400,
            "9" * 5000,
            "1.5",
            "٣",
            "0x10",
            "1_0",
            "²",
            "+1",
            odd_text(random),
        )
    )


def _folders(random: Random) -> str:
    return random.choice(
        ("new", "new/inner", ".", "full", "folder", "file", "file/x", "", " ", "~", "~/x", "a\nb", "x" * 300, *UNUSABLE)
    )


VALUES = {
    "model": _models,
    "card": _cards,
    "subject": _cards,
    "result": lambda random: random.choice(
        ("full", "full/result.nc", "folder", "file", "no", "no.nc", "/dev/null", "my_card.toml")
    ),
    "measurement": _measurements,
    "point": lambda random: random.choice(("table-I", "bp1", "example", "table-II", "best")),
    "settings": _settings,
    "option": _options,
    "points": lambda random: random.choice(
        ("points.csv", "odd.csv", "no.csv", "my_card.toml", "folder", "/dev/null", "full/result.nc")
    ),
    "parametrisation": lambda random: random.choice(("physical", "products", "other")),
    "out": _folders,
    "figures": _folders,
    "seed": _whole_numbers,
    "starts": _whole_numbers,
    "number": _whole_numbers,
    "parameters": lambda random: random.choice(("sin2_2theta", "m_N2", "epsilon", "m_dark", "no", "")),
    "boundary": lambda random: random.choice(("m_S", "eta_d", "m_N2", "epsilon", "m_dark", "no")),
    "paper": lambda random: random.choice(("2010.06159", "2005.08920", "1234.56789", "bp1")),
}

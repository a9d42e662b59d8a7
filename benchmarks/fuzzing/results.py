"""Result files: small real ones with damaged bytes, or changed inside and sealed again; cited, drawn and resumed."""

import contextlib
import io
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import numpy as np

from fuzzing.noise import NUMBERS, damage_bytes, damage_tree, odd_text, odd_value
from fuzzing.outcomes import Case, ChecksDone, Poor
from fuzzing.stops import Replace, held, stop_computations

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SMALL_NUTS = """
model = "oscillation"
[free]
sin2_2theta = "default"
delta_m2 = "default"
[measurements]
miniboone = "enuqe"
[fit]
screened = 64
starts = 2
[sampling]
chains = 2
warmup = 20
draws = 60
max_draws = 60
"""
SMALL_NESTED = """
model = "my_model.py:dark_photon"
[free]
m_dark = "default"
epsilon = "default"
[measurements]
"my_measurement.py:load" = {}
g-2-electron = "rubidium"
[fit]
screened = 64
starts = 2
tension = true
[sampling]
method = "nested"
live = 60
chains = 2
draws = 20
"""
CARDS = {"nuts": SMALL_NUTS, "nested": SMALL_NESTED}
DTYPES = ("i4", "u1", "f4", "c16", "bool", "S3", "O")


def prepare(shared: Path, cards: Mapping[str, str] = CARDS, sample: bool = True) -> None:
    """One real result a card, by default of each sampling method."""
    from anomfit.cards import load_card
    from anomfit.run import run_fit

    for name in ("my_model.py", "my_measurement.py"):
        shutil.copy(EXAMPLES / name, shared)
    for method, text in cards.items():
        (shared / f"{method}.toml").write_text(text)
        run_fit(load_card(shared / f"{method}.toml"), shared / method, sample)


def start(replace: Replace = setattr) -> None:
    """Stop before the computing, in this process; figures compute what they show."""
    stop_computations("fit", "sample", replace=replace)


def case(random: Random, folder: Path, shared: Path) -> Case:
    """A result's folder in which the result is damaged."""
    method = random.choice(sorted(path.stem for path in shared.glob("*.toml")))
    files = held(shared / method)
    if random.random() < 0.35:
        content, what = damage_bytes(random, files["result.nc"])
    else:
        content, what = _changed_inside(random, files["result.nc"], folder.parent)
    return Case(
        what,
        {**files, "result.nc": content},
        lambda: _checked(folder, shared / f"{method}.toml"),
    )


def _checked(folder: Path, card: Path) -> str:
    """Load, cite, draw and resume; the refusal of the first that refuses, and all must agree on whether it is whole."""
    from anomfit.cards import load_card
    from anomfit.results.files import load_result
    from anomfit.run import run_fit

    path = folder / "result.nc"
    result = load_result(path)
    cited = _printed("cite", str(path)) + _printed("cite", str(folder), "--bibtex")
    drawn = _printed("plot", str(path), "--out", str(folder / "figures"))
    try:
        run_fit(load_card(card), folder, resume=True)
        resumed = "resumed to the end"
    except ChecksDone:
        resumed = "resumed"
    draws = None if result.samples is None else result.samples.z.shape
    return f"draws {draws}, {cited.count(chr(10))} lines to cite, {drawn.count(chr(10))} figures, {resumed}"


def _printed(*arguments: str) -> str:
    """What a verb prints; its refusal as InputError."""
    from anomfit.cli import main
    from anomfit.errors import InputError

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(list(arguments))
    if status == 2:
        raise InputError(err.getvalue().rpartition("anomfit: ")[2].removesuffix("\n"))  # numpy's warnings stand before
    if status != 0:
        raise Poor(f"{arguments[0]} ends with status {status}: {err.getvalue()}")
    return out.getvalue()


# -- damage inside, under a right digest ------------------------------------------------------------------------------


def _changed_inside(random: Random, content: bytes, scratch: Path) -> tuple[bytes, str]:
    import h5py

    from anomfit.results.seal import sealed

    inner, done = io.BytesIO(_unsealed(content)), []
    with h5py.File(inner, "r+") as file:
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            done.append(random.choice(INSIDE)(random, file))
    return sealed(inner.getvalue()), " + ".join(done)


def _unsealed(content: bytes) -> bytes:
    from anomfit.results.seal import _LENGTH

    return content[:-_LENGTH]


def _json(random: Random, file) -> str:
    names = [name for name, value in file.attrs.items() if isinstance(value, str) and value[:1] in "[{"]
    if not names:
        return "no JSON left"
    name = random.choice(names)
    tree = [json.loads(file.attrs[name])]
    done = damage_tree(random, tree)
    _set(file, name, json.dumps(tree[0] if tree else None))
    return f"{done} in the JSON of {name}"


def _attribute(random: Random, file) -> str:
    name = random.choice(list(file.attrs) or ["anomfit_schema"])
    values = (
        *NUMBERS[:10], 1.0, True, "", "1", "{", "null", "[]", "{}", "[" * 100_000, "1" * 5000, np.zeros(3),
        np.array([1]), np.array(["a", "b"]), np.bytes_(b"\xff\xfe"), np.float64("nan"),
        odd_text(random).replace("\x00", ""),
    )  # fmt: skip
    _set(file, name, random.choice(values))
    return f"the attribute {name}"


def _attribute_lost(random: Random, file) -> str:
    name = random.choice(list(file.attrs) or ["anomfit_schema"])
    file.attrs.pop(name, None)
    return f"{name} lost"


def _set(file, name: str, value) -> None:
    """Set an attribute; long ones as a scalar of variable length, which HDF5 keeps apart."""
    with contextlib.suppress(TypeError, ValueError, OverflowError, OSError):
        file.attrs[name] = value


def _nodes(file) -> list[str]:
    import h5py

    found: list[str] = []
    file.visititems(lambda name, node: found.append(name) if isinstance(node, h5py.Dataset) else None)
    return found


def _node_lost(random: Random, file) -> str:
    name = random.choice([*_nodes(file), *file] or ["none"])
    if name in file:
        del file[name]
    return f"{name.split('/')[0]} or a part of it lost"


def _node_renamed(random: Random, file) -> str:
    name = random.choice(_nodes(file))
    file.move(
        name, name.rsplit("/", 1)[0] + "/" + (odd_text(random).replace("/", "").replace("\x00", "").strip(".") or "x")
    )
    return "a variable renamed"


def _numbers(random: Random, file) -> str:
    names = [name for name in _nodes(file) if file[name].dtype.kind == "f" and file[name].size]
    if not names:
        return "no numbers left"
    name = random.choice(names)
    values = file[name][...]
    fill = random.choice((np.nan, np.inf, -np.inf, 0.0, -1.0, 1e308, 1e-320, 1e20))
    if random.random() < 0.5:
        values = np.full_like(values, fill)
    else:
        values.flat[random.randrange(values.size)] = fill
    file[name][...] = values
    return f"numbers of {name.split('/')[0]}"


def _shape(random: Random, file) -> str:
    name = random.choice(_nodes(file))
    values, attrs = file[name][...], dict(file[name].attrs)
    shape = random.choice(((), (0,), (1,), (3,), (2, 3), (2, 0), (2, 60, 1), (1, 60), (2, 59), (2, 60, 3, 1)))
    kind = random.choice(("f8", "f8", *DTYPES))
    del file[name]
    if kind == "O":
        import h5py

        changed = file.create_dataset(
            name, shape, h5py.string_dtype(), data=np.full(shape, odd_text(random).replace("\x00", ""), dtype=object)
        )
    else:
        changed = file.create_dataset(name, data=np.resize(np.ones(1), shape).astype(kind))
    if values.shape == shape or random.random() < 0.5:
        for key in ("kind", "_Netcdf4Dimid", "CLASS", "NAME"):
            if key in attrs:
                changed.attrs[key] = attrs[key]
    return "another shape or type"


def _kind(random: Random, file) -> str:
    names = [name for name in _nodes(file) if "kind" in file[name].attrs]
    if not names:
        return "no kinds left"
    file[random.choice(names)].attrs["kind"] = random.choice(
        ("", "other", 3, "derived", "sampled", str(odd_value(random))[:50].replace("\x00", ""))
    )
    return "the kind of a variable"


INSIDE: tuple[Callable[[Random, object], str], ...] = (
    *(_json,) * 5, *(_attribute,) * 2, _attribute_lost, _node_lost, _node_renamed, *(_numbers,) * 2, *(_shape,) * 2,
    _kind,
)  # fmt: skip

"""Files of a user: the examples with parts of their code replaced; what the probe accepts is fitted for real."""

import ast
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from fuzzing.noise import NUMBERS, damage_bytes, odd_text, typo
from fuzzing.outcomes import Case, Poor

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
FILES = ("my_model.py", "my_measurement.py")
CARD = """
model = "my_model.py:dark_photon"
[free]
m_dark = "default"
epsilon = "default"
[measurements]
"my_measurement.py:load" = {}
[fit]
screened = 64
starts = 2
"""
# What a user may write by mistake in place of an expression.
EXPRESSIONS = (
    "None", "True", "0", "1", "-1.0", "'text'", "''", "b'x'", "[]", "()", "{}", "[1.0]", "(1.0, 2.0)", "{'a': 1.0}",
    "{1: 2}", "{'x'}", "1j", "float('nan')", "float('inf')", "-float('inf')", "10**400", "object()", "print",
    "lambda: 0", "lambda *a: a", "int", "...", "undefined_name", "1 / 0", "[][1]", "{}['key']", "''.missing",
    "int('x')", "__import__('no_such_module')", "exit(3)", "open('/no/file')", "jnp.nan", "jnp.inf", "jnp.zeros(0)",
    "jnp.zeros(3)", "jnp.zeros((2, 2))", "jnp.ones((1, 1))", "jnp.array(True)", "jnp.array(1)", "jnp.array([1j])",
    "jnp.float32(1.0)", "jnp.sqrt(-1.0)", "jnp.log(0.0)", "jnp.array(['a'])", "jnp.linalg.inv(jnp.zeros((2, 3)))",
    "jnp.arange(3) @ jnp.arange(2)", "iter([])", "(x for x in 'ab')", "range(3)", "property(lambda self: 1 / 0)",
    "type", "super()",
)  # fmt: skip
# In place of a statement.
STATEMENTS = (
    "pass", "return None", "return", "raise ValueError('first line\\nsecond line')", "raise RuntimeError('x' * 5000)",
    "raise KeyError('a')", "raise Exception", "raise SystemExit(3)", "raise StopIteration",
    "raise NotImplementedError", "raise MemoryError", "raise RecursionError", "assert False", "import no_such_module",
    "from jax import nothing", "del jnp", "jnp = None", "class E(BaseException): pass\nraise E('mine')",
    "import warnings; warnings.warn('careful')", "print('\\udcff')", "yield 1", "name = None",
    "def f(): return f()\nf()", "import sys; sys.exit('bye')",
)  # fmt: skip


def start() -> None:
    """Nothing to replace: what is accepted is fitted."""


def case(random: Random, folder: Path, shared: Path) -> Case:
    """A card with a user's model and measurement, one of which is changed."""
    files = {name: (EXAMPLES / name).read_bytes() for name in FILES}
    name = random.choice(FILES)
    if random.random() < 0.1:
        files[name], what = damage_bytes(random, files[name])
    else:
        text, done = files[name].decode(), []
        for _ in range(random.choice((1, 1, 1, 2))):
            text, what = _changed(random, text)
            done.append(what)
        files[name], what = text.encode("utf-8", "backslashreplace"), " + ".join(done)
    return Case(what, {**files, "card.toml": CARD.encode()}, lambda: _checked(folder))


def _checked(folder: Path) -> str:
    """Load, fit without sampling, draw, cite; words on the fit."""
    from anomfit.cards import load_card
    from anomfit.citing import cited
    from anomfit.results.files import load_result
    from anomfit.run import run_fit

    out, said = folder / "out", []
    try:
        run_fit(load_card(folder / "card.toml"), out, sample=False, say=said.append)
    except BaseException:
        if out.exists() and not (out / "result.nc").exists():
            raise Poor(f"the refused fit left {sorted(path.name for path in out.iterdir())}") from None
        raise
    result = load_result(out / "result.nc")
    cited(str(out))
    shutil.rmtree(out)
    values = result.fit.values if result.fit is not None else {}
    warnings = [line for line in said if line.startswith("warning")]
    return f"-2 ln L = {result.fit.twice_nll:.4g} at {values}; {warnings}" if result.fit is not None else "no fit"


# -- changes of Python code -------------------------------------------------------------------------------------------


def _changed(random: Random, text: str) -> tuple[str, str]:
    """The code with one of its nodes replaced; words for what was done."""
    tree = ast.parse(text)
    done = random.choice(CHANGES)(random, tree)
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n", done


def _nodes(tree: ast.AST, *kinds: type) -> list:
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def _expression(random: Random, tree: ast.AST) -> str:
    """A value that is returned, assigned or passed becomes something else."""
    holders = [node for node in _nodes(tree, ast.Return, ast.Assign, ast.AnnAssign) if node.value is not None]
    calls = [node for node in _nodes(tree, ast.Call) if node.args or node.keywords]
    words = random.choice(EXPRESSIONS)
    new = ast.parse(words, mode="eval").body
    if random.random() < 0.6:
        random.choice(holders).value = new
    else:
        call = random.choice(calls)
        places = len(call.args) + len(call.keywords)
        at = random.randrange(places)
        if at < len(call.args):
            call.args[at] = new
        else:
            call.keywords[at - len(call.args)].value = new
    return f"{words} in place of a value"


def _statement(random: Random, tree: ast.AST) -> str:
    bodies = [
        node.body for node in _nodes(tree, ast.FunctionDef, ast.FunctionDef, ast.FunctionDef, ast.ClassDef, ast.Module)
    ]
    body, words = random.choice(bodies), random.choice(STATEMENTS)
    body.insert(random.randint(0, len(body)), _verbatim(words))
    return words.splitlines()[0]


def _verbatim(words: str) -> ast.stmt:
    """The statement, or what stands for it where several are written in one."""
    parsed = ast.parse("if True:\n    " + words.replace("\n", "\n    "))
    return parsed.body[0]


def _lost(random: Random, tree: ast.AST) -> str:
    """A member, a line, a decorator or a base class is missing."""
    holders = list(_nodes(tree, ast.FunctionDef, ast.ClassDef, ast.Module))
    holder = random.choice(holders)
    lists = [getattr(holder, name) for name in ("body", "decorator_list", "bases") if getattr(holder, name, None)]
    entries = random.choice(lists)
    gone = entries.pop(random.randrange(len(entries)))
    if entries is holder.body and not entries:
        entries.append(ast.Pass())
    return f"without a {type(gone).__name__}"


def _number(random: Random, tree: ast.AST) -> str:
    found = [node for node in _nodes(tree, ast.Constant) if isinstance(node.value, int | float)]
    chosen, value = random.choice(found), random.choice(NUMBERS)
    chosen.value = value if value == value and abs(value) != float("inf") else str(value)
    return f"the number {value:.3g}" if isinstance(value, float) else "an integer"


def _text(random: Random, tree: ast.AST) -> str:
    found = [node for node in _nodes(tree, ast.Constant) if isinstance(node.value, str)]
    chosen = random.choice(found)
    chosen.value = random.choice((odd_text(random), typo(random, chosen.value), r"$\frac{$", "a/b", "m_ν", "$x"))
    return "a text"


def _name(random: Random, tree: ast.AST) -> str:
    found = list(_nodes(tree, ast.Attribute, ast.arg, ast.FunctionDef, ast.Name))
    chosen = random.choice(found)
    field = {ast.Attribute: "attr", ast.arg: "arg", ast.FunctionDef: "name", ast.Name: "id"}[type(chosen)]
    old = getattr(chosen, field)
    setattr(chosen, field, random.choice((old + "_", old[:-1] or "q", "self", "name", "value", old.upper())))
    return "a name"


def _operator(random: Random, tree: ast.AST) -> str:
    chosen = random.choice(_nodes(tree, ast.BinOp))
    chosen.op = random.choice(
        (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.MatMult, ast.FloorDiv, ast.Mod, ast.BitOr)
    )()
    return f"the operator {type(chosen.op).__name__}"


def _arguments(random: Random, tree: ast.AST) -> str:
    chosen = random.choice(_nodes(tree, ast.FunctionDef)).args
    if chosen.args and random.random() < 0.6:
        chosen.args.pop(random.randrange(len(chosen.args)))
        chosen.defaults = chosen.defaults[-len(chosen.args) :] if chosen.args else []
        return "an argument less"
    chosen.args.insert(0 if random.random() < 0.3 else len(chosen.args) - len(chosen.defaults), ast.arg("more"))
    return "an argument more"


CHANGES: tuple[Callable[[Random, ast.AST], str], ...] = (
    *(_expression,) * 6, *(_statement,) * 3, *(_lost,) * 2, *(_number,) * 2, *(_text,) * 2, *(_name,) * 2, _operator,
    _arguments,
)  # fmt: skip

"""Some fifty user files with one fault each: one sentence that names the file and the line, before anything is fitted.

The line that a sentence must name carries the mark "# here" in the changed text.
"""

from pathlib import Path

import jax
import pytest

from anomfit.cards import card_from_text, problem_from_card
from anomfit.errors import InputError
from anomfit.explaining import explained
from anomfit.user_modules import load_user_module

WHOLE = """
from dataclasses import dataclass, field, replace
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.measurements.base import Bin, Prediction
from anomfit.parameters import Nuisance, Parameter, Parametrisation


class Numbers:
    def numbers(self, point): ...


x = Parameter("x", r"$x$", "1", 0.5, 2.0, "uniform", "a number")
y = Parameter("y", r"$y$", "1", 0.1, 10.0, "log-uniform", "another number")
shift = Nuisance("shift", r"$\\delta$", 0.0, 0.1, "a shift of both")


def to_physical(values):
    return dict(values)


def from_physical(point):
    return dict(point)


def below(values):
    return values["x"] * 4.0


@dataclass(frozen=True, eq=False)
class Model(Numbers):
    name: str = "plane"
    title: str = "Two numbers"
    references: tuple = ()
    parametrisations: dict = field(
        default_factory=lambda: {"own": Parametrisation("own", (x, y), to_physical, from_physical, {"y": below})}
    )
    points: dict = field(default_factory=lambda: {"one": {"x": 1.0, "y": 2.0}})
    nuisances: tuple = ()

    def numbers(self, point):
        return jnp.stack([point["x"], point["x"] * point["y"]])


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Data:
    values: jax.Array
    covariance: jax.Array

    name = "two-numbers"
    era = "2026"
    title = "Two measured numbers"
    samples = frozenset({"two-numbers"})
    accepts = (Numbers,)
    nuisances = (shift,)
    references = ()
    choices = {"errors": "Gaussian"}
    independent_numbers = 2

    def bins(self):
        errors = np.sqrt(np.diag(self.covariance))
        rows = zip(self.values, errors)
        return [Bin("number", i, i + 1, "1", float(v), 0.0, float(e)) for i, (v, e) in enumerate(rows)]

    def predict(self, model, point, nuisances):
        return Prediction({"all": model.numbers(point) + nuisances["shift"]}, {"sum": jnp.sum(model.numbers(point))})

    def log_likelihood(self, prediction, nuisances):
        return -0.5 * self.chi_squared(prediction, nuisances)

    def chi_squared(self, prediction, nuisances):
        residual = self.values - prediction.total
        return residual @ jnp.linalg.solve(self.covariance, residual)

    def pulls(self, prediction, nuisances):
        return (self.values - prediction.total) / jnp.sqrt(jnp.diag(self.covariance))

    def simulate(self, prediction, nuisances, key):
        return replace(self, values=jax.random.multivariate_normal(key, prediction.total, self.covariance))


model = Model()


def data(size="0.04"):
    return Data(jnp.array([1.0, 2.0]), float(size) * jnp.eye(2))
"""
CARD = """
model = "mine.py:model"
point = "one"
[free]
x = "default"
y = "default"
[measurements]
"mine.py:data" = {}
"""

IN_PARAMETERS = {  # stated before anything is called
    "an infinite range": ('0.5, 2.0, "uniform"', '0.5, float("inf"), "uniform"', "high must be a finite number"),
    "an empty range": ('0.5, 2.0, "uniform"', '2.0, 2.0, "uniform"', "the range [2.0, 2.0] is empty"),
    "a range of text": ('0.5, 2.0, "uniform"', '"0.5", 2.0, "uniform"', "low must be a finite number, not '0.5'"),
    "an unknown prior": ('2.0, "uniform"', '2.0, "flat"', "the prior 'flat' is not known"),
    "a symbol that is no mathtext": (r"$x$", r"$\frac{x$", "the symbol"),
    "an unknown command in a symbol": (r"$y$", r"$\nosuchthing$", "cannot be drawn by matplotlib"),
    "a symbol that is no text": ('r"$y$"', "None", "the symbol of 'y' must be text, not None"),
    "a nuisance of infinite width": ("0.0, 0.1", "0.0, np.inf", "sigma must be a finite number"),
    "a nuisance of no width": ("0.0, 0.1", "0.0, 0.0", "must be above 0"),
    "a symbol of a nuisance": (r"$\delta$", r"$\delta_$", "of shift cannot be drawn"),
}
IN_MODEL = {
    "a name that is no text": ('name: str = "plane"', "name: int = 3", "name must be one line of text, not 3"),
    "a title of two lines": ('"Two numbers"', '"Two\\nnumbers"', "title must be one line of text"),
    "references in one text": ("references: tuple = ()", 'references: str = "a"', "references must be a tuple of keys"),
    "nuisances that are names": ("nuisances: tuple = ()", 'nuisances: tuple = ("a",)', "nuisances must be a tuple of"),
    "no parametrisation": (
        '{"own": Parametrisation("own", (x, y), to_physical, from_physical, {"y": below})}',
        "{}",
        "at least one",
    ),
    "parameters that are names": ("(x, y)", '("x", "y")', "its parameters must be a tuple of Parameter objects"),
    "one parameter twice": ("(x, y)", "(x, y, x)", "must have different names, not x, y, x"),
    "a map that is no function": (
        "to_physical, from_physical, {",
        "{}, from_physical, {",
        "to_physical must be a function",
    ),
    "a bound of nothing known": ('{"y": below}', '{"z": below}', "'z', which is none of its parameters (x, y)"),
    "a bound that is a number": ('{"y": below}', '{"y": 4.0}', "upper must map names"),
    "a bound by a later parameter": (
        '    return values["x"] * 4.0',
        '    return values["y"] * 4.0  # here',
        "upper bound of y, which knows the parameters before it: it fails with KeyError: 'y'",
    ),
    "a bound of two numbers": ('x"] * 4.0', 'x"] * jnp.ones(2)', "the upper bound of y must be one number"),
    "a point of text": ('{"x": 1.0', '{"x": "one"', "point 'one': x must be a finite number, not 'one'"),
    "a point that is not a number": ('{"x": 1.0', '{"x": np.nan', "point 'one': x must be a finite number, not nan"),
    "points in a list": ('{"one": {"x": 1.0, "y": 2.0}}', "[1.0]", "points must map names to dictionaries"),
    "a model that cannot be hashed": ("eq=False)\nclass Model", "eq=True)\nclass Model", "cannot be hashed"),
    "no physical point": ("    return dict(values)", "    pass", "to_physical must return a dictionary of numbers"),
    "a physical point of arrays": (
        "    return dict(values)",
        '    return {**values, "x": values["x"] * jnp.ones(3)}',
        "to_physical must give one real number for x, not an array of shape (3,)",
    ),
    "a physical point that fails": (
        "    return dict(values)",
        '    return {**values, "z": values["z"]}  # here',
        "to_physical of own: it fails with KeyError: 'z'",
    ),
    "no finite physical point": (
        "    return dict(values)",
        '    return {**values, "x": jnp.log(-values["x"])}',
        "to_physical gives no finite x at any of 9 points",
    ),
    "no way back": (
        "    return dict(point)",
        "    return 1 / 0  # here",
        "at the point 'one': it fails with ZeroDivision",
    ),
    "a way back to words": (
        "    return dict(point)",
        '    return {"x": "one"}',
        "must give finite numbers by name at the point",
    ),
    "a way back to nan": ("    return dict(point)", '    return {"x": jnp.nan}', "not {'x': nan}"),
    "a branch on a number": (
        "        return jnp.stack([",
        '        if point["x"] > 1.0:  # here\n            return jnp.zeros(2)\n        return jnp.stack([',
        "it branches (if, and, or, not, while, min, max) on a number of the point",
    ),
    "a number made into Python's": (
        '        return jnp.stack([point["x"],',
        '        return jnp.stack([float(point["x"]),  # here\n           ',
        "it turns a number of the point into a Python number",
    ),
    "NumPy on a traced number": (
        '        return jnp.stack([point["x"],',
        '        return jnp.stack([np.exp(np.asarray(point["x"])),  # here\n           ',
        "it hands a number of the point to NumPy or SciPy",
    ),
    "a name that is not there": (
        'jnp.stack([point["x"],',
        'jnp.stack([point["z"],  # here\n           ',
        "KeyError: 'z'",
    ),
    "a gradient that is nowhere finite": (
        '[point["x"], point',
        '[point["x"] + jnp.where(point["x"] > 0.0, 0.0, jnp.sqrt(point["x"] - 99.0)), point',
        "the gradient of ln L of two-numbers with respect to x is not finite at any of 10 points",
    ),
    "a prediction that is nowhere finite": (
        'point["x"] * point["y"]',
        'jnp.log(-point["y"])',
        "the prediction of plane for two-numbers is not finite at any of 10 points",
    ),
}
IN_MEASUREMENT = {
    "an era that is a number": ('era = "2026"', "era = 2026", "era must be one line of text, not 2026"),
    "samples in a list": ('frozenset({"two-numbers"})', '["two-numbers"]', "samples must be a frozenset of names"),
    "accepts that is no tuple": (
        "accepts = (Numbers,)",
        "accepts = Numbers",
        "accepts must be a tuple of capabilities",
    ),
    "accepts of names": ("accepts = (Numbers,)", 'accepts = ("Numbers",)', "accepts must be a tuple of capabilities"),
    "accepts a bare protocol": (
        "accepts = (Numbers,)",
        "accepts = (type('P', (Protocol,), {'_is_protocol': True}),)",
        "needs @runtime_checkable",
    ),
    "a nuisance twice": ("(shift,)", "(shift, shift)", "nuisances must have different names"),
    "choices of numbers": ('{"errors": "Gaussian"}', '{"errors": 1}', "choices must be a dictionary of words"),
    "independent numbers of half": ("numbers = 2", "numbers = 0.5", "independent_numbers must be a whole number"),
    "independent numbers below 0": ("numbers = 2", "numbers = -1", "independent_numbers must be a whole number"),
    "independent numbers missing": ("    independent_numbers = 2\n", "", "it lacks independent_numbers"),
    "a property that fails": (
        "    independent_numbers = 2",
        "    independent_numbers = property(lambda self: self.nothing)  # here",
        "AttributeError: 'Data' object has no attribute 'nothing'",
    ),
    "a method that is none": ("    def pulls(self,", "    pulls = 3\n    def other(self,", "pulls must be a method"),
    "no bins": ("    def bins(self):", "    def bins(self):  # here\n        return []", "bins must return a list of"),
    "bins of tuples": ('[Bin("number", i, i + 1,', '[tuple(("number", i, i + 1,)) or (', "bins must return a list of"),
    "bins that fail": (
        "        errors = np.sqrt",
        "        errors = nothing  # here\n        errors = np.sqrt",
        "NameError",
    ),
    "bins of arrays": ('"1", float(v)', '"1", v', "data of bin 0 must be a number"),
    "bins of nan": ('"1", float(v)', '"1", float("nan")', "data of bin 0 is nan"),
    "bins of negative errors": ("float(e))", "-float(e))", "error of bin 0 is -0.2"),
    "bins of another number than the prediction": (
        "        return [Bin(",
        "        return 2 * [Bin(",
        "must give 4 real numbers as the signal 'all', one a bin of bins(), not an array of shape (2,)",
    ),
    "a field of words among the data": (
        "    covariance: jax.Array\n",
        '    covariance: jax.Array\n    note: str = "mine"\n',
        "'mine' among its data is no number or array; list that field in meta_fields",
    ),
    "an array outside the data": (
        "@jax.tree_util.register_dataclass\n@dataclass(frozen=True)\nclass Data:",
        'part = lambda c: jax.tree_util.register_dataclass(c, ["values"], ["covariance"])\n'
        "@part\n@dataclass(frozen=True)\nclass Data:",
        "Data: covariance is an array and stands in meta_fields; list it in data_fields instead",
    ),
    "no pytree": ("@jax.tree_util.register_dataclass\n", "", "it is not a pytree"),
    "a prediction of None": (
        "    def predict(self, model, point, nuisances):\n        return",
        "    def predict(self, model, point, nuisances):  # here\n        ",
        "must return anomfit.measurements.base.Prediction, not None",
    ),
    "a prediction of an array": (
        "return Prediction({",
        "return ({",
        "must return anomfit.measurements.base.Prediction",
    ),
    "a prediction without components": (
        'Prediction({"all": model.numbers(point) + nuisances["shift"]}',
        "Prediction({}",
        "has no component in its signal",
    ),
    "a prediction of one number": ('{"all": model.numbers(point)', '{"all": 1.0', "not an array of shape ()"),
    "a complex prediction": ('{"all": model.numbers(point)', '{"all": 1j * model.numbers(point)', "kind complex128"),
    "a total of two numbers": ("jnp.sum(model.numbers(point))", "model.numbers(point)", "'sum' before efficiency"),
    "a prediction that fails": (
        "    def predict(self, model, point, nuisances):",
        "    def predict(self, model, point, nuisances):\n        point['mass']  # here",
        "predict of two-numbers with plane: it fails with KeyError: 'mass'",
    ),
    "a likelihood of None": (
        "        return -0.5 * self.chi",
        "        -0.5 * self.chi",
        "log_likelihood of two-numbers must be one real number, not None",
    ),
    "a complex likelihood": ("return -0.5 *", "return -0.5j *", "must be one real number, not an array of shape ()"),
    "a likelihood a bin": ("return -0.5 * self", "return jnp.ones(2) * self", "not an array of shape (2,)"),
    "a likelihood in single precision": (
        "return -0.5 * self.chi_squared(prediction, nuisances)",
        "return (-0.5 * self.chi_squared(prediction, nuisances)).astype(jnp.float32)",
        "compute it in double precision",
    ),
    "a chi^2 that fails": (
        "        residual = self.values -",
        "        residual = self.value -",
        "AttributeError: 'Data' object has no attribute 'value'",
    ),
    "a chi^2 a bin": (
        "return residual @ jnp.linalg.solve(self.covariance, residual)",
        "return residual**2",
        "log_likelihood of two-numbers must be one real number",
    ),
    "pulls of one number": (
        "        return (self.values - prediction.total) / jnp.sqrt(jnp.diag(self.covariance))",
        "        return jnp.zeros(())",
        "pulls of two-numbers must be an array of 2 real numbers",
    ),
    "pulls that need other arguments": (
        "    def pulls(self, prediction, nuisances):",
        "    def pulls(self, prediction):",
        "pulls of two-numbers: it fails with TypeError",
    ),
    "pulls that are not finite": (
        "/ jnp.sqrt(jnp.diag(self.covariance))",
        "/ 0.0",
        "pulls of two-numbers is not finite at any of 10 points",
    ),
    "a covariance of zero": ('size="0.04"', 'size="0.0"', "a sigma of 0 or a covariance that cannot be inverted"),
    "a singular covariance": (
        "float(size) * jnp.eye(2)",
        "float(size) * jnp.ones((2, 2))",
        "a sigma of 0 or a covariance that cannot be inverted",
    ),
    "data thrown in another shape": (
        "jax.random.multivariate_normal(key, prediction.total, self.covariance)",
        "jnp.ones(3)",
        "must return the measurement with other data of the same shapes and kinds",
    ),
    "data thrown as an array": (
        "return replace(self, values=",
        "return (",
        "must return the measurement with other data",
    ),
    "an option that is no number": ('size="0.04"', 'size="small"', "could not convert string to float: 'small'"),
    "a function that ends the program": (
        "    return Data(",
        "    import sys\n    sys.exit(3)  # here\n    return Data(",
        "it fails with SystemExit: 3",
    ),
    "an exception that is no Exception": (
        "    return Data(",
        "    class Stop(BaseException): pass\n    raise Stop('mine')  # here\n    return Data(",
        "it fails with Stop: mine",
    ),
    "nothing returned": ("    return Data(", "    Data(", "NoneType: it is not a measurement"),
}
CASES = {**IN_PARAMETERS, **IN_MODEL, **IN_MEASUREMENT}


def built(folder: Path, text: str):
    (folder / "mine.py").write_text(text)
    said = []
    return problem_from_card(card_from_text(CARD, folder=folder), said.append), said


def test_the_file_without_a_fault_is_taken_in_silence(tmp_path):
    problem, said = built(tmp_path, WHOLE)
    assert problem.names == ("x", "y", "shift")
    assert said == []


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_one_sentence_with_file_and_line(tmp_path, case):
    old, new, words = CASES[case]
    assert old in WHOLE
    text = WHOLE.replace(old, new, 1)
    with pytest.raises(InputError) as caught:
        built(tmp_path, text)
    said = str(caught.value)
    assert said.startswith(f"user file {tmp_path.resolve()}/mine.py"), said
    assert "\n" not in said
    assert words in said
    marked = [number for number, line in enumerate(text.splitlines(), start=1) if "# here" in line]
    assert all(f", line {number}: " in said for number in marked), said


def test_what_is_finite_in_parts_is_taken_and_said(tmp_path):
    """Half of the prior without a finite value, and a square root whose gradient is infinite at one point."""
    text = WHOLE.replace('point["x"] * point["y"]', 'point["x"] * jnp.log(point["y"] - 1.0)')
    _, said = built(tmp_path, text)
    assert len(said) == 1
    assert said[0].startswith("ln L of two-numbers is not finite at ")
    text = WHOLE.replace('[point["x"],', '[jnp.where(point["x"] > 1.1, point["x"], jnp.sqrt(1.1 - point["x"])),')
    _, said = built(tmp_path, text)
    assert len(said) == 1
    assert said[0].startswith("the gradient of ln L of two-numbers is not finite at ")


def test_a_gradient_is_looked_for_where_it_breaks(tmp_path):
    """In the prediction, or in the likelihood: here |signal| by a square root, at a signal that is 0."""
    text = WHOLE.replace(
        "-0.5 * self.chi_squared", "-jnp.sum(jnp.sqrt((0.0 * prediction.total) ** 2)) - 0.5 * self.chi_squared"
    )
    line = 1 + text.splitlines().index("    def log_likelihood(self, prediction, nuisances):")
    with pytest.raises(
        InputError, match=f"line {line}: the gradient of ln L of two-numbers with respect to shift, x, y"
    ):
        built(tmp_path, text)


def test_what_fails_later_is_one_sentence_too(tmp_path):
    """In a method that is called for the second time, and in a function that JAX calls while a program runs."""
    again = WHOLE.replace(
        "        return (self.values -",
        "        CALLS.append(1)\n        if len(CALLS) > 1:\n            raise OSError('no more')  # here\n"
        "        return (self.values -",
    )
    called = WHOLE.replace(
        "residual = self.values - prediction.total",
        "residual = jax.pure_callback(late, prediction.total, prediction.total)",
    )
    for text, end, words in (
        (again, "CALLS = []\n", "it fails with OSError: no more"),
        (called, "def late(total):\n    raise RuntimeError('late')  # here\n", "it fails with RuntimeError: late"),
    ):
        (tmp_path / "mine.py").write_text(f"{text}\n\n{end}")
        module = load_user_module(tmp_path / "mine.py")
        data = module.data()
        prediction = data.predict(module.model, {"x": 1.0, "y": 2.0}, {"shift": 0.0})
        line = next(i for i, line in enumerate(f"{text}\n\n{end}".splitlines(), start=1) if "# here" in line)
        with pytest.raises(InputError, match=f"line {line}: {words}$"):
            as_a_fit_does(data, prediction)


@explained()
def as_a_fit_does(data, prediction):
    for _ in range(2):
        data.pulls(prediction, {})
        jax.block_until_ready(jax.jit(data.log_likelihood)(prediction, {}))

"""Files of a user as modules: keyed by content, importing each other, leaving nothing behind in sys."""

import os
import sys

import pytest

from anomfit.errors import InputError
from anomfit.user_modules import load_user_module, sources
from anomfit.userfiles import resolve_model

MODEL = """
from anomfit.parameters import Parameter, Parametrisation
from my_helpers import LOW

x = Parameter("x", "x", "1", LOW, 2.0, "uniform", "a number")

class Line:
    name = title = "line"
    references = nuisances = ()
    points = {"one": {"x": 1.0}}
    parametrisations = {"own": Parametrisation("own", (x,), dict, dict, {})}

model = Line()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "my_helpers.py").write_text("LOW = 0.5\n")
    (tmp_path / "my_model.py").write_text(MODEL)
    return tmp_path


def low(folder) -> float:
    return resolve_model(f"{folder}/my_model.py:model").parametrisations["own"].parameters[0].low


def test_an_edited_file_is_read_again_even_in_the_same_instant(folder):
    path = folder / "my_model.py"
    first = resolve_model(f"{path}:model")
    assert resolve_model(f"{path}:model") is first  # so that what was compiled for it serves again
    times = path.stat()
    path.write_text(MODEL.replace('title = "line"', 'title = "LINE"'))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # same size and time: only the content says it
    assert resolve_model(f"{path}:model").title == "LINE"
    path.write_text(MODEL)
    assert resolve_model(f"{path}:model") is first


def test_an_edited_helper_is_read_again_with_what_imports_it(folder):
    assert low(folder) == 0.5
    (folder / "my_helpers.py").write_text("LOW = 0.25\n")
    assert low(folder) == 0.25


def test_files_of_one_name_in_two_folders_do_not_meet(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "my_helpers.py").write_text("LOW = 0.75\n")
    (other / "my_model.py").write_text(MODEL)
    assert (low(folder), low(other), low(folder)) == (0.5, 0.75, 0.5)


def test_nothing_is_left_behind_for_other_imports(folder):
    paths, finders = list(sys.path), list(sys.meta_path)
    low(folder)
    assert (sys.path, sys.meta_path) == (paths, finders)
    assert "my_helpers" not in sys.modules
    assert not list(folder.glob("__pycache__"))


def test_user_files_share_what_they_import_from_each_other(folder):
    (folder / "my_measurement.py").write_text("from my_model import Line\nimport my_helpers\n")
    measurement = load_user_module(folder / "my_measurement.py")
    assert isinstance(resolve_model(f"{folder}/my_model.py:model"), measurement.Line)
    assert measurement.my_helpers is load_user_module(folder / "my_helpers.py")


def test_two_files_may_import_each_other(tmp_path):
    (tmp_path / "left.py").write_text("import right\ndef number():\n    return right.NUMBER\n")
    (tmp_path / "right.py").write_text("import left\nNUMBER = 3\ndef again():\n    return left.number()\n")
    left, right = load_user_module(tmp_path / "left.py"), load_user_module(tmp_path / "right.py")
    assert (left.right, right.left) == (right, left)
    assert (left.number(), right.again()) == (3, 3)
    (tmp_path / "right.py").write_text("import left\nNUMBER = 4\ndef again():\n    return left.number()\n")
    assert load_user_module(tmp_path / "left.py").number() == 4


def test_packages_relative_and_late_imports_are_found(tmp_path):
    package = tmp_path / "shapes"
    package.mkdir()
    (package / "__init__.py").write_text("from .line import SLOPE\n")
    (package / "line.py").write_text("from . import numbers\nSLOPE = numbers.TWO\n")
    (package / "numbers.py").write_text("TWO = 2\n")
    (tmp_path / "late.py").write_text("WORD = 'late'\n")
    (tmp_path / "top.py").write_text(
        "import shapes.line\nfrom shapes import numbers, SLOPE\ndef word():\n    import late\n    return late.WORD\n"
    )
    top = load_user_module(tmp_path / "top.py")
    assert (top.shapes.line.SLOPE, top.numbers.TWO, top.SLOPE, top.word()) == (2, 2, 2, "late")
    names = {path.removeprefix(f"{tmp_path.resolve()}/") for path in sources(type("Held", (), {})(), top.word)}
    assert names == {"top.py", "late.py", "shapes/__init__.py", "shapes/line.py", "shapes/numbers.py"}


def test_a_file_named_as_what_it_imports_gets_the_installed_package(tmp_path):
    (tmp_path / "numpy.py").write_text("import numpy\nPI = numpy.pi\n")
    assert pytest.approx(3.14159265, rel=1e-8) == load_user_module(tmp_path / "numpy.py").PI


def test_a_file_that_failed_is_read_again_when_it_is_mended(folder):
    (folder / "my_helpers.py").write_text("LOW = 1 / 0\n")
    with pytest.raises(InputError, match=r"my_helpers\.py, line 1: it fails with ZeroDivisionError"):
        low(folder)
    (folder / "my_helpers.py").write_text("LOW = 0.5\n\nLOW = = 3\n")
    with pytest.raises(InputError, match=r"my_helpers\.py, line 3: it fails with SyntaxError"):
        low(folder)
    (folder / "my_helpers.py").write_text("LOW = 0.125\n")
    assert low(folder) == 0.125


def test_the_sources_of_objects_are_all_their_files(folder):
    from anomfit.catalogue import find_model

    model = resolve_model(f"{folder}/my_model.py:model")
    found = sources(model)
    assert set(found) == {str((folder / name).resolve()) for name in ("my_model.py", "my_helpers.py")}
    assert all(len(digest) == 64 for digest in found.values())
    (folder / "my_helpers.py").write_text("LOW = 0.25\n")
    assert sources(model) == found  # what was read is what runs
    assert sources(resolve_model(f"{folder}/my_model.py:model")) != found
    assert sources(find_model("oscillation")) == {}

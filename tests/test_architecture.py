"""The import graph: no room imports one above it, no two modules import each other, at the top of a file or within."""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import anomfit

ROOT = Path(anomfit.__file__).parent


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in ROOT.rglob("*.py")}


def imports(path: Path) -> Iterator[str]:
    """Modules of the package that are imported when a file is loaded; those for the type checker alone do not count."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            full = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in MODULES else node.module for name in full)


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def test_no_two_modules_import_each_other():
    graph = {name: {other for other in imports(path) if other != name} for name, path in MODULES.items()}
    list(graphlib.TopologicalSorter(graph).static_order())  # CycleError names a circle


def test_rooms_stand_above_each_other():
    graph: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        rooms = {room_of(other) for other in imports(path)}
        graph.setdefault(room_of(name), set()).update(rooms - {room_of(name)})
    list(graphlib.TopologicalSorter(graph).static_order())


def test_physics_knows_no_beam_and_rates_know_no_detector():
    below = {"physics": {"beams", "rates", "detectors", "models", "measurements"}, "rates": {"detectors", "models"}}
    for name, path in MODULES.items():
        above = {room_of(other) for other in imports(path)} & below.get(room_of(name), set())
        assert not above, f"{name} imports from {above}"

"""Long computations replaced by a stop, in this process: what is wrong with an input is said before the first."""

import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fuzzing.outcomes import ChecksDone

Replace = Callable[[Any, str, Any], None]

# The first things that are computed, by what asks for them.
COMPUTATIONS = {
    "fit": (("anomfit.run", "forward_at"), ("anomfit.inference.fit.minimise", "minimise")),
    "sample": (("anomfit.inference.sample.chains", "sample"), ("anomfit.inference.sample.nested", "nested_samples")),
    "optimise": (("anomfit.inference.optima.search", "optimise"),),
    "predict": (("anomfit.prediction", "_predict_all"),),
    "constraints": (("anomfit.constraints", "constraint_table"),),
    "toys": (("anomfit.inference.compare.toys", "run_toys"),),
    "reproduce": (("anomfit.reproduce.papers", "_rows"),),
}


def stop_computations(*kinds: str, replace: Replace = setattr) -> None:
    """Make these of COMPUTATIONS (default: all) raise ChecksDone; AttributeError when one has another name now."""
    for module, name in (entry for kind in kinds or COMPUTATIONS for entry in COMPUTATIONS[kind]):
        found = importlib.import_module(module)
        getattr(found, name)
        replace(found, name, _stop)


def keep_measurements(replace: Replace = setattr) -> None:
    """Keep every shipped measurement that was loaded, so that a case takes milliseconds."""
    from anomfit import catalogue

    replace(catalogue, "find_measurement", functools.lru_cache(maxsize=None)(catalogue.find_measurement))


def held(folder: Path) -> dict[str, bytes]:
    """All files in a folder with their content, to compare before with after."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _stop(*arguments, **options):
    raise ChecksDone

"""anomfit: differentiable fits of light new physics to the low-energy anomalies.

float64 is the default and is set here, in one place, unless the user has set JAX_ENABLE_X64; whoever computes asks JAX
which precision is in force (anomfit.precision). So is one thread for SciPy's BLAS (OPENBLAS_NUM_THREADS): JAX calls it
for small matrices, from several threads of its own, and waiting for BLAS's threads would take longer than everything
else in a likelihood. And so is how XLA compiles, unless the user has set XLA_FLAGS (anomfit.compiling).
"""

import os
import sys
from typing import TYPE_CHECKING

from anomfit.compiling import compile_quickly

if TYPE_CHECKING:
    from anomfit.batching import batched as batched
    from anomfit.planes import plane as plane
    from anomfit.scanning import run_scan
    from anomfit.tables.problems import tabulated as tabulated

    scan = run_scan

if not os.environ.get("JAX_ENABLE_X64"):
    os.environ["JAX_ENABLE_X64"] = "1"  # read when jax is imported, which this package leaves to who needs it
    if "jax" in sys.modules:
        sys.modules["jax"].config.update("jax_enable_x64", True)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when SciPy is imported
compile_quickly()

__version__ = "0.2.0"


def __getattr__(name: str):
    """The public functions at the top, imported when they are asked for: JAX is left to who needs it."""
    if name == "batched":
        from anomfit.batching import batched

        return batched
    if name == "scan":
        from anomfit.scanning import run_scan

        return run_scan
    if name == "plane":
        from anomfit.planes import plane

        return plane
    if name == "tabulated":
        from anomfit.tables.problems import tabulated

        return tabulated
    raise AttributeError(f"module 'anomfit' has no attribute {name!r}")

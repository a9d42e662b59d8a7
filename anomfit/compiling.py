"""How XLA compiles on a processor: the programs of a likelihood are long, and run from a few times to some 1e5 times.

With LLVM's first level of optimisation, and XLA's own loops in place of its fusion emitters, they compile two to three
times as fast and run as fast. The switches are environment variables that JAX's compiler reads when it computes
first: whoever sets XLA_FLAGS (the empty text is enough) has what XLA does by itself. On an accelerator nothing is set.
"""

import os
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

FLAGS = "--xla_backend_optimization_level=1 --xla_cpu_use_fusion_emitters=false"
TRIED = ("0.10.2",)  # versions of jaxlib that know these flags: XLA ends the process at one that it does not know
ACCELERATORS = ("jax_cuda12_plugin", "jax_cuda13_plugin", "jax_rocm7_plugin", "libtpu")


def compile_quickly() -> None:
    """Set XLA_FLAGS where it is unset, for a jaxlib that knows the flags and a machine that computes on processors.

    Without effect in a process in which JAX has computed already.
    """
    if "XLA_FLAGS" in os.environ or _version() not in TRIED:
        return
    if os.environ.get("JAX_PLATFORMS") == "cpu" or not any(find_spec(name) for name in ACCELERATORS):
        os.environ["XLA_FLAGS"] = FLAGS


def _version() -> str:
    try:
        return version("jaxlib")
    except PackageNotFoundError:
        return ""

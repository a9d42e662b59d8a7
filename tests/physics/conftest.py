"""Programs of pure functions run once or a few times here, and compiling them is most of the time."""

import jax
import pytest


@pytest.fixture(autouse=True, scope="module")
def _compiled_quickly():
    """Let LLVM optimise nothing; results differ by rounding, for which the tests of this folder have room."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
